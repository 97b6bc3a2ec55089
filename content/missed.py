"""Posts whose hour passed while their account's way was closed: all of them again, once it is open."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from accounts.models import Membership, Workspace
from billing import entitlements
from bots import switch
from bots.models import InstagramAccount, OfficialAccess
from content import calendar
from content.models import Post
from errors import codes
from errors.exceptions import BotException

CLOSED = [
    code.id
    for code in (
        codes.IG_OFFICIAL_MISSING,
        codes.IG_OFFICIAL_RECONNECT,
        codes.IG_OFFICIAL_NO_APP,
        codes.PLAN_ACCOUNT_LIMIT,
    )
]
APART = timedelta(minutes=10)  # between two posts of an account that go out now: nobody's feed is flooded
FIRST = timedelta(minutes=1)
AT_ONCE = 100  # of a click; the next click takes the rest


def missed(workspace: Workspace, account: InstagramAccount | None = None) -> QuerySet[Post]:
    """The posts that did not go out for want of access or room, of accounts that have both again; the oldest first."""
    posts = Post.objects.filter(workspace=workspace, state=Post.State.FAILED, error_code__in=CLOSED)
    kept = switch.within_plan(workspace.pk, entitlements.plan_of(workspace))
    posts = posts.filter(account__official__status=OfficialAccess.Status.ACTIVE, account__in=kept, lease_until=None)
    return (posts.filter(account=account) if account else posts).order_by("planned_for", "pk")


def catch_up(
    membership: Membership, how: str, account: InstagramAccount | None = None
) -> tuple[list[Post], list[BotException]]:
    """Let all that were missed go out: from `now` on, in the next free `slots`, or make them a `draft`.

    Gives what was done, and why the others stayed as they were.
    """
    next_at: dict[UUID | None, datetime] = {}
    done, refused = [], []
    for post in missed(membership.workspace, account).select_related("account")[:AT_ONCE]:
        at = next_at.get(post.account_id, now() + FIRST)
        try:
            with transaction.atomic():
                done.append(_again(membership, post, how, at))
        except BotException as why:
            refused.append(why)
        else:
            next_at[post.account_id] = at + APART
    return done, refused


def _again(membership: Membership, post: Post, how: str, at: datetime) -> Post:
    if how == "now":
        return calendar.schedule(membership, post, at)
    if how == "slots":
        return calendar.enqueue(membership, post)
    return calendar.unschedule(post, membership.user)
