"""Asking to be forgotten: everything stops at once, and for 14 days it can be undone."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.test import Client
from django.utils.timezone import now

from accounts import farewell, tenancy
from accounts.models import Membership, User, Workspace
from bots import connecting, switch
from bots.models import Bot
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import PASSWORD, everywhere, workspace_of

PAGE = "/settings/privacy/"
WORKSPACE, ACCOUNT = f"{PAGE}delete-workspace/", f"{PAGE}delete-account/"
KEEP_WORKSPACE, KEEP_ACCOUNT = f"{PAGE}keep-workspace/", f"{PAGE}keep-account/"


@pytest.fixture
def proved(client: Client) -> Any:
    """Sign somebody in who has just typed the password once more: `proved(alice)`."""

    def sign_in(user: User) -> Client:
        client.force_login(user)
        client.post("/accounts/reauthenticate/", {"password": PASSWORD})
        return client

    return sign_in


def runs(bot: Bot) -> bool:
    with everywhere():
        return Bot.objects.get(pk=bot.pk).status == Bot.Status.RUNNING


def ends(thing: User | Workspace) -> Any:
    with everywhere():
        return type(thing).objects.get(pk=thing.pk).delete_at


@pytest.fixture
def running(alices_bot: Bot) -> Bot:
    with everywhere():
        Bot.objects.update(status=Bot.Status.RUNNING)
    return alices_bot


def test_a_workspace_stops_at_once_and_waits_14_days(
    proved: Any, alice: User, running: Bot, alices_workspace: Workspace, mailoutbox: list[EmailMessage]
) -> None:
    page = proved(alice).post(WORKSPACE, {"typed": alices_workspace.name.upper()}, follow=True).content.decode()

    assert abs(ends(alices_workspace) - now() - farewell.waits()) < timedelta(minutes=1)
    assert not runs(running)
    assert "Keep the workspace" in page
    assert mailoutbox[-1].subject == "A workspace is going to be deleted"
    assert "(UTC); until then an owner can undo it." in mailoutbox[-1].body


def test_no_bot_of_it_can_be_started_by_any_door(
    proved: Any, api: Any, alice: User, running: Bot, alices_workspace: Workspace
) -> None:
    client = proved(alice)
    client.post(WORKSPACE, {"typed": alices_workspace.name})

    page = client.post("/automation/alice.clay/start/", follow=True).content.decode()
    with tenancy.scope(alices_workspace):
        alices_workspace.refresh_from_db()
        connected = connecting.connect(alices_workspace, alice, "another", "password", accept_risk=True)
    answer = api(alice).post(f"/api/bots/{running.pk}/start", {})

    assert codes.BEING_DELETED.id in page
    assert connected.refused is not None
    assert connected.refused.code is codes.BEING_DELETED
    assert (answer.status_code, answer.json()["error_code"]) == (409, codes.BEING_DELETED.id)
    assert not runs(running)


def test_undone_everything_is_as_before_and_bots_stay_stopped(
    proved: Any, alice: User, running: Bot, alices_workspace: Workspace, mailoutbox: list[EmailMessage]
) -> None:
    client = proved(alice)
    client.post(WORKSPACE, {"typed": alices_workspace.name})

    page = client.post(KEEP_WORKSPACE, follow=True).content.decode()

    assert ends(alices_workspace) is None
    assert not runs(running)
    assert "stays. Its bots are stopped" in page
    assert "is deleted on" not in page
    assert mailoutbox[-1].subject == "The workspace stays"
    with tenancy.scope(alices_workspace):
        switch.start(Bot.objects.select_related("account__session", "workspace").get(), alice)
    assert runs(running)


def test_an_account_takes_the_workspaces_along_where_nobody_else_is(
    proved: Any, alice: User, running: Bot, alices_workspace: Workspace, charlie: User
) -> None:
    shared = workspace_of(charlie)
    with everywhere():
        Membership.objects.create(workspace=shared, user=alice, role=Membership.Role.MANAGER)

    proved(alice).post(ACCOUNT, {"typed": "Alice@Example.com "})

    alice.refresh_from_db()
    assert alice.delete_at == ends(alices_workspace)
    assert ends(shared) is None
    assert not runs(running)


def test_undone_the_account_keeps_what_was_to_go_with_it_and_nothing_else_is_undone(
    proved: Any, alice: User, alices_workspace: Workspace
) -> None:
    with everywhere():
        earlier = Workspace.objects.create(name="Earlier", delete_at=now() + timedelta(days=3))
        Membership.objects.create(workspace=earlier, user=alice)
    client = proved(alice)
    client.post(ACCOUNT, {"typed": alice.email})

    client.post(KEEP_ACCOUNT)

    alice.refresh_from_db()
    assert (alice.delete_at, ends(alices_workspace)) == (None, None)
    assert ends(earlier) is not None


def test_the_last_owner_of_a_team_cannot_leave_it_behind(
    proved: Any, alice: User, bob: User, running: Bot, alices_workspace: Workspace
) -> None:
    client = proved(alice)

    answer = client.post(ACCOUNT, {"typed": alice.email})

    assert answer.status_code == 400
    assert codes.LAST_OWNER.id in answer.content.decode()
    assert ends(alice) is None
    assert runs(running)

    with everywhere():  # an owner who is about to go does not count as one who stays
        Membership.objects.filter(user=bob).update(role=Membership.Role.OWNER)
        User.objects.filter(pk=bob.pk).update(delete_at=now() + timedelta(days=1))
    assert client.post(ACCOUNT, {"typed": alice.email}).status_code == 400
    with everywhere():
        User.objects.filter(pk=bob.pk).update(delete_at=None)
    assert client.post(ACCOUNT, {"typed": alice.email}).status_code == 302
    assert ends(alices_workspace) is None


def test_a_workspace_that_goes_already_holds_its_owner_no_longer(
    proved: Any, alice: User, bob: User, alices_workspace: Workspace
) -> None:
    client = proved(alice)
    client.post(WORKSPACE, {"typed": alices_workspace.name})

    assert client.post(ACCOUNT, {"typed": alice.email}).status_code == 302
    page = client.post(KEEP_WORKSPACE, follow=True).content.decode()

    assert codes.BEING_DELETED.id in page
    assert ends(alices_workspace) is not None


def test_the_password_is_asked_once_more_and_the_way_leads_back(client: Client, alice: User) -> None:
    client.force_login(alice)

    for address in (WORKSPACE, ACCOUNT):
        for answer in (client.get(address), client.post(address, {"typed": alice.email})):
            assert answer.headers["Location"] == f"/accounts/reauthenticate/?next={address.replace('/', '%2F')}"
    back = client.post(f"/accounts/reauthenticate/?next={ACCOUNT}", {"password": PASSWORD, "next": ACCOUNT})

    assert back.headers["Location"] == ACCOUNT
    assert "To be sure, type" in client.get(ACCOUNT).content.decode()
    assert ends(alice) is None


@pytest.mark.parametrize("typed", ["", "something else"])
def test_the_wrong_word_deletes_nothing(proved: Any, alice: User, alices_workspace: Workspace, typed: str) -> None:
    client = proved(alice)

    assert [client.post(address, {"typed": typed}).status_code for address in (WORKSPACE, ACCOUNT)] == [400, 400]
    assert (ends(alice), ends(alices_workspace)) == (None, None)


@pytest.mark.parametrize("role", [Membership.Role.MANAGER, Membership.Role.VIEWER])
def test_only_an_owner_deletes_or_keeps_a_workspace(
    proved: Any, alice: User, bob: User, alices_workspace: Workspace, role: str
) -> None:
    with everywhere():
        Membership.objects.filter(user=bob).update(role=role)
    client = proved(bob)

    assert client.get(WORKSPACE).status_code == 403
    assert client.post(WORKSPACE, {"typed": alices_workspace.name}).status_code == 403
    assert client.post(KEEP_WORKSPACE).status_code == 403
    assert "Delete the workspace" not in client.get(PAGE).content.decode()


def test_the_banner_is_on_every_page_of_everybody_in_it(
    proved: Any, alice: User, bob: User, charlie: User, alices_workspace: Workspace
) -> None:
    day = now().replace(hour=23, minute=30) + timedelta(days=9)
    with everywhere():
        Workspace.objects.filter(pk=alices_workspace.pk).update(delete_at=day)
        User.objects.filter(pk=alice.pk).update(timezone="Asia/Tokyo")

    for address in ("/dashboard/", "/settings/", PAGE):
        page = re.sub(r"\s+", " ", proved(alice).get(address).content.decode())
        assert f'is deleted on <time datetime="{day.isoformat(timespec="seconds")}">' in page
        assert f"{day + timedelta(hours=9):%a} {(day + timedelta(hours=9)).day}" in page  # her own day
        assert KEEP_WORKSPACE in page
        theirs = proved(bob).get(address).content.decode()
        assert "Only an owner can keep it." in theirs
        assert KEEP_WORKSPACE not in theirs
        assert "is deleted on" not in proved(charlie).get(address).content.decode()


def test_asked_twice_the_day_stays(alice: User, alices_workspace: Workspace, mailoutbox: list[EmailMessage]) -> None:
    with tenancy.person(alice, alices_workspace):
        farewell.ask_for_workspace(alices_workspace, alice)
        first, mails = ends(alices_workspace), len(mailoutbox)
        farewell.ask_for_workspace(alices_workspace, alice)
        farewell.ask_for_account(alice)
        again = ends(alice)
        farewell.ask_for_account(alice)

    assert (ends(alices_workspace), ends(alice)) == (first, again)
    assert len(mailoutbox) == mails + 1  # of the account alone


def test_a_start_beside_the_asking_never_leaves_a_bot_running(committed: None, alice: User, alices_bot: Bot) -> None:
    workspace = workspace_of(alice)

    def start() -> str:
        try:
            with tenancy.scope(workspace):
                switch.start(Bot.objects.select_related("account__session", "workspace").get(), alice)
        except BotException as refused:
            return refused.code.name
        finally:
            connection.close()
        return "started"

    def ask() -> str:
        with tenancy.scope(workspace):
            farewell.ask_for_workspace(workspace, alice)
        connection.close()
        return "asked"

    for _ in range(10):
        with everywhere():
            Workspace.objects.update(delete_at=None)
            Bot.objects.update(status=Bot.Status.STOPPED)
        with ThreadPoolExecutor(4) as doors:
            said = {door.result() for door in [doors.submit(deed) for deed in (start, ask, start, start)]}
        assert said <= {"asked", "started", codes.BEING_DELETED.name}
        assert not runs(alices_bot)


def test_a_start_that_came_first_is_waited_for(committed: None, alice: User, alices_bot: Bot) -> None:
    workspace = workspace_of(alice)

    def ask() -> None:
        with tenancy.scope(workspace):
            farewell.ask_for_workspace(workspace, alice)
        connection.close()

    with ThreadPoolExecutor(1) as beside:
        with transaction.atomic(), tenancy.scope(workspace):
            switch.start(Bot.objects.select_related("account__session", "workspace").get(), alice)
            asking = beside.submit(ask)
            with pytest.raises(TimeoutError):
                asking.result(0.3)
        asking.result(10)

    assert not runs(alices_bot)
