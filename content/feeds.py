"""The plan as a calendar that other programs subscribe to (RFC 5545), behind a secret address."""

import hashlib
import secrets
from datetime import timedelta
from uuid import UUID

from django.db.models.functions import Now
from django.utils.timezone import now

from accounts import farewell, tenancy
from accounts.models import User, Workspace
from content.models import Feed, Post
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

MOST = 20  # feeds of a workspace
BACK, AHEAD = timedelta(days=60), timedelta(days=366)
LASTS = timedelta(minutes=15)  # how long an entry looks in a calendar


def make(workspace: Workspace, user: User, name: str) -> tuple[Feed, str]:
    """Open an address; the feed, and its secret, which is shown once. Raises VALIDATION_FAILED or BEING_DELETED."""
    farewell.nothing_new(workspace)
    if Feed.objects.filter(workspace=workspace).count() >= MOST:
        raise BotException(codes.VALIDATION_FAILED, f"A workspace has at most {MOST} feeds.", field="name")
    token = secrets.token_urlsafe(32)
    feed = Feed.objects.create(workspace=workspace, name=name, token_hash=_hash(token), created_by=user.pk)
    log_activity("feed_made", workspace=workspace, user=user, name=name)
    return feed, token


def revoke(feed: Feed, user: User) -> None:
    """Close an address: whoever reads it finds nothing from now on."""
    log_activity("feed_revoked", workspace=feed.workspace_id, user=user, name=feed.name)
    feed.delete()


def read(token: str) -> bytes | None:
    """The calendar behind a secret; None for one that never was or was revoked."""
    with tenancy.platform("whoever holds a feed's secret reads its workspace's plan, and is nobody here"):
        feed = Feed.objects.filter(token_hash=_hash(token), workspace__delete_at=None).first()
        if feed is None:
            return None
        Feed.objects.filter(pk=feed.pk).update(read_at=Now())
    with tenancy.scope(feed.workspace_id):
        return ics(feed.workspace_id)


def ics(workspace: UUID) -> bytes:
    """Every dated post of the last two months and the next year."""
    from icalendar import Calendar, Event

    told = Calendar()
    told.add("prodid", "-//InstaGrowth OS//Calendar//EN")
    told.add("version", "2.0")
    told.add("x-wr-calname", "Instagram posts")
    span = (now() - BACK, now() + AHEAD)
    for post in Post.objects.filter(workspace=workspace, planned_for__range=span).select_related("account"):
        assert post.planned_for
        event = Event()
        event.add("uid", f"{post.pk}@instagrowth")
        event.add("dtstamp", post.updated_at)
        event.add("last-modified", post.updated_at)
        event.add("dtstart", post.published_at or post.planned_for)
        event.add("duration", LASTS)
        event.add("summary", f"{post.account or 'No account yet'}: {post}")
        event.add("description", f"{post.get_state_display()}\n\n{post.caption}")
        event.add("status", "CONFIRMED" if post.state in (Post.State.SCHEDULED, Post.State.PUBLISHED) else "TENTATIVE")
        told.add_component(event)
    return bytes(told.to_ical())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
