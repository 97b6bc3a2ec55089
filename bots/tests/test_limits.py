"""Limits: exactly so many, and always with the reason."""

import threading
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from accounts import tenancy
from billing import entitlements
from billing.models import Plan
from bots import limits, tuning
from bots.limits import Caps, Reason
from bots.models import Bot, DailyLimit, InstagramAccount, Kind, Usage
from bots.tests.engine import Engine


def cap(daily: int = 10**6, hourly: int = 10**6, weekly: int = 10**6) -> Caps:
    return Caps(Kind.FOLLOW, hourly, daily, weekly, (Reason("Plan", daily, ""),))


def take(engine: Engine, limit: Caps) -> int | None:
    with engine.seen():
        return limits.take(engine.account, limit)


@pytest.mark.parametrize("limit", [cap(daily=37), cap(hourly=37), cap(weekly=37)], ids=["day", "hour", "week"])
def test_a_thousand_takes_at_once_give_exactly_the_limit(engine: Engine, limit: Caps) -> None:
    granted, account, workspace = [], engine.account, engine.workspace

    def taker() -> None:
        try:
            for _ in range(25):
                with tenancy.scope(workspace):
                    taken = limits.take(account, limit)
                granted.extend([taken] if taken else [])
        finally:
            connection.close()

    takers = [threading.Thread(target=taker) for _ in range(40)]
    for thread in takers:
        thread.start()
    for thread in takers:
        thread.join()

    assert sorted(granted) == list(range(1, 38))
    with engine.seen():
        assert set(Usage.objects.values_list("used", flat=True)) == {37}


def test_two_kinds_taken_at_once_get_exactly_theirs(engine: Engine) -> None:
    account, workspace = engine.account, engine.workspace
    granted: dict[str, list[int]] = {Kind.FOLLOW: [], Kind.LIKE: []}

    def taker(kinds: list[str]) -> None:
        try:
            for kind in kinds * 12:
                with tenancy.scope(workspace):
                    taken = limits.take(account, cap(daily=37, hourly=41)._replace(kind=kind))
                granted[kind].extend([taken] if taken else [])
        finally:
            connection.close()

    # Half of them begin with the one, half with the other: nobody waits in a circle.
    orders = [[Kind.FOLLOW, Kind.LIKE], [Kind.LIKE, Kind.FOLLOW]] * 21
    takers = [threading.Thread(target=taker, args=(kinds,)) for kinds in orders]
    for thread in takers:
        thread.start()
    for thread in takers:
        thread.join()

    assert {kind: sorted(taken) for kind, taken in granted.items()} == {kind: list(range(1, 38)) for kind in granted}
    with engine.seen():
        assert Usage.objects.count() == 4
        assert set(Usage.objects.values_list("used", flat=True)) == {37}


def test_at_the_accounts_midnight_the_day_begins_anew_and_the_week_does_not(engine: Engine) -> None:
    """Niue's date is always one or two behind Kiritimati's: the same account before and after its midnight."""

    def take_in(zone: str, limit: Caps) -> int | None:
        with engine.seen():
            InstagramAccount.objects.update(timezone=zone)
        return take(engine, limit)

    before = [take_in("Pacific/Niue", cap(daily=3, weekly=5)) for _ in range(4)]
    after = [take_in("Pacific/Kiritimati", cap(daily=3, weekly=5)) for _ in range(4)]

    assert (before, after) == ([1, 2, 3, None], [1, 2, None, None])
    with engine.seen():
        days = Usage.objects.filter(period="day").order_by("starts")
        assert [(day.starts.date(), day.used) for day in days] == [
            (timezone.now().astimezone(ZoneInfo("Pacific/Niue")).date(), 3),
            (timezone.now().astimezone(ZoneInfo("Pacific/Kiritimati")).date(), 2),
        ]


def move_to(engine: Engine, zone: str) -> None:
    with engine.seen():
        tuning.tune(engine.bot, engine.user, {"timezone": zone})


@pytest.mark.parametrize("limit", [cap(daily=3), cap(hourly=3), cap(weekly=3)], ids=["day", "hour", "week"])
def test_no_other_time_zone_gives_a_fresh_day_hour_or_week(engine: Engine, limit: Caps) -> None:
    """As east and as west as zones go, where the date is another one, and back again."""
    move_to(engine, "Pacific/Niue")
    assert [take(engine, limit) for _ in range(4)] == [1, 2, 3, None]

    for zone in ("Pacific/Kiritimati", "UTC", "Asia/Kathmandu", "Pacific/Niue", "Pacific/Kiritimati"):
        move_to(engine, zone)
        assert take(engine, limit) is None


