"""News for people: in the product at once, in a digest by mail, and to a webhook of their own, as each of them chose.

`notify()` is the one door; it only writes rows. Beat sends what has to go further, so that neither a slow mail service
nor a dead webhook keeps anybody waiting, and a killed worker loses nothing.
"""

import json
import secrets
from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now

from accounts import mails, tenancy, vault
from accounts.models import Membership, NoticeChoice, NoticeKind, Notification, User, Workspace
from accounts.roles import MAY
from errors import outbound
from errors.codes import Code
from errors.exceptions import BotException
from instagrowth import live, system

AGAIN = timedelta(hours=1)  # the same news while unread within this time is counted on the one row
COUNTED = 99  # more than that is not counted: the badge says "99+"
IN_DIGEST = 50  # the newest of one mail; the rest is on the page
MORNING = time(8)
TRIES = 6  # of a webhook: at once, then after 1, 2, 4, 8 and 16 minutes
IN_HAND = timedelta(minutes=1)  # how long one worker has a webhook to itself: longer than a post may take

_BELL = """
WITH mine AS NOT MATERIALIZED (
    SELECT id, read_at FROM accounts_notification WHERE workspace_id = %(workspace)s AND user_id = %(user)s AND in_app
)
SELECT (SELECT count(*) FROM (SELECT 1 FROM mine WHERE read_at IS NULL LIMIT %(most)s) AS waiting),
       (SELECT coalesce(max(id), 0) FROM mine)
"""
_ANNOUNCE = """
INSERT INTO accounts_notification (workspace_id, user_id, kind, tone, title, body, path, code, about, times, in_app,
                                   mail_waits, hook_due_at, hook_tries, created_at)
SELECT m.workspace_id, m.user_id, 'news', 'info', %(title)s, %(body)s, %(path)s, '', '', 1,
       NOT coalesce(c.muted, '[]') @> '["news"]', coalesce(c.mailed @> '["news"]' AND c.digest <> 'off', false),
       CASE WHEN c.hooked @> '["news"]' AND c.sealed_hook IS NOT NULL THEN now() END, 0, now()
FROM accounts_membership m
JOIN users u ON u.id = m.user_id AND u.is_active
LEFT JOIN accounts_noticechoice c ON c.workspace_id = m.workspace_id AND c.user_id = m.user_id
"""


def notify(
    workspace: Workspace | UUID | str,
    kind: str,
    title: str,
    *,
    body: str = "",
    path: str = "",
    tone: str = "info",
    code: Code | None = None,
    about: str = "",
    deed: str = "look",
    to: Collection[User] | None = None,
) -> int:
    """Tell the people of a workspace something, in the caller's transaction and view; how many were told.

    `kind` is a NoticeKind, `tone` ok, info, warn or bad, `path` a page of ours. It goes to those whose role may do
    `deed` (look: all, act: who work, decide: owners), or only to those of them in `to`. The same `about` again within
    an hour and unread becomes "×2". Never put a secret into the words.
    """
    key = str(getattr(workspace, "pk", workspace))
    people = Membership.objects.filter(workspace_id=key, role__in=MAY[deed], user__is_active=True)
    if to is not None:
        people = people.filter(user__in=to)
    ids = list(people.values_list("user_id", flat=True))
    choices = {choice.user_id: choice for choice in NoticeChoice.objects.filter(workspace_id=key, user__in=ids)}
    words = {"tone": tone, "title": title[:120], "body": body[:500], "path": path, "code": code.id if code else ""}
    again = set(_count_again(key, ids, kind, about, words)) if about else set()
    rows = [_row(key, user, kind, about, words, choices.get(user)) for user in ids if user not in again]
    Notification.objects.bulk_create([row for row in rows if row.in_app or row.mail_waits or row.hook_due_at])
    live.publish(UUID(key), "notice", {"kind": str(kind)})
    return len(ids)


