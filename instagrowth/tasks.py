"""Upkeep of the wiring."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from accounts import tenancy
from instagrowth import metrics
from instagrowth.models import LiveEvent

KEPT = timedelta(days=7)  # a browser that was away for longer loads its page anew anyway


@shared_task(platform="old events of all workspaces go")
def forget_live_events() -> None:
    """Throw away events that no browser will ask for any more."""
    with tenancy.platform("old events of all workspaces go"):
        LiveEvent.objects.filter(at__lt=timezone.now() - KEPT).delete()


@shared_task(platform="a worker shows that it lives", ignore_result=True)
def show_life() -> None:
    """Be seen by /readyz and /metrics: beat, broker and this worker are there."""
    metrics.show_life()
