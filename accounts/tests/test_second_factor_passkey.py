"""Passkeys: added, used after the password or instead of it, renamed, removed."""

import json
import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.mail import EmailMessage
from django.test import Client

from accounts.models import User
from accounts.tests.factor import Device, reauthenticate
from instagrowth.testing import PASSWORD

ALL, ADD, LOGIN = "/accounts/2fa/webauthn/", "/accounts/2fa/webauthn/add/", "/accounts/2fa/webauthn/login/"


def options_on(page: bytes, name: str) -> dict[str, Any]:
    (found,) = re.findall(r'<script id="js_data" type="application/json">(.*?)</script>', page.decode())
    return json.loads(found)[name]


def added(client: Client, *, alone: bool = True) -> Device:
    """Add a passkey on the page."""
    device = Device()
    credential = device.register(options_on(client.get(ADD).content, "creation_options"), alone=alone)
    answer = client.post(ADD, {"name": "My phone", "passwordless": "on", "credential": credential})
    assert answer.status_code == 302, answer.content.decode()
    return device


def asks(client: Client) -> dict[str, Any]:
    return client.get(LOGIN, headers={"Accept": "application/json"}).json()["request_options"]


def signs_in(device: Device, user: User) -> Client:
    client = Client()
    client.post(LOGIN, {"credential": device.sign(asks(client), user)})
    return client


def is_in(client: Client) -> bool:
    return client.get("/settings/").status_code == 200


@pytest.fixture
def device(client: Client, alice: User) -> Device:
    """Alice is signed in and has a passkey."""
    client.force_login(alice)
    reauthenticate(client)
    return added(client)


def test_adding_one_turns_the_second_factor_on(
    client: Client, alice: User, device: Device, mailoutbox: list[EmailMessage]
) -> None:
    assert alice.is_two_factor_enabled
    assert "My phone" in client.get(ALL).content.decode()
    assert "A passkey was added" in [mail.subject for mail in mailoutbox]
    assert Authenticator.objects.filter(user=alice, type="recovery_codes").exists()


def test_adding_one_asks_for_the_password_first(client: Client, alice: User) -> None:
    client.force_login(alice)

    assert client.get(ADD).headers["Location"].startswith("/accounts/reauthenticate/")


def test_it_signs_in_alone(alice: User, device: Device) -> None:
    assert is_in(signs_in(device, alice))


def test_it_is_asked_for_after_the_password(alice: User, device: Device) -> None:
    client = Client()
    page = client.post("/login", {"login": alice.email, "password": PASSWORD}, follow=True)
    assert not is_in(client)

    client.post("/accounts/2fa/authenticate/", {"credential": device.sign(options_on(page.content, "request_options"))})

    assert is_in(client)


def test_an_answer_works_once(alice: User, device: Device) -> None:
    first, second = Client(), Client()
    answer = device.sign(asks(first), alice)
    asks(second)
    first.post(LOGIN, {"credential": answer})
    second.post(LOGIN, {"credential": answer})

    assert (is_in(first), is_in(second)) == (True, False)


def test_another_device_does_not_sign_in(alice: User, device: Device) -> None:
    stranger = Device()
    stranger.credential_id = device.credential_id

    assert not is_in(signs_in(stranger, alice))


def test_a_passkey_opens_its_own_person_alone(alice: User, charlie: User, device: Device) -> None:
    assert not is_in(signs_in(device, charlie))


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": User.Role.ADMIN}])
def test_the_blocked_and_staff_stay_out(alice: User, device: Device, change: dict[str, Any]) -> None:
    """Row 5: a passkey is no way round."""
    User.objects.filter(pk=alice.pk).update(**change)

    assert not is_in(signs_in(device, alice))


