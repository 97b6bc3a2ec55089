import pytest
from django.test import Client

from accounts.models import Membership, User
from bots.models import Bot, InstagramAccount, Session
from errors.models import ActivityLog
from instagrowth.testing import everywhere
from sandbox.testing import Control

PAGE = "/instagram/"


def test_an_account_is_listed_with_its_health_session_and_follows(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "alice.clay" in page
    assert "Active" in page
    assert "Valid" in page
    assert 'aria-label="Follows today: 0 of' in page


def test_followers_that_nobody_measured_are_unknown(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)

    assert "Followers unknown" in client.get(PAGE).content.decode()


def test_accounts_can_be_found_and_narrowed(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)

    assert "No username has “zzz” in it." in client.get(PAGE, {"q": "zzz"}).content.decode()
    assert "No bot runs." in client.get(PAGE, {"show": "running"}).content.decode()
    assert "No account waits for you." in client.get(PAGE, {"show": "waiting"}).content.decode()


def test_a_challenge_shows_its_steps(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        InstagramAccount.objects.update(health="needs_you", health_code="E-SESS-E-0004")
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert 'id="needs-you"' in page
    assert "I solved it, check now" in page


def test_a_good_session_is_told(client: Client, alice: User, alices_connected_bot: Bot) -> None:
    client.force_login(alice)

    page = client.post("/instagram/alice.real/test/", follow=True).content.decode()

    assert "The session of @alice.real is valid." in page


def test_a_dead_session_needs_a_login(
    client: Client, alice: User, alices_connected_bot: Bot, instagram: Control
) -> None:
    instagram.kill_sessions("alice.real")
    client.force_login(alice)

    page = client.post("/instagram/alice.real/test/", follow=True).content.decode()

    with everywhere():
        account = InstagramAccount.objects.get()
    assert account.health == "needs_login"
    assert f"/help/errors/{account.health_code}/" in page


def test_an_account_without_a_session_says_so_with_its_code(client: Client, alice: User, alices_bot: Bot) -> None:
    with everywhere():
        Session.objects.all().delete()
    client.force_login(alice)

    page = client.post("/instagram/alice.clay/test/", follow=True).content.decode()

    assert "/help/errors/E-SESS-E-0001/" in page


def test_disconnecting_asks_first_and_keeps_the_account(client: Client, alice: User, alices_connected_bot: Bot) -> None:
    client.force_login(alice)
    asked = client.get("/instagram/alice.real/disconnect/").content.decode()

    page = client.post("/instagram/alice.real/disconnect/", follow=True).content.decode()

    assert "Disconnect @alice.real?" in asked
    assert "@alice.real is disconnected." in page
    with everywhere():
        assert InstagramAccount.objects.get().health == "needs_login"
        assert not Session.objects.exists()
        assert ActivityLog.objects.filter(action="disconnect", status="ok").exists()


@pytest.mark.parametrize("deed", ["test", "disconnect"])
def test_other_workspaces_do_not_exist(client: Client, charlie: User, alices_bot: Bot, deed: str) -> None:
    client.force_login(charlie)

    assert client.post(f"/instagram/alice.clay/{deed}/").status_code == 404


@pytest.mark.parametrize("deed", ["test", "disconnect"])
def test_a_viewer_may_look_and_nothing_else(client: Client, bob: User, alices_bot: Bot, deed: str) -> None:
    with everywhere():
        Membership.objects.filter(user=bob).update(role="viewer")
    client.force_login(bob)

    page = client.get(PAGE)

    assert page.status_code == 200
    assert "Disconnect" not in page.content.decode()
    assert client.post(f"/instagram/alice.clay/{deed}/").status_code == 403


def test_a_live_event_fetches_the_part_alone(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)

    part = client.get(PAGE, headers={"HX-Request": "true"}).content.decode()

    assert "alice.clay" in part
    assert "<html" not in part
