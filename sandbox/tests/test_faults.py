"""Faults on order, and what the real instagrapi makes of each."""

import time
from collections.abc import Callable

import pytest
import requests
from curl_cffi import CurlHttpVersion
from instagrapi import Client, exceptions
from instagrapi.transports import create_curl_h2_adapter

from sandbox.faults import GOOGLE, NAMES, OPENAI, STRIPE
from sandbox.testing import Control, Sandbox

PLAIN = {
    "challenge": exceptions.ChallengeRequired,
    "scraping": exceptions.ChallengeRequired,
    "bloks_challenge": exceptions.ChallengeRequired,
    "challenge_404": exceptions.ChallengeRequired,
    "suspended": exceptions.AccountSuspended,
    "ban": exceptions.AccountSuspended,
    "feedback": exceptions.FeedbackRequired,
    "429": exceptions.ClientThrottledError,
    "please_wait": exceptions.PleaseWaitFewMinutes,
    "rate_limit": exceptions.RateLimitError,
    "sentry_block": exceptions.SentryBlock,
    "login_required": exceptions.LoginRequired,
    "unauthorized": exceptions.ClientUnauthorizedError,
    "forbidden": exceptions.ClientForbiddenError,
    "not_found": exceptions.ClientNotFoundError,
    "checkpoint": exceptions.UnknownError,
    "consent": exceptions.UnknownError,
    "needs_upgrade": exceptions.ClientNeedsUpgradeError,
    "bad_password": exceptions.BadPassword,
    "private": exceptions.PrivateAccount,
    "invalid_target": exceptions.InvalidTargetUser,
    "media_gone": exceptions.MediaUnavailable,
    "fail": exceptions.ClientError,
    "5xx": exceptions.ClientError,
    "500": exceptions.ClientError,
    "502": exceptions.ClientError,
    "503": exceptions.ClientError,
    "504": exceptions.ClientError,
    "not_json": exceptions.ClientJSONDecodeError,
    "bad_json": exceptions.ClientJSONDecodeError,
    "reset": exceptions.ClientConnectionError,
}
AFTER_APPLY = {"reset_after_apply": exceptions.ClientConnectionError, "hang_after_apply": requests.Timeout}
# Tested by themselves below.
OTHERS = {"dm_refused", "408", "cut", "hang", "slow"}


def create(client: Client, pk: str) -> None:
    """The write alone, without instagrapi's own look before it."""
    client.private_request(f"friendships/create/{pk}/", client.with_action_data({"user_id": pk}))


@pytest.fixture
def target(control: Control) -> str:
    return str(control.people("ceramics")[0]["pk"])


def test_every_fault_has_a_test() -> None:
    assert {*PLAIN, *AFTER_APPLY, *OTHERS, *GOOGLE, *OPENAI, *STRIPE} == NAMES  # the rest: test_google, test_gateway


@pytest.mark.parametrize("fault", PLAIN)
def test_a_fault_raises_its_exception_once_and_applies_nothing(
    alice: Client, control: Control, target: str, fault: str
) -> None:
    control.fault(fault, account="alice", path="friendships/create")

    with pytest.raises(exceptions.ClientError) as raised:
        create(alice, target)

    assert type(raised.value) is PLAIN[fault]
    report = control.ledger("alice")
    assert report.targets("follow", applied=False) == [target]
    assert control.relation("alice", target) == "none"
    if fault != "ban":
        create(alice, target)
        assert control.relation("alice", target) == "following"


@pytest.mark.parametrize("fault", AFTER_APPLY)
def test_a_connection_lost_after_the_write_leaves_it_applied_once(
    alice: Client, control: Control, target: str, new_client: Callable[..., Client], fault: str
) -> None:
    control.fault(fault, account="alice", path="friendships/create")
    client = new_client(alice.get_settings(), read_timeout=0.5)

    with pytest.raises(AFTER_APPLY[fault]):
        create(client, target)

    assert control.relation("alice", target) == "following"
    assert control.ledger("alice").targets("follow") == [target]


def test_a_lost_answer_is_found_by_reading_the_relation(alice: Client, control: Control, target: str) -> None:
    control.fault("reset_after_apply", account="alice", path="friendships/create")
    with pytest.raises(exceptions.ClientConnectionError):
        alice.user_follow(target)

    assert not alice.user_follow(target)
    assert control.ledger("alice").targets("follow") == [target]


def test_todays_transport_sees_the_reset_too(alice: Client, sandbox: Sandbox, target: str) -> None:
    adapter = create_curl_h2_adapter()
    adapter.client.http_version = CurlHttpVersion.V1_1
    session = requests.Session()
    session.mount("http://", adapter)
    headers, url = ({"Authorization": alice.authorization}, f"{sandbox.url}/api/v1/friendships/create/{target}/")
    sandbox.control.fault("reset_after_apply", path="friendships/create")

    with pytest.raises(requests.ConnectionError):
        session.post(url, data={"user_id": target}, headers=headers)
    assert session.post(url, data={"user_id": target}, headers=headers).status_code == 200
    session.close()

    assert sandbox.control.ledger("alice").duplicates[0]["times"] == 2


