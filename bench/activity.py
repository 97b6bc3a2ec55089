"""How fast the activity log is read with five million rows: every page of members and staff, beside a stock admin."""

import functools
import importlib
import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

ROWS = int(os.environ.get("ACTIVITY_ROWS", "5000000"))
TIMES = 12  # how often each page is asked for
STOCK_TIMES = 3
_COLUMNS = ("at", "action", "status", "error_code", "error_message", "workspace_id", "correlation_id")
# Most rows are actions of one large workspace, as rows of a log are; what is looked for with filters is rare.
_FILL = """
INSERT INTO activity_logs
    (at, workspace_id, user_id, account_id, action, status, error_code, error_message, correlation_id, metadata)
SELECT now() - (%(rows)s - i) * (interval '330 days' / %(rows)s),
       CASE WHEN i %% 10 < 7 THEN %(workspace)s ELSE (%(others)s::uuid[])[1 + i %% 200] END,
       CASE WHEN i %% 50 = 0 THEN (%(people)s::uuid[])[1 + i / 50 %% 3] END,
       CASE WHEN i %% 10 < 7 THEN (%(accounts)s::uuid[])[1 + i / 10 %% 50] END,
       CASE WHEN i %% 200000 = 3 THEN 'plan_change' WHEN i %% 50 = 0 THEN 'bot_start' WHEN i %% 3 = 0 THEN 'like'
            ELSE 'follow' END,
       CASE WHEN i %% 500 = 1 THEN 'error' WHEN i %% 40 = 1 THEN 'warning' ELSE 'ok' END,
       CASE WHEN i %% 500 = 1 THEN 'E-FLW-W-0007' WHEN i %% 40 = 1 THEN 'E-API-W-0429' ELSE '' END,
       CASE WHEN i %% 40 = 1 THEN 'Instagram asked us to slow down.' ELSE '' END,
       'c-' || lpad(to_hex(i / 8), 12, '0'),
       jsonb_build_object('target', 'person.' || i, 'outcome', 'confirmed')
FROM generate_series(%(first)s, %(last)s) AS i
"""


def figures() -> list[dict[str, object]]:
    """Fill the log, then ask for each page: the slowest of them at p95, and how a stock ModelAdmin does."""
    member, staff = fill()
    pages = {f"member {name}": p95(member, path) for name, path in _members_pages(member).items()}
    pages |= {f"staff {name}": p95(staff, path) for name, path in _staffs_pages(staff).items()}
    slowest = max(pages, key=lambda name: pages[name])
    ours, theirs = gathered(_log()), stock(_log(), _COLUMNS)
    return [
        {"figure": f"activity log of {ROWS:,} rows, {name}, p95 ms", "value": ms, "goal": 200}
        for name, ms in pages.items()
    ] + [
        {"figure": f"activity log, the slowest page ({slowest}), p95 ms", "value": pages[slowest], "goal": 200},
        {"figure": "rows of staff's activity list gathered, p95 ms", "value": ours},
        {"figure": "the same by a stock ModelAdmin, p95 ms", "value": theirs},
        {"figure": "activity list of staff against a stock ModelAdmin", "value": round(theirs / ours, 1), "goal": 10},
    ]


@functools.cache
def fill() -> tuple[Any, Any]:
    """Fill the log, once a run. Browsers of a member and of staff, over a full log."""
    from django.db import connection
    from django.utils import timezone

    from accounts import tenancy
    from adminpanel.tests.control_room import inside
    from bots.models import InstagramAccount
    from instagrowth.testing import workspace_of

    client, user = _member()
    workspace = workspace_of(user)
    with tenancy.platform("the figures need a full log"), connection.cursor() as cursor:
        accounts = InstagramAccount.objects.bulk_create(
            InstagramAccount(workspace=workspace, username=f"log{i}", health="active") for i in range(50)
        )
        for months in range(12):
            cursor.execute("SELECT ensure_activity_partitions(1, %s)", [timezone.now() - timedelta(days=30 * months)])
    known: dict[str, Any] = {
        "rows": ROWS,
        "workspace": workspace.pk,
        "others": [uuid4() for _ in range(200)],
        "people": [user.pk, uuid4(), uuid4()],
        "accounts": [account.pk for account in accounts],
    }
    for first in range(1, ROWS + 1, 250_000):
        with tenancy.platform("the figures need a full log"), connection.cursor() as cursor:
            cursor.execute(_FILL, known | {"first": first, "last": min(first + 249_999, ROWS)})
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE activity_logs")
    importlib.import_module("instagrowth.asgi")  # pages are asked for in a process that is laid out as the server's is
    return client, inside("bench")


