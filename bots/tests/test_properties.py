"""What always holds, for whatever numbers, zones and people: pace, limits, and who is left alone."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import example, given, settings
from hypothesis import strategies as st

from billing.models import Plan
from bots import health, limits, pacing, targeting
from bots.models import Bot, DailyLimit, InstagramAccount, Kind
from errors import codes

examples = settings(derandomize=True, deadline=None, database=None, max_examples=300)
ZONES = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})
SWITCHES = [  # around clocks put forward and back, and the day that Samoa left out
    ("Europe/Oslo", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Oslo", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),  # half an hour
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),
    ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),  # at midnight
]

clock_times = st.times().map(lambda at: at.replace(microsecond=0, tzinfo=None, fold=0))
moments = st.datetimes(datetime(2010, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
near_a_switch = st.sampled_from(SWITCHES).flatmap(
    lambda switch: st.integers(-4 * 3600, 4 * 3600).map(
        lambda seconds: (switch[0], switch[1] + timedelta(seconds=seconds))
    )
)
anywhere = st.tuples(st.sampled_from(ZONES), moments) | near_a_switch


def paced(zone: str = "UTC", opens: time | None = None, closes: time | None = None, **bot: int) -> Bot:
    return Bot(account=InstagramAccount(timezone=zone), works_from=opens, works_to=closes, **bot)


def is_at_work(bot: Bot, moment: datetime) -> bool:
    """Second by second, in the words of the page: from … to …, perhaps over midnight."""
    at, opens, closes = moment.astimezone(ZoneInfo(bot.account.timezone)).time(), bot.works_from, bot.works_to
    if opens == closes:
        return True
    return opens <= at < closes if opens < closes else not closes <= at < opens


@examples
@given(anywhere, clock_times, clock_times)
@example(("Europe/Oslo", datetime(2026, 3, 29, 0, 30, tzinfo=UTC)), time(2, 15), time(2, 45))  # hours that do not come
@example(("Europe/Oslo", datetime(2026, 10, 25, 1, 10, tzinfo=UTC)), time(2, 30), time(3))  # that come twice
def test_a_bot_works_inside_its_hours_and_never_earlier(where: tuple[str, datetime], opens: time, closes: time) -> None:
    zone, moment = where
    bot = paced(zone, opens, closes)

    start = pacing.opens_at(bot, moment)

    assert start >= moment
    assert is_at_work(bot, start)
    assert (start == moment) == is_at_work(bot, moment)
    assert start - moment <= timedelta(hours=73)  # a day, the hour that was left out, and Samoa's day


@examples
@given(near_a_switch, clock_times, clock_times)
def test_it_does_not_sleep_through_its_hours(where: tuple[str, datetime], opens: time, closes: time) -> None:
    """No moment of the hours lies between: but for the rest of an hour that clocks left out."""
    zone, moment = where
    bot = paced(zone, opens, closes)
    start = pacing.opens_at(bot, moment)
    minutes = range(1, int((start - moment).total_seconds()) // 60)

    missed = [at for at in minutes if is_at_work(bot, moment + timedelta(minutes=at))]

    assert len(missed) <= 60


@examples
@given(
    anywhere,
    st.none() | st.tuples(clock_times, clock_times),
    st.integers(1, 86400),
    st.integers(0, 50),
)
def test_the_next_turn_is_never_before_the_delay_less_its_jitter(
    where: tuple[str, datetime], hours: tuple[time, time] | None, delay: int, jitter: int
) -> None:
    zone, now = where
    bot = paced(zone, *(hours or (None, None)), cycle_delay=delay, jitter=jitter)

    following = pacing.next_run(bot, now)

    assert following - now >= timedelta(seconds=delay * (100 - jitter) / 100) - timedelta(microseconds=1)
    if hours:
        assert is_at_work(bot, following)
    else:
        assert following - now <= timedelta(seconds=delay * (100 + jitter) / 100) + timedelta(microseconds=1)


def test_jitter_spreads_what_was_due_together() -> None:
    bot, now = paced(cycle_delay=100, jitter=20), datetime(2026, 1, 1, tzinfo=UTC)

    turns = sorted((pacing.next_run(bot, now) - now).total_seconds() for _ in range(500))

    assert 80 <= turns[0] < 85
    assert 115 < turns[-1] <= 120


# ── Limits ─────────────────────────────────────────────────────────────────────────────────────────────────────────
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
few = st.integers(0, 20_000)
spans = st.timedeltas(timedelta(days=-2), timedelta(days=60))
ages = st.none() | spans
kinds = st.sampled_from(Kind.values)


@st.composite
def weighed(draw: st.DrawFn) -> dict:
    """Whatever an owner, a plan and an admin could set, sensible or not."""
    return {
        "kind": draw(kinds),
        "plan": draw(st.integers(-1, 20_000)),
        "row": {name: draw(few) for name in ("hourly", "daily", "weekly")},
        "own": draw(st.none() | few),
        "following": draw(st.none() | st.integers(0, 9_000)),
        "warmed": draw(ages),
        "restricted": draw(ages),
    }


def weigh(case: dict, **other: object) -> limits.Caps:
    case = case | other
    kind = case["kind"]
    account = InstagramAccount(
        timezone="UTC",
        following=case["following"],
        warmup_started_at=None if case["warmed"] is None else NOW - case["warmed"],
        restricted_at=None if case["restricted"] is None else NOW - case["restricted"],
    )
    bot = Bot(account=account, own_limits={} if case["own"] is None else {kind: case["own"]})
    plan = Plan(name="Any", action_limits={kind: case["plan"]})
    return limits.caps(bot, kind, plan, {kind: DailyLimit(kind=kind, **case["row"])}, NOW)


@examples
@given(weighed())
def test_no_limit_is_above_any_of_its_reasons(case: dict) -> None:
    caps = weigh(case)

    assert 0 <= caps.hourly <= caps.daily <= caps.weekly == case["row"]["weekly"]
    assert all(caps.daily <= reason.value for reason in caps.reasons)
    assert caps.daily == caps.decided_by.value
    assert caps.hourly <= case["row"]["hourly"]
    assert case["plan"] == -1 or caps.daily <= case["plan"]
    assert case["own"] is None or caps.daily <= case["own"]
    assert limits.reached(caps) in (limits.REACHED[caps.kind], codes.PLAN_FEATURE_MISSING, codes.FOLLOW_CAP_REACHED)


@examples
@given(weighed())
def test_instagrams_cap_is_never_passed(case: dict) -> None:
    caps = weigh(case, kind=Kind.FOLLOW)

    if case["following"] is not None:
        assert caps.daily == 0 or case["following"] + caps.daily <= limits.FOLLOW_CAP


@examples
@given(weighed(), st.integers(0, 40), st.integers(0, 40))
def test_a_warm_up_only_rises_from_day_to_day(case: dict, one: int, other: int) -> None:
    early, late = sorted((one, other))

    assert (
        weigh(case, warmed=timedelta(days=early)).daily
        <= weigh(case, warmed=timedelta(days=late)).daily
        <= weigh(case, warmed=None).daily
    )


@examples
@given(weighed())
def test_a_restriction_never_raises_anything(case: dict) -> None:
    restricted, free = weigh(case), weigh(case, restricted=None)

    assert restricted.hourly <= free.hourly
    assert restricted.daily <= free.daily
    assert restricted.weekly == free.weekly


@examples
@given(weighed(), st.timedeltas(timedelta(0), timedelta(days=1) - timedelta(seconds=1)))
def test_the_day_after_a_restriction_half_is_left(case: dict, ago: timedelta) -> None:
    trust = {r.source: r.value for r in weigh(case, restricted=ago).reasons}["Trust budget"]
    before = {r.source: r.value for r in weigh(case, restricted=None).reasons}["Trust budget"]

    assert trust <= before / 2


@examples
@given(weighed(), spans, spans)
def test_only_time_makes_up_for_a_restriction(case: dict, one: timedelta, other: timedelta) -> None:
    sooner, later = sorted((one, other))

    assert weigh(case, restricted=sooner).daily <= weigh(case, restricted=later).daily


@examples
@given(weighed(), few)
def test_an_owner_can_only_lower(case: dict, own: int) -> None:
    assert weigh(case, own=own).daily <= weigh(case, own=None).daily


@examples
@given(st.dictionaries(kinds, st.tuples(st.timedeltas(timedelta(0), timedelta(days=9)), st.integers(1, 2))))
def test_a_blocked_kind_rests_until_its_time_and_no_other_does(blocked: dict) -> None:
    account = InstagramAccount(
        blocked_kinds={kind: {"until": (NOW + rest).isoformat(), "times": n} for kind, (rest, n) in blocked.items()}
    )

    for kind in Kind.values:
        until = health.blocked_until(account, kind, NOW)
        assert until == (NOW + blocked[kind][0] if kind in blocked and blocked[kind][0] else None)


# ── Who is worth contacting ────────────────────────────────────────────────────────────────────────────────────────
words = st.text(min_size=1, max_size=12).filter(str.strip)
FACTS = {
    **dict.fromkeys(("followers", "following", "media_count"), st.integers(0, 10**9)),
    "ratio": st.floats(0, 10**6),
    **dict.fromkeys(targeting.FLAGS, st.booleans()),
    "bio": st.text(max_size=60),
    "language": st.sampled_from(["de", "en", "pt"]),
}
FILTERS = {
    **{f"{end}_{name}": st.integers(0, 10**6) for name in targeting.RANGES for end in ("min", "max")},
    **dict.fromkeys(targeting.FLAGS, st.booleans()),
    "language": st.lists(st.sampled_from(["de", "en", "fr"]), min_size=1, max_size=3),
    **dict.fromkeys(targeting.WORDS, st.lists(words, min_size=1, max_size=3)),
}
some_facts = st.fixed_dictionaries({}, optional=FACTS)
some_filters = st.fixed_dictionaries({}, optional=FILTERS).map(targeting.clean_filters)


@examples
@given(some_facts, some_facts, some_filters)
def test_knowing_more_never_turns_a_no_into_a_yes(known: dict, more: dict, filters: dict) -> None:
    before, after = targeting.judge(known, filters), targeting.judge(more | known, filters)

    if not before.keep and not before.unknown:
        assert not after.keep
    if before.keep:
        assert after.keep


@examples
@given(some_facts, some_filters)
def test_the_unknown_is_never_a_yes(known: dict, filters: dict) -> None:
    verdict = targeting.judge(known, filters)
    asked = {targeting._QUESTIONS[name][0] for name in filters}

    if verdict.keep:
        assert asked <= known.keys()
    else:
        assert verdict.reason
        assert set(verdict.unknown) <= asked - known.keys()


@examples
@given(some_facts, some_filters, st.sampled_from(sorted(FACTS)))
def test_what_is_null_is_as_good_as_missing(known: dict, filters: dict, fact: str) -> None:
    without = {name: value for name, value in known.items() if name != fact}

    assert targeting.judge(known | {fact: None}, filters) == targeting.judge(without, filters)
