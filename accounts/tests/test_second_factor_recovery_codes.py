"""Recovery codes: shown, downloaded and made anew, to their owner alone and after proof."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import User
from accounts.tests.factor import code_of, recovery_codes_of, with_app

PAGES = "/accounts/2fa/recovery-codes/"


@pytest.fixture
def codes(client: Client, alice: User) -> list[str]:
    """Alice is signed in, and has shown a code."""
    secret = with_app(alice)
    client.force_login(alice)
    client.post("/accounts/2fa/reauthenticate/", {"code": code_of(secret)})
    return recovery_codes_of(alice)


def shown(page: str) -> list[str]:
    return re.findall(r"\b\d{8}\b", page)


def test_they_are_shown_and_downloaded(client: Client, codes: list[str]) -> None:
    page = client.get(PAGES).content.decode()
    file = client.get(f"{PAGES}download/")

    assert shown(page) == shown(file.content.decode()) == codes
    assert "attachment" in file["Content-Disposition"]
    assert "no-store" in file["Cache-Control"]


def test_new_ones_replace_the_old_and_a_mail_tells(
    client: Client,
    codes: list[str],
    mailoutbox: list[EmailMessage],
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    assert "The 10 codes you still have stop working." in client.get(f"{PAGES}generate/").content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        page = client.post(f"{PAGES}generate/", follow=True).content.decode()

    assert len(shown(page)) == 10
    assert not set(shown(page)) & set(codes)
    assert [mail.subject for mail in mailoutbox] == ["New recovery codes"]


def test_without_proof_nothing_is_shown(client: Client, alice: User) -> None:
    with_app(alice)
    recovery_codes_of(alice)
    client.force_login(alice)

    for page in (PAGES, f"{PAGES}download/", f"{PAGES}generate/"):
        assert client.get(page).headers["Location"].startswith("/accounts/2fa/reauthenticate/")


def test_the_page_of_the_second_factor_counts_them(client: Client, codes: list[str]) -> None:
    assert "10 of 10 left" in client.get("/accounts/2fa/").content.decode()


def test_who_has_none_finds_none(client: Client, charlie: User, codes: list[str]) -> None:
    other = Client()
    other.force_login(charlie)

    assert other.get(PAGES).status_code == 404
