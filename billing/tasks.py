"""Billing's doors for Celery."""

from typing import Any

from celery import shared_task

from billing import dunning, gateway, lifecycle, mirror, reconcile, webhooks
from errors.exceptions import BotException
from errors.recording import record

AGAIN: Any = {"autoretry_for": (BotException,), "max_retries": 8, "retry_backoff": 30, "retry_backoff_max": 3600}


@shared_task(platform="whom an event is about, its customer tells")
def process_event(event: str) -> None:
    """Do what one event of Stripe is about."""
    webhooks.process(event)


@shared_task(platform="what is over, or was left undone, is looked for in all workspaces")
def look_after() -> None:
    """Each minute: end what time ended, remind who has not paid, take up events that were left undone."""
    mirror.lapse()
    dunning.remind_due()
    for event in webhooks.unfinished():
        webhooks.process(event)


@shared_task(platform="what is let go is looked for everywhere", time_limit=3600, soft_time_limit=3500)
def sweep_let_go() -> None:
    """Each hour: do what Stripe missed of workspaces that are let go."""
    if gateway.is_on():
        lifecycle.sweep()


@shared_task(platform="the books of all workspaces are compared", time_limit=3600, soft_time_limit=3500)
def reconcile_stripe() -> None:
    """Each night: compare all books with Stripe's."""
    if not gateway.is_on():
        return
    try:
        reconcile.reconcile()
    except BotException as refused:
        record(refused, action="reconcile_stripe")


@shared_task(platform="a subscription that is let go is named by Stripe's id alone", **AGAIN)
def stop_renewing(subscription: str) -> None:
    """Let a subscription end with its period; it is tried again, then each hour."""
    lifecycle.renew_no_more(subscription)


@shared_task(platform="a subscription that is let go is named by Stripe's id alone", **AGAIN)
def end_at_stripe(subscription: str) -> None:
    """End a subscription of a workspace that is erased; it is tried again, then each hour."""
    lifecycle.end_erased(subscription)
