"""Signing in with the real instagrapi."""

from collections.abc import Callable

import pytest
from instagrapi import Client
from instagrapi.exceptions import (
    AccountSuspended,
    BadPassword,
    ChallengeError,
    ChallengeRequired,
    LoginRequired,
    ProxyAddressIsBlocked,
    TwoFactorRequired,
    UnknownError,
)

from sandbox.testing import Control
from sandbox.tests.conftest import PASSWORD

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NewClient = Callable[..., Client]


def logins(control: Control, name: str) -> list[bool]:
    return [entry["applied"] for entry in control.ledger(name, kind="login").entries]


def test_the_password_signs_in(control: Control, new_client: NewClient) -> None:
    account = control.account("alice", password=PASSWORD)
    client = new_client()

    assert client.login("alice", PASSWORD)
    assert client.account_info().pk == str(account["pk"])
    assert logins(control, "alice") == [True]


def test_a_password_of_any_letters_survives_the_encryption(control: Control, new_client: NewClient) -> None:
    control.account("alice", password="pässwörd 日本 %&+\"'")

    assert new_client().login("alice", "pässwörd 日本 %&+\"'")


def test_a_wrong_password_is_refused_once(control: Control, new_client: NewClient) -> None:
    control.account("alice", password=PASSWORD)

    with pytest.raises(BadPassword):
        new_client().login("alice", "wrong")

    assert logins(control, "alice") == [False]


@pytest.mark.parametrize("name", ["nobody.here", "the_golden_ivan16"])
def test_an_unknown_user_cannot_sign_in(new_client: NewClient, name: str) -> None:
    with pytest.raises(ProxyAddressIsBlocked):
        new_client().login(name, PASSWORD)


def test_the_authenticator_asks_for_a_code_and_takes_only_the_right_one(
    control: Control, new_client: NewClient
) -> None:
    control.account("alice", password=PASSWORD, totp_secret=SECRET)
    client = new_client()

    with pytest.raises(TwoFactorRequired):
        client.login("alice", PASSWORD)
    code = control.read_account("alice")["totp_code"]
    wrong = f"{(int(code) + 500_000) % 1_000_000:06}"
    with pytest.raises(UnknownError):
        client.login("alice", PASSWORD, verification_code=wrong)

    assert client.login("alice", PASSWORD, verification_code=client.totp_generate_code(SECRET))
    assert client.account_info().username == "alice"


def test_the_second_step_goes_on_in_another_process(control: Control, new_client: NewClient) -> None:
    control.account("alice", password=PASSWORD, totp_secret=SECRET)
    first = new_client()
    with pytest.raises(TwoFactorRequired):
        first.login("alice", PASSWORD)

    second = new_client(first.get_settings())

    assert second.login("alice", PASSWORD, verification_code=second.totp_generate_code(SECRET))


def test_a_backup_code_works_once(control: Control, new_client: NewClient) -> None:
    code = control.account("alice", password=PASSWORD, totp_secret=SECRET)["backup_codes"][0]

    assert new_client().login("alice", PASSWORD, verification_code=f"{code[:4]} {code[4:]}")
    with pytest.raises(UnknownError):
        new_client().login("alice", PASSWORD, verification_code=code)


def test_the_code_by_mail_is_asked_for_and_checked(control: Control, new_client: NewClient) -> None:
    control.account("alice", password=PASSWORD, email_code="246810")
    client = new_client()

    with pytest.raises(ChallengeRequired):
        client.login("alice", PASSWORD)
    with pytest.raises(ChallengeError):
        client.login("alice", PASSWORD, verification_code="111111")

    assert client.login("alice", PASSWORD, verification_code="246810")
    assert client.account_info().username == "alice"


def test_an_older_account_is_sent_back_to_the_older_way(control: Control, new_client: NewClient) -> None:
    control.account("alice", password=PASSWORD, legacy=True)
    client = new_client()

    assert client.login("alice", PASSWORD)
    assert client.account_info().username == "alice"


def test_the_older_way_asks_for_a_code_too(control: Control, new_client: NewClient) -> None:
    control.account("alice", password=PASSWORD, legacy=True, totp_secret=SECRET)
    client = new_client()

    with pytest.raises(TwoFactorRequired):
        client.login("alice", PASSWORD)
    with pytest.raises(UnknownError):
        client.login("alice", PASSWORD, verification_code="12345")

    assert client.login("alice", PASSWORD, verification_code=client.totp_generate_code(SECRET))


def test_the_older_way_refuses_a_wrong_password(control: Control, new_client: NewClient) -> None:
    control.account("alice", password=PASSWORD, legacy=True)

    with pytest.raises(BadPassword):
        new_client().login("alice", "wrong")

    assert logins(control, "alice") == [False]


def test_a_banned_account_is_told_so_at_sign_in(control: Control, new_client: NewClient) -> None:
    control.account("alice", password=PASSWORD, banned=True)

    with pytest.raises(AccountSuspended):
        new_client().login("alice", PASSWORD)


def test_a_stored_session_is_enough(alice: Client, new_client: NewClient) -> None:
    assert new_client(alice.get_settings()).account_info().username == "alice"


def test_a_session_id_is_enough(alice: Client, new_client: NewClient) -> None:
    client = new_client()

    assert client.login_by_sessionid(alice.sessionid)
    assert client.account_info().username == "alice"


def test_signing_out_ends_this_session_only(alice: Client, new_client: NewClient) -> None:
    settings, other = alice.get_settings(), new_client()
    other.login("alice", PASSWORD)

    assert alice.logout()

    with pytest.raises(LoginRequired):
        new_client(settings).account_info()
    assert other.account_info().username == "alice"


def test_a_killed_session_is_refused(alice: Client, control: Control) -> None:
    control.kill_sessions("alice")

    with pytest.raises(LoginRequired):
        alice.account_info()


def test_a_new_password_ends_the_sessions(alice: Client, control: Control) -> None:
    control.account("alice", password="another-password")

    with pytest.raises(LoginRequired):
        alice.account_info()


@pytest.mark.parametrize("session", ["", "unknown", "5000000000%3A1%3Aforged", "x%3A1%3Aforged"])
def test_a_forged_session_is_refused(alice: Client, session: str) -> None:
    alice.authorization_data = {"ds_user_id": str(alice.user_id), "sessionid": session}

    with pytest.raises(LoginRequired):
        alice.account_info()


def test_nobody_can_use_the_session_of_another(alice: Client, control: Control) -> None:
    bob = control.account("bob", password=PASSWORD)
    alice.authorization_data = alice.authorization_data | {"ds_user_id": str(bob["pk"])}

    with pytest.raises(LoginRequired):
        alice.account_info()
