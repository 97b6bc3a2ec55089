"""Guessing a password: five tries in five minutes for one login, whichever doors and addresses they come by."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts import limits, sign_in, tasks
from accounts.models import User
from accounts.tests import mailbox
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import PASSWORD, Program, member
from instagrowth.testing_processes import Processes, ending, servers_of_the_tests

DOORS = ("/api/auth/login", "/login", "/api/admin/login")


@pytest.fixture
def two_sites(
    committed: None, nobody_guessed: None, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[list[str]]:
    """Two web processes behind one proxy that says who asks."""
    environment = servers_of_the_tests() | {"TRUSTED_PROXY_COUNT": "1", "ALLOWED_HOSTS": "localhost,127.0.0.1"}
    with ending(Processes(tmp_path, environment)) as processes:
        yield [processes.web(), processes.web()]


def door_key(site: str) -> dict[str, str]:
    """The CSRF cookie of a site's pages."""
    return {
        "csrf": requests.get(f"{site}/login", headers={"X-Forwarded-For": "203.0.113.9"}, timeout=120).cookies["csrf"]
    }


def guess(site: str, door: str, login: str, address: str, cookies: dict[str, str]) -> str:
    """Try one wrong password: `processed`, `refused`, `busy`, or what else it was."""
    who = {"X-Forwarded-For": address}
    if door.startswith("/api/"):
        words = {"login": login, "email": login, "password": "wrong password 1", "otp": "000000"}
        answer = requests.post(site + door, json=words, headers=who, timeout=120)
    else:
        form = {"login": login, "password": "wrong password 1", "csrfmiddlewaretoken": cookies["csrf"]}
        answer = requests.post(site + door, data=form, cookies=cookies, headers=who, timeout=120)
    if answer.status_code == 503:
        return "busy"
    for sign, word in (("E-AUTH-W-0005", "refused"), ("E-AUTH-E-0001", "processed")):
        if sign in answer.text:
            return word
    return f"{door} {answer.status_code} {answer.text[:200]}"


def test_a_thousand_guesses_at_once_over_all_doors_and_addresses(two_sites: list[str]) -> None:
    """Against two real web processes; then 200 client addresses against one more account."""
    alice, bella = member("alice"), member("bella")
    connection.close()

    keys = [door_key(site) for site in two_sites]

    def storm(login: str, count: int) -> Counter[str]:
        def one(number: int) -> str:
            address = f"203.0.{number // 200}.{number % 200 + 1}"
            return guess(two_sites[number % 2], DOORS[number % 3], login, address, keys[number % 2])

        with ThreadPoolExecutor(24) as pool:
            return Counter(pool.map(one, range(count)))

    thousand, addresses = storm(alice.email, 1000), storm(bella.email, 200)

    print({"guesses": 1000, "doors": 3, "processes": 2, **thousand})
    print({"client_addresses": 200, **addresses})
    assert set(thousand) | set(addresses) <= {"processed", "refused", "busy"}
    assert thousand["refused"] > 500
    assert thousand["processed"] <= 5
    assert addresses["processed"] <= 5
    with pytest.raises(BotException):
        sign_in.identify(alice.email, PASSWORD)


@pytest.mark.django_db
def test_a_lock_is_told_once_by_mail_and_only_to_somebody_who_is_there(
    alice: User, visitor: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str | None] = []
    monkeypatch.setattr(tasks.tell_of_lock, "apply_async", lambda args, **_: told.append(args[0]))
    for login in (alice.email, "who@example.com"):
        for _ in range(9):
            visitor.post("/api/auth/login", {"login": login, "password": "wrong"})
    for key in told:
        tasks.tell_of_lock(key)

    assert told == [str(alice.pk), None]
    assert mailbox.subjects(alice.email) == ["Too many wrong passwords"]
    assert len(mailbox.mail.outbox) == 1


@pytest.mark.django_db
def test_the_page_says_how_long_to_wait(alice: User) -> None:
    for _ in range(6):
        page = Client().post("/login", {"login": alice.email, "password": "wrong"}).content.decode()

    assert "There were too many tries. Wait" in page
    assert "E-AUTH-W-0005" in page


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 second"), (59, "59 seconds"), (299, "5 minutes"), (3600, "60 minutes"), (7201, "3 hours")],
)
def test_a_wait_is_said_in_words(seconds: int, words: str, nobody_guessed: None) -> None:
    door = limits.Door("test", 0, seconds)

    with pytest.raises(BotException) as refused:
        limits.take(door, "somebody")

    assert refused.value.code is codes.TOO_MANY_TRIES
    assert words in refused.value.message
    assert refused.value.meta["retry_after"] <= seconds


@pytest.mark.django_db
def test_sign_ups_from_one_address_are_counted(nobody_guessed: None) -> None:
    for number in range(21):
        page = Client().post("/signup", {"email": f"n{number}@example.com", "password1": PASSWORD}, follow=True)

    assert "E-AUTH-W-0005" in page.content.decode()
    assert User.objects.count() == 20