def test_the_week_counts_what_a_zone_further_east_called_tomorrow(engine: Engine) -> None:
    with engine.seen():
        InstagramAccount.objects.update(timezone="Pacific/Kiritimati")
    assert [take(engine, cap(weekly=2)) for _ in range(3)] == [1, 2, None]
    with engine.seen():
        InstagramAccount.objects.update(timezone="Pacific/Niue")

    assert take(engine, cap(weekly=2)) is None


def test_takes_at_the_moment_the_zone_changes_get_exactly_the_limit(engine: Engine) -> None:
    """Workers that read the zone before, with the bot held as `write_intent` holds it."""
    move_to(engine, "Pacific/Niue")
    granted, bot, workspace = [], engine.bot, engine.workspace

    def taker() -> None:
        try:
            for _ in range(12):
                with tenancy.scope(workspace):
                    Bot.objects.select_for_update(no_key=True).get(pk=bot.pk)
                    granted.append(limits.take(bot.account, cap(daily=37)))
        finally:
            connection.close()

    takers = [threading.Thread(target=taker) for _ in range(8)]
    for thread in takers:
        thread.start()
    for zone in ("Pacific/Kiritimati", "Pacific/Niue") * 6:
        move_to(engine, zone)
    for thread in takers:
        thread.join()

    assert sorted(filter(None, granted)) == list(range(1, 38))


