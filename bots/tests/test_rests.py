"""A rest that Instagram asked for ends with its time, and no way leads round it: no login, look, look-up or preview."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from accounts import tenancy
from accounts.models import Notification, Workspace
from billing.models import Plan
from bots import connecting, dispatch, health, network, preview, reconcile, runner, searching, sessions, tasking, ways
from bots.actions import follow
from bots.instagram import private
from bots.locks import account_lock
from bots.models import Action, Bot, Candidate, ConnectAttempt, InstagramAccount, Kind
from bots.tests.engine import PASSWORD, Engine
from content import reading
from errors import codes
from errors.codes import Code
from errors.exceptions import BotException


def requests_of(engine: Engine) -> int:
    return engine.sandbox.control.ledger(engine.username).total_requests(engine.username)


def sign(engine: Engine, code: Code) -> None:
    with engine.seen():
        health.react(engine.account, BotException(code), "follow")


def log_in(engine: Engine, username: str = "") -> BotException | None:
    name = username or engine.username
    with engine.seen():
        return connecting.connect(engine.workspace, engine.user, name, PASSWORD, accept_risk=True).refused


def unknown_follow(engine: Engine, fault: str = "reset_after_apply") -> Action:
    """A follow whose answer was lost, due to be looked up."""
    engine.start()
    engine.ask(1)
    engine.sandbox.control.fault(fault, account=engine.username, path="friendships/create", times=1)
    engine.turn()
    with engine.seen():
        Action.objects.filter(state="unknown").update(look_up_at=timezone.now() - timedelta(seconds=1))
    return engine.actions(state="unknown")[0]


def test_while_an_account_rests_nobody_asks_instagram_for_it(engine: Engine) -> None:
    unknown_follow(engine)
    sign(engine, codes.INSTAGRAM_PLEASE_WAIT)
    before, account = requests_of(engine), engine.account

    assert reconcile.look_up(engine.workspace.pk, account.pk) == 0
    with pytest.raises(BotException) as previewed, engine.seen():
        preview.look(engine.bot, tasking.draft(engine.bot, Kind.FOLLOW, 5, value="ceramics"))
    with pytest.raises(BotException) as read:
        reading.read(account)
    with pytest.raises(BotException) as probed, engine.seen():
        sessions.check(account)

    assert {previewed.value.code, read.value.code, probed.value.code} == {codes.ACCOUNT_COOLING}
    assert requests_of(engine) == before
    assert (engine.actions()[0].state, engine.actions()[0].look_up_at > timezone.now()) == ("unknown", True)


@pytest.mark.parametrize("logs_out", [False, True])
def test_no_login_is_sent_during_a_rest(engine: Engine, logs_out: bool) -> None:
    sign(engine, codes.INSTAGRAM_PLEASE_WAIT)
    until = engine.account.health_until
    if logs_out:
        sign(engine, codes.SESSION_NEEDS_LOGIN)
        with engine.seen():
            connecting.disconnect(engine.account, engine.user)
    before, health_before = requests_of(engine), engine.account.health

    refused = log_in(engine)

    assert (refused.code, refused.meta["retry_after"] > 86000) == (codes.ACCOUNT_COOLING, True)
    assert (engine.account.health, engine.account.health_until) == (health_before, until)
    assert requests_of(engine) == before


def test_a_login_erases_no_sign_that_was_met_meanwhile(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def meanwhile(*words: object, **more: object) -> object:
        sign(engine, codes.FOLLOW_BLOCKED)
        sign(engine, codes.INSTAGRAM_PLEASE_WAIT)
        return entered(*words, **more)

    entered = private.login
    monkeypatch.setattr(private, "login", meanwhile)

    assert log_in(engine) is None

    account = engine.account
    assert (account.health, account.restrictions, [*account.blocked_kinds]) == ("cooling", 2, ["follow"])
    assert account.health_until > timezone.now() + timedelta(hours=23)


def test_a_logout_erases_no_sign_that_was_met_meanwhile(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "log_out", lambda _: sign(engine, codes.INSTAGRAM_PLEASE_WAIT))

    with engine.seen():
        connecting.disconnect(engine.account, engine.user)

    account = engine.account
    assert (account.health, account.restrictions, hasattr(account, "session")) == ("needs_login", 1, False)
    assert account.health_until > timezone.now() + timedelta(hours=23)


def test_no_login_runs_beside_a_turn(engine: Engine) -> None:
    before = requests_of(engine)
    with account_lock(engine.account.pk):
        refused = log_in(engine)

    assert (refused.code, requests_of(engine)) == (codes.SESSION_BUSY, before)


@pytest.mark.parametrize(
    ("fault", "code", "health_then", "hours"),
    [
        ("429", codes.INSTAGRAM_THROTTLED, "cooling", 1),
        ("please_wait", codes.INSTAGRAM_PLEASE_WAIT, "cooling", 24),
        ("sentry_block", codes.INSTAGRAM_SENTRY_BLOCK, "needs_you", 72),
        ("challenge", codes.CHALLENGE_REQUIRED, "needs_you", 1 / 6),
    ],
)
@pytest.mark.parametrize("known", [True, False], ids=["known", "new"])
def test_a_sign_met_by_a_login_is_heeded_and_the_next_login_waits(
    engine: Engine, known: bool, fault: str, code: Code, health_then: str, hours: float
) -> None:
    name = engine.username if known else "a.novice"
    with tenancy.platform("a test makes room for another account"):
        Plan.objects.filter(key="tests").update(account_limit=5)
        engine.workspace = Workspace.objects.get(pk=engine.workspace.pk)  # the other one remembers its plan
    engine.sandbox.control.account("a.novice", password=PASSWORD)
    engine.sandbox.control.fault(fault, account=name, path=".*send_login_request", times=None)

    first = log_in(engine, name)
    before = engine.sandbox.control.ledger(name).total_requests(name)
    second = log_in(engine, name)

    assert (first.code, second.code) == (code, codes.ACCOUNT_COOLING)
    assert engine.sandbox.control.ledger(name).total_requests(name) == before
    assert abs(second.meta["retry_after"] - hours * 3600) < 120
    with engine.seen():
        assert InstagramAccount.objects.count() == 1
        assert engine.account.health == (health_then if known else "active")
        engine.sandbox.control.clear_faults()
        past = timezone.now() - timedelta(seconds=1)  # as time does
        ConnectAttempt.objects.update(rests_until=past)
        InstagramAccount.objects.exclude(health_until=None).update(health_until=past)
    assert log_in(engine, name) is None


@pytest.mark.parametrize(("code", "hours"), [(codes.INSTAGRAM_SENTRY_BLOCK, 72), (codes.SESSION_RELOGIN_LOOP, 24)])
def test_a_locked_account_is_asked_nothing_before_its_time_though_its_owner_solved_it(
    engine: Engine, code: Code, hours: int
) -> None:
    sign(engine, code)
    sign(engine, codes.CHALLENGE_REQUIRED)  # what it asks for as well makes the time no shorter
    before = requests_of(engine)

    def check() -> sessions.Checked:
        with engine.seen():
            return sessions.check(engine.account)

    with pytest.raises(BotException) as refused:
        check()
    left = refused.value.meta["retry_after"] / 3600
    assert (refused.value.code, round(left), requests_of(engine)) == (codes.ACCOUNT_COOLING, hours, before)
    with engine.seen():
        InstagramAccount.objects.update(health_until=timezone.now() - timedelta(seconds=1))
    assert (check().valid, engine.account.health) == (True, "warming")


def test_neither_a_probe_nor_a_login_takes_a_way_that_rests(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "rests", lambda _: True)
    before = requests_of(engine)

    with pytest.raises(BotException) as probed, engine.seen():
        sessions.check(engine.account)

    assert {probed.value.code, log_in(engine).code} == {codes.NETWORK_SLOWED}
    assert requests_of(engine) == before


def test_a_login_after_a_challenge_begins_the_warm_up_again(engine: Engine) -> None:
    sign(engine, codes.CHALLENGE_REQUIRED)

    assert log_in(engine) is None

    account = engine.account
    assert account.health == "warming"
    assert account.warmup_started_at is not None
    assert timezone.now() - account.warmup_started_at < timedelta(minutes=5)


def test_a_sign_met_by_a_preview_stops_the_account(engine: Engine) -> None:
    engine.start()
    engine.sandbox.control.fault("challenge", account=engine.username, path="tags/")

    with engine.seen():
        task = tasking.draft(engine.bot, Kind.FOLLOW, 5, value="ceramics")
        with pytest.raises(BotException):
            preview.look(engine.bot, task)

    assert (engine.account.health, engine.bot.status) == ("needs_you", "stopped")


def test_a_rest_ends_with_its_time_though_the_bot_is_stopped(engine: Engine) -> None:
    sign(engine, codes.INSTAGRAM_THROTTLED)
    assert health.return_rested() == 0
    with engine.seen():
        InstagramAccount.objects.update(health_until=timezone.now() - timedelta(seconds=1))

    assert (health.return_rested(), engine.account.health) == (1, "slowed")
    with engine.seen():
        past = timezone.now() - timedelta(days=11)
        InstagramAccount.objects.update(health_until=timezone.now() - timedelta(seconds=1), restricted_at=past)
    assert (health.return_rested(), engine.account.health) == (1, "active")


def test_five_turns_in_a_row_without_an_answer_rest_the_account(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As behind a proxy that is dead: what fails are reads, so no action tells of it."""
    silent, find = [True], follow.find

    def found(*words: object) -> object:
        if silent[0]:
            raise BotException(codes.NET_TIMEOUT)
        return find(*words)

    monkeypatch.setattr(follow, "find", found)
    engine.start()
    engine.ask(10)
    ends = [engine.turn(f"2020-01-01T00:0{minute}Z") for minute in range(4)]
    silent[0] = False
    ends.append(engine.turn("2020-01-01T00:04Z"))  # one that works: those before count no longer
    with engine.seen():
        Candidate.objects.filter(state="waiting").delete()
    silent[0] = True
    ends += [engine.turn(f"2020-01-01T00:0{minute}Z") for minute in range(5, 10)]

    silence = codes.NET_TIMEOUT.id
    assert ends == [silence] * 4 + ["done"] + [silence] * 4 + [codes.NET_UNSTABLE.id]
    assert (engine.account.health, engine.turn()) == ("cooling", "cooling")
    with engine.seen():
        assert Notification.objects.filter(code=codes.NET_UNSTABLE.id).count() == 1


