from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User, Workspace
from bots.models import Action, Bot, InstagramAccount, Kind
from errors.recording import log_activity
from instagrowth.testing import everywhere, warm_account

PAGE = "/dashboard/"


def act(account: InstagramAccount, state: str, count: int) -> None:
    first = Action.objects.count()
    for i in range(first, first + count):
        Action.objects.create(
            workspace_id=account.workspace_id,
            account=account,
            kind=Kind.FOLLOW,
            target_pk=i,
            target_username=f"person{i}",
            state=state,
            fence=1,
        )


def test_without_an_account_it_teaches_the_next_step(client: Client, alice: User) -> None:
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "Connect your first account" in page
    assert 'href="/instagram/connect/"' in page


def test_it_says_how_many_of_todays_actions_are_confirmed(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        act(alices_bot.account, "confirmed", 12)
        act(alices_bot.account, "unknown", 2)
        act(alices_bot.account, "refused", 1)
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "12 of 15 actions are confirmed</b>, 1 was refused, 2 are unknown and being looked up." in page
    assert 'aria-label="12 confirmed, 2 unknown, 1 refused, 0 absent"' in page


def test_an_account_that_needs_a_person_is_told_with_its_next_step(
    client: Client, alice: User, alices_bot: Bot
) -> None:
    with everywhere():
        InstagramAccount.objects.update(health="needs_login", health_code="E-SESS-E-0002")
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "Log in again: @alice.clay" in page
    assert 'href="/help/errors/E-SESS-E-0002/"' in page
    assert 'href="/instagram/connect/login/?username=alice.clay"' in page


def test_a_parked_bot_is_told(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        Bot.objects.update(status="parked", last_error_code="E-SCH-E-0003")
    client.force_login(alice)

    assert "We parked the bot: @alice.clay" in client.get(PAGE).content.decode()


def test_it_shows_nothing_of_other_workspaces(client: Client, charlie: User, alices_bot: Bot) -> None:
    with everywhere():
        log_activity("bot_start", workspace=alices_bot.workspace_id, account=alices_bot.account_id, target="a.secret")
    client.force_login(charlie)

    page = client.get(PAGE).content.decode()

    assert "alice.clay" not in page
    assert "a.secret" not in page


def test_a_stranger_is_sent_to_the_door(client: Client, db: None) -> None:
    assert client.get(PAGE).headers["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", [PAGE, "/instagram/", "/automation/", "/activity/"])
def test_three_accounts_cost_the_same_queries_as_one(
    client: Client,
    alice: User,
    alices_workspace: Workspace,
    make_bots: Callable[[int], None],
    django_assert_num_queries: DjangoAssertNumQueries,
    path: str,
) -> None:
    client.force_login(alice)
    make_bots(2)  # with one bot /automation/ leads straight to it
    client.get(path)
    with django_assert_num_queries(10**6, exact=False) as few:
        client.get(path)
    make_bots(3)

    with django_assert_num_queries(len(few)):
        client.get(path)


@pytest.fixture
def make_bots(alice: User, alices_workspace: Workspace) -> Callable[[int], None]:
    def make(count: int) -> None:
        for _ in range(count):
            name = f"account{InstagramAccount.objects.count()}"
            with everywhere():
                name = f"account{InstagramAccount.objects.count()}"
            account = warm_account(alices_workspace, name)
            with everywhere():
                Bot.objects.create(workspace=alices_workspace, account=account, user=alice, status="running")
                act(account, "confirmed", 2)
                log_activity("follow", workspace=alices_workspace, account=account, target="somebody")

    return make
