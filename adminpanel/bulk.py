"""One deed to all rows that match a list's filters: a worker does it batch by batch, and each row at most once.

A batch is one transaction: the deeds, how far the job is, and an entry in the admin log for each row. A worker
that dies leaves nothing half done; the next one goes on behind the last row. Who asked is asked for again each time.
"""

import time
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.apps import apps
from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from accounts import tenancy
from accounts.models import User
from adminpanel import audit, roles, versions
from adminpanel.deeds import Asked, Deed
from adminpanel.models import BulkJob
from errors import codes, correlation
from errors.causes import code_of
from errors.exceptions import BotException
from errors.recording import record

BATCH = 100  # rows of one transaction
SHIFT = 20.0  # seconds that one message works; then the next one goes on
LOST = timedelta(seconds=60)  # a job nobody worked at for so long is sent to a worker again
MOST = 1_000_000  # rows of one job


def matching(page: Any, user: User, filters: str) -> QuerySet[Any]:
    """The rows that a list shows with these filters, in the order of their keys."""
    request = HttpRequest()
    request.method, request.user = "GET", user
    request.GET = QueryDict(filters)
    return page.get_changelist_instance(request).queryset.order_by("pk")


def begin(page: Any, deed: Deed, request: HttpRequest, filters: str, given: dict[str, Any], total: int) -> BulkJob:
    """Write down what is asked, and send it to a worker. Raises VALIDATION_FAILED for too many rows."""
    if total > MOST:
        raise BotException(codes.VALIDATION_FAILED, f"At most {MOST:,} rows at once. Filter the list first.")
    job = BulkJob.objects.create(
        asked_by=cast(User, request.user), page=page.page, model=page.model._meta.label_lower, deed=deed.name,
        filters=filters, given=given, total=total, correlation_id=correlation.current(),
    )  # fmt: skip
    audit.record(
        f"{page.page}.{deed.name}.all", target=job, reason=given.get("reason", ""), request=request, filters=filters,
        matching=total,
    )  # fmt: skip
    send(job.pk)
    return job


def send(key: UUID) -> None:
    """Let a worker go on with it, once this transaction is committed."""
    from adminpanel.tasks import work

    transaction.on_commit(lambda: work.apply_async((str(key),), expires=600), robust=True)


def work_at(key: UUID) -> bool:
    """Do batches for the length of a shift; whether something is left."""
    until = time.monotonic() + SHIFT
    while step(key):
        if time.monotonic() > until:
            return True
    return False


def step(key: UUID) -> bool:
    """Do one batch; whether another one may follow. Two workers at one job wait for each other."""
    with tenancy.platform("staff's deed to all rows of a list"):
        job = BulkJob.objects.select_for_update().filter(pk=key, status=BulkJob.Status.RUNNING).first()
        if job is None:
            return False
        user = User.objects.filter(pk=job.asked_by_id).first() if job.asked_by_id else None
        page, deed = _deed_of(job)
        if user is None or deed is None or not (user.is_active and roles.may(user, job.page, job.deed)):
            return _end(job, BulkJob.Status.REFUSED, user)
        rows = _next(page, user, job)
        for row in rows:
            _take(page, deed, row, user, job)
        if len(rows) < BATCH:
            return _end(job, BulkJob.Status.DONE, user)
        _keep(job)
        return True


def stop(job: BulkJob, by: User) -> bool:
    """End it after the batch that is on its way; whether it was still running."""
    now = BulkJob.objects.select_for_update().get(pk=job.pk)
    if now.status != BulkJob.Status.RUNNING:
        return False
    _end(now, BulkJob.Status.STOPPED, by)
    return True


def sweep() -> int:
    """Send out jobs whose worker died or whose message was lost; how many."""
    with tenancy.platform("staff's jobs are nobody's"):
        lost = BulkJob.objects.filter(status=BulkJob.Status.RUNNING, worked_at__lt=timezone.now() - LOST)
        keys = list(lost.values_list("pk", flat=True)[:50])
        for key in keys:
            send(key)
    return len(keys)


def _deed_of(job: BulkJob) -> tuple[Any, Deed | None]:
    from adminpanel.site import site

    page: Any = site._registry[apps.get_model(job.model)]
    return page, next((one for one in page.deeds if one.name == job.deed and one.bulk), None)


def _next(page: Any, user: User, job: BulkJob) -> list[Any]:
    rows = matching(page, user, job.filters)
    if any(field.name == "created_at" for field in page.model._meta.concrete_fields):
        rows = rows.filter(created_at__lte=job.created_at)  # who came later was not meant
    return list((rows.filter(pk__gt=job.cursor) if job.cursor else rows)[:BATCH])


def _take(page: Any, deed: Deed, row: models.Model, user: User, job: BulkJob) -> None:
    job.cursor = str(row.pk)
    if not deed.fits(row):
        job.passed += 1
        return
    kept = audit.Seen(row)
    try:
        with transaction.atomic(), versions.held(row):
            deed.do(row, Asked(cast(HttpRequest, None), user, job.given))
    except (OperationalError, InterfaceError):
        raise  # the database is away: the batch is done again
    except Exception as why:  # noqa: BLE001  (any bug of any deed)
        # One row that nobody foresaw must not hold up all behind it, again and again.
        job.refused += 1
        job.last_code = code_of(why).id
        if not isinstance(why, BotException):
            record(why, action=f"bulk {job.page}.{job.deed}", user=user, row=str(row.pk))
        return
    job.done += 1
    job.__dict__.setdefault("_seen", []).append(kept)


def _keep(job: BulkJob) -> None:
    job.worked_at = timezone.now()
    job.save()
    if seen := job.__dict__.pop("_seen", []):
        now = apps.get_model(job.model)._default_manager.in_bulk([one.row.pk for one in seen])
        told: dict[str, Any] = {"reason": job.given.get("reason", ""), "door": "worker", "story": job.correlation_id}
        action = f"{job.page}.{job.deed}"
        audit.keep([one.entry(action, now.get(one.row.pk), by=job.asked_by, job=job.pk, **told) for one in seen])


def _end(job: BulkJob, status: str, by: User | None) -> bool:
    job.status, job.ended_at = status, timezone.now()
    _keep(job)
    counts: dict[str, Any] = {"done": job.done, "passed": job.passed, "refused": job.refused, "of": job.total}
    audit.record(f"{job.page}.{job.deed}.all_{status}", by=by, target=job, door="worker", **counts)
    return False