def test_an_app_that_instagram_no_longer_takes_logs_nobody_in(engine: Engine) -> None:
    engine.sandbox.control.fault("needs_upgrade", account=engine.username)
    try:
        codes_met = [log_in(engine).code]
        before = requests_of(engine)
        codes_met.append(log_in(engine).code)
    finally:
        cache.delete(connecting.OUTDATED)

    assert codes_met == [codes.INSTAGRAM_APP_OUTDATED] * 2
    assert requests_of(engine) == before


def test_an_app_that_instagram_no_longer_takes_loses_nobody(engine: Engine) -> None:
    engine.start()
    engine.ask(3)
    engine.sandbox.control.fault("needs_upgrade", account=engine.username, path="friendships/show")

    engine.turn()

    assert (engine.account.health, engine.actions(), engine.task().confirmed) == ("cooling", [], 0)


def test_when_several_accounts_of_one_way_are_slowed_all_that_go_there_rest(engine_of: Callable[..., Engine]) -> None:
    engines = [engine_of() for _ in range(5)]
    *slowed, neighbour, elsewhere = engines
    with elsewhere.seen():
        network.give(elsewhere.account, "http://proxy.example:8080", elsewhere.user)
    before = requests_of(neighbour)
    for one in slowed:
        assert not ways.rests(neighbour.account)
        sign(one, codes.INSTAGRAM_THROTTLED)
        sign(one, codes.INSTAGRAM_THROTTLED)  # one account counts once
    neighbour.start()
    neighbour.ask(1)

    assert neighbour.turn() == codes.NETWORK_SLOWED.id
    assert (neighbour.account.health, requests_of(neighbour)) == ("active", before)
    assert not ways.rests(elsewhere.account)

    ways.forget()  # as time does
    assert (neighbour.turn(), len(neighbour.followed())) == ("done", 1)


