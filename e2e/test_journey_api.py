"""The whole way through the API: an administrator lets a person in, who connects Instagram and lets a bot follow."""

import json
import uuid

from adminpanel.tests.codes_of import code
from bots.models import Action
from e2e.conftest import Stack
from e2e.program import Program
from errors.codes import REGISTRY
from errors.models import ErrorCode
from instagrowth.testing import everywhere
from instagrowth.testing_processes import eventually

PASSWORD = "correct horse battery 9"
NOT_LOGGED_IN = (409, "SESSION_INVALID", "E-SESS-E-0001")


def administrator(stack: Stack) -> Program:
    """Made on the server, signed in with a password of their own and an authenticator."""
    handed = json.loads(stack.command("createadmin", "--email", "root@example.com", "--json"))
    first = {"email": "root@example.com", "password": handed["password"]}
    nobody = Program(stack.site)
    changed = nobody.post(
        "/api/admin/initialize-password", **first, otp=code(handed["otpauth_uri"]), new_password=PASSWORD
    )
    assert (changed.status, changed["success"]) == (200, True)
    admitted = nobody.post(
        "/api/admin/login", email="root@example.com", password=PASSWORD, otp=code(handed["otpauth_uri"], 1)
    )
    assert (admitted.status, admitted["must_change_password"]) == (200, False)
    return Program(stack.site, admitted["token"])


def test_from_an_empty_installation_to_a_bot_that_follows(stack: Stack) -> None:
    # An administrator lets in a person who has no e-mail.
    created = administrator(stack).post("/api/admin/users/create", password=PASSWORD, role="user", plan="growth")
    assert (created.status, created["user"]["email"]) == (201, None)

    signed_in = Program(stack.site).post("/api/auth/login", login=created["access_code"], password=PASSWORD)
    assert (signed_in.status, signed_in["must_change_password"]) == (200, False)
    anna, her = Program(stack.site, signed_in["token"]), signed_in["user"]["id"]

    # Nothing works before Instagram knows her.
    assert anna.post(f"/api/users/{her}/test-session")["session_valid"] is False
    assert anna.post(f"/api/bots/{uuid.uuid4()}/start").refusal == NOT_LOGGED_IN
    asked = {"account": "anna.clay", "hashtag": "ceramics", "amount": 5}
    assert anna.post("/api/bot/actions/follow-hashtag", **asked).refusal == NOT_LOGGED_IN

    # She connects Instagram, whose account has a second factor.
    stack.instagram.account("anna.clay", password="clay-and-glaze-9", totp_secret="JBSWY3DPEHPK3PXP")
    login = {"username": "anna.clay", "accept_risk": True}
    wrong = anna.post("/api/bot/login", **login, password="not-her-password")
    assert wrong.refusal == (400, "IG_BAD_PASSWORD", "E-IG-E-0001")
    asks = anna.post("/api/bot/login", **login, password="clay-and-glaze-9")
    assert (asks.status, asks["success"], asks["requires_verification"], asks["method"]) == (200, False, True, "totp")
    right = stack.instagram.read_account("anna.clay")["totp_code"]
    mistyped = anna.post("/api/bot/login", **login, verification_code=f"{(int(right) + 1) % 10**6:06}")
    assert mistyped.refusal == (400, "IG_CODE_WRONG", "E-IG-E-0004")
    connected = anna.post("/api/bot/login", **login, verification_code=right)
    assert (connected.status, connected["success"], connected["message"]) == (200, True, "Login successful")
    assert anna.post(f"/api/users/{her}/test-session")["session_valid"] is True

    # She starts the bot and gives it a task.
    bot = f"/api/bots/{connected['bot']['id']}/"
    assert anna.patch(bot, cycle_delay=1)["cycle_delay"] == 1
    started = anna.post(f"{bot}start")
    assert (started.status, started["success"], started["status"]) == (200, True, "running")
    taken = anna.post("/api/bot/actions/follow-hashtag", **asked)
    assert (taken.status, taken["task"]["status"], taken["task"]["confirmed"]) == (202, "queued", 0)
    task = f"/api/tasks/{taken['task']['id']}/"
    eventually(lambda: anna.get(task)["status"] == "done", why=stack.said)
    assert {name: anna.get(task)[name] for name in ("confirmed", "unknown", "last_code")} == {
        "confirmed": 5,
        "unknown": 0,
        "last_code": "",
    }

    # She stops the bot and logs out at Instagram.
    assert anna.post(f"{bot}stop")["status"] == "stopped"
    assert anna.post("/api/bot/logout", account="anna.clay")["session_valid"] is False
    assert anna.post(f"/api/users/{her}/test-session")["session_valid"] is False
    assert anna.post(f"{bot}start").refusal == NOT_LOGGED_IN

    # Instagram saw exactly what the journal says, each once, and the story of the task names the same people.
    ledger = stack.instagram.ledger("anna.clay")
    with everywhere():
        journal = {str(action.target_pk): action.target_username for action in Action.objects.filter(state="confirmed")}
        assert Action.objects.count() == len(journal) == 5
    assert (sorted(ledger.targets("follow")), ledger.duplicates) == (sorted(journal), [])
    story = anna.log(correlation_id=taken["task"]["story"], action="follow")
    assert sorted(row["metadata"]["target"] for row in story) == sorted(journal.values())

    # Her log tells all of it, with its codes, and each code has its row.
    told = [(row["action"], row["status"], row["error_code"]) for row in anna.log()]
    assert told == [
        ("user_created", "ok", ""),
        ("login", "ok", ""),
        ("POST api_bot_start", "error", "E-SESS-E-0001"),
        ("POST api_follow_hashtag", "error", "E-SESS-E-0001"),
        ("connect", "warning", "E-IG-E-0001"),
        ("connect", "info", "E-IG-I-0003"),
        ("connect", "warning", "E-IG-E-0004"),
        ("connect", "ok", ""),
        ("test_session", "ok", ""),
        ("bot_settings", "ok", ""),
        ("bot_start", "ok", ""),
        ("task", "ok", ""),
        *[("follow", "ok", "")] * 5,
        ("task", "ok", ""),
        ("bot_stop", "ok", ""),
        ("disconnect", "ok", ""),
        ("POST api_bot_start", "error", "E-SESS-E-0001"),
    ]
    assert set(ErrorCode.objects.values_list("code", flat=True)) >= set(REGISTRY)
