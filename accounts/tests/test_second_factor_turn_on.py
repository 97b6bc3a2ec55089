"""Turning the authenticator app on, on the page."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client

from accounts import second_factor
from accounts.models import User
from accounts.tests.factor import code_of, reauthenticate, with_app
from instagrowth.testing import PASSWORD

PAGE = "/accounts/2fa/totp/activate/"


def secret_on(client: Client) -> str:
    page = client.get(PAGE).content.decode()
    assert '<svg xmlns:svg="http://www.w3.org/2000/svg"' in page or "<svg" in page
    found = re.search(r'id="authenticator_secret">([A-Z2-7]{32})<', page)
    assert found, page
    return found.group(1)


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    """Alice, who has just proved that it is she."""
    client.force_login(alice)
    reauthenticate(client)
    return client


def test_the_page_asks_for_the_password_first(client: Client, alice: User) -> None:
    client.force_login(alice)

    answer = client.get(PAGE)

    assert answer.headers["Location"] == f"/accounts/reauthenticate/?next={PAGE.replace('/', '%2F')}"


def test_the_first_code_turns_it_on_and_shows_recovery_codes(
    page: Client, alice: User, mailoutbox: list[EmailMessage]
) -> None:
    code = code_of(secret_on(page))

    answer = page.post(PAGE, {"code": f" {code[:3]} {code[3:]} "}, follow=True)

    assert answer.redirect_chain == [("/accounts/2fa/recovery-codes/", 302)]
    assert len(re.findall(r"\b\d{8}\b", answer.content.decode())) == 10
    assert alice.is_two_factor_enabled
    assert [mail.subject for mail in mailoutbox] == ["The second factor is on"]


def test_a_wrong_code_is_refused_with_its_code_and_the_secret_stays(page: Client, alice: User) -> None:
    secret = secret_on(page)

    answer = page.post(PAGE, {"code": "000000"}).content.decode()

    assert "E-AUTH-E-0003" in answer
    assert secret in answer
    assert not alice.is_two_factor_enabled


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "x" * 5000])
def test_nonsense_is_refused(page: Client, alice: User, code: str) -> None:
    secret_on(page)

    assert page.post(PAGE, {"code": code}).status_code == 200
    assert not alice.is_two_factor_enabled


def test_a_secret_that_waited_too_long_is_made_anew(page: Client, alice: User) -> None:
    secret = secret_on(page)
    cache.clear()

    answer = page.post(PAGE, {"code": code_of(secret)}).content.decode()

    assert "E-AUTH-E-0038" in answer
    assert secret not in answer
    assert not alice.is_two_factor_enabled


def test_guessing_the_first_code_is_limited(page: Client, alice: User) -> None:
    secret = secret_on(page)
    for _ in range(5):
        page.post(PAGE, {"code": "000000"})

    answer = page.post(PAGE, {"code": code_of(secret)}).content.decode()

    assert "E-AUTH-W-0005" in answer
    assert not alice.is_two_factor_enabled


def test_who_has_an_app_is_sent_back(page: Client, alice: User) -> None:
    with_app(alice)

    assert page.get(PAGE).headers["Location"] == "/accounts/2fa/"


def test_it_works_without_an_e_mail_and_does_not_show_the_access_code(client: Client, db: None) -> None:
    bearer = User.objects.make(password=PASSWORD, name="Bea")
    client.force_login(bearer)
    reauthenticate(client)

    answer = client.get(PAGE)
    page = answer.content.decode()
    client.post(PAGE, {"code": code_of(secret_on(client))})

    assert bearer.is_two_factor_enabled
    assert answer.context["totp_url"].startswith("otpauth://totp/InstaGrowth%20OS%3ABea?")
    assert str(bearer.access_code) not in page + answer.context["totp_url"]


def test_another_sessions_secret_is_not_confirmed(alice: User) -> None:
    mine, stolen = Client(), Client()
    for client in (mine, stolen):
        client.force_login(alice)
        reauthenticate(client)
    secret_on(mine)
    foreign = secret_on(stolen)

    mine.post(PAGE, {"code": code_of(foreign)})

    assert not alice.is_two_factor_enabled


def test_the_host_header_names_nobody(page: Client, alice: User, settings: object) -> None:
    answer = page.get(PAGE, headers={"Host": "localhost"})

    assert "issuer=InstaGrowth%20OS" in answer.context["totp_url"]
    assert "localhost" not in answer.context["totp_url"]


def test_the_other_sessions_live_on(page: Client, alice: User) -> None:
    other = Client()
    other.force_login(alice)

    page.post(PAGE, {"code": code_of(secret_on(page))})

    assert other.get("/settings/").status_code == 200


def test_two_tabs_turn_it_on_once(page: Client, alice: User) -> None:
    secret = secret_on(page)
    page.post(PAGE, {"code": code_of(secret)})

    assert page.post(PAGE, {"code": code_of(secret)}).headers["Location"] == "/accounts/2fa/"
    assert Authenticator.objects.filter(user=alice, type="totp").count() == 1
    assert second_factor.app_of(alice) is not None
