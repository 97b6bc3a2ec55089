"""Where a person is signed in; signing out there; and what ends every session at once."""

from collections.abc import Callable

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.test import Client

from accounts import browsers, sign_in
from accounts.models import ApiToken, User
from accounts.tests import mailbox
from instagrowth.testing import PASSWORD, Program

SESSIONS = "/accounts/sessions/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1"
)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def signed_in(user: User, agent: str = FIREFOX) -> Client:
    browser = Client(headers={"User-Agent": agent})
    browser.post("/login", {"login": user.email, "password": PASSWORD})
    assert alive(browser)
    return browser


def alive(browser: Client) -> bool:
    return browser.get("/settings/").status_code == 200


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Windows"),
        (SAFARI, "Safari on iPhone"),
        (CHROME, "Chrome on Linux"),
        (CHROME.replace("X11; Linux x86_64", "Linux; Android 15; Pixel 9"), "Chrome on Android"),
        (CHROME + " Edg/140.0.0.0", "Edge on Linux"),
        (CHROME.replace("X11; Linux x86_64", "Macintosh; Intel Mac OS X 10_15_7") + " OPR/120.0", "Opera on Mac"),
        ("python-requests/2.32", "A Python program"),
        ("curl/8.9.1", "curl"),
        ("", "An unknown browser"),
        ("<script>alert(1)</script>", "An unknown browser"),
    ],
)
def test_a_browser_is_named_in_words(agent: str, words: str) -> None:
    assert browsers.words(agent) == words


def test_the_page_lists_every_browser_and_marks_this_one(alice: User) -> None:
    here, _ = signed_in(alice), signed_in(alice, SAFARI)

    page = here.get(SESSIONS).content.decode()

    assert page.index("Firefox on Windows") < page.index("Safari on iPhone")
    assert page.count("This one") == 1
    assert "127.0.0.1" in page


def test_one_browser_is_signed_out_and_the_others_stay(alice: User) -> None:
    here, there, third = signed_in(alice), signed_in(alice, SAFARI), signed_in(alice, CHROME)
    key = UserSession.objects.get(session_key=there.session.session_key).pk

    here.post(f"{SESSIONS}{key}/sign-out/")

    assert [alive(here), alive(there), alive(third)] == [True, False, True]


def test_everything_but_this_browser_and_the_named_tokens_is_signed_out(
    alice: User, api: Callable[[User], Program]
) -> None:
    here, there = signed_in(alice), signed_in(alice, SAFARI)
    program = api(alice)
    ApiToken.objects.create(alice, name="Reports", scopes=["look"])
    key = here.session.session_key

    page = here.post(f"{SESSIONS}sign-out-others/", follow=True).content.decode()

    assert [alive(here), alive(there)] == [True, False]
    assert program.get("/api/auth/me").status_code == 401
    assert [token.name for token in ApiToken.objects.filter(user=alice)] == ["Reports"]
    assert here.session.session_key != key
    assert "This one" in page
    assert "Safari" not in page
    assert mailbox.subjects(alice.email)[-1] == "You were signed out everywhere else"


def test_charlie_cannot_sign_alice_out(alice: User, charlie: User) -> None:
    hers = signed_in(alice)
    key = UserSession.objects.get(user=alice).pk

    assert signed_in(charlie).post(f"{SESSIONS}{key}/sign-out/").status_code == 404
    assert alive(hers)


def _password(user: User) -> None:
    sign_in.change_password(User.objects.get(pk=user.pk), "another horse battery 7")


def _disable(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


def _demote(user: User) -> None:
    """An admin takes somebody's powers, or gives others: whoever does so raises the generation."""
    User.objects.filter(pk=user.pk).update(role=User.Role.ADMIN)


def test_five_sessions_are_dead_on_their_next_request_after_each_of_three_events(alice: User) -> None:
    alive_after = 0
    for event in (_password, _disable, _demote):
        five = [signed_in(alice, agent) for agent in (FIREFOX, SAFARI, CHROME, "curl/8", "")]
        event(alice)
        alive_after += sum(alive(browser) for browser in five)
        User.objects.filter(pk=alice.pk).update(is_active=True, role=User.Role.USER, password=alice.password)

    print({"sessions": 5, "events": 3, "alive_after": alive_after})
    assert alive_after == 0


def test_changing_the_password_by_page_or_program_keeps_this_one_and_ends_the_others(
    alice: User, api: Callable[[User], Program]
) -> None:
    here, there, program = signed_in(alice), signed_in(alice, SAFARI), api(alice)
    form = {"oldpassword": PASSWORD, "password1": "another horse battery 7", "password2": "another horse battery 7"}

    here.post("/profile/change-password", form)

    assert [alive(here), alive(there)] == [True, False]
    assert program.get("/api/auth/me").status_code == 401
    assert mailbox.subjects(alice.email)[-1] == "Your password was changed"


def test_a_session_has_a_new_key_after_everything_that_raises_what_it_opens(alice: User) -> None:
    browser, same, old_alive = Client(headers={"User-Agent": FIREFOX}), 0, 0

    def follow(event: Callable[[], object]) -> None:
        nonlocal same, old_alive
        before = browser.session.session_key
        event()
        same += before == browser.session.session_key
        old = Client(headers={"User-Agent": FIREFOX})
        old.cookies["session"] = before
        old_alive += alive(old)

    browser.get("/login")
    browser.session.save()
    follow(lambda: browser.post("/login", {"login": alice.email, "password": PASSWORD}))
    form = {"oldpassword": PASSWORD, "password1": "another horse battery 7", "password2": "another horse battery 7"}
    follow(lambda: browser.post("/profile/change-password", form))
    follow(lambda: browser.post(f"{SESSIONS}sign-out-others/"))

    print({"events": 3, "same_key": same, "old_key_alive": old_alive})
    assert (same, old_alive) == (0, 0)


def test_a_device_that_was_never_used_is_told_and_the_first_and_known_ones_are_not(
    alice: User, visitor: Program
) -> None:
    signed_in(alice), signed_in(alice)
    assert mailbox.subjects(alice.email) == []

    signed_in(alice, SAFARI), signed_in(alice, SAFARI)
    visitor.post(
        "/api/auth/login", {"login": alice.email, "password": PASSWORD}, headers={"User-Agent": "python-requests/2"}
    )

    assert mailbox.subjects(alice.email) == ["A new device signed in"] * 2
    assert "A Python program" in mailbox.newest(alice.email).body


def test_a_password_hashed_anew_when_it_is_asked_for_signs_nobody_out_here(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = signed_in(alice)
    before = User.objects.get(pk=alice.pk).password
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", Argon2PasswordHasher.time_cost + 1)  # a later release

    here.post("/accounts/reauthenticate/", {"password": PASSWORD})

    assert User.objects.get(pk=alice.pk).password != before
    assert alive(here)
    assert UserSession.objects.filter(session_key=here.session.session_key).exists(), "and is still among its browsers"
