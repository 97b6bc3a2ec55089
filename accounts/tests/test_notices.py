"""Whoever changes how a person gets in, the person is told."""

import string

import pytest
from allauth.account.models import EmailAddress
from django.core.mail import EmailMessage
from django.test import RequestFactory

from accounts import notices
from accounts.models import User

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def facts_of(sentence: str) -> dict[str, str]:
    return {name: f"<{name}>" for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("event", notices.EVENTS)
def test_every_event_makes_a_mail_with_its_facts_the_time_of_the_person_and_the_device(
    event: str, alice: User, mailoutbox: list[EmailMessage]
) -> None:
    alice.timezone = "Asia/Tokyo"
    known = notices.EVENTS[event]
    facts = facts_of(known.sentence)

    notices.notify(alice, event, RequestFactory().get("/", headers={"User-Agent": FIREFOX}), **facts)

    [mail] = mailoutbox
    assert mail.to == ["alice@example.com"]
    assert mail.subject == known.subject
    assert known.sentence.format(**facts) in mail.body
    assert "(Asia/Tokyo)" in mail.body
    assert "Firefox on Linux, from 127.0.0.1" in mail.body
    assert ("Was it not you?" in mail.body) == known.alarming
    [(html, kind)] = mail.alternatives
    assert kind == "text/html"
    assert all(f"&lt;{name}&gt;" in html for name in facts)


def test_a_person_without_an_address_or_with_an_unconfirmed_one_is_not_written_to(
    alice: User, mailoutbox: list[EmailMessage]
) -> None:
    bearer = User.objects.make(password="a long enough password")
    EmailAddress.objects.filter(user=alice).update(verified=False)

    notices.notify(bearer, "password_changed")
    notices.notify(alice, "password_changed")

    assert mailoutbox == []


def test_without_a_request_nothing_is_said_about_a_device(alice: User, mailoutbox: list[EmailMessage]) -> None:
    notices.notify(alice, "password_changed")

    assert "Device" not in mailoutbox[0].body
