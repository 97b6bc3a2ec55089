import pytest
from django.test import Client

from accounts.models import Membership, User
from bots.models import Bot, InstagramAccount
from errors.models import ActivityLog
from instagrowth.testing import INSTAGRAM_PASSWORD, everywhere
from sandbox.testing import Control

RISK, LOGIN, CODE = "/instagram/connect/", "/instagram/connect/login/", "/instagram/connect/code/"


@pytest.fixture
def willing(client: Client, alice: User, instagram: Control) -> Client:
    """Alice's browser, in which she has accepted the risk."""
    client.force_login(alice)
    client.post(RISK, {"accept_risk": "on"})
    return client


def test_nobody_comes_to_the_login_without_accepting_the_risk(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.get(LOGIN).headers["Location"] == RISK
    assert "/help/errors/E-IG-E-0006/" in client.post(RISK, {}).content.decode()


def test_a_right_password_connects_the_account(willing: Client, alice: User, instagram: Control) -> None:
    instagram.account("alice.real", password=INSTAGRAM_PASSWORD)

    answer = willing.post(LOGIN, {"username": "@Alice.Real ", "password": INSTAGRAM_PASSWORD})

    assert answer.headers["Location"] == "/automation/alice.real/"
    with everywhere():
        account = InstagramAccount.objects.get()
        assert (account.username, account.risk_accepted_by) == ("alice.real", alice.pk)
        assert Bot.objects.get().status == "stopped"


def test_a_second_factor_is_asked_in_one_step_that_survives_a_reload(willing: Client, instagram: Control) -> None:
    instagram.account("alice.real", password=INSTAGRAM_PASSWORD, totp_secret="JBSWY3DPEHPK3PXP")
    asked = willing.post(LOGIN, {"username": "alice.real", "password": INSTAGRAM_PASSWORD})
    willing.get(CODE)
    page = willing.get(CODE).content.decode()
    code = instagram.read_account("alice.real")["totp_code"]

    answer = willing.post(CODE, {"username": "alice.real", "code": code})

    assert asked.headers["Location"] == CODE
    assert "authenticator app" in page
    assert INSTAGRAM_PASSWORD not in page
    assert answer.headers["Location"] == "/automation/alice.real/"


def test_an_e_mail_code_takes_the_same_step(willing: Client, instagram: Control) -> None:
    instagram.account("alice.real", password=INSTAGRAM_PASSWORD, email_code="123456")
    willing.post(LOGIN, {"username": "alice.real", "password": INSTAGRAM_PASSWORD})

    page = willing.get(CODE).content.decode()
    answer = willing.post(CODE, {"username": "alice.real", "code": "123456"})

    assert "e-mail address" in page
    assert answer.headers["Location"] == "/automation/alice.real/"


def test_a_wrong_code_may_be_typed_again(willing: Client, instagram: Control) -> None:
    instagram.account("alice.real", password=INSTAGRAM_PASSWORD, totp_secret="JBSWY3DPEHPK3PXP")
    willing.post(LOGIN, {"username": "alice.real", "password": INSTAGRAM_PASSWORD})

    page = willing.post(CODE, {"username": "alice.real", "code": "000000"}).content.decode()

    assert "/help/errors/E-IG-E-0004/" in page
    assert "Back to the password" in page


def test_a_wrong_password_is_told_with_its_code_and_written_down(willing: Client, instagram: Control) -> None:
    instagram.account("alice.real", password=INSTAGRAM_PASSWORD)

    page = willing.post(LOGIN, {"username": "alice.real", "password": "not this"}).content.decode()

    assert "/help/errors/E-IG-E-0001/" in page
    assert "not this" not in page
    with everywhere():
        assert ActivityLog.objects.filter(action="connect", error_code="E-IG-E-0001").count() == 1


def test_what_is_no_username_is_told_at_its_field(willing: Client) -> None:
    page = willing.post(LOGIN, {"username": "not a name", "password": "x"}).content.decode()

    assert "This is not an Instagram username." in page


def test_an_account_connected_before_needs_no_second_yes(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)

    assert client.get(LOGIN, {"username": "alice.clay"}).status_code == 200


def test_a_viewer_connects_nothing(client: Client, bob: User) -> None:
    with everywhere():
        Membership.objects.filter(user=bob).update(role="viewer")
    client.force_login(bob)

    assert [client.get(page).status_code for page in (RISK, LOGIN, CODE)] == [403, 403, 403]
