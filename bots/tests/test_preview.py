"""A dry run: it reads, says what would happen, and leaves nothing behind."""

from datetime import UTC, datetime, time, timedelta

from django.test import Client
from django.utils import timezone

from accounts.models import User
from bots import preview, tasking
from bots.models import Action, Bot, BotTask, Candidate, InstagramAccount, Kind, ListedPerson, Usage
from bots.tests.engine import Engine
from instagrowth.testing import everywhere


def draft(engine: Engine, amount: int = 20, **filters: object) -> BotTask:
    return tasking.draft(engine.bot, Kind.FOLLOW, amount, "hashtag", "ceramics", filters)


def look(engine: Engine, task: BotTask) -> preview.Preview:
    with engine.seen():
        return preview.look(engine.bot, task)


def test_it_sends_and_keeps_nothing(engine: Engine) -> None:
    seen = look(engine, draft(engine))

    assert seen.kept == len(seen.people) > 0
    assert {entry["kind"] for entry in engine.sandbox.control.ledger(engine.username).entries} == {"login"}
    with engine.seen():
        assert (BotTask.objects.count(), Candidate.objects.count(), Action.objects.count()) == (0, 0, 0)


def test_it_says_why_somebody_would_be_skipped(engine: Engine) -> None:
    first, second, third = engine.sandbox.control.people("ceramics", 0, 3)
    with engine.seen():
        ListedPerson.objects.create(workspace=engine.workspace, list="block", username=first["username"])
    engine.start()
    engine.ask(1)
    engine.turn()

    reasons = {met.person.username: met.reason for met in look(engine, draft(engine, min_followers=10**9)).people}

    assert "block list" in reasons[first["username"]]
    assert reasons[second["username"]] == "contacted before"
    assert "below 1,000,000,000" in reasons[third["username"]]


def test_a_post_that_was_liked_is_known_and_a_listed_number_too(engine: Engine) -> None:
    engine.limit(100, kind=Kind.LIKE)
    first, second = engine.sandbox.control.people("ceramics", 0, 2)
    with engine.seen():
        ListedPerson.objects.create(
            workspace=engine.workspace, list="block", username="a.former.name", target_pk=second["pk"]
        )
    engine.start()
    with engine.seen():
        Bot.objects.update(burst=1)
        tasking.ask(engine.bot, Kind.LIKE, 1, value="ceramics")
    engine.turn()

    met = look(engine, tasking.draft(engine.bot, Kind.LIKE, 5, "hashtag", "ceramics")).people
    reasons = {one.person.username: one.reason for one in met}

    assert reasons[first["username"]] == "contacted before"
    assert "block list" in reasons[second["username"]]


def test_it_asks_for_a_few_profiles_and_says_who_is_unsure(engine: Engine) -> None:
    seen = look(engine, draft(engine, min_media_count=0))

    routes = engine.sandbox.control.ledger(engine.username).requests[engine.username]["routes"]
    profiles = sum(n for route, n in routes.items() if route.endswith("/info"))
    assert profiles == preview.PROFILES
    assert sum(met.unsure for met in seen.people) == len(seen.people) - preview.PROFILES


def test_tomorrow_is_the_lowest_of_limit_amount_pace_and_people(engine: Engine) -> None:
    engine.limit(12)
    with engine.seen():
        assert (look(engine, draft(engine)).tomorrow, look(engine, draft(engine, 5)).decided_by) == (
            12,
            "the amount you ask for",
        )
        Bot.objects.update(cycle_delay=86400, burst=2)
    seen = look(engine, draft(engine))
    assert (seen.tomorrow, seen.decided_by) == (2, "the pace of the bot")


def test_tomorrow_knows_the_hour_the_7_days_and_what_is_blocked(engine: Engine) -> None:
    engine.limit(80, hourly=12, weekly=420)
    with engine.seen():
        Bot.objects.update(cycle_delay=90, burst=1, works_from=time(9), works_to=time(11))

    def tomorrow() -> tuple[int, str]:
        seen = look(engine, draft(engine, 100))
        return seen.tomorrow, seen.decided_by

    assert tomorrow() == (24, "the limit of the hour")
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    with engine.seen():
        Usage.objects.bulk_create(
            Usage(workspace=engine.workspace, account=engine.account, kind="follow", period="day",
                  starts=today - timedelta(days=days), used=80)
            for days in range(1, 7)
        )  # fmt: skip
        Usage.objects.filter(starts=today - timedelta(days=6)).update(used=20)
    assert tomorrow() == (20, "the limit of 7 days")

    def block_until(moment: datetime) -> None:
        with engine.seen():
            InstagramAccount.objects.update(blocked_kinds={"follow": {"until": moment.isoformat()}})

    block_until(datetime.combine(today.date() + timedelta(days=1), time(10, 30), UTC))
    assert tomorrow() == (12, "the limit of the hour")
    block_until(timezone.now() + timedelta(hours=72))
    assert tomorrow() == (0, "Instagram’s block of this kind")


def test_the_page_shows_it(client: Client, alice: User, alices_connected_bot: Bot) -> None:
    client.force_login(alice)

    page = client.post(
        "/automation/alice.real/new/follow-hashtag/", {"hashtag": "ceramics", "amount": "5", "preview": "1"}
    ).content.decode()

    assert "Nothing was sent." in page
    assert "at most, decided by" in page
    with everywhere():
        assert not BotTask.objects.exists()


def test_an_account_that_is_not_logged_in_cannot_look(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        alices_bot.account.session.delete()
    client.force_login(alice)

    answer = client.post(
        "/automation/alice.clay/new/follow-hashtag/", {"hashtag": "ceramics", "amount": "5", "preview": "1"}
    )

    assert answer.status_code == 409
    assert "E-SESS-E-0001" in answer.content.decode()
