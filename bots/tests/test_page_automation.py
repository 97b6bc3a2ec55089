import pytest
from django.test import Client

from accounts.models import Membership, User, Workspace
from bots import tasking
from bots.models import Action, Bot, BotTask, InstagramAccount, Session
from errors.models import ActivityLog
from instagrowth.testing import everywhere, warm_account

PAGE = "/automation/alice.clay/"


def test_with_one_bot_there_is_nothing_to_choose(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)

    assert client.get("/automation/").headers["Location"] == PAGE


def test_with_several_bots_they_are_listed(
    client: Client, alice: User, alices_bot: Bot, alices_workspace: Workspace
) -> None:
    account = warm_account(alices_workspace, "second.one")
    with everywhere():
        Bot.objects.create(workspace=alices_workspace, account=account, user=alice)
    client.force_login(alice)

    page = client.get("/automation/").content.decode()

    assert "alice.clay" in page
    assert "second.one" in page


def test_it_says_why_todays_number_is_what_it_is(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        Bot.objects.update(own_limits={"follow": 20})
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "Why 20 follows today" in page
    assert "set by you" in page
    assert all(source in page for source in ("Plan", "Platform", "Trust budget", "Your setting"))


def test_the_last_error_links_to_its_help(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        Bot.objects.update(last_error_code="E-FLW-W-0002", last_error_correlation="c-2c95d1f80a1b")
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "What E-FLW-W-0002 means" in page
    assert "c-2c95d1f80a1b" in page


def test_an_error_nobody_registered_is_shown_too(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        Bot.objects.update(last_error_code="E-SCH-E-9123")
    client.force_login(alice)

    assert "What E-SCH-E-9123 means" in client.get(PAGE).content.decode()


@pytest.mark.parametrize("health", InstagramAccount.Health.values)
def test_every_health_has_a_cause_and_a_next_step(client: Client, alice: User, alices_bot: Bot, health: str) -> None:
    with everywhere():
        InstagramAccount.objects.update(health=health)
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert page.count("<dt>Cause</dt>") == page.count("<dt>Next step</dt>") == 1


def test_a_bot_is_started_and_stopped(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)

    started = client.post(f"{PAGE}start/", follow=True).content.decode()
    with everywhere():
        running = Bot.objects.get().status
    stopped = client.post(f"{PAGE}stop/", follow=True).content.decode()

    assert "The bot of @alice.clay runs." in started
    assert running == "running"
    assert "The bot of @alice.clay is stopped." in stopped


def test_without_a_session_a_start_is_refused_with_its_code(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        Session.objects.all().delete()
    client.force_login(alice)

    page = client.post(f"{PAGE}start/", follow=True).content.decode()

    assert "/help/errors/E-SESS-E-0001/" in page
    with everywhere():
        row = ActivityLog.objects.get(action="bot_start", workspace_id=alices_bot.workspace_id)
        assert (row.error_code, row.account_id) == ("E-SESS-E-0001", alices_bot.account_id)
        assert Bot.objects.get().status == "stopped"


def test_a_task_is_asked_for(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)
    asked = {"hashtag": "#Stoneware", "amount": "25", "min_followers": "100", "private": "false", "verified": ""}

    page = client.post(f"{PAGE}new/follow-hashtag/", asked, follow=True).content.decode()

    with everywhere():
        task = BotTask.objects.get()
    assert (task.value, task.amount, task.filters) == ("stoneware", 25, {"min_followers": 100, "private": False})
    assert "Task taken: Follow 25 from #stoneware. It waits until you start the bot." in page
    assert "Follow from #stoneware" in page


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"hashtag": "two words", "amount": "5"}, "/help/errors/E-FLW-E-0001/"),
        ({"hashtag": "12345", "amount": "5"}, "/help/errors/E-FLW-E-0001/"),
        ({"hashtag": "clay", "amount": "0"}, "/help/errors/E-FLW-E-0009/"),
        ({"hashtag": "clay", "amount": "many"}, "/help/errors/E-FLW-E-0009/"),
        ({"hashtag": "clay", "amount": "5", "min_followers": "9", "max_followers": "3"}, "nobody would be left"),
    ],
)
def test_a_task_that_cannot_be_is_refused_at_its_field(
    client: Client, alice: User, alices_bot: Bot, asked: dict[str, str], sentence: str
) -> None:
    client.force_login(alice)

    answer = client.post(f"{PAGE}new/follow-hashtag/", asked)

    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    with everywhere():
        assert not BotTask.objects.exists()


