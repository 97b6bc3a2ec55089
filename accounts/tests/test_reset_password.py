"""A forgotten password: by page or program, with a link that works once and opens nothing but a new password."""

from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.test import Client
from django.utils.timezone import now

from accounts import sign_in
from accounts.models import ApiToken, User
from accounts.tests import mailbox
from instagrowth.testing import PASSWORD, Program

ASK, CONFIRM = "/api/auth/password/reset", "/api/auth/password/reset/confirm"
NEXT = "another horse battery 7"


def ask(email: str) -> str:
    """Ask for a link by the page; its path."""
    Client().post("/accounts/password/reset/", {"email": email})
    return mailbox.link(mailbox.newest(email))


def key_of(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def reset(path: str, password: str = NEXT) -> Client:
    """Open the link in a new browser and choose a password."""
    browser = Client()
    form = browser.get(path, follow=True)
    browser.post(form.request["PATH_INFO"], {"password1": password, "password2": password})
    return browser


def test_the_link_gives_a_new_password_and_everything_that_was_signed_in_is_out(alice: User) -> None:
    here = Client()
    here.force_login(alice)
    sign_in.make_token(alice, ApiToken.Realm.USER)

    browser = reset(ask(alice.email))

    alice.refresh_from_db()
    assert alice.check_password(NEXT)
    assert here.get("/dashboard/").status_code == 302
    assert not ApiToken.objects.filter(user=alice).exists()
    assert "_auth_user_id" not in browser.session
    assert mailbox.subjects(alice.email)[-1] == "Your password was reset"


def test_the_api_does_the_same_and_signs_nobody_in(alice: User, visitor: Program) -> None:
    assert visitor.post(ASK, {"email": " Alice@Example.com "}).status_code == 200
    key = key_of(mailbox.link(mailbox.newest(alice.email)))

    answer = visitor.post(CONFIRM, {"key": key, "new_password": NEXT})

    assert (answer.status_code, set(answer.json())) == (200, {"success", "correlation_id"})
    assert visitor.post("/api/auth/login", {"login": alice.email, "password": NEXT}).status_code == 200
    assert mailbox.subjects(alice.email)[1] == "Your password was reset"


def test_a_link_works_once_on_every_door(alice: User, visitor: Program) -> None:
    path = ask(alice.email)
    reset(path)

    answer = visitor.post(CONFIRM, {"key": key_of(path), "new_password": "yet another password 3"})
    page = Client().get(path, follow=True)

    accepted = [answer.status_code == 200, "Choose a new password" in page.content.decode()]
    print({"second_uses_accepted": sum(accepted)})
    assert (answer.status_code, answer.json()["error"]) == (400, "RESET_LINK_INVALID")
    assert "This link no longer works" in page.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(NEXT)


def test_a_link_is_good_for_an_hour(alice: User, visitor: Program) -> None:
    key = key_of(ask(alice.email))

    with time_machine.travel(now() + timedelta(minutes=59), tick=False):
        assert (
            "Choose a new password"
            in Client().get(f"/accounts/password/reset/key/{key}/", follow=True).content.decode()
        )
    with time_machine.travel(now() + timedelta(minutes=61), tick=False):
        assert visitor.post(CONFIRM, {"key": key, "new_password": NEXT}).json()["error"] == "RESET_LINK_INVALID"


def test_a_new_address_or_password_ends_links_sent_before(alice: User, visitor: Program) -> None:
    key = key_of(ask(alice.email))
    sign_in.change_password(alice, "a password chosen meanwhile")

    assert visitor.post(CONFIRM, {"key": key, "new_password": NEXT}).json()["error"] == "RESET_LINK_INVALID"


@pytest.mark.parametrize("key", ["", "x", "1-wrong", "-", "0-0-0", "z" * 200, "é-è", "\x00-\x00"])
def test_wrong_links_are_refused(key: str, alice: User, visitor: Program) -> None:
    answer = visitor.post(CONFIRM, {"key": key, "new_password": NEXT})

    assert answer.status_code == 400
    assert answer.json()["error"] in ("RESET_LINK_INVALID", "VALIDATION_FAILED")


def test_a_weak_password_is_refused_and_the_link_stays_good(alice: User, visitor: Program) -> None:
    key = key_of(ask(alice.email))

    for weak in ("short", "password1234", PASSWORD, "x" * 5000):
        assert visitor.post(CONFIRM, {"key": key, "new_password": weak}).status_code == 400
    assert visitor.post(CONFIRM, {"key": key, "new_password": NEXT}).status_code == 200


def test_a_reset_ends_a_forced_change_and_a_lock(alice: User, visitor: Program) -> None:
    User.objects.filter(pk=alice.pk).update(must_change_password=True)
    for _ in range(6):
        visitor.post("/api/auth/login", {"login": alice.email, "password": "wrong"})

    reset(ask(alice.email))

    answer = visitor.post("/api/auth/login", {"login": alice.email, "password": NEXT}).json()
    assert (answer["success"], answer["must_change_password"]) == (True, False)


def test_a_reset_keeps_the_second_factor(alice: User, visitor: Program) -> None:
    Authenticator.objects.create(user=alice, type=Authenticator.Type.TOTP, data={"secret": "x"})
    browser = reset(ask(alice.email))

    page = browser.post("/login", {"login": alice.email, "password": NEXT}, follow=True)
    answer = visitor.post("/api/auth/login", {"login": alice.email, "password": NEXT}).json()

    logged_in = ["_auth_user_id" in browser.session, "token" in answer]
    print({"logged_in_without_otp": sum(logged_in)})
    assert logged_in == [False, False]
    assert page.request["PATH_INFO"] == "/accounts/2fa/authenticate/"
    assert answer["requires_2fa"]


def test_an_unknown_blocked_or_staff_address_gets_no_link_and_the_same_answer(
    alice: User, charlie: User, admin: User, visitor: Program
) -> None:
    User.objects.filter(pk=charlie.pk).update(is_active=False)

    answers = [
        visitor.post(ASK, {"email": email}).json() | {"correlation_id": ""}
        for email in (alice.email, "who@example.com", charlie.email, admin.email)
    ]

    assert answers == [{"success": True, "correlation_id": ""}] * 4
    for nobody in ("who@example.com", charlie.email, admin.email):
        assert mailbox.subjects(nobody) == ["Your e-mail at InstaGrowth OS"]
        assert "/reset/key/" not in mailbox.newest(nobody).body


def test_a_further_address_resets_only_once_it_is_confirmed(alice: User) -> None:
    further = EmailAddress.objects.create(user=alice, email="second@example.com")

    Client().post("/accounts/password/reset/", {"email": further.email})
    assert "/reset/key/" not in mailbox.newest(further.email).body

    further.verified = True
    further.save()
    reset(ask(further.email))
    alice.refresh_from_db()
    assert alice.check_password(NEXT)


def test_the_link_is_not_in_the_address_of_the_form_and_is_not_sent_on(alice: User) -> None:
    path = ask(alice.email)
    browser = Client()

    answer = browser.get(path)

    assert answer.status_code == 302
    assert key_of(path) not in answer["Location"]
    assert browser.get(answer["Location"])["Referrer-Policy"] == "same-origin"


def test_each_mail_and_each_wrong_link_is_counted(alice: User, visitor: Program) -> None:
    asked = [visitor.post(ASK, {"email": alice.email}).status_code for _ in range(6)]
    page = Client().post("/accounts/password/reset/", {"email": alice.email}).content.decode()
    tried = [visitor.post(CONFIRM, {"key": "1-wrong", "new_password": NEXT}).status_code for _ in range(21)]

    assert asked == [200] * 5 + [429]
    assert "E-AUTH-W-0005" in page
    assert "There were too many tries. Wait" in page
    assert len(mailbox.subjects(alice.email)) == 5
    assert tried == [400] * 20 + [429]
    assert Client().get("/accounts/password/reset/key/1-wrong/").status_code == 429
