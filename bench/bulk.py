"""A deed to a hundred thousand rows: how long workers take, how much memory, and what is left of it when they die."""

import multiprocessing
import os
import time
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from typing import Any
from uuid import UUID

ROWS = int(os.environ.get("BULK_ROWS", "100000"))
KILLED_AT = (0.2, 0.5, 0.8)  # of the rows: there the worker is killed with SIGKILL, and another one goes on
WHERE = "/admin/accounts/user/all/block/?q=spam"


def figures() -> Iterator[dict[str, object]]:
    """Block members that a list shows, over the control room, by workers of which three are killed in the middle."""
    from accounts import tenancy
    from accounts.models import User
    from adminpanel import audit
    from adminpanel.models import AdminLog, BulkJob
    from adminpanel.tests.control_room import inside

    with tenancy.platform("the figures need members and staff"):
        _fill()
        staff = inside("bulk-bench")
    started = time.perf_counter()
    assert staff.post(WHERE, {"reason": "a wave of spam"}, headers={"host": "localhost"}).status_code == 302
    asked = time.perf_counter() - started
    job = BulkJob.objects.get()
    started, before, killed, highest = time.perf_counter(), AdminLog.objects.count(), list(KILLED_AT), 0
    worker = _worker(job.pk)
    while worker.is_alive():
        time.sleep(0.2)
        highest = max(highest, _memory(worker))
        job.refresh_from_db()
        if killed and job.taken >= killed[0] * ROWS:
            killed.pop(0)
            worker.kill()
            worker.join()
            worker = _worker(job.pk)
    seconds = time.perf_counter() - started
    job.refresh_from_db()
    with tenancy.platform("the figures count"):
        blocked = User.objects.filter(email__startswith="spam", is_active=False, session_generation=1).count()
        of_rows = AdminLog.objects.filter(action="users.block", changes__is_active=[True, False])
        entries, distinct = of_rows.count(), of_rows.values("target_id").distinct().count()
    started = time.perf_counter()
    broken = list(audit.verify())
    verified = time.perf_counter() - started
    name = f"a deed to all of {ROWS:,} rows"
    yield {
        "figure": f"{name}: from the click to the page that follows it, ms",
        "value": round(1000 * asked),
        "goal": 1000,
    }
    yield {"figure": f"{name}: rows a second, one worker, three killed", "value": round(ROWS / seconds)}
    yield {"figure": f"{name}: seconds until all are blocked", "value": round(seconds)}
    yield {"figure": f"{name}: a worker's memory at most, MB", "value": highest, "goal": 250}
    yield {"figure": f"{name}: rows done twice", "value": entries - distinct, "goal": 0}
    yield {"figure": f"{name}: rows not done", "value": ROWS - min(blocked, distinct, job.done), "goal": 0}
    yield {"figure": f"{name}: breaks in the log's chain", "value": len(broken), "goal": 0}
    rows = AdminLog.objects.count()
    assert rows > before + ROWS
    yield {"figure": f"walking the chain of {rows:,} rows, seconds", "value": round(verified, 1), "goal": 30}


def _fill() -> None:
    from accounts.models import Membership, User, Workspace

    for first in range(0, ROWS, 5000):
        numbers = range(first, min(first + 5000, ROWS))
        people = User.objects.bulk_create(User(email=f"spam{number}@example.com", name="Spam") for number in numbers)
        homes = Workspace.objects.bulk_create(Workspace(name="Spam") for _ in numbers)
        Membership.objects.bulk_create(
            Membership(user=person, workspace=home, role=Membership.Role.OWNER)
            for person, home in zip(people, homes, strict=True)
        )


def _worker(job: UUID) -> BaseProcess:
    process: Any = multiprocessing.get_context("spawn").Process(target=_work, args=(job,))
    process.start()
    return process


def _work(job: UUID) -> None:
    import django

    django.setup()
    from adminpanel import bulk

    while bulk.work_at(job):
        pass


def _memory(worker: BaseProcess) -> int:
    """What a process holds, in MB; 0 for one that is gone."""
    try:
        with open(f"/proc/{worker.pid}/status") as lines:
            return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS")), 0)
    except (FileNotFoundError, ProcessLookupError):
        return 0