def test_a_task_is_stopped(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        task = tasking.follow_hashtag(alices_bot, "clay", 5, user=alice)
    client.force_login(alice)
    address = f"{PAGE}tasks/{task.pk}/stop/"

    first = client.post(address, follow=True).content.decode()
    second = client.post(address, follow=True).content.decode()

    assert "Stopped: Follow 5 from #clay." in first
    assert "/help/errors/E-SCH-I-0014/" in second
    with everywhere():
        assert BotTask.objects.get().status == "stopped"


def test_a_waiting_task_says_until_when_and_why(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        task = tasking.follow_hashtag(alices_bot, "clay", 5, user=alice)
        BotTask.objects.filter(pk=task.pk).update(
            status="waiting", waits_until="2026-11-20T15:00:00Z", last_code="E-FLW-W-0003"
        )
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "16:00</time>" in page  # in Oslo
    assert "/help/errors/E-FLW-W-0003/" in page


def test_many_tasks_come_in_pages(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        for i in range(9):
            tasking.follow_hashtag(alices_bot, f"tag{i}", 5, user=alice)
    client.force_login(alice)

    assert "1 to 8 of 9" in client.get(PAGE).content.decode()
    assert "9 to 9 of 9" in client.get(PAGE, {"page": 2}).content.decode()


def test_actions_show_how_they_ended(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        Action.objects.create(
            workspace_id=alices_bot.workspace_id,
            account=alices_bot.account,
            kind="follow",
            target_pk=1,
            target_username="slow.pots",
            state="unknown",
            fence=1,
            error_code="E-NET-W-0003",
        )
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "@slow.pots" in page
    assert "/help/errors/E-NET-W-0003/" in page


def test_a_live_event_fetches_the_parts_alone(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)

    parts = client.get(PAGE, headers={"HX-Request": "true"}).content.decode()

    assert 'id="tasks-part" hx-swap-oob' in parts
    assert "<html" not in parts
    assert 'name="hashtag"' not in parts


def test_settings_are_kept(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)
    wanted = {
        "cycle_delay": "120",
        "jitter": "10",
        "burst": "2",
        "works_from": "09:00",
        "works_to": "21:00",
        "timezone": "Europe/Berlin",
        "limit_follow": "15",
    }

    answer = client.post(f"{PAGE}settings/", wanted)

    assert answer.headers["Location"] == PAGE
    with everywhere():
        bot = Bot.objects.select_related("account").get()
        assert (bot.cycle_delay, bot.jitter, bot.burst) == (120, 10, 2)
        assert (bot.works_from.hour, bot.works_to.hour, bot.account.timezone) == (9, 21, "Europe/Berlin")
        assert bot.own_limits == {"follow": 15}
        assert ActivityLog.objects.filter(action="bot_settings", account_id=bot.account_id).count() == 1


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"cycle_delay": "0"}, "greater than or equal to 1"),
        ({"jitter": "80"}, "less than or equal to 50"),
        ({"works_from": "09:00"}, "Give both times, or neither"),
        ({"timezone": "Mars/Base"}, "Select a valid choice."),
        ({"limit_follow": "-1"}, "greater than or equal to 0"),
    ],
)
def test_settings_that_cannot_be_change_nothing(
    client: Client, alice: User, alices_bot: Bot, wrong: dict[str, str], sentence: str
) -> None:
    client.force_login(alice)
    whole = {"cycle_delay": "120", "jitter": "10", "burst": "2", "timezone": "Europe/Oslo"}

    page = client.post(f"{PAGE}settings/", whole | wrong).content.decode()

    assert sentence in page
    with everywhere():
        assert Bot.objects.get().cycle_delay == 90


@pytest.mark.parametrize("deed", ["start/", "stop/", "new/follow-hashtag/", "settings/"])
def test_other_workspaces_do_not_exist(client: Client, charlie: User, alices_bot: Bot, deed: str) -> None:
    client.force_login(charlie)

    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE + deed).status_code == 404


def test_somebody_elses_task_does_not_exist(client: Client, charlie: User, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        task = tasking.follow_hashtag(alices_bot, "clay", 5, user=alice)
    client.force_login(charlie)

    assert client.post(f"{PAGE}tasks/{task.pk}/stop/").status_code == 404


@pytest.mark.parametrize("deed", ["start/", "stop/", "new/follow-hashtag/", "settings/"])
def test_a_viewer_may_look_and_nothing_else(client: Client, bob: User, alices_bot: Bot, deed: str) -> None:
    with everywhere():
        Membership.objects.filter(user=bob).update(role="viewer")
    client.force_login(bob)

    page = client.get(PAGE)

    assert page.status_code == 200
    assert "What the bot can do" not in page.content.decode()
    assert client.post(PAGE + deed).status_code == 403


def test_a_manager_starts_bots(client: Client, bob: User, alices_bot: Bot) -> None:
    client.force_login(bob)

    assert "runs." in client.post(f"{PAGE}start/", follow=True).content.decode()


def test_a_form_does_not_lead_to_another_site(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)

    answer = client.post(f"{PAGE}stop/", {"next": "https://evil.example/"})

    assert answer.headers["Location"] == PAGE