def _log() -> Any:
    from errors.models import ActivityLog

    return ActivityLog


def _member() -> tuple[Any, Any]:
    """A browser of somebody who owns a workspace, and who that is."""
    from django.test import Client
    from django.test.utils import setup_test_environment

    from instagrowth.testing import member

    setup_test_environment()  # answers keep what their pages were drawn with
    user, client = member("reader"), Client()
    client.force_login(user)
    return client, user


def gathered(model: Any) -> int:
    """Milliseconds in which our page gathers the rows of a list."""
    from adminpanel.site import site

    return _gathering(site._registry[model], STOCK_TIMES * 4)


def stock(model: Any, columns: tuple[str, ...]) -> int:
    """Milliseconds in which a stock ModelAdmin gathers them: it counts all rows, twice."""
    from django.contrib import admin

    room = type("Room", (admin.ModelAdmin,), {"has_view_permission": lambda *_: True, "list_display": columns})
    return _gathering(room(model, admin.AdminSite()), STOCK_TIMES)


def _gathering(page: Any, times: int) -> int:
    """Neither page is drawn."""
    from django.test import RequestFactory

    from accounts import tenancy
    from accounts.models import User

    request = RequestFactory().get("/")
    request.user = User.objects.filter(role=User.Role.ADMIN, is_superuser=False).earliest("created_at")

    def ask() -> float:
        began = time.perf_counter()
        with tenancy.platform("staff see all"):
            list(page.get_changelist_instance(request).result_list)
        return time.perf_counter() - began

    return max(1, round(max([ask() for _ in range(times + 1)][1:]) * 1000))


def _members_pages(client: Any) -> dict[str, str]:
    """Each way to look at it: pages near and far, each filter, filters together, words, a story."""
    from django.utils import timezone

    month, day = (timezone.now().date() - timedelta(days=days) for days in (200, 170))
    half = ROWS // 2
    person = client.get("/activity/").context["user"].pk
    return {
        "newest": "/activity/",
        "far page": f"/activity/?older={half}",
        "page before": f"/activity/?newer={half}",
        "deed that is rare": "/activity/?action=plan_change",
        "deed that never was": "/activity/?action=logo_removed",
        "outcome": "/activity/?status=error",
        "outcome that never was": "/activity/?status=info",
        "deed and outcome": "/activity/?action=like&status=error",
        "deed and outcome that never met": "/activity/?action=bot_start&status=error",
        "code": "/activity/?q=E-FLW-W-0007",
        "code far back": f"/activity/?q=E-FLW-W-0007&older={half}",
        "story": "/activity/?q=c-" + format(half // 8, "012x"),
        "words": "/activity/?q=person.77",
        "words that nobody wrote": "/activity/?q=nobody.at.all",
        "month": f"/activity/?since={month}&until={day}",
        "day": f"/activity/?since={day}&until={day}",
        "outcome in a month": f"/activity/?status=error&since={month}&until={day}",
        "account": "/activity/accounts/log7/",
        "account and outcome": "/activity/accounts/log7/?status=error",
        "account and deed that never met": "/activity/accounts/log7/?action=logo_removed",
        "person": f"/activity/people/{person}/",
        "person and outcome": f"/activity/people/{person}/?status=error",
    }


def _staffs_pages(client: Any) -> dict[str, str]:
    """The same for those who look through all workspaces."""
    base = "/admin/errors/activitylog/"
    answer = client.get(base)
    listed = answer.context["cl"]
    row = listed.result_list[0]
    far = client.get(base + listed.next_page).context["cl"].next_page
    return {
        "list": base,
        "third page": base + far,
        "outcome": f"{base}?status=error",
        "outcome that never was": f"{base}?status=info",
        "code": f"{base}?q=E-FLW-W-0007",
        "code that never was": f"{base}?q=E-FLW-W-0002",
        "story": f"{base}?q={row.correlation_id}",
        "workspace": f"{base}?q={row.workspace_id}",
        "account": f"{base}?q={row.account_id}",
        "deed": f"{base}?q=plan_change",
        "one row": f"{base}{row.pk}/change/",
    }


def p95(client: Any, path: str, times: int = TIMES) -> int:
    """Milliseconds of the slowest answer but the first, which fills caches; of so few, p95 is the maximum."""
    took = [_timed(lambda: client.get(path)) for _ in range(times + 1)]
    return round(max(sorted(took[1:])) * 1000)


def _timed(ask: Callable[[], Any]) -> float:
    began = time.perf_counter()
    answer = ask()
    took = time.perf_counter() - began
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.request['PATH_INFO']} answered {answer.status_code}.")
    return took