def test_a_forced_change_of_the_password_still_is(alice: User, device: Device) -> None:
    User.objects.filter(pk=alice.pk).update(must_change_password=True)

    assert signs_in(device, alice).get("/settings/").headers["Location"] == "/profile/change-password"


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "x",
        "null",
        "[]",
        "{}",
        "1",
        '"a"',
        '{"id": "a"}',
        '{"response": {}}',
        '{"response": {"userHandle": "AAAA"}}',
    ],
)
def test_nonsense_is_refused(credential: str, alice: User) -> None:
    client = Client()
    asks(client)

    answer = client.post(LOGIN, {"credential": credential})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/accounts/login/")
    assert not is_in(client)


@pytest.mark.parametrize("handle", [None, "", "!!!", "AAAA", "_____w", "00000000000000000000000000000000"])
def test_an_answer_for_nobody_is_refused(alice: User, device: Device, handle: object) -> None:
    client = Client()
    said = json.loads(device.sign(asks(client), alice))
    said["response"]["userHandle"] = handle

    answer = client.post(LOGIN, {"credential": json.dumps(said)}, follow=True)

    assert not is_in(client)
    assert "E-AUTH-E-0039" in answer.content.decode()


@pytest.mark.parametrize("credential", ["{}", "null", '{"id": "a", "response": {}}', "[1]"])
def test_nonsense_is_not_added(client: Client, alice: User, credential: str) -> None:
    client.force_login(alice)
    reauthenticate(client)
    client.get(ADD)

    answer = client.post(ADD, {"name": "x", "credential": credential})

    assert answer.status_code == 200
    assert not alice.is_two_factor_enabled


def again_with(client: Client, device: Device) -> None:
    """Prove once more who this is, with the passkey."""
    page = client.get("/accounts/2fa/webauthn/reauthenticate/").content
    answer = device.sign(options_on(page, "request_options"))
    client.post("/accounts/2fa/webauthn/reauthenticate/", {"credential": answer})


def test_a_hijacked_session_does_not_remove_it(alice: User, device: Device) -> None:
    passkey = Authenticator.objects.get(user=alice, type="webauthn")
    stolen = Client()
    stolen.force_login(alice)
    stolen.post("/accounts/reauthenticate/", {"password": PASSWORD})

    answer = stolen.post(f"{ALL}keys/{passkey.pk}/remove/")

    assert answer.headers["Location"].startswith("/accounts/2fa/")
    assert alice.is_two_factor_enabled


def test_it_removes_itself_and_a_mail_tells(alice: User, device: Device, mailoutbox: list[EmailMessage]) -> None:
    passkey = Authenticator.objects.get(user=alice, type="webauthn")
    client = Client()
    client.force_login(alice)
    again_with(client, device)

    client.post(f"{ALL}keys/{passkey.pk}/remove/")

    assert not Authenticator.objects.filter(user=alice).exists()
    assert "A passkey was removed" in [mail.subject for mail in mailoutbox]


def test_it_is_renamed(client: Client, alice: User, device: Device) -> None:
    passkey = Authenticator.objects.get(user=alice, type="webauthn")

    client.post(f"{ALL}keys/{passkey.pk}/edit/", {"name": "<b>Old & blue</b>"})

    assert "&lt;b&gt;Old &amp; blue&lt;/b&gt;" in client.get(ALL).content.decode()


def test_a_strangers_passkey_is_not_there(client: Client, charlie: User, alice: User, device: Device) -> None:
    passkey = Authenticator.objects.get(user=alice, type="webauthn")
    other = Client()
    other.force_login(charlie)
    reauthenticate(other)

    assert other.get(f"{ALL}keys/{passkey.pk}/edit/").status_code == 404
    assert other.post(f"{ALL}keys/{passkey.pk}/remove/").status_code == 404


def test_a_passkey_asks_programs_for_a_code_too(alice: User, device: Device) -> None:
    answer = Client().post(
        "/api/auth/login", {"login": alice.email, "password": PASSWORD}, content_type="application/json"
    )

    assert answer.json()["requires_2fa"] is True
