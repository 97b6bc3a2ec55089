"""How fast staff read their lists: a million users, five million log lines, and everything that hangs on people.

Every page of a table is asked for: the newest rows, a page further on, each filter, each order, searches and one row.
The same two tables are asked for through a stock ModelAdmin in the same run.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from bench import activity

USERS = int(os.environ.get("ADMIN_USERS", "1000000"))
WORKSPACES = USERS // 5
GOAL = 200  # milliseconds
TIMES = 8  # how often each page is asked for, after a first time that fills caches
CHOICES = 3  # of a filter
AT_ONCE = 100_000
# Columns of row i, as SQL.
HOME = f"md5('workspace' || i % {WORKSPACES})::uuid"
MINE = "md5('workspace' || i)::uuid"
NEW = "gen_random_uuid()"
AGO = "now() - i * interval '30 seconds'"
Rows = list[tuple[Any, int, dict[str, str]]]  # a row as the table's others are, how many, what differs in row i


def figures() -> Iterator[dict[str, object]]:
    """Fill all tables, then walk through every list: the slowest way to look at each, and what a stock admin takes."""
    from accounts.models import User
    from errors.models import ActivityLog

    _, staff = activity.fill()
    _fill()
    worst_of: dict[str, int] = {}
    for page in _pages():
        took = {name: activity.p95(staff, path, TIMES) for name, path in _ways(staff, page)}
        worst = max(took, key=lambda name: took[name])
        worst_of[f"{page.page}, {worst}"] = took[worst]
        label = f"staff's page {page.page}, {len(took)} ways to look at it, the slowest ({worst}), p95 ms"
        yield {"figure": label, "value": took[worst], "goal": GOAL}
    slowest = max(worst_of, key=lambda name: worst_of[name])
    yield {"figure": f"staff's slowest list of all ({slowest}), p95 ms", "value": worst_of[slowest], "goal": GOAL}
    for model, rows in ((User, USERS), (ActivityLog, activity.ROWS)):
        ours, theirs = activity.gathered(model), activity.stock(model, _columns(model))
        name = f"{model._meta.verbose_name_plural}, {rows:,} rows"
        yield {"figure": f"{name}, gathered for staff's list, p95 ms", "value": ours}
        yield {"figure": f"{name}, gathered by a stock ModelAdmin, p95 ms", "value": theirs}
        yield {"figure": f"{name}, staff's list against stock", "value": round(theirs / ours, 1), "goal": 10}


def _columns(model: Any) -> tuple[str, ...]:
    names = {field.name for field in model._meta.fields}
    return tuple(name for page in _pages() if page.model is model for name in page.list_display if name in names)


def _pages() -> list[Any]:
    from adminpanel.site import site

    return list(site._registry.values())


def _ways(staff: Any, page: Any) -> Iterator[tuple[str, str]]:
    """Names and addresses of each way to look at a table."""
    base = page.list_address()
    listed = staff.get(base).context["cl"]
    yield "list", base
    if listed.next_page:
        further = staff.get(base + listed.next_page).context["cl"]
        yield "second page", base + listed.next_page
        yield "third page", base + (further.next_page or listed.next_page)
    for spec in listed.filter_specs:
        choices = [choice for choice in spec.choices(listed) if not choice["selected"] and choice["query_string"]]
        for choice in choices[:CHOICES]:
            yield f"{spec.title} {choice['display']}", base + choice["query_string"]
    for place, name in enumerate(listed.list_display):
        if page.sortable_by is None or name in page.sortable_by:
            yield from ((f"by {name}", f"{base}?o={place}"), (f"by {name}, last first", f"{base}?o=-{place}"))
    if not listed.result_list:
        return
    row = listed.result_list[len(listed.result_list) // 2]
    yield "one row", page.address(row)
    if page.get_search_fields(None):
        for term in _terms(page, row):
            yield f"search {term[:24]}", f"{base}?q={term}"


def _terms(page: Any, row: Any) -> Iterator[str]:
    """An id of the row, its words, what everybody has, and what nobody has."""
    yield str(row.pk)
    for name in (*page.search_exact, *page.search_starts, *page.search_text):
        value = row
        for part in name.split("__"):
            value = getattr(value, part, "")
        if value:
            yield str(value)
    yield from ("person77", "person", "nobody-at-all")


def _members() -> Rows:
    """Members in workspaces of five, and what they pay."""
    from accounts.models import Membership, User, Workspace
    from billing.models import Invoice, Plan, Subscription

    plan = Plan.objects.get(key="starter")
    kept = {"id": MINE, "name": "'Workspace ' || i", "created_at": AGO}
    people = {
        "id": "md5('user' || i)::uuid", "email": "'person' || i || '@example.com'", "name": "'Person ' || i",
        "created_at": AGO, "is_active": "i % 50 <> 0",
    }  # fmt: skip
    places = {"id": NEW, "workspace_id": HOME, "user_id": people["id"], "created_at": AGO}
    paid = {"id": NEW, "workspace_id": MINE, "created_at": AGO, "stripe_customer_id": "'cus_' || i"}
    bills = {"id": NEW, "workspace_id": HOME, "stripe_invoice_id": "'in_' || i", "created_at": AGO,
             "number": "'N-' || i", "status": "CASE WHEN i % 9 = 0 THEN 'open' ELSE 'paid' END"}  # fmt: skip
    return [
        (Workspace(), WORKSPACES, kept),
        (User(password="!"), USERS, people),
        (Membership(), USERS, places),
        (Subscription(plan=plan, status="active"), WORKSPACES, paid),
        (Invoice(total=1900, currency="usd"), WORKSPACES, bills),
    ]


def _engine() -> Rows:
    """An account for each workspace, and what its bot does."""
    from bots.models import Action, Bot, BotTask, InstagramAccount, Session

    account, bot = (f"md5('{name}' || i % {WORKSPACES})::uuid" for name in ("account", "bot"))
    handles = {"id": "md5('account' || i)::uuid", "workspace_id": MINE, "username": "'person' || i", "created_at": AGO,
               "health": "CASE WHEN i % 400 = 0 THEN 'needs_you' ELSE 'active' END", "health_since": AGO}  # fmt: skip
    logins = {"id": NEW, "workspace_id": MINE, "account_id": account, "username": "'person' || i",
              "fingerprint": "md5('fingerprint' || i)", "created_at": AGO}  # fmt: skip
    robots = {"id": "md5('bot' || i)::uuid", "workspace_id": MINE, "account_id": account, "created_at": AGO,
              "status": "CASE WHEN i % 500 = 0 THEN 'parked' ELSE 'stopped' END"}  # fmt: skip
    tasks = {"id": NEW, "workspace_id": HOME, "bot_id": bot, "created_at": AGO,
             "status": "CASE WHEN i % 700 = 0 THEN 'failed' ELSE 'done' END"}  # fmt: skip
    deeds = {"id": NEW, "workspace_id": HOME, "account_id": account, "target_pk": "i",
             "target_username": "'person' || i", "created_at": AGO,
             "state": "CASE WHEN i % 800 = 0 THEN 'unknown' ELSE 'confirmed' END"}  # fmt: skip
    return [
        (InstagramAccount(), WORKSPACES, handles),
        (Session(sealed=b"-", status="assigned"), WORKSPACES, logins),
        (Bot(next_run_at=datetime.now(UTC)), WORKSPACES, robots),
        (BotTask(kind="follow", amount=10), WORKSPACES, tasks),
        (Action(kind="follow", fence=1), USERS, deeds),
    ]


def _records() -> Rows:
    """What is written down: calls of the model, errors, drift, staff's own deeds."""
    from adminpanel.models import AdminLog
    from billing.models import Drift
    from bots.models import ApiPair
    from content.models import AiCall
    from errors.models import ErrorGroup

    calls = {"id": NEW, "workspace_id": HOME, "request_key": "'key' || i", "created_at": AGO,
             "state": "CASE WHEN i % 90 = 0 THEN 'released' ELSE 'charged' END"}  # fmt: skip
    drifts = {"id": NEW, "stripe_customer_id": "'cus_' || i", "found_at": AGO}
    pairs = {"id": NEW, "app_id": "'app' || i", "created_at": AGO}
    groups = {"fingerprint": "left(md5('group' || i), 16)", "first_at": AGO, "last_at": AGO}
    log = {"id": "nextval(pg_get_serial_sequence('admin_logs', 'id'))", "created_at": AGO, "target_id": "'t' || i"}
    return [
        (AiCall(feature="ideas", month=datetime.now(UTC).date(), model="gpt-4o"), WORKSPACES, calls),
        (Drift(kind="stale", ours="-", theirs="-"), 10_000, drifts),
        (ApiPair(sealed_secret=b"-"), 2_000, pairs),
        (ErrorGroup(code="E-API-E-9001", severity="E"), 10_000, groups),
        (AdminLog(admin="a@example.com", action="users.block", target_type="accounts.user", hash="-"), WORKSPACES, log),
    ]


def _fill() -> None:
    """Fill the tables. Everything is the private database's."""
    from django.db import connection

    from accounts import tenancy

    for template, rows, columns in [*_members(), *_engine(), *_records()]:
        for first in range(0, rows, AT_ONCE):
            with tenancy.platform("the figures need full tables"), connection.cursor() as cursor:
                cursor.execute(*_insert(template, columns, first, min(first + AT_ONCE, rows) - 1))
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM ANALYZE {template._meta.db_table}")


def _insert(template: Any, columns: dict[str, str], first: int, last: int) -> tuple[str, list[Any]]:
    """Rows `first` to `last`: each column as SQL over `i`, or as the template has it."""
    from django.db import connection

    names, values, given = [], [], []
    for field in template._meta.concrete_fields:
        if field.generated or (field.has_db_default() and field.attname not in columns):
            continue
        names.append(f'"{field.column}"')
        values.append(columns[field.attname].replace("%", "%%") if field.attname in columns else "%s")
        if field.attname not in columns:
            given.append(field.get_db_prep_save(field.pre_save(template, True), connection))
    rows = f"SELECT {', '.join(values)} FROM generate_series({first}, {last}) AS i"
    return f"INSERT INTO {template._meta.db_table} ({', '.join(names)}) {rows}", given
