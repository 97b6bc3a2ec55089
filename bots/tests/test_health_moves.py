"""How an account's health moves: what each sign leads to, what a clock ends, and what only a person can."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots import health, limits, sessions, switch
from bots.clock import db_now
from bots.instagram.private import Person
from bots.models import Bot, InstagramAccount, Session
from errors import codes
from errors.codes import Code, Then
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth.testing import everywhere

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# What each reaction makes of an active account that runs: health, for how long, session, is it good, bot.
REACTIONS = {
    Then.COOL_1H: ("cooling", HOUR, "assigned", True, "running"),
    Then.COOL_24H: ("cooling", DAY, "assigned", True, "running"),
    Then.BLOCK_KIND: ("slowed", 10 * DAY, "assigned", True, "running"),
    Then.NEEDS_LOGIN: ("needs_login", None, "assigned", False, "stopped"),
    Then.FREEZE: ("needs_you", None, "frozen", False, "stopped"),
    Then.BAN: ("banned", None, "banned", False, "stopped"),
}
LOCKED = {"INSTAGRAM_SENTRY_BLOCK": 3 * DAY, "SESSION_RELOGIN_LOOP": DAY}  # before a person may try
UNTOUCHED = ("active", None, "assigned", True, "running")
SIGNS = [code for code in codes.REGISTRY.values() if code.then in REACTIONS]
OTHERS = [next(code for code in codes.REGISTRY.values() if code.then is then) for then in Then if then not in REACTIONS]


@pytest.fixture
def bot(alices_bot: Bot) -> Bot:
    """Runs, with a warm account."""
    with everywhere():
        Bot.objects.update(status="running")
        InstagramAccount.objects.update(warmup_started_at=None)
        return Bot.objects.select_related("account__session").get()


def react(bot: Bot, code: Code, kind: str = "follow") -> None:
    health.react(bot.account, BotException(code), kind)


def state(bot: Bot) -> tuple[str, str, bool, str]:
    bot = Bot.objects.select_related("account__session").get(pk=bot.pk)
    session = bot.account.session
    return bot.account.health, session.status, session.valid, bot.status


def later(bot: Bot, by: timedelta) -> bool:
    """Let time pass for the account, and ask whether it may work."""
    account = InstagramAccount.objects.get(pk=bot.account_id)
    for name in ("health_until", "health_since", "warmup_started_at", "restricted_at"):
        if (moment := getattr(account, name)) is not None:
            setattr(account, name, moment - by)
    account.save()
    bot.account.refresh_from_db()
    return health.recover(bot.account, db_now())


@pytest.mark.parametrize("code", [*SIGNS, *OTHERS], ids=lambda code: code.name)
def test_each_sign_leads_where_the_table_says(bot: Bot, code: Code) -> None:
    where, span, session, valid, runs = REACTIONS.get(code.then, UNTOUCHED)
    until = span or LOCKED.get(code.name)
    with everywhere():
        react(bot, code)

        assert state(bot) == (where, session, valid, runs)
        account, now = InstagramAccount.objects.get(), db_now()
        assert (account.health_until and account.health_until - now) == until
        assert account.health_code == (code.id if code in SIGNS else "")
        assert Bot.objects.get().last_error_code == code.id
        assert account.restricted_at == (now if span else None)
        assert ("follow" in account.blocked_kinds) == (code.then is Then.BLOCK_KIND)
        row = ActivityLog.objects.filter(account_id=account.pk).latest("id")
        assert (row.action, row.error_code) == ("health" if code in SIGNS else "bot_turn", code.id)
        if code in SIGNS:
            assert (row.metadata["moved_from"], row.metadata["moved_to"]) == ("active", where)


def test_every_reaction_that_touches_an_account_is_in_the_table() -> None:
    assert set(REACTIONS) == set(health.TOUCH_ACCOUNT)
    assert {code.then for code in SIGNS} == set(REACTIONS)


def test_rests_after_429_double_to_a_day_and_begin_anew_once_all_is_well(bot: Bot) -> None:
    rests = []
    with everywhere():
        for _ in range(6):
            react(bot, codes.INSTAGRAM_THROTTLED)
            rests.append((bot.account.health_until - db_now()) / HOUR)
            assert later(bot, DAY)  # slowed
        assert later(bot, 10 * DAY)
        assert bot.account.health == "active"
        react(bot, codes.INSTAGRAM_THROTTLED)

        assert rests == [1, 2, 4, 8, 16, 24]
        assert bot.account.health_until - db_now() == HOUR


def test_the_first_block_of_a_kind_rests_a_day_the_second_three_and_the_third_freezes(bot: Bot) -> None:
    with everywhere():
        for rest in (DAY, 3 * DAY):
            react(bot, codes.FOLLOW_BLOCKED)
            assert health.blocked_until(bot.account, "follow", db_now()) == db_now() + rest
            assert health.blocked_until(bot.account, "like", db_now()) is None
        react(bot, codes.FOLLOW_BLOCKED)

        assert state(bot) == ("frozen", "frozen", False, "stopped")


def test_blocks_of_different_kinds_and_older_ones_are_counted_apart(bot: Bot) -> None:
    with everywhere():
        for kind in ("follow", "like", "story_view"):
            react(bot, codes.ACTION_BLOCKED, kind)
        old = bot.account.blocked_kinds["like"] | {"met": [(db_now() - 8 * DAY).isoformat()]}
        bot.account.blocked_kinds |= {"like": old}
        bot.account.save()
        react(bot, codes.ACTION_BLOCKED, "like")

        assert {kind: block["times"] for kind, block in bot.account.blocked_kinds.items()} == {
            "follow": 1,
            "like": 1,
            "story_view": 1,
        }
        assert bot.account.health == "slowed"


def test_the_seven_days_of_a_block_end_with_each_block_and_not_with_the_first(bot: Bot) -> None:
    with everywhere():
        for days in (7, 3.5):
            bot.account.blocked_kinds.setdefault("follow", {"met": []})["met"].append(
                (db_now() - days * DAY).isoformat()
            )
        bot.account.save()
        react(bot, codes.FOLLOW_BLOCKED)

        assert health.blocked_until(bot.account, "follow", db_now()) == db_now() + 3 * DAY


def test_a_block_that_names_no_kind_rests_the_whole_account(bot: Bot) -> None:
    with everywhere():
        react(bot, codes.ACTION_BLOCKED, "")

        assert (bot.account.health, bot.account.health_until) == ("cooling", db_now() + DAY)


def test_a_clock_leads_from_cooling_over_slowed_to_active(bot: Bot) -> None:
    with everywhere():
        react(bot, codes.INSTAGRAM_PLEASE_WAIT)
        path = [(later(bot, by), bot.account.health) for by in (23 * HOUR, HOUR, 9 * DAY, DAY)]

    assert path == [(False, "cooling"), (True, "slowed"), (True, "slowed"), (True, "active")]


def test_a_rest_within_the_warm_up_leads_back_to_it(bot: Bot) -> None:
    with everywhere():
        InstagramAccount.objects.update(warmup_started_at=db_now(), health="warming")
        react(bot, codes.INSTAGRAM_PLEASE_WAIT)
        path = [later(bot, by) and bot.account.health for by in (DAY, 10 * DAY, 9 * DAY, DAY)]

    assert path == ["slowed", "warming", "warming", "active"]


def test_no_clock_brings_back_what_needs_a_person(bot: Bot) -> None:
    with everywhere():
        for code in (codes.SESSION_NEEDS_LOGIN, codes.CHALLENGE_REQUIRED, codes.ACCOUNT_SUSPENDED):
            react(bot, code)
            assert not later(bot, 365 * DAY)


def test_a_passed_probe_frees_a_frozen_account_and_its_warm_up_starts_again(bot: Bot) -> None:
    with everywhere():
        react(bot, codes.CHALLENGE_REQUIRED)
        bot.account.refresh_from_db()
        sessions.passed(bot.account, person(bot))

        assert state(bot) == ("warming", "assigned", True, "stopped")  # its owner starts it
        account = InstagramAccount.objects.get()
        assert (account.warmup_started_at, account.health_code) == (db_now(), "")
        trust = limits._trust(account, "follow", 80, db_now())
        assert (trust.value, trust.why) == (8, "day 1 of 21 of the warm-up")


def test_a_passed_probe_after_a_dead_session_lets_the_warm_up_be(bot: Bot) -> None:
    with everywhere():
        react(bot, codes.SESSION_NEEDS_LOGIN)
        bot.account.refresh_from_db()
        sessions.passed(bot.account, person(bot))

        assert state(bot)[:3] == ("active", "assigned", True)


def test_a_sign_met_by_a_probe_never_helps_out_of_trouble(bot: Bot) -> None:
    """Such as "I solved it" answered with 429: its rest must not end in work."""
    with everywhere():
        react(bot, codes.CHALLENGE_REQUIRED)
        for code in (codes.INSTAGRAM_THROTTLED, codes.INSTAGRAM_PLEASE_WAIT, codes.ACTION_BLOCKED):
            react(bot, code)
            assert bot.account.health == "needs_you"


def test_a_weaker_sign_shortens_no_rest(bot: Bot) -> None:
    with everywhere():
        react(bot, codes.INSTAGRAM_PLEASE_WAIT)
        for code in (codes.INSTAGRAM_THROTTLED, codes.FOLLOW_BLOCKED):
            react(bot, code)
            assert (bot.account.health, bot.account.health_until) == ("cooling", db_now() + DAY)


def test_a_worker_that_knows_an_older_state_does_not_undo_what_staff_decided(bot: Bot) -> None:
    with everywhere():
        stale = InstagramAccount.objects.get()
        react(bot, codes.CHALLENGE_REQUIRED)
        InstagramAccount.objects.update(timezone="Asia/Tokyo")
        health.react(stale, BotException(codes.INSTAGRAM_THROTTLED))

        account = InstagramAccount.objects.get()
        assert (account.health, account.timezone) == ("needs_you", "Asia/Tokyo")


def test_an_account_that_was_deleted_meanwhile_does_not_come_back(bot: Bot) -> None:
    with everywhere():
        account = InstagramAccount.objects.get()
        InstagramAccount.objects.all().delete()
        health.react(account, BotException(codes.INSTAGRAM_THROTTLED))

        assert not InstagramAccount.objects.exists()


def test_the_day_after_a_restriction_has_half_and_only_time_gives_it_back(bot: Bot) -> None:
    with everywhere():
        react(bot, codes.INSTAGRAM_THROTTLED)
        budgets = []
        for by in (timedelta(0), 23 * HOUR, HOUR, 8 * DAY, DAY):
            later(bot, by)
            budgets.append(limits._trust(bot.account, "follow", 80, db_now()).value)

    assert budgets == [40, 40, 56, 56, 80]


def person(bot: Bot) -> Person:
    return Person(pk=str(bot.account.instagram_pk), username=bot.account.username)


# ── Any sequence of events ─────────────────────────────────────────────────────────────────────────────────────────
# Like the challenge desk, nothing here may set a health by itself: only the product's own verbs.
events = st.lists(
    st.one_of(
        st.tuples(st.just("sign"), st.sampled_from(SIGNS), st.sampled_from(["follow", "like", ""])),
        st.tuples(st.just("clock"), st.sampled_from([HOUR, DAY, 10 * DAY, 30 * DAY])),
        st.tuples(st.just("start")),
        st.tuples(st.just("probe passes")),
        st.tuples(st.just("login")),
    ),
    min_size=2,
    max_size=7,
)


def happen(bot: Bot, event: tuple) -> None:
    bot.account = InstagramAccount.objects.select_related("session").get(pk=bot.account_id)
    match event:
        case ("sign", code, kind):
            react(bot, code, kind)
        case ("clock", by):
            later(bot, by)
        case ("start",):
            try:
                switch.start(bot, bot.user)
            except BotException as refused:
                assert refused.code.do_next  # noqa: PT017  (a code and a sentence)
        case ("probe passes",):
            if bot.account.session.status != Session.Status.BANNED:  # what `sessions.probe` asks first
                sessions.passed(bot.account, person(bot))
        case ("login",):
            login = {"ds_user_id": str(bot.account.instagram_pk), "sessionid": f"again{Session.objects.get().version}"}
            bot.account.session = sessions.keep(bot.account, {"authorization_data": login})
            health.welcome(bot.account, db_now())


def locks(event: tuple, account: InstagramAccount) -> bool:
    """Whether after this nothing may go on without a person."""
    if event[0] != "sign":
        return False
    code, kind = event[1:]
    times = account.blocked_kinds.get(kind, {}).get("times", 0)
    third = code.then is Then.BLOCK_KIND and kind and times == 2 and account.health == "frozen"
    return bool(code.then in (Then.NEEDS_LOGIN, Then.FREEZE, Then.BAN) or third)


@pytest.mark.usefixtures("bot")
@settings(
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=events)
def test_nothing_leads_back_to_work_but_a_passed_probe_or_a_login(story: list[tuple]) -> None:
    with everywhere(), transaction.atomic():
        bot = Bot.objects.get()
        locked = banned = False
        for event in story:
            before = InstagramAccount.objects.get()
            happen(bot, event)
            account = InstagramAccount.objects.select_related("session", "bot").get()
            opened = event == ("login",) or (event == ("probe passes",) and not banned)
            locked = (locked or locks(event, account)) and not opened
            banned = account.session.status == Session.Status.BANNED

            assert (account.health in health.NEEDS_A_PERSON) == locked, (story, event)
            assert sessions.is_usable(account) == (not locked)
            if locked:
                assert account.bot.status != Bot.Status.RUNNING
            if before.health == "cooling" and event[0] == "sign":
                assert account.health not in health.WORKING
                assert locked or account.health_until >= before.health_until
        transaction.set_rollback(True)
