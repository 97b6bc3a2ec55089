"""A bot's turn: what it does, and what it never does."""

import itertools
from collections.abc import Callable
from datetime import time, timedelta

import pytest
import structlog
from django.test import Client
from django.utils import timezone

from bots import dispatch, pacing, reconcile, runner, turns
from bots.actions import follow
from bots.engine import look
from bots.instagram import safe_client
from bots.instagram.private import Outcome, State, awake_clock
from bots.models import Action, Bot, Candidate, InstagramAccount, Usage
from bots.tests.engine import Engine
from errors import codes
from errors.exceptions import BotException


def test_it_follows_as_many_as_a_burst_and_writes_each_down(engine: Engine) -> None:
    engine.start()
    engine.ask(5)

    assert engine.turn() == "done"

    assert engine.states() == ["confirmed"] * 3
    assert engine.followed() == [action.target_pk for action in engine.actions()]
    assert [row.status for row in engine.log("follow")] == ["ok"] * 3
    assert engine.last_turn().actions == 3


def test_it_ends_the_task_at_its_amount(engine: Engine) -> None:
    engine.start()
    engine.ask(4)

    engine.turn()
    engine.turn()
    engine.turn()

    assert (engine.task().status, engine.task().confirmed, len(engine.followed())) == ("done", 4, 4)


def test_a_process_that_was_frozen_after_the_intent_sends_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.start()
    engine.ask(3)
    intend, slept = runner._intend, [0.0]

    def frozen_after(*words: object) -> Action | None:
        action = intend(*words)  # type: ignore[arg-type]
        slept[0] = runner.SEND_BEFORE + 1
        return action

    with monkeypatch.context() as frozen:
        frozen.setattr(safe_client, "awake_clock", lambda: awake_clock() + slept[0])
        frozen.setattr(runner, "_intend", frozen_after)
        assert engine.turn() == "fenced"
    assert (engine.followed(), engine.actions()) == ([], [])
    with engine.seen():
        assert list(Usage.objects.filter(kind="follow").values_list("used", flat=True)) == [0, 0]

    assert engine.turn() == "done", "the next turn searches and sends as ever"
    assert len(engine.followed()) == 3


def test_its_rows_carry_the_correlation_id_of_the_asking(engine: Engine) -> None:
    engine.start()
    with structlog.contextvars.bound_contextvars(correlation_id="c-asked"):
        engine.ask(1)

    engine.turn()

    assert [row.correlation_id for row in engine.log("follow")] == ["c-asked"]
    assert [action.correlation_id for action in engine.actions()] == ["c-asked"]


def test_it_never_contacts_a_person_twice_even_for_another_task(engine: Engine) -> None:
    engine.sandbox.control.hashtag("smalltown", count=4)
    engine.start()
    engine.ask(3, "smalltown")
    engine.turn()
    engine.ask(3, "smalltown")
    engine.turn()
    engine.turn()

    assert len(engine.followed()) == len(set(engine.followed())) == 4
    assert engine.task().last_code == codes.NO_PEOPLE_FOUND.id


def test_it_skips_people_the_account_follows_already_and_gives_the_unit_back(engine: Engine) -> None:
    first = engine.sandbox.control.people("ceramics", 0, 1)[0]
    engine.sandbox.control.relate(engine.username, first["username"], "following")
    engine.start()
    engine.ask(2)

    engine.turn()

    assert (engine.actions()[0].state, engine.actions()[0].error_code) == ("refused", codes.ALREADY_FOLLOWING.id)
    assert len(engine.followed()) == 2
    with engine.seen():
        assert set(Usage.objects.values_list("used", flat=True)) == {2}


def test_it_waits_for_the_day_when_the_limit_is_reached(engine: Engine) -> None:
    engine.limit(2)
    engine.start()
    engine.ask(5)

    engine.turn()

    task = engine.task()
    assert (task.status, task.last_code, len(engine.followed())) == ("waiting", codes.FOLLOW_LIMIT_REACHED.id, 2)
    assert timezone.now() < task.waits_until <= timezone.now() + timedelta(days=1)
    assert engine.bot.next_run_at >= task.waits_until
    assert engine.bot.last_error_code == codes.FOLLOW_LIMIT_REACHED.id


def test_it_does_nothing_outside_its_working_hours(engine: Engine) -> None:
    now = timezone.now()
    with engine.seen():
        Bot.objects.update(
            works_from=(now + timedelta(hours=2)).time().replace(microsecond=0),
            works_to=(now + timedelta(hours=3)).time().replace(microsecond=0),
        )
    engine.start()
    engine.ask(1)

    assert engine.turn() == codes.OUTSIDE_WORKING_HOURS.id

    assert engine.followed() == []
    assert abs(engine.bot.next_run_at - now - timedelta(hours=2)) < timedelta(minutes=1)