def announce(title: str, body: str = "", path: str = "") -> int:
    """Tell every active person, in each of their workspaces; how many rows that made. Needs the platform's view.

    Browsers find it with their next page: a million of them are not told to ask all at once.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ANNOUNCE, {"title": title[:120], "body": body[:500], "path": path})
        return int(cursor.rowcount)


def _count_again(workspace: str, users: list[UUID], kind: str, about: str, words: dict[str, str]) -> Iterable[UUID]:
    recent = Notification.objects.filter(
        workspace_id=workspace, user__in=users, kind=kind, about=about, read_at=None, created_at__gt=now() - AGAIN
    )
    told = list(recent.select_for_update().values_list("user_id", flat=True))
    recent.update(times=F("times") + 1, **words)
    return told


def _row(
    workspace: str, user: UUID, kind: str, about: str, words: dict[str, str], choice: NoticeChoice | None
) -> Notification:
    row = Notification(workspace_id=workspace, user_id=user, kind=kind, about=about, **words)
    if choice is not None:
        row.in_app = kind not in choice.muted
        row.mail_waits = choice.digest != NoticeChoice.Digest.OFF and kind in choice.mailed
        row.hook_due_at = now() if choice.sealed_hook and kind in choice.hooked else None
    return row


def tell_staff(user: User) -> None:
    """Tell the staff's browsers that somebody new is here."""
    live.publish(live.STAFF, "user_registered", {"user": str(user.pk), "who": str(user)})


# ── In the product ──


def mine(workspace: Workspace, user: User) -> Any:
    """The person's notifications here, newest first."""
    return Notification.objects.filter(workspace=workspace, user=user, in_app=True).order_by("-id")


def bell(workspace: Workspace, user: User) -> dict[str, int]:
    """How many are unread, up to one more than COUNTED, and the number of the newest. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_BELL, {"workspace": workspace.pk, "user": user.pk, "most": COUNTED + 1})
        unread, after = cursor.fetchone()
    return {"unread": unread, "after": after}


def mark_read(workspace: Workspace, user: User, key: int | None = None) -> None:
    """Mark one as read, or all."""
    waiting = mine(workspace, user).filter(read_at=None)
    (waiting.filter(pk=key) if key else waiting).update(read_at=Now())


def choice_of(workspace: Workspace, user: User) -> NoticeChoice:
    """How the person wants to hear of this workspace; unsaved where they never chose."""
    found = NoticeChoice.objects.filter(workspace=workspace, user=user).first()
    return found or NoticeChoice(workspace=workspace, user=user, mailed=[NoticeKind.ACCOUNTS, NoticeKind.BILLING])


def is_quiet(choice: NoticeChoice, user: User, at: datetime) -> bool:
    """Whether a moment is within the person's quiet hours, by the clock on their wall."""
    begin, end, clock = choice.quiet_from, choice.quiet_to, at.astimezone(ZoneInfo(user.timezone)).time()
    if begin is None or end is None or begin == end:
        return False
    return begin <= clock < end if begin < end else clock >= begin or clock < end


# ── By mail ──


def send_digests(at: datetime | None = None) -> int:
    """Write the digests that are due; how many. Each is one transaction, and two workers do not write one twice."""
    with tenancy.platform("digests of everybody are written"):
        waiting = set(Notification.objects.filter(mail_waits=True).values_list("workspace_id", "user_id").distinct())
    return sum(_send_digest(workspace, user, at or now()) for workspace, user in waiting)


def _send_digest(workspace: UUID, user: UUID, at: datetime) -> bool:
    with tenancy.platform("a digest is its person's"):
        choices = NoticeChoice.objects.select_for_update(skip_locked=True, of=("self",))
        choice = choices.select_related("user", "workspace").filter(workspace=workspace, user=user).first()
        if choice is None or not _is_due(choice, at):
            return False
        waiting = Notification.objects.filter(workspace=workspace, user=user, mail_waits=True)
        told = list(waiting.order_by("-id"))
        waiting.filter(pk__in=[row.pk for row in told]).update(mail_waits=False)  # what comes meanwhile waits on
        news = [row for row in told if row.read_at is None]
        if not news or not choice.user.email:
            return False
        NoticeChoice.objects.filter(pk=choice.pk).update(digest_at=at)
        zone = ZoneInfo(choice.user.timezone)
        context = {
            "news": [(row, row.created_at.astimezone(zone)) for row in news[:IN_DIGEST]],
            "more": len(news[IN_DIGEST:]),
            "subject": news[0].title if len(news) == 1 else f"{len(news)} news from {choice.workspace.name}",
            "link": f"{settings.SITE_URL}/notifications/",
            "link_word": "Open your notifications",
            "zone": choice.user.timezone,
        }
        mails.write("mail/digest", choice.user.email, context, workspace=choice.workspace)
        return True


