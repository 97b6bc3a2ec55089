"""What goes wrong is written down once: a log line and a row."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction
from structlog.contextvars import bind_contextvars

from errors import codes, recording
from errors.exceptions import BotException
from errors.models import ActivityLog, ErrorCode
from errors.recording import log_activity, record
from errors.registry_table import sync
from errors.tests.log import in_view, rows, scope
from instagrowth import live

CANARY = "c4n4ryc4n4ryc4n4ryc4n4ry"
Lines = Callable[[], list[dict]]


def _fault(text: str = "a fault of ours") -> Exception:
    try:
        {}[text]
    except KeyError as exc:
        return exc


@pytest.mark.django_db
def test_a_registered_error_becomes_a_line_and_a_row(log_lines: Lines) -> None:
    bind_contextvars(correlation_id="c-0011223344aa")
    workspace, user, account = uuid4(), uuid4(), uuid4()
    exc = BotException(codes.SESSION_INVALID, "No session for @clay.", attempt=2)

    row = record(exc, action="bot start", workspace=workspace, user=user, account=account)

    assert row is not None
    assert rows() == [row]
    fields = (
        "workspace_id",
        "user_id",
        "account_id",
        "action",
        "status",
        "error_code",
        "error_message",
        "correlation_id",
    )
    assert [getattr(row, field) for field in fields] == [
        workspace,
        user,
        account,
        "bot start",
        "error",
        "E-SESS-E-0001",
        "No session for @clay.",
        "c-0011223344aa",
    ]
    assert row.metadata["attempt"] == 2
    (line,) = log_lines()
    assert {key: line[key] for key in ("event", "error_code", "module", "severity", "action", "correlation_id")} == {
        "event": "No session for @clay.",
        "error_code": "E-SESS-E-0001",
        "module": "SESS",
        "severity": "E",
        "action": "bot start",
        "correlation_id": "c-0011223344aa",
    }
    assert (line["user_id"], line["workspace_id"]) == (str(user), str(workspace))
    assert {"timestamp", "file", "line", "stack"} <= set(line)


@pytest.mark.django_db
def test_an_unforeseen_error_names_its_file_and_line_and_joins_the_table(log_lines: Lines) -> None:
    row = record(_fault(), action="a task")

    assert row is not None
    assert row.metadata["file"] == "errors/tests/test_record.py"
    assert row.metadata["stack"].splitlines()[2] == "    {}[text]"
    assert row.metadata["line"] == int(row.metadata["stack"].split("line ")[1].split(",")[0])
    assert (log_lines()[0]["file"], log_lines()[0]["line"]) == (row.metadata["file"], row.metadata["line"])
    known = ErrorCode.objects.get(pk=row.error_code)
    assert (known.file_path, known.description) == (
        "errors/tests/test_record.py",
        "KeyError in errors/tests/test_record.py",
    )
    assert known.recommended_action == codes.INTERNAL_ERROR.do_next


@pytest.mark.django_db
def test_no_canary_is_found_in_the_row_or_the_line(log_text: object) -> None:
    row = record(_fault(f"password={CANARY}"), action="connect", settings={"a": CANARY}, note=f"Bearer {CANARY}")

    assert row is not None
    assert CANARY not in f"{row.metadata}{row.error_message}{log_text.getvalue()}"


@pytest.mark.django_db
def test_what_postgresql_refuses_is_replaced() -> None:
    row = record(codes.NET_TIMEOUT, action="follow\0", target="a\0b\ud800", at=uuid4())

    assert row is not None
    (kept,) = rows()
    assert kept.metadata["target"] == "a\ufffdb?"


@pytest.mark.django_db(transaction=True)
def test_a_row_recorded_after_the_rollback_stays() -> None:
    with pytest.raises(KeyError), transaction.atomic():
        raise _fault()
    record(_fault(), action="a task")

    assert [row.action for row in rows()] == ["a task"]


@pytest.mark.django_db(transaction=True)
def test_a_row_recorded_inside_a_broken_transaction_stays() -> None:
    def query() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT no_such_column")
        except DatabaseError as exc:
            record(exc, action="a query")
            raise

    with pytest.raises(DatabaseError):
        transaction.atomic(query)()

    assert [row.action for row in rows()] == ["a query"]


@pytest.mark.django_db(transaction=True)
def test_a_row_recorded_in_a_transaction_that_must_roll_back_stays() -> None:
    with transaction.atomic():
        transaction.set_rollback(True)
        record(codes.NET_TIMEOUT, action="a request")

    assert [row.action for row in rows()] == ["a request"]


@pytest.mark.django_db
def test_recording_leaves_the_view_of_the_caller_as_it_was() -> None:
    mine, theirs = uuid4(), uuid4()

    with scope(mine):
        record(codes.NET_TIMEOUT, action="mine")
        record(codes.NET_TIMEOUT, action="theirs", workspace=theirs)
        log_activity("follow", message="@clay")

        assert in_view() == f"{mine} "
        assert sorted(ActivityLog.objects.values_list("action", flat=True)) == ["follow", "mine"]


@pytest.mark.django_db
def test_a_deed_is_logged_with_one_query_where_the_workspace_is_known(django_assert_num_queries: Callable) -> None:
    mine = uuid4()

    with scope(mine), django_assert_num_queries(1):
        row = log_activity("follow", workspace=mine, message="@clay", hashtag="clay")

    assert (row.status, row.error_code, row.metadata) == ("ok", "", {"hashtag": "clay"})


def test_without_a_database_the_line_is_still_written(monkeypatch: pytest.MonkeyPatch, log_lines: Lines) -> None:
    def gone(*_: object) -> None:
        raise DatabaseError("server closed the connection")

    monkeypatch.setattr(recording, "_write_safely", gone)
    monkeypatch.setattr(live, "publish", gone)

    assert record(codes.DATABASE_UNAVAILABLE, action="a request") is None
    assert record(codes.NET_TIMEOUT, action="a request") is None
    assert [(line["error_code"], line["level"], line["event"]) for line in log_lines()] == [
        ("E-DB-C-0001", "critical", codes.DATABASE_UNAVAILABLE.what),
        ("E-NET-W-0001", "warning", codes.NET_TIMEOUT.what),
        ("E-NET-W-0001", "error", "activity_row_lost"),
    ]


@pytest.mark.django_db
def test_the_table_follows_the_registry() -> None:
    ErrorCode.objects.filter(pk="E-AUTH-E-0001").delete()
    ErrorCode.objects.filter(pk="E-FLW-W-0002").update(description="old words")

    assert sync() == len(codes.REGISTRY)
    assert ErrorCode.objects.filter(pk__in=codes.REGISTRY).count() == len(codes.REGISTRY)
    assert ErrorCode.objects.get(pk="E-FLW-W-0002").description == codes.FOLLOW_LIMIT_NEAR.what
    assert not ErrorCode.objects.exclude(file_path="errors/codes.py").exists()
