"""What comes back from Google is believed only if all of it is right; a broken Google breaks no page of ours."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.socialaccount.models import SocialAccount
from django.core.cache import cache
from django.db import connection

from accounts.models import User
from accounts.tests.google_trip import CALLBACK, DASHBOARD, LOGIN, Trip, linked
from instagrowth.testing import everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.django_db
TOKEN = "oauth2/v4/token"
WHERE = r"\.well-known/openid-configuration"


@pytest.fixture
def browser(google: Control, nobody_guessed: None) -> Trip:
    return Trip(google)


@pytest.fixture
def sub(google: Control) -> str:
    return str(google.google_person("nora@example.com", name="Nora")["sub"])


def refused(browser: Trip, answer: object) -> None:
    assert (answer.status_code, browser.who) == (401, None)  # type: ignore[attr-defined]
    assert b"E-AUTH-E-0029" in answer.content  # type: ignore[attr-defined]
    assert (User.objects.count(), SocialAccount.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "fault", ["signature", "nonce", "no_nonce", "aud", "iss", "expired", "no_sub"], ids=lambda fault: f"wrong {fault}"
)
def test_a_token_that_is_not_right_is_refused(browser: Trip, google: Control, sub: str, fault: str) -> None:
    google.fault(f"id_token_{fault}", path=TOKEN)
    refused(browser, browser.round_trip(sub))


def test_the_signed_token_says_who_it_is_and_nothing_else(browser: Trip, google: Control, sub: str) -> None:
    google.fault("id_token_sub", path=TOKEN)
    browser.round_trip(sub)

    assert User.objects.get().google_id != sub


@pytest.mark.parametrize("fault", ["500", "503", "not_json", "bad_json", "cut", "reset"])
@pytest.mark.parametrize("path", [TOKEN, "oauth2/v3/certs"])
def test_a_broken_google_is_an_answer_not_a_failure(
    browser: Trip, google: Control, sub: str, fault: str, path: str
) -> None:
    google.fault(fault, path=path)
    refused(browser, browser.round_trip(sub))


@pytest.mark.parametrize("fault", ["500", "not_json", "bad_json", "reset"])
def test_a_google_that_does_not_tell_where_it_is_is_an_answer_too(
    browser: Trip, google: Control, sub: str, fault: str
) -> None:
    google.fault(fault, path=WHERE)
    answer = browser.post(LOGIN, {"process": "login"})
    refused(browser, answer)
    browser.round_trip(sub)  # the fault is not remembered

    assert User.objects.count() == 1


def test_on_the_way_back_too(browser: Trip, google: Control, sub: str) -> None:
    back = browser.chosen(browser.to_google(), sub)
    cache.delete(f"google:{google.url}/.well-known/openid-configuration")
    google.fault("500", path=WHERE)
    refused(browser, browser.get(back))


@pytest.mark.parametrize("path", [TOKEN, "oauth2/v3/certs"])
def test_a_hanging_google_is_given_up(browser: Trip, google: Control, sub: str, settings: object, path: str) -> None:
    settings.SOCIALACCOUNT_REQUESTS_TIMEOUT = (0.5, 0.5)  # type: ignore[attr-defined]
    google.fault("hang", path=path)
    began = time.monotonic()
    refused(browser, browser.round_trip(sub))

    assert time.monotonic() - began < 5


def test_the_timeout_is_short_where_nobody_changes_it(settings: object) -> None:
    assert sum(settings.SOCIALACCOUNT_REQUESTS_TIMEOUT) <= 8  # type: ignore[attr-defined]


# Row 13: state


def without_state(answer: str, other: str) -> str:
    return answer.partition("&state=")[0]


def with_a_made_up_state(answer: str, other: str) -> str:
    return f"{without_state(answer, other)}&state=madeupmadeupmade"


def with_the_state_of_another_browser(answer: str, other: str) -> str:
    return f"{without_state(answer, other)}&state={other.partition('&state=')[2]}"


def with_another_browsers_code(answer: str, other: str) -> str:
    return f"{without_state(other, answer)}&state={answer.partition('&state=')[2]}"


def the_whole_answer_of_another_browser(answer: str, other: str) -> str:
    return other


def nothing_at_all(answer: str, other: str) -> str:
    return CALLBACK


def an_error_of_google(answer: str, other: str) -> str:
    return f"{CALLBACK}?error=server_error&state={answer.partition('&state=')[2]}"


@pytest.mark.parametrize(
    "spoil",
    [
        without_state,
        with_a_made_up_state,
        with_the_state_of_another_browser,
        with_another_browsers_code,
        the_whole_answer_of_another_browser,
        nothing_at_all,
        an_error_of_google,
    ],
)
def test_an_answer_that_is_not_ones_own_is_refused(browser: Trip, google: Control, sub: str, spoil: object) -> None:
    attacker = Trip(google)
    other = attacker.chosen(attacker.to_google(), google.google_person("evil@example.com")["sub"])
    own = browser.chosen(browser.to_google(), sub)
    refused(browser, browser.get(spoil(own, other)))  # type: ignore[operator]


def test_an_answer_counts_once(browser: Trip, google: Control, sub: str) -> None:
    answer = browser.chosen(browser.to_google(), sub)
    first = browser.get(answer)
    browser.post("/logout")
    again = browser.get(answer)

    assert (first["Location"], again.status_code, browser.who) == (DASHBOARD, 401, None)


def test_a_refused_answer_does_not_count_later(browser: Trip, google: Control, sub: str) -> None:
    google.fault("500", path=TOKEN)
    answer = browser.chosen(browser.to_google(), sub)
    refused(browser, browser.get(answer))
    refused(browser, browser.get(answer))


def test_an_old_answer_is_refused(browser: Trip, sub: str) -> None:
    answer = browser.chosen(browser.to_google(), sub)
    session = browser.session
    states = session["socialaccount_states"]
    session["socialaccount_states"] = {name: (state, at - 601, whose) for name, (state, at, whose) in states.items()}
    session.save()
    refused(browser, browser.get(answer))


@pytest.fixture
def several(committed: None, google: Control, nobody_guessed: None) -> list[Trip]:
    return [Trip(google) for _ in range(6)]


def test_one_new_person_in_several_windows_becomes_one(several: list[Trip], google: Control) -> None:
    sub = google.google_person("nora@example.com")["sub"]
    answers = [trip.chosen(trip.to_google(), sub) for trip in several]

    def comes_back(trip: Trip, answer: str) -> int:
        try:
            return int(trip.get(answer).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(several)) as pool:
        statuses = list(pool.map(comes_back, several, answers))

    with everywhere():
        assert (User.objects.count(), SocialAccount.objects.count()) == (1, 1)
    assert 302 in statuses
    assert set(statuses) <= {302, 401, 409}


# Row 14: next


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/", "http://evil.example", "//evil.example", "///evil.example", "////evil.example/x",
        "/\\evil.example", "\\\\evil.example", "https:evil.example", "https:/evil.example", "https:///evil.example",
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", " //evil.example", "\t//evil.example",
        "\n//evil.example", "http://testserver@evil.example", "http://testserver.evil.example", "//evil.example/%2f..",
        "https://evil.example\\@testserver", "ftp://testserver/", "//localhost.evil.example", "/%09/evil.example\n",
        "http://[::1]@evil.example", "//evil%E3%80%82example",
    ],
)  # fmt: skip
def test_google_leads_to_our_own_pages_alone(browser: Trip, alice: User, sub: str, address: str) -> None:
    linked(alice, sub)
    answer = browser.round_trip(sub, next=address)

    assert browser.who == str(alice.pk)
    assert answer["Location"].startswith("/")
    assert not answer["Location"].startswith(("//", "/\\"))


def test_one_lands_on_the_page_one_wanted(browser: Trip, alice: User, sub: str) -> None:
    linked(alice, sub)

    assert browser.round_trip(sub, next="/activity/?action=follow")["Location"] == "/activity/?action=follow"
