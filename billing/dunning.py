"""Mails about payments: to every owner, once for each thing that happened, in the transaction that wrote it down."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import F
from django.utils.timezone import now

from accounts import notices, teams, tenancy
from accounts.models import User
from billing.models import Subscription
from instagrowth import system

Status = Subscription.Status
REMIND_AFTER = (
    timedelta(days=0),
    timedelta(days=3),
    timedelta(days=6),
)  # since it failed; by default the 7th ends it


def tell(subscription: Subscription, before: dict[str, Any]) -> None:
    """Write to the owners what a change means to them, if it means something."""
    was, status = before["status"], subscription.status
    if status == Status.PAST_DUE and was != status:
        remind(subscription)
    elif status == Status.UNPAID and was != status:
        _write(subscription, "payment_over")
    elif status == Status.ACTIVE and was in (Status.PAST_DUE, Status.UNPAID):
        _write(subscription, "payment_recovered")
    elif status == Status.CANCELED and was in (Status.ACTIVE, Status.TRIALING, Status.PAST_DUE):
        _write(subscription, "subscription_over")


def remind(subscription: Subscription) -> None:
    """Write the reminder whose turn it is, once: two workers at it write one mail."""
    step = subscription.reminders
    mine = Subscription.objects.filter(pk=subscription.pk, reminders=step)
    if step < len(REMIND_AFTER) and mine.update(reminders=F("reminders") + 1):
        subscription.reminders = step + 1
        _write(subscription, "payment_failed")


def remind_due() -> None:
    """Write the reminders whose day has come."""
    with tenancy.platform("payments failed in any workspace"):
        for step, after in enumerate(REMIND_AFTER):
            waiting = Subscription.objects.filter(status=Status.PAST_DUE, reminders=step)
            for subscription in waiting.filter(past_due_since__lte=now() - after).select_related("plan", "workspace"):
                remind(subscription)


def trial_ends(customer: str) -> None:
    """Tell the owners that a trial is about to end; the caller's event says that it does so once."""
    mine = Subscription.objects.select_related("plan", "workspace").filter(stripe_customer_id=customer)
    if (subscription := mine.filter(status=Status.TRIALING).first()) is not None:
        _write(subscription, "trial_ends")


def _write(subscription: Subscription, event: str) -> None:
    if subscription.workspace is None:
        return
    since = subscription.past_due_since or now()
    for owner in teams.owners(subscription.workspace):
        notices.notify(
            owner,
            event,
            plan=subscription.plan.name,
            workspace=subscription.workspace.name,
            page=f"{settings.SITE_URL}/billing/",
            day=_day(subscription.trial_ends_at or since + timedelta(days=system.PAYMENT_GRACE.now()), owner),
        )


def _day(at: Any, reader: User) -> str:
    return f"{at.astimezone(ZoneInfo(reader.timezone)):%A %-d %B}"
