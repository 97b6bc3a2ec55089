"""Making, seeing and revoking one's API tokens on the page."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import tenancy, tokens
from accounts.models import ApiToken, User
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth.testing import PASSWORD, Program, everywhere

Programs = Callable[[User], Program]
Counted = Callable[[int], AbstractContextManager[object]]
PAGE = "/settings/tokens/"
ASKED = {"name": "Nightly report", "scopes": ["look"], "days": "30"}


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    """Alice's browser, where she has just proved that it is she."""
    client.force_login(alice)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def make(page: Client, **asked: object) -> str:
    answer = page.post(f"{PAGE}new/", ASKED | asked)
    assert answer.status_code == 200, answer.content
    found = re.search(r"\b[0-9a-f]{64}\b", answer.content.decode())
    assert found
    return found[0]


def test_the_token_is_shown_once_and_opens_the_api(page: Client, visitor: Client, alice: User) -> None:
    words = make(page)

    answer = visitor.get("/api/auth/me", headers={"Authorization": f"Bearer {words}"})
    assert answer.json()["user"]["email"] == "alice@example.com"
    listed = page.get(PAGE).content.decode()
    assert "Nightly report" in listed
    assert words not in listed


def test_only_a_hash_of_it_is_kept(page: Client) -> None:
    words = make(page)

    token = ApiToken.objects.get()
    assert words not in str(token.__dict__)
    assert len(token.digest) == 128
    assert abs(token.expiry - timezone.now() - timedelta(days=30)) < timedelta(minutes=1)


def test_the_answer_is_not_kept_by_the_browser(page: Client) -> None:
    assert "no-store" in page.post(f"{PAGE}new/", ASKED)["Cache-Control"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_proof_that_it_is_her_no_token_is_made(client: Client, alice: User, method: str) -> None:
    client.force_login(alice)

    answer = getattr(client, method)(f"{PAGE}new/", ASKED)

    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert ApiToken.objects.count() == 0


def test_a_proof_that_came_late_goes_on_where_she_was(client: Client, alice: User) -> None:
    client.force_login(alice)
    asked = client.post(f"{PAGE}new/", ASKED)

    answer = client.post(asked["Location"], {"password": PASSWORD})

    assert "Your new API token" in answer.content.decode()


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 81}, {"scopes": []}, {"scopes": ["admin"]}, {"days": "8"}, {"days": "36500"}],
)
def test_what_is_not_right_is_refused(page: Client, wrong: dict[str, object]) -> None:
    answer = page.post(f"{PAGE}new/", ASKED | wrong)

    assert answer.status_code == 400
    assert ApiToken.objects.count() == 0


def test_more_than_the_form_asks_changes_nothing(page: Client, charlie: User) -> None:
    make(page, realm="admin", user=str(charlie.pk), expiry="2099-01-01", digest="0" * 128, is_staff="1")

    token = ApiToken.objects.select_related("user").get()
    assert (token.realm, token.user.email, token.expiry.year < 2099) == ("user", "alice@example.com", True)


def test_a_name_cannot_carry_a_script(page: Client) -> None:
    make(page, name="<script>alert(1)</script>")

    assert "<script>alert" not in page.get(PAGE).content.decode()


def test_the_twenty_first_is_refused(page: Client, alice: User) -> None:
    for number in range(tokens.MOST):
        make(page, name=f"Program {number}")

    answer = page.post(f"{PAGE}new/", ASKED)

    assert answer.status_code == 400
    assert "E-AUTH-W-0036" in answer.content.decode()


def test_one_that_ended_makes_room(page: Client, alice: User) -> None:
    for number in range(tokens.MOST):
        make(page, name=f"Program {number}")
    old = ApiToken.objects.earliest("created")
    ApiToken.objects.filter(pk=old.pk).update(expiry=timezone.now())
    assert "Ended" in page.get(PAGE).content.decode()

    make(page)

    assert not ApiToken.objects.filter(pk=old.pk).exists()


def test_twenty_is_exact_for_all_who_try_at_once(committed: None, alice: User) -> None:
    def one(number: int) -> str:
        try:
            with tenancy.nobody():
                return tokens.make(alice, f"Program {number}", ["look"], 7, HttpRequest())[0].name
        except BotException as full:
            return full.code.name
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(one, range(40)))

    assert (answers.count("TOKENS_FULL"), ApiToken.objects.filter(user=alice).count()) == (20, 20)


def test_a_revoked_token_opens_nothing(page: Client, visitor: Client) -> None:
    words, other = make(page), make(page, name="Other")

    answer = page.post(f"{PAGE}{words[:15]}/revoke/", follow=True)

    assert "Nightly report opens nothing any more" in answer.content.decode()
    status = [visitor.get("/api/bots/", headers={"Authorization": f"Bearer {t}"}).status_code for t in (words, other)]
    assert status == [401, 200]


def test_nobody_revokes_the_token_of_somebody_else(page: Client, charlie: User) -> None:
    words = make(page)
    stranger = Client()
    stranger.force_login(charlie)

    assert stranger.post(f"{PAGE}{words[:15]}/revoke/").status_code == 404
    assert stranger.post(f"{PAGE}revoke-all/").status_code == 302
    assert ApiToken.objects.count() == 1


def test_revoking_all_ends_sign_ins_too_and_nothing_of_the_other_side(page: Client, api: Programs, alice: User) -> None:
    program = api(alice)
    make(page)
    ApiToken.objects.create(alice, realm=ApiToken.Realm.ADMIN)

    page.post(f"{PAGE}revoke-all/")

    assert program.get("/api/auth/me").status_code == 401
    assert [token.realm for token in ApiToken.objects.all()] == ["admin"]


def test_sign_ins_are_shown_as_such(page: Client, api: Programs, alice: User) -> None:
    for _ in range(23):
        api(alice)

    shown = page.get(PAGE).content.decode()

    assert "Sign-ins of programs" in shown
    assert "The newest 20 of 23." in shown


def test_the_list_costs_the_same_for_one_and_for_twenty(page: Client, django_assert_num_queries: Counted) -> None:
    make(page)
    page.get(PAGE)
    with CaptureQueriesContext(connection) as one:
        page.get(PAGE)
    for_one = len(one)
    for number in range(19):
        make(page, name=f"Program {number}")

    with django_assert_num_queries(for_one):
        page.get(PAGE)


def test_she_is_told_by_mail_and_in_the_log(page: Client, mailoutbox: list[EmailMessage]) -> None:
    words = make(page)
    page.post(f"{PAGE}{words[:15]}/revoke/")
    page.post(f"{PAGE}revoke-all/")  # nothing is left to tell about

    with everywhere():
        deeds = list(ActivityLog.objects.order_by("at").values_list("action", flat=True))
    assert [mail.subject for mail in mailoutbox] == ["An API token was made", "An API token was revoked"]
    assert [deed for deed in deeds if deed.startswith("token")] == ["token_made", "token_revoked"]


def test_a_stranger_is_sent_to_the_door(client: Client, db: None) -> None:
    assert client.get(PAGE)["Location"].startswith("/accounts/login/")
    assert client.post(f"{PAGE}revoke-all/")["Location"].startswith("/accounts/login/")