def test_a_hanging_server_is_left_and_nothing_was_applied(
    alice: Client, control: Control, target: str, new_client: Callable[..., Client]
) -> None:
    control.fault("hang", account="alice", path="friendships/create")
    client = new_client(alice.get_settings(), read_timeout=0.5)

    with pytest.raises(requests.Timeout):
        create(client, target)

    assert control.relation("alice", target) == "none"
    assert control.health()["status"] == "ok"


def test_a_hang_of_some_seconds_ends_in_a_reset(alice: Client, control: Control, target: str) -> None:
    control.fault("hang", path="friendships/create", seconds=0.2)

    with pytest.raises(exceptions.ClientConnectionError):
        create(alice, target)


def test_a_slow_answer_comes_whole(alice: Client, control: Control, target: str) -> None:
    control.fault("slow", path="friendships/create", seconds=0.3)
    started = time.monotonic()

    create(alice, target)

    assert time.monotonic() - started > 0.3
    assert control.ledger("alice").targets("follow") == [target]


def test_an_answer_cut_short_is_sent_again_by_instagrapi(alice: Client, control: Control, target: str) -> None:
    control.fault("cut", path="friendships/create", apply=True)

    create(alice, target)

    assert control.ledger("alice").duplicates[0]["times"] == 2


def test_a_timeout_answer_has_the_status_that_instagrapi_retries(alice: Client, sandbox: Sandbox) -> None:
    sandbox.control.fault("408", path="accounts/current_user")

    assert requests.get(f"{sandbox.url}/api/v1/accounts/current_user/", timeout=5).status_code == 408


def test_a_refused_message_raises_its_exception(alice: Client, control: Control) -> None:
    control.fault("dm_refused", path="direct_v2/threads/broadcast")

    with pytest.raises(exceptions.DirectMessageRequestsDisabled):
        alice.direct_send("Hello", [control.account("bob")["pk"]])


def test_any_fault_can_answer_after_applying(alice: Client, control: Control, target: str) -> None:
    control.fault("500", path="friendships/create", apply=True)

    with pytest.raises(exceptions.ClientError):
        create(alice, target)

    assert control.relation("alice", target) == "following"
    assert control.ledger("alice").targets("follow") == [target]


def test_a_ban_is_for_good(alice: Client, control: Control) -> None:
    control.fault("ban", account="alice")
    for _ in range(3):
        with pytest.raises(exceptions.AccountSuspended):
            alice.account_info()

    control.account("alice", banned=False)

    assert alice.account_info().username == "alice"


def test_a_fault_is_for_its_account_and_path(
    alice: Client, control: Control, new_client: Callable[..., Client], target: str
) -> None:
    control.account("bob", password="secret-password-2")
    bob = new_client()
    bob.login("bob", "secret-password-2")
    control.fault("feedback", account="bob", path="friendships/create", times=None)

    create(alice, target)
    assert bob.account_info().username == "bob"
    for _ in range(2):
        with pytest.raises(exceptions.FeedbackRequired):
            create(bob, target)
    assert control.faults()[0]["hits"] == 2


def test_a_fault_can_wait_for_its_turn_and_last_several_times(alice: Client, control: Control) -> None:
    control.fault("429", account="alice", path="accounts/current_user", after=1, times=2)

    answers = []
    for _ in range(4):
        try:
            answers.append(alice.account_info().username)
        except exceptions.ClientThrottledError:
            answers.append("429")

    assert answers == ["alice", "429", "429", "alice"]


def test_a_path_may_be_a_regular_expression_and_a_method_may_be_asked(alice: Client, control: Control) -> None:
    control.fault("500", path=r"users/\d+/info", method="GET")
    alice.user_info_by_username_v1("demo.kayak")

    with pytest.raises(exceptions.ClientError):
        alice.user_info_v1(str(alice.user_id))


def test_a_fault_for_an_account_meets_it_at_sign_in(control: Control, new_client: Callable[..., Client]) -> None:
    control.account("bob", password="secret-password-2")
    control.fault("challenge", account="bob", path="bloks/async_action/.*send_login_request")

    with pytest.raises(exceptions.ChallengeRequired):
        new_client().login("bob", "secret-password-2")
    assert new_client().login("bob", "secret-password-2")


def test_a_challenge_can_be_solved_in_the_app(alice: Client, control: Control) -> None:
    number = control.fault("bloks_challenge", account="alice", times=None)["id"]
    with pytest.raises(exceptions.ChallengeRequired):
        alice.account_info()

    assert control.clear_faults(number) == 1

    assert alice.challenge_bloks_redirect_dismiss()
    assert alice.account_info().username == "alice"
