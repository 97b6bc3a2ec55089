"""Celery: the story goes on in the worker under the same id, and a failed task is recorded once."""

import sys

from celery import Task, signals
from celery.utils.serialization import UnpickleableExceptionWrapper
from django_structlog.celery.receivers import CeleryReceiver
from django_structlog.celery.signals import bind_extra_task_metadata

from errors import correlation

# Signals hold their receivers weakly; this one carries the context of the log in the headers of each message.
_carrier = CeleryReceiver()


def connect() -> None:
    """Listen in every process: the web publishes, beat publishes, workers do both."""
    _carrier.connect_worker_signals()
    bind_extra_task_metadata.connect(_begin_story, dispatch_uid="errors.begin_story")
    signals.task_postrun.connect(_end_story, dispatch_uid="errors.end_story")
    signals.task_failure.connect(_record_failure, dispatch_uid="errors.record_failure")
    signals.setup_logging.connect(_keep_our_logging, dispatch_uid="errors.keep_our_logging")


def _begin_story(task: Task, **_: object) -> None:
    """Begin a story for a task that no other asked for, such as a tick of beat."""
    from errors import steps  # models are ready only after the apps are

    asked = bool(correlation.current()) and not task.request.parent_id
    if not correlation.current():
        correlation.begin()
    vars(task.request)["steps"] = steps.begin(), asked


def _end_story(task: Task, state: str | None = None, **_: object) -> None:
    """Write the steps of the task, beside whatever became of its transaction."""
    from errors import steps

    gathered, asked = vars(task.request).pop("steps", (None, False))
    steps.task_ended(gathered, task.name, state or "lost", asked=asked, attempt=task.request.retries + 1)


def _record_failure(sender: Task | None = None, exception: BaseException | None = None, **_: object) -> None:
    """Record once; the task's own transaction is already undone here, so the row stays. Not what the task recorded."""
    from errors.recording import RECORDED, record  # models are ready only after the apps are

    if isinstance(exception, UnpickleableExceptionWrapper):
        exception = sys.exc_info()[1] or exception  # what was raised, before Celery packed it
    if exception is None or isinstance(exception, getattr(sender, "throws", ())):
        return
    if not hasattr(exception, RECORDED):
        record(exception, action=getattr(sender, "name", "task"))


def _keep_our_logging(**_: object) -> None:
    """Tell Celery, by being here, that the settings have set up logging."""