def test_an_unknown_outcome_is_never_sent_again_and_found_by_reading(engine: Engine) -> None:
    engine.sandbox.control.fault("reset_after_apply", account=engine.username, path="friendships/create", times=1)
    engine.start()
    engine.ask(2)

    engine.turn()
    assert engine.states() == ["unknown"]
    engine.turn()
    with engine.seen():
        Action.objects.filter(state="unknown").update(look_up_at=timezone.now())
    assert reconcile.look_up(engine.workspace.pk, engine.account.pk) == 1

    assert engine.states() == ["confirmed", "confirmed"]
    assert len(engine.followed()) == len(set(engine.followed())) == 2
    assert engine.task().status == "done"


def test_what_did_not_arrive_is_absent_and_still_never_sent_again(engine: Engine) -> None:
    engine.sandbox.control.fault("reset", account=engine.username, path="friendships/create", times=1)
    engine.start()
    engine.ask(1)
    engine.turn()
    with engine.seen():
        Action.objects.update(look_up_at=timezone.now())
    reconcile.look_up(engine.workspace.pk, engine.account.pk)
    engine.turn()

    states = engine.states()
    assert states == ["absent", "confirmed"]
    assert engine.actions()[0].target_pk not in engine.followed()


@pytest.mark.parametrize(
    ("fault", "health", "status", "code"),
    [
        ("challenge", "needs_you", "stopped", codes.CHALLENGE_REQUIRED),
        ("login_required", "needs_login", "stopped", codes.SESSION_NEEDS_LOGIN),
        ("suspended", "banned", "stopped", codes.ACCOUNT_SUSPENDED),
        ("429", "cooling", "running", codes.INSTAGRAM_THROTTLED),
        ("please_wait", "cooling", "running", codes.INSTAGRAM_PLEASE_WAIT),
        ("feedback", "slowed", "running", codes.FOLLOW_BLOCKED),
    ],
)
@pytest.mark.parametrize("path", ["friendships/show", "friendships/create"])
def test_the_first_stop_sign_stops_the_account(
    engine: Engine, fault: str, health: str, status: str, code: codes.Code, path: str
) -> None:
    engine.start()
    engine.ask(5)
    engine.sandbox.control.fault(fault, account=engine.username, path=path, times=100)
    before = engine.sandbox.control.ledger(engine.username).total_requests(engine.username)

    engine.turn()

    stopped = engine.sandbox.control.ledger(engine.username).total_requests(engine.username)
    assert stopped - before == (2 if path.endswith("show") else 3)  # the search, the relation, and perhaps the follow
    assert (engine.account.health, engine.bot.status) == (health, status)
    assert engine.account.health_code == engine.bot.last_error_code == code.id
    engine.turn()
    assert engine.sandbox.control.ledger(engine.username).total_requests(engine.username) == stopped
    assert engine.followed() == []


def test_nothing_starts_after_the_owner_stopped_the_bot(engine: Engine) -> None:
    engine.start()
    engine.ask(5)
    with engine.seen():
        Bot.objects.update(next_run_at="2020-01-01T00:00Z")
    (claim,) = dispatch.claim(1000)
    engine.stop()

    runner.run_turn(claim.workspace, claim.bot, claim.fence)

    assert (engine.followed(), engine.bot.lease_until) == ([], None)


def test_a_second_message_for_the_same_turn_does_nothing(engine: Engine) -> None:
    engine.start()
    engine.ask(9)
    with engine.seen():
        Bot.objects.update(next_run_at="2020-01-01T00:00Z")
    (claim,) = dispatch.claim(1000)
    runner.run_turn(claim.workspace, claim.bot, claim.fence)

    assert runner.run_turn(claim.workspace, claim.bot, claim.fence) == "not ours"
    assert len(engine.followed()) == 3


def test_a_sandbox_that_is_down_costs_a_turn_and_nothing_else(engine: Engine, settings: object) -> None:
    engine.start()
    engine.ask(2)
    settings.INSTAGRAM_PRIVATE_URL = "http://127.0.0.1:9"

    assert engine.turn() == codes.NET_REFUSED.id

    assert (engine.actions(), engine.account.health, engine.bot.status) == ([], "active", "running")
    settings.INSTAGRAM_PRIVATE_URL = engine.sandbox.url
    engine.turn()
    assert engine.states() == ["confirmed", "confirmed"]


def test_once_a_day_it_asks_how_many_the_account_follows(engine: Engine) -> None:
    engine.sandbox.control.account(engine.username, followers=900, following=7499)
    with engine.seen():
        InstagramAccount.objects.update(measured_at=None)
    engine.start()
    engine.ask(3)

    engine.turn()
    engine.turn()

    assert (engine.account.followers, engine.account.following) == (900, 7499)
    assert len(engine.followed()) == 1
    requests = engine.sandbox.control.ledger(engine.username).requests[engine.username]["routes"]
    assert requests["GET users/*/info"] == 1


