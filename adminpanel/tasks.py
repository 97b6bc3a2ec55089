"""The control room's doors for Celery. A job is a row; messages are hints, and a second one does nothing twice."""

from uuid import UUID

from celery import shared_task

from adminpanel import bulk, visits


@shared_task(platform="staff's deeds to all rows of a list")
def work(key: str) -> None:
    """Go on with a bulk job for a while, then leave the rest to the next message."""
    if bulk.work_at(UUID(key)):
        work.apply_async((key,), expires=600)


@shared_task(platform="jobs of staff that dead workers left are found")
def sweep() -> None:
    """Send out jobs that nobody works at."""
    bulk.sweep()


@shared_task(platform="visits of staff end in whatever workspace they are")
def end_visits() -> None:
    """Close the visits that nobody closed."""
    visits.end_due()