def test_reading_first_and_writing_after_overshoots(engine: Engine) -> None:
    """The negative control: what the conditional UPDATE is there for."""
    take(engine, cap(daily=1))
    with engine.seen():
        Usage.objects.update(used=0)
    workspace, ready = engine.workspace, threading.Barrier(8)

    def naive() -> None:
        try:
            with tenancy.scope(workspace):
                room = Usage.objects.get(period="day").used < 1
                ready.wait()
                if room:
                    Usage.objects.filter(period="day").update(used=F("used") + 1)
        finally:
            connection.close()

    threads = [threading.Thread(target=naive) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with engine.seen():
        assert Usage.objects.get(period="day").used == 8


def test_the_week_counts_the_six_days_before(engine: Engine) -> None:
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    with engine.seen():
        for days, used in ((1, 5), (6, 4), (7, 100)):
            Usage.objects.create(
                workspace=engine.workspace, account=engine.account, kind="follow", period="day",
                starts=today - timedelta(days=days), used=used,
            )  # fmt: skip

    assert [take(engine, cap(weekly=11)) for _ in range(3)] == [1, 2, None]


def use_days(engine: Engine, *used: int) -> None:
    """What was taken yesterday, the day before, and so on."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    with engine.seen():
        Usage.objects.bulk_create(
            Usage(workspace=engine.workspace, account=engine.account, kind="follow", period="day",
                  starts=today - timedelta(days=days + 1), used=number)
            for days, number in enumerate(used)
        )  # fmt: skip


def test_a_day_that_was_made_smaller_still_has_room_after_a_busy_week(engine: Engine) -> None:
    """65 a day, then a 429 that halves the trust budget: today it is 30 because of the 7 days, and not nothing."""
    engine.limit(80, hourly=12, weekly=420)
    use_days(engine, *[65] * 6)
    with engine.seen():
        InstagramAccount.objects.update(restricted_at=timezone.now())
        bot = engine.bot
        plan, platform = entitlements.plan_of(bot.workspace), limits.platform_limits(bot.workspace_id)
        today = limits.todays([bot], plan, timezone.now())[bot.pk][0]

    assert {reason.source: reason.value for reason in today.caps.reasons} == {
        "Plan": 10**6, "Platform": 80, "Trust budget": 40, "7 days": 30,
    }  # fmt: skip
    assert (today.caps.daily, today.caps.decided_by.source, today.reached) == (30, "7 days", False)
    assert (today.week_used, today.still_tomorrow) == (390, 325)
    caps = limits.caps(bot, "follow", plan, platform, timezone.now())
    assert [take(engine, caps._replace(hourly=99)) for _ in range(31)] == [*range(1, 31), None]


def test_a_refused_hour_leaves_the_day_untouched(engine: Engine) -> None:
    assert [take(engine, cap(hourly=1)) for _ in range(3)] == [1, None, None]
    with engine.seen():
        assert Usage.objects.get(period="day").used == 1


@pytest.mark.parametrize("zone", ["Europe/Oslo", "Pacific/Auckland", "America/Los_Angeles", "UTC"])
def test_today_is_the_accounts_local_date(engine: Engine, zone: str) -> None:
    with engine.seen():
        InstagramAccount.objects.update(timezone=zone)
    before = timezone.now().astimezone(ZoneInfo(zone)).date()

    take(engine, cap())

    with engine.seen():
        assert Usage.objects.get(period="day").starts.date() in {
            before,
            timezone.now().astimezone(ZoneInfo(zone)).date(),
        }


def _bot(**account: object) -> Bot:
    return Bot(own_limits={}, account=InstagramAccount(timezone="UTC", **account))


NOW = timezone.now()
PLAN = Plan(name="Growth", action_limits={"follow": 60})
PLATFORM = {"follow": DailyLimit(kind="follow", hourly=12, daily=80, weekly=420)}


def weigh(bot: Bot) -> Caps:
    return limits.caps(bot, "follow", PLAN, PLATFORM, NOW)


def test_the_lowest_limit_decides_and_all_are_told() -> None:
    caps = weigh(_bot())
    assert (caps.daily, caps.decided_by.source) == (60, "Plan")
    assert [(reason.source, reason.value) for reason in caps.reasons] == [
        ("Plan", 60),
        ("Platform", 80),
        ("Trust budget", 80),
    ]


def test_the_owners_own_limit_lowers_and_cannot_raise() -> None:
    bot = _bot()
    bot.own_limits = {"follow": 20}
    assert (weigh(bot).daily, weigh(bot).decided_by.source) == (20, "Your setting")
    bot.own_limits = {"follow": 500}
    assert weigh(bot).daily == 60


@pytest.mark.parametrize(("day", "budget"), [(0, 8), (7, 32), (20, 76), (21, 80), (400, 80)])
def test_a_new_account_warms_up_over_21_days(day: int, budget: int) -> None:
    caps = weigh(_bot(warmup_started_at=NOW - timedelta(days=day)))
    assert next(reason.value for reason in caps.reasons if reason.source == "Trust budget") == budget


@pytest.mark.parametrize(("hours", "budget"), [(1, 40), (30, 56), (24 * 11, 80)])
def test_a_restriction_shrinks_the_trust_budget_for_ten_days(hours: int, budget: int) -> None:
    caps = weigh(_bot(restricted_at=NOW - timedelta(hours=hours)))
    assert next(reason.value for reason in caps.reasons if reason.source == "Trust budget") == budget


def test_instagrams_own_cap_counts_when_it_is_near() -> None:
    caps = weigh(_bot(following=7495))
    assert (caps.daily, caps.decided_by.source) == (5, "Instagram")
    assert "Instagram" not in [reason.source for reason in weigh(_bot(following=None)).reasons]


@pytest.mark.django_db
def test_there_is_one_global_default_of_a_kind() -> None:
    with tenancy.platform("a test tries"), pytest.raises(IntegrityError), transaction.atomic():
        DailyLimit.objects.create(workspace=None, kind="follow", hourly=1, daily=1, weekly=1)


@pytest.mark.parametrize("of_a_workspace", [True, False])
def test_of_three_rows_for_the_same_limit_one_stays(engine: Engine, of_a_workspace: bool) -> None:
    """NULL is one workspace like any other here: "everybody"."""
    workspace = engine.workspace if of_a_workspace else None
    refused = 0
    with tenancy.platform("a test tries"):
        for daily in (1, 2, 3):
            try:
                with transaction.atomic():
                    DailyLimit.objects.create(workspace=workspace, kind=Kind.LIKE, hourly=1, daily=daily, weekly=9)
            except IntegrityError:
                refused += 1
        assert DailyLimit.objects.filter(workspace=workspace, kind=Kind.LIKE).count() == 1
    assert refused == (2 if of_a_workspace else 3)  # the default is there from the start


def test_an_admins_row_for_one_workspace_stands_in_for_the_default(engine: Engine) -> None:
    engine.limit(5)
    with engine.seen():
        assert limits.platform_limits(engine.workspace.pk)["follow"].daily == 5
        assert limits.platform_limits(engine.workspace.pk)["like"].daily == 180
