"""The log forgets whom we must forget, and nobody else can change it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from django.db import ProgrammingError, connection, transaction

from errors import erasing
from errors.models import ActivityLog
from errors.tests import log

pytestmark = pytest.mark.django_db
HERS, OTHERS, ALICE, BOB = uuid4(), uuid4(), uuid4(), uuid4()


def write(workspace: UUID | None, user: UUID | None, action: str, message: str = "", **metadata: object) -> None:
    ActivityLog.objects.create(
        workspace_id=workspace, user_id=user, action=action, status="ok", error_message=message, metadata=metadata
    )


@pytest.fixture
def story() -> None:
    with log.scope(platform="platform"):
        write(HERS, ALICE, "in_hers")
        write(HERS, BOB, "bob_in_hers")
        write(OTHERS, ALICE, "alice_elsewhere", person=str(ALICE))
        write(OTHERS, BOB, "bob_tells", "Ada@Example.com is in.", to="ada@example.com", other="nada@example.com")
        write(OTHERS, BOB, "bob_elsewhere", target="someone")
        write(None, ALICE, "alice_nowhere")
        write(None, BOB, "bob_nowhere")


def erase(**what: list) -> None:
    with log.scope(platform="platform"):
        erasing.erase(**what)


def test_a_workspace_goes_with_all_its_rows(story: None) -> None:
    erase(workspaces=[HERS])

    assert [row.action for row in log.rows()] == [
        "alice_elsewhere", "bob_tells", "bob_elsewhere", "alice_nowhere", "bob_nowhere",
    ]  # fmt: skip


def test_a_person_goes_and_their_deeds_elsewhere_are_nobodys(story: None) -> None:
    erase(workspaces=[HERS], users=[ALICE], words=["ada@example.com"])

    told = {row.action: row for row in log.rows()}
    assert set(told) == {"alice_elsewhere", "bob_tells", "bob_elsewhere", "bob_nowhere"}
    assert (told["alice_elsewhere"].user_id, told["alice_elsewhere"].metadata) == (None, {"person": "erased"})
    assert told["bob_tells"].user_id == BOB
    assert told["bob_tells"].error_message == "erased is in."
    assert told["bob_tells"].metadata == {"to": "erased", "other": "nada@example.com"}  # another address stays whole
    assert told["bob_elsewhere"].metadata == {"target": "someone"}


def test_words_are_taken_as_they_are_and_short_ones_not_at_all(story: None) -> None:
    with log.scope(platform="platform"):
        write(OTHERS, BOB, "odd", code="A.B+C(D", dots="AxBBC(D", short="bob")

    erase(users=[ALICE], words=["A.B+C(D", "bob", ""])

    assert log.rows()[-1].metadata == {"code": "erased", "dots": "AxBBC(D", "short": "bob"}


def rights() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relacl::text FROM pg_class WHERE relname LIKE 'activity_logs%%' UNION ALL"
            " SELECT attname, attacl::text FROM pg_attribute WHERE attrelid = 'activity_logs'::regclass ORDER BY 1"
        )
        return [(name, acl or "") for name, acl in cursor.fetchall()]


@pytest.mark.django_db(transaction=True)
def test_the_log_is_append_only_again_right_after(story: None) -> None:
    erase()
    before = rights()

    erase(workspaces=[HERS], users=[ALICE])

    assert [(name, acl.strip("{}")) for name, acl in rights()] == [(name, acl.strip("{}")) for name, acl in before]
    deeds: list[Callable[[], object]] = [
        lambda: ActivityLog.objects.update(user_id=None),
        lambda: ActivityLog.objects.update(metadata={}),
        lambda: ActivityLog.objects.all().delete(),
    ]
    with log.scope(platform="platform"):
        for deed in deeds:
            with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                deed()


@pytest.mark.django_db(transaction=True)
def test_a_fault_on_the_way_takes_the_right_back_too(story: None) -> None:
    def half_way() -> None:
        with log.scope(platform="platform"):
            erasing.erase(workspaces=[HERS])
            raise OSError("The power is gone")

    with pytest.raises(OSError, match="power"):
        half_way()

    assert len(log.rows()) == 7
    refused = pytest.raises(ProgrammingError, match="permission denied")
    with log.scope(platform="platform"), refused, transaction.atomic():
        ActivityLog.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_nobody_else_has_the_right_meanwhile(story: None) -> None:
    def elsewhere() -> str:
        try:
            with pytest.raises(ProgrammingError) as refused:
                ActivityLog.objects.all().delete()
            return str(refused.value)
        finally:
            connection.close()

    with log.scope(platform="platform"), connection.cursor() as cursor, ThreadPoolExecutor(1) as beside:
        cursor.execute(erasing._TAKE)
        assert "permission denied" in beside.submit(elsewhere).result()
        cursor.execute(erasing._GIVE_BACK)