def test_filters_ask_for_what_the_search_does_not_tell_and_unknown_is_not_zero(engine: Engine) -> None:
    engine.sandbox.control.hashtag(
        "quiet",
        people=[
            {"username": "many.followers", "followers": 5000},
            {"username": "few.followers", "followers": 12},
            {"username": "unknown.followers", "followers": None},
        ],
    )
    engine.start()
    engine.ask(3, "quiet", min_followers=100)

    engine.turn()

    with engine.seen():
        reasons = dict(Candidate.objects.values_list("username", "reason"))
    assert reasons == {
        "many.followers": "",
        "few.followers": "followers 12, below 100",
        "unknown.followers": "unknown: followers",
    }
    assert len(engine.followed()) == 1


def test_a_fault_of_ours_gives_the_bot_back_and_parks_it_after_five(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.start()
    engine.ask(1)
    monkeypatch.setattr(runner.pacing, "opens_at", lambda *_: 1 / 0)

    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            engine.turn()

    assert (engine.bot.status, engine.bot.lease_until, engine.bot.last_error_code) == (
        "parked",
        None,
        codes.BOT_PARKED.id,
    )


def test_a_fault_in_the_middle_of_an_action_leaves_it_unknown_and_never_sends_it_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.start()
    engine.ask(1)
    send = follow.perform

    def sends_and_breaks(*args: object) -> None:
        send(*args)
        raise ZeroDivisionError

    monkeypatch.setattr(follow, "perform", sends_and_breaks)
    with pytest.raises(ZeroDivisionError):
        engine.turn()
    assert (engine.states(), engine.task().unknown) == (["unknown"], 1)
    monkeypatch.setattr(follow, "perform", send)
    with engine.seen():
        Action.objects.update(look_up_at=timezone.now())

    reconcile.look_up(engine.workspace.pk, engine.account.pk)
    engine.turn()

    assert (engine.states(), len(engine.followed()), engine.task().status) == (["confirmed"], 1, "done")


def test_a_person_whose_page_we_cannot_read_is_left_and_the_next_one_taken(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    send, strange = follow.perform, [Outcome(State.REFUSED, codes.INSTAGRAM_DRIFT)]
    monkeypatch.setattr(follow, "perform", lambda *args: strange.pop() if strange else send(*args))
    engine.start()
    engine.ask(2)

    engine.turn()
    engine.turn()

    assert [(action.state, action.error_code) for action in engine.actions()] == [
        ("refused", codes.INSTAGRAM_DRIFT.id),
        ("confirmed", ""),
        ("confirmed", ""),
    ]


def test_a_hashtag_that_does_not_exist_ends_the_task(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> None:
        raise BotException(codes.HASHTAG_NOT_FOUND)

    engine.start()
    engine.ask(2)
    monkeypatch.setattr(follow, "find", nothing)

    engine.turn()

    assert (engine.task().status, engine.task().last_code) == ("failed", codes.HASHTAG_NOT_FOUND.id)


def test_a_bot_that_is_answered_slowly_does_less_in_a_turn_and_is_not_parked(
    engine_of: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = engine_of(burst=10)
    engine.start()
    engine.ask(9)
    clock = itertools.count(step=turns.TURN / 5)
    monkeypatch.setattr(turns, "awake_clock", lambda: next(clock))

    ended = [engine.turn(), engine.turn()]

    assert ended == ["done", "done"]
    assert 2 <= len(engine.followed()) < 6, "some in each turn, and no whole burst"
    assert (engine.bot.attempt, engine.bot.status, engine.task().status) == (0, "running", "running")


def test_the_next_turn_comes_after_the_delay(engine_of: object) -> None:
    engine = engine_of(cycle_delay=600, jitter=0, burst=1)
    engine.start()
    engine.ask(5)
    before = timezone.now()

    engine.turn()

    assert timedelta(seconds=599) < engine.bot.next_run_at - before < timedelta(seconds=620)


def test_working_hours_may_pass_midnight(engine: Engine) -> None:
    bot = engine.bot
    bot.works_from, bot.works_to = time(22), time(2)
    at_noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0)

    assert pacing.opens_at(bot, at_noon) == at_noon.replace(hour=22)
    assert pacing.opens_at(bot, at_noon.replace(hour=23)) == at_noon.replace(hour=23)
    assert pacing.opens_at(bot, at_noon.replace(hour=1)) == at_noon.replace(hour=1)


def test_what_a_turn_cost_is_measured_and_shown(engine: Engine, client: Client) -> None:
    engine.start()
    engine.ask(1)
    engine.turn()

    turn, status = engine.last_turn(), look()

    assert 0 < turn.cpu_ms < 60_000
    assert 10_000 < turn.memory_kb < 10_000_000
    assert (status.turns_last_hour, status.cpu_ms_a_turn) == (1, turn.cpu_ms)
    client.force_login(engine.user)
    page = client.get(f"/automation/{engine.username}/").content.decode()
    assert f"A turn takes {turn.cpu_ms:,} ms of processor time (mean of the last 1)" in page
