"""Telling other programs what happens here: signed, tried again for a day, and every delivery written down."""

import json
import secrets
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now
from django.utils.timezone import now

from accounts import farewell, limits, tenancy, vault
from accounts.models import User, Workspace
from content.models import Delivery, Hook, Post
from errors import codes, outbound
from errors.codes import Code
from errors.exceptions import BotException
from errors.recording import log_activity, record

EVENTS = {
    "post_schedule": "post.scheduled",
    "post_unschedule": "post.unscheduled",
    "post_published": "post.published",
    "post_unknown": "post.unknown",
    "post_failed": "post.failed",
    "measured": "analytics.measured",
}
PAUSES = (30, 120, 600, 1800, 3600, 7200, 14400, 28800, 28800)  # seconds before each further try: about a day
LEASE = 60  # seconds a delivery is its worker's
MOST = 10  # hooks of a workspace
KEPT = timedelta(days=30)  # of the delivery log

_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM content_delivery WHERE state = 'waiting' AND due_at <= now()
    ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE content_delivery d SET due_at = now() + make_interval(secs => %s)
FROM due WHERE d.id = due.id RETURNING d.workspace_id, d.id
"""


def add(workspace: Workspace, user: User, url: str, events: list[str]) -> tuple[Hook, str]:
    """Tell an address from now on; the hook, and its secret, which is shown once.

    Raises ADDRESS_NOT_PUBLIC, VALIDATION_FAILED or BEING_DELETED.
    """
    farewell.nothing_new(workspace)
    outbound.check(url)
    if not events or not set(events) <= set(EVENTS.values()):
        raise BotException(codes.VALIDATION_FAILED, "Choose at least one event.", field="events")
    if Hook.objects.filter(workspace=workspace).count() >= MOST:
        raise BotException(codes.VALIDATION_FAILED, f"A workspace has at most {MOST} webhooks.", field="url")
    secret = f"whsec_{secrets.token_urlsafe(32)}"
    hook = Hook(workspace=workspace, url=url[:500], events=events, created_by=user.pk)
    hook.sealed_secret = vault.seal(secret.encode(), **_place(hook))
    hook.save(force_insert=True)
    log_activity("hook_added", workspace=workspace, user=user, hook=str(hook.pk))
    return hook, secret


def remove(hook: Hook, user: User) -> None:
    """Tell an address nothing more; its log goes with it."""
    log_activity("hook_removed", workspace=hook.workspace_id, user=user, hook=str(hook.pk))
    hook.delete()


def tell(post: Post, action: str) -> None:
    """Let the workspace's hooks know of a deed about a post, if it is one of EVENTS: in the deed's own transaction."""
    if action in EVENTS:
        publish(post.workspace_id, EVENTS[action], {"post": shape(post)})


def publish(workspace: UUID, event: str, data: dict[str, object]) -> None:
    """Write one delivery down for each hook that wants this event."""
    hooks = Hook.objects.filter(workspace=workspace, is_active=True, events__contains=[event])
    Delivery.objects.bulk_create(
        Delivery(workspace_id=workspace, hook=hook, event=event, payload=data) for hook in hooks
    )


def try_out(hook: Hook, user: User) -> Delivery:
    """Send a hook a `ping` at once. Raises TOO_MANY_TRIES."""
    limits.take(limits.HOOK_TEST, hook.workspace_id)
    log_activity("hook_tested", workspace=hook.workspace_id, user=user, hook=str(hook.pk))
    return Delivery.objects.create(workspace_id=hook.workspace_id, hook=hook, event="ping", payload={"hello": "world"})


def again(delivery: Delivery, user: User) -> None:
    """Send a delivery once more, with the same id. Raises TOO_MANY_TRIES."""
    limits.take(limits.HOOK_TEST, delivery.workspace_id)
    Delivery.objects.filter(pk=delivery.pk).exclude(state=Delivery.State.WAITING).update(
        state=Delivery.State.WAITING, due_at=Now(), attempts=0, ended_at=None
    )
    log_activity("hook_tested", workspace=delivery.workspace_id, user=user, hook=str(delivery.hook_id))


def due(limit: int = 100) -> list[tuple[UUID, UUID]]:
    """(workspace, delivery) of what is to be sent now; nobody else gets them for a minute."""
    with tenancy.platform("due deliveries of all workspaces are claimed"), connection.cursor() as cursor:
        cursor.execute(_CLAIM, [limit, LEASE])
        return list(cursor.fetchall())


def forget_old() -> None:
    """Throw away what was told a month ago."""
    with tenancy.platform("old deliveries of all workspaces go"):
        Delivery.objects.filter(created_at__lt=now() - KEPT).delete()


def deliver(workspace: UUID, delivery_id: UUID) -> None:
    """Send one delivery and write down how it went; what was not taken with a 2xx is tried again."""
    with tenancy.scope(workspace):
        delivery = Delivery.objects.select_related("hook").filter(pk=delivery_id, state=Delivery.State.WAITING).first()
        if delivery is None:
            return
        secret = vault.unseal(bytes(delivery.hook.sealed_secret), **_place(delivery.hook)).decode()
    body = envelope(delivery)
    headers = {
        "Content-Type": "application/json",
        "X-InstaGrowth-Event": delivery.event,
        "X-InstaGrowth-Delivery": str(delivery.pk),
        outbound.SIGNATURE: outbound.signed(secret, body, int(time.time())),
    }
    status, code = None, None
    try:
        status = outbound.post(delivery.hook.url, body, headers)
    except BotException as failed:
        code = failed.code
    _note(delivery, status, code if status is None or 200 <= status < 300 else codes.PUB_HOOK_FAILED)


def envelope(delivery: Delivery) -> bytes:
    """What is sent: the same bytes at every try."""
    told = {
        "id": str(delivery.pk),
        "event": delivery.event,
        "created_at": delivery.created_at.isoformat(),
        "data": delivery.payload,
    }
    return json.dumps(told, separators=(",", ":"), sort_keys=True).encode()


def shape(post: Post) -> dict[str, object]:
    """What programs are told of a post."""
    return {
        "id": str(post.pk),
        "state": str(post.state),
        "kind": str(post.kind),
        "account": post.account.username if post.account else None,
        "caption": post.caption,
        "planned_for": post.planned_for.isoformat() if post.planned_for else None,
        "published_at": post.published_at.isoformat() if post.published_at else None,
        "instagram_id": post.instagram_id or None,
        "permalink": post.permalink or None,
        "error_code": post.error_code or None,
    }


def _note(delivery: Delivery, status: int | None, code: Code | None) -> None:
    tries = delivery.attempts + 1
    fields: dict[str, object] = {"attempts": tries, "status": status, "error_code": code.id if code else ""}
    if code is None:
        fields |= {"state": Delivery.State.DELIVERED, "ended_at": Now()}
    elif tries > len(PAUSES) or code is codes.ADDRESS_NOT_PUBLIC:  # that will not change by waiting
        fields |= {"state": Delivery.State.FAILED, "ended_at": Now()}
    else:
        fields |= {"due_at": now() + timedelta(seconds=PAUSES[tries - 1])}
    with tenancy.scope(delivery.workspace_id):
        Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.WAITING).update(**fields)
        if fields.get("state") == Delivery.State.FAILED and code:
            record(code, action="webhook", workspace=delivery.workspace_id, hook=str(delivery.hook_id))


def _place(hook: Hook) -> dict[str, Any]:
    return {"table": "content_hook", "row": hook.pk, "column": "sealed_secret"}
