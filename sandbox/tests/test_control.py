"""The control interface, the page, and bad input."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import requests
from instagrapi import Client

from sandbox import people
from sandbox.control import is_loopback
from sandbox.instagram import ROUTES
from sandbox.testing import ROOT, Control, ControlError, Sandbox, start_sandbox


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "The field username is missing."),
        ({"username": "Has Space"}, "username must be"),
        ({"username": "a" * 31}, "username must be"),
        ({"username": 7}, "username must be"),
        ({"username": "bob", "pasword": "x"}, "Unknown field pasword"),
        ({"username": "bob", "followers": -1}, "followers must be"),
        ({"username": "bob", "followers": True}, "followers must be"),
        ({"username": "bob", "followers": "many"}, "followers must be"),
        ({"username": "bob", "private": "yes"}, "private must be"),
        ({"username": "bob", "totp_secret": "not base32!"}, "totp_secret must be"),
        ({"username": "bob", "backup_codes": ["1"]}, "backup_codes must be"),
        ({"username": "bob", "stories": 101}, "stories must be"),
        ({"username": "bob", "email_code": "1", "legacy": True}, "can have neither"),
    ],
)
def test_a_wrong_account_gets_a_sentence(control: Control, fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ControlError, match=sentence) as refused:
        control.call("POST", "accounts", fields)

    assert refused.value.status == 400
    assert "bob" not in {account["username"] for account in control.call("GET", "accounts")["accounts"]}


@pytest.mark.parametrize(
    ("order", "sentence"),
    [
        ({}, "The field fault is missing."),
        ({"fault": "earthquake"}, "fault must be one of"),
        ({"fault": []}, "fault must be one of"),
        ({"fault": "429", "path": "("}, "not a regular expression"),
        ({"fault": "429", "path": 3}, "path must be"),
        ({"fault": "429", "times": 0}, "times must be"),
        ({"fault": "429", "after": -1}, "after must be"),
        ({"fault": "429", "method": "PUT"}, "method must be"),
        ({"fault": "429", "account": "nobody"}, "account must be"),
        ({"fault": "429", "seconds": "long"}, "seconds must be"),
        ({"fault": "5xx", "status": 200}, "status must be"),
        ([{"fault": "429"}, 3], "must be a JSON object"),
    ],
)
def test_a_wrong_fault_gets_a_sentence_and_none_is_ordered(control: Control, order: object, sentence: str) -> None:
    with pytest.raises(ControlError, match=sentence):
        control.call("POST", "faults", order)

    assert control.faults() == []


@pytest.mark.parametrize(
    ("method", "name", "body", "sentence"),
    [
        ("POST", "hashtags", {"tag": "a b", "count": 1}, "not a hashtag"),
        ("POST", "hashtags", {"tag": "ok"}, "either count or people"),
        ("POST", "hashtags", {"tag": "ok", "people": ["nobody.here"]}, "nobody called"),
        ("POST", "hashtags", {"tag": "ok", "people": "demo.kayak"}, "must be a list"),
        ("POST", "hashtags", {"tag": "ok", "count": 100_001}, "count must be"),
        ("POST", "relations", {"follower": "demo.kayak", "target": "x", "state": "none"}, "nobody called"),
        ("POST", "relations", {"follower": "demo.kayak", "target": "demo.bakery", "state": "love"}, "state must be"),
        ("POST", "messages", {"sender": "demo.kayak", "to": "demo.bakery", "text": " "}, "must not be empty"),
        ("POST", "sessions/kill", {"username": "nobody"}, "no account"),
        ("DELETE", "faults?id=x", None, "number of a fault"),
        ("GET", "ledger?since=x", None, "since must be"),
        ("GET", "people?tag=a&start=x", None, "must be numbers"),
        ("GET", "accounts?username=nobody", None, "no account"),
    ],
)
def test_other_wrong_requests_get_a_sentence(
    control: Control, method: str, name: str, body: object, sentence: str
) -> None:
    with pytest.raises(ControlError, match=sentence) as refused:
        control.call(method, name, body)

    assert refused.value.status == 400


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b"null"])
def test_what_is_no_json_gets_a_sentence(sandbox: Sandbox, body: bytes) -> None:
    for name in ("accounts", "faults", "hashtags"):
        with pytest.raises(HTTPError) as refused:
            urlopen(Request(f"{sandbox.url}/_control/{name}", body), timeout=5)
        with refused.value:
            assert refused.value.code == 400
            assert json.load(refused.value)["error"].endswith(".")


def test_an_unknown_call_lists_the_known_ones(control: Control) -> None:
    with pytest.raises(ControlError, match="GET ledger") as refused:
        control.call("GET", "nothing")

    assert refused.value.status == 404


@pytest.mark.parametrize(("peer", "allowed"), [("127.0.0.1", True), ("::1", True), ("10.0.0.7", False), ("", False)])
def test_only_this_machine_may_control(peer: str, allowed: bool) -> None:
    assert is_loopback(peer) is allowed


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/accounts/login/", b"signed_body=WRONG.{}"),
        ("/api/v1/accounts/login/", b"signed_body=SIGNATURE.{"),
        ("/api/v1/accounts/login/", b"signed_body=SIGNATURE.[]"),
        ("/api/v1/accounts/login/", b"\xff\xff"),
        ("/api/v1/accounts/login/", b"username=demo.kayak&enc_password=plain"),
        ("/api/v1/accounts/login/", b"username=demo.kayak&enc_password=%23PWD_INSTAGRAM%3A4%3A1%3AAAAA"),
        ("/api/v1/accounts/two_factor_login/", b"two_factor_identifier=unknown&verification_code=1"),
        ("/api/v1/bloks/async_action/com.bloks.www.bloks.caa.login.async.send_login_request/", b"params=x"),
        ("/api/v1/bloks/async_action/com.bloks.www.bloks.caa.login.async.send_login_request/", b"params=[]"),
        ("/api/v1/bloks/async_action/com.bloks.www.bloks.caa.login.async.send_login_request/", b"params={}"),
        ("/api/v1/bloks/async_action/com.bloks.www.two_step_verification.verify_code.async/", b"params={}"),
    ],
)
def test_a_malformed_request_to_instagram_is_a_bad_request(sandbox: Sandbox, path: str, body: bytes) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(sandbox.url + path, body), timeout=5)

    with refused.value:
        assert refused.value.code == 400
        assert json.load(refused.value)["status"] == "fail"


def test_the_page_says_what_it_is_and_whom_to_connect(sandbox: Sandbox) -> None:
    with urlopen(sandbox.url + "/", timeout=5) as answer:
        page = answer.read().decode()

    assert "This is not Instagram." in page
    for words in ("demo.ceramics", "demo-password-1", "demo.bakery", "demo.kayak", "246810"):
        assert words in page
    assert sandbox.control.read_account("demo.bakery")["totp_code"] in page


def test_pictures_can_be_shown(sandbox: Sandbox) -> None:
    with urlopen(f"{sandbox.url}/avatars/7.svg", timeout=5) as answer:
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.read().startswith(b"<svg")


def test_a_host_that_nobody_stands_in_for_is_not_found(sandbox: Sandbox) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(f"{sandbox.url}/v1/charges", headers={"Host": "api.example.com"}), timeout=5)

    with refused.value:
        assert refused.value.code == 404


def test_a_reset_makes_the_world_as_new(control: Control) -> None:
    control.account("bob", followers=3)
    control.fault("429")
    control.relate("demo.kayak", "demo.bakery", "following")
    control.hashtag("tiny", count=1)

    control.reset()

    assert control.health() == {"status": "ok", "accounts": 3, "writes": 0, "faults": 0}
    assert control.relation("demo.kayak", "demo.bakery") == "none"
    assert len(control.people("tiny")) == 30


def test_every_name_leads_back_to_its_person() -> None:
    for slot in range(0, people.SLOTS, people.SLOTS // 5_000):
        name = people.username_of(people.FIRST_PK + slot)
        assert people.pk_of(name) == people.FIRST_PK + slot
        assert len(name) <= 30


def test_an_account_keeps_its_key_and_its_session_over_a_restart(
    control: Control, new_client: Callable[..., Client]
) -> None:
    pk = control.account("bob")["pk"]
    with start_sandbox() as before, start_sandbox() as after:
        for sandbox in (before, after):
            sandbox.control.account("bob", password="secret-password-1")
        client = new_client(url=before.url)
        client.login("bob", "secret-password-1")

        restored = new_client(client.get_settings(), url=after.url)

        assert restored.account_info().pk == str(pk)
        assert after.control.people("ceramics") == control.people("ceramics")


def test_the_process_ends_when_its_parent_is_killed() -> None:
    script = (
        "import sys, time; from sandbox.testing import start_sandbox; "
        "s = start_sandbox(); print(s.url, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout
        port = int(parent.stdout.readline().rsplit(":", 1)[1])
        parent.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and is_open(port):
        time.sleep(0.05)
    assert not is_open(port)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(
    "body", [b"", b"a=b", b"{}", b'{"reels": [1]}', b'{"reels": {"x": 1}}', b"signed_body=SIGNATURE.{}", b"user_ids=x"]
)
def test_no_body_breaks_an_endpoint(running: Sandbox, sandbox: Sandbox, body: bytes) -> None:
    headers = {"Authorization": sandbox.control.session("demo.kayak")}
    labels = {route.label for routes in ROUTES.table.values() for route in routes}

    for label in labels:
        method, path = label.split(" ", 1)
        for word in ("7", "7_7", "3000001000000000000001", "%00"):
            url = f"{sandbox.url}/api/v1/{path.replace('*', word)}/"
            sent = body if method == "POST" else None
            answer = requests.request(method, url, data=sent, headers=headers, timeout=5)
            assert answer.status_code in (200, 400, 403, 404), url
            assert answer.json()
        headers["Authorization"] = sandbox.control.session("demo.kayak")
    assert running.log
    assert running.log.read_text() == ""