def _is_due(choice: NoticeChoice, at: datetime) -> bool:
    if choice.digest == NoticeChoice.Digest.OFF or is_quiet(choice, choice.user, at):
        return False
    if choice.digest == NoticeChoice.Digest.HOURLY:
        return choice.digest_at is None or at - choice.digest_at >= timedelta(hours=1)
    zone = ZoneInfo(choice.user.timezone)
    today = at.astimezone(zone)
    return today.time() >= MORNING and (
        choice.digest_at is None or choice.digest_at.astimezone(zone).date() < today.date()
    )


# ── To a webhook ──


def set_hook(choice: NoticeChoice, url: str) -> None:
    """Take an address for a saved choice, with a new secret; "" takes it away. Raises ADDRESS_NOT_PUBLIC."""
    if url:
        outbound.check(url)
    said = {"url": url, "secret": secrets.token_urlsafe(32)}
    choice.sealed_hook = vault.seal_json(said, **_place(choice)) if url else None
    choice.save(update_fields=["sealed_hook"])


def hook_of(choice: NoticeChoice) -> dict[str, str]:
    """The address and its secret; empty without one."""
    said: dict[str, str] = vault.unseal_json(choice.sealed_hook, **_place(choice)) if choice.sealed_hook else {}
    return said


def try_hook(choice: NoticeChoice) -> None:
    """Send a piece of news to the webhook alone, to see that it arrives."""
    Notification.objects.create(
        workspace_id=choice.workspace_id,
        user_id=choice.user_id,
        kind=NoticeKind.NEWS,
        title="A test of your webhook",
        body="Nothing happened. You asked for this on the page of your notifications.",
        hook_due_at=now(),
    )
    live.publish(choice.workspace_id, "notice", {"kind": NoticeKind.NEWS})


def due_hooks() -> list[tuple[str, int]]:
    """What has to be posted now: workspace and number."""
    with tenancy.platform("webhooks of everybody are posted to"):
        due = Notification.objects.filter(hook_due_at__lte=Now()).order_by("hook_due_at")[:200]
        return [(str(workspace), key) for workspace, key in due.values_list("workspace_id", "pk")]


def post(workspace: str, key: int) -> bool:
    """Post one to its person's webhook; whether it was taken. One in another worker's hand is let be."""
    with tenancy.scope(workspace):
        held = Notification.objects.filter(pk=key, hook_due_at__lte=Now())
        if not held.update(hook_due_at=Now() + IN_HAND, hook_tries=F("hook_tries") + 1):
            return False
        row = Notification.objects.get(pk=key)
        choice = NoticeChoice.objects.filter(workspace_id=workspace, user=row.user_id).first()
        hook = hook_of(choice) if choice else {}
    taken = bool(hook) and _post(hook, row)
    gives_up = not hook or row.hook_tries >= TRIES
    next_try = None if taken or gives_up else now() + timedelta(minutes=2 ** (row.hook_tries - 1))
    with tenancy.scope(workspace):
        Notification.objects.filter(pk=key).update(hook_due_at=next_try)
    return taken


def _post(hook: dict[str, str], row: Notification) -> bool:
    body = json.dumps(
        {
            "id": row.pk,
            "workspace": str(row.workspace_id),
            "kind": row.kind,
            "tone": row.tone,
            "title": row.title,
            "body": row.body,
            "error_code": row.code,
            "url": f"{settings.SITE_URL}{row.path}" if row.path else "",
            "at": row.created_at.isoformat(),
        }
    ).encode()
    signature = outbound.signed(hook["secret"], body, int(now().timestamp()))
    try:
        status = outbound.post(hook["url"], body, {"Content-Type": "application/json", outbound.SIGNATURE: signature})
    except BotException:
        return False
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def forget_old() -> None:
    """Throw away what is older than the system settings say."""
    with tenancy.platform("old notifications of everybody go"), transaction.atomic():
        Notification.objects.filter(Q(created_at__lt=now() - timedelta(days=system.NOTIFICATIONS_KEPT.now()))).delete()


def _place(choice: NoticeChoice) -> dict[str, Any]:
    return {"table": "accounts_noticechoice", "row": choice.pk, "column": "sealed_hook"}
