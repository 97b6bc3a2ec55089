"""Connecting an account: what is kept, for how long, and what is refused."""

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import tenancy
from accounts.models import User
from bots import connecting
from bots.connecting import Answer
from bots.models import Bot, ConnectAttempt, InstagramAccount, InstagramClaim, Session
from errors import codes
from instagrowth.testing import workspace_of
from sandbox.testing import Control

PASSWORD = "clay-and-glaze-9"
Connect = Callable[..., Answer]


@pytest.fixture
def connect(instagram: Control) -> Connect:
    """Connect in a person's workspace, the risk accepted."""
    instagram.account("kiln", password=PASSWORD)
    instagram.account("kiln.totp", password=PASSWORD, totp_secret="JBSWY3DPEHPK3PXP")

    def connect(user: User, username: str = "kiln", password: str = PASSWORD, code: str = "", **more: bool) -> Answer:
        workspace = workspace_of(user)
        with tenancy.scope(workspace):
            return connecting.connect(workspace, user, username, password, code, **{"accept_risk": True} | more)

    return connect


def test_it_keeps_a_sealed_session_and_never_the_password(connect: Connect, alice: User) -> None:
    answer = connect(alice)

    with tenancy.platform("a test looks for secrets"):
        session = Session.objects.get()
        assert (session.status, session.valid, session.account_id) == ("assigned", True, answer.account.pk)
        rows = [
            json.dumps(list(model.objects.values()), default=bytes_too) for model in (Session, InstagramAccount, Bot)
        ]
    assert not any(secret in row for row in rows for secret in (PASSWORD, "IGT:2", "sessionid"))


def bytes_too(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def test_a_first_login_warms_up_and_waits_for_its_owner_to_start(connect: Connect, alice: User) -> None:
    answer = connect(alice)

    assert (answer.account.health, answer.bot.status) == ("warming", "stopped")


def test_the_password_waits_sealed_for_the_code_and_goes_after_ten_minutes(
    connect: Connect, alice: User, instagram: Control
) -> None:
    assert connect(alice, "kiln.totp").wants_code == "totp"
    with tenancy.platform("a test looks"):
        attempt = ConnectAttempt.objects.get()
        assert PASSWORD.encode() not in bytes(attempt.sealed)
        ConnectAttempt.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    code = instagram.read_account("kiln.totp")["totp_code"]
    assert connect(alice, "kiln.totp", password="", code=code).refused.code is codes.IG_CODE_EXPIRED
    connecting.forget_expired()

    with tenancy.platform("a test looks"):
        assert ConnectAttempt.objects.get().sealed is None


def test_the_code_alone_finishes_the_login_and_nothing_waits_any_more(
    connect: Connect, alice: User, instagram: Control
) -> None:
    connect(alice, "kiln.totp")

    answer = connect(alice, "kiln.totp", password="", code=instagram.read_account("kiln.totp")["totp_code"])

    assert answer.account is not None
    with tenancy.platform("a test looks"):
        assert ConnectAttempt.objects.count() == 0


def test_two_wrong_passwords_a_day_and_no_third(connect: Connect, alice: User, instagram: Control) -> None:
    assert [connect(alice, password="wrong-one").refused.code for _ in range(2)] == [codes.IG_BAD_PASSWORD] * 2
    sent = instagram.ledger("kiln").total_requests("kiln")

    assert connect(alice).refused.code is codes.IG_LOGIN_LOCKED

    assert instagram.ledger("kiln").total_requests("kiln") == sent
    with tenancy.platform("a test waits a day"):
        ConnectAttempt.objects.update(wrong_day=timezone.now().date() - timedelta(days=1))
    assert connect(alice).account is not None


def test_one_instagram_identity_has_one_driver(connect: Connect, alice: User, charlie: User) -> None:
    connect(alice)

    refused = connect(charlie).refused

    assert refused.code is codes.IG_ACCOUNT_TAKEN
    with tenancy.platform("a test looks"):
        assert (InstagramAccount.objects.count(), Session.objects.count(), InstagramClaim.objects.count()) == (1, 1, 1)


def test_a_second_login_keeps_the_device_and_raises_the_version(connect: Connect, alice: User) -> None:
    from bots import sessions

    def device() -> tuple[int, object]:
        with tenancy.scope(workspace_of(alice)):
            session = Session.objects.get()
            return session.version, sessions.settings_of(session)["uuids"]

    connect(alice)
    first = device()
    connect(alice)

    assert device() == (first[0] + 1, first[1])


def test_the_risk_must_be_accepted_once(connect: Connect, alice: User) -> None:
    assert connect(alice, accept_risk=False).refused.code is codes.IG_RISK_NOT_ACCEPTED
    connect(alice)
    assert connect(alice, accept_risk=False).account is not None


def test_a_plan_without_room_takes_no_other_account(connect: Connect, alice: User) -> None:
    from billing import entitlements

    with tenancy.platform("a test changes the plan"):
        entitlements.subscribe(workspace_of(alice), "free")
    connect(alice)

    assert connect(alice, "kiln.totp").refused.code is codes.PLAN_ACCOUNT_LIMIT


def test_an_account_that_is_disconnected_gives_its_place_to_another(
    connect: Connect, alice: User, instagram: Control
) -> None:
    from billing import entitlements

    with tenancy.platform("a test changes the plan"):
        entitlements.subscribe(workspace_of(alice), "free")
    first = connect(alice).account
    instagram.account("glaze", password=PASSWORD)
    with tenancy.scope(workspace_of(alice)):
        connecting.disconnect(first, alice)

    assert connect(alice, "glaze").account is not None
    assert connect(alice).refused.code is codes.PLAN_ACCOUNT_LIMIT, "it kept its history, and not its place"


@pytest.mark.parametrize("name", ["", "two words", "a" * 31, "../etc", "name?x=1", "ümlaut", None])
def test_what_is_no_username_is_refused_before_anything_is_asked(connect: Connect, alice: User, name: object) -> None:
    assert connect(alice, name).refused.code is codes.VALIDATION_FAILED


def test_no_secret_is_in_a_dump_of_the_database(connect: Connect, alice: User) -> None:
    """The canary: what came from Instagram and what was typed, looked for in all that PostgreSQL holds of us."""
    from django.db import connection

    connect(alice)
    connect(alice, "kiln.totp")
    with tenancy.platform("a test dumps everything"), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" t WHERE t::text LIKE %s OR t::text LIKE %s',
                [f"%{PASSWORD}%", "%IGT:2%"],
            )
            assert cursor.fetchone() == (0,), table