# ── What one person's answer may not do to the rest of the work ────────────────────────────────────────────────────


def test_a_look_up_of_who_is_gone_is_settled_and_one_that_cannot_be_read_holds_up_nobody(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = unknown_follow(engine)
    with engine.seen():
        old = timezone.now() - timedelta(minutes=5)
        for name in ("gone", "strange"):
            Action.objects.create(
                workspace=engine.workspace, account=engine.account, kind="follow", target_pk=len(name),
                target_username=name, state="unknown", fence=0, look_up_at=old,
            )  # fmt: skip
    answers, ask = {"gone": codes.IG_TARGET_GONE, "strange": codes.INSTAGRAM_DRIFT}, follow.reconcile

    def reconcile_one(door: object, action: Action, task: object) -> bool:
        if action.target_username in answers:
            raise BotException(answers[action.target_username])
        return ask(door, action, task)

    monkeypatch.setattr(follow, "reconcile", reconcile_one)
    reconcile.look_up(engine.workspace.pk, engine.account.pk)

    found = {action.target_username: action for action in engine.actions()}
    assert {name: action.state for name, action in found.items()} == {
        first.target_username: "confirmed",
        "gone": "absent",
        "strange": "unknown",
    }
    assert (found["strange"].lookups, found["strange"].look_up_at > timezone.now()) == (1, True)
    assert (engine.account.health, engine.bot.status) == ("active", "running")


def test_an_account_that_was_deleted_is_not_looked_up(engine: Engine) -> None:
    action = unknown_follow(engine)
    with engine.seen():
        engine.bot.delete()
        InstagramAccount.objects.all().delete()

    assert reconcile.look_up(engine.workspace.pk, action.account_id) == 0


def test_people_who_are_gone_are_left_and_rest_nobody(engine: Engine) -> None:
    engine.start()
    engine.ask(2)
    engine.sandbox.control.fault("not_found", account=engine.username, path="friendships/show", times=4)

    engine.turn()

    assert [(action.state, action.error_code) for action in engine.actions()][:4] == [
        ("refused", codes.IG_TARGET_GONE.id)
    ] * 4
    assert (engine.account.health, len(engine.followed())) == ("active", 2)


def test_a_search_that_cannot_be_read_waits_and_the_other_tasks_go_on(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.start()
    strange, good = engine.ask(1, "strange"), engine.ask(1, "ceramics")
    find = follow.find

    def found(door: object, task: object) -> object:
        if task.value == "strange":
            raise BotException(codes.INSTAGRAM_DRIFT)
        return find(door, task)

    monkeypatch.setattr(follow, "find", found)
    engine.turn()

    with engine.seen():
        strange.refresh_from_db()
        good.refresh_from_db()
    assert (strange.status, strange.last_code, good.status) == ("waiting", codes.INSTAGRAM_DRIFT.id, "done")
    assert strange.waits_until > timezone.now() + timedelta(minutes=50)


def test_the_account_itself_is_nobody_to_follow(engine: Engine) -> None:
    engine.sandbox.control.account("a.neighbour")
    engine.sandbox.control.hashtag("ownwork", people=[engine.username, "a.neighbour"])
    engine.start()
    engine.ask(2, "ownwork")
    engine.turn()
    with engine.seen():
        seen = preview.look(engine.bot, tasking.draft(engine.bot, Kind.FOLLOW, 5, value="ownwork"))

    assert [action.target_username for action in engine.actions()] == ["a.neighbour"]
    assert [met.person.username for met in seen.people] == ["a.neighbour"]


def test_a_task_that_asks_about_people_in_vain_ends(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each cost Instagram a read, and so the account some trust."""
    monkeypatch.setattr(searching, "IN_VAIN", 12)
    engine.start()
    engine.ask(5, min_media_count=10**9)

    while engine.task().status != "failed":
        assert engine.turn() == "nothing to do"

    assert engine.task().last_code == codes.TASK_TARGETS_POOR.id
    routes = engine.sandbox.control.ledger(engine.username).requests[engine.username]["routes"]
    assert sum(n for route, n in routes.items() if route.endswith("/info")) == 16  # two turns of eight


def test_a_parked_bot_is_told_of_and_a_stopped_one_stays_stopped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.start()
    engine.ask(1)
    monkeypatch.setattr(runner.pacing, "opens_at", lambda *_: 1 / 0)
    with engine.seen():
        Bot.objects.update(attempt=4)
    with pytest.raises(ZeroDivisionError):
        engine.turn()

    with engine.seen():
        told = Notification.objects.get(code=codes.BOT_PARKED.id)
        assert (engine.bot.status, told.tone, engine.username in told.title) == ("parked", "bad", True)
        Bot.objects.update(status="stopped", attempt=5, lease_until=timezone.now() - timedelta(seconds=1))
    dispatch.sweep()

    assert engine.bot.status == "stopped"
