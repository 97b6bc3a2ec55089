"""Secrets go through the whole product, and are found again nowhere but sealed or hashed."""

import base64
import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.conf import settings as now
from django.db import IntegrityError, connection
from django.test import Client
from django.urls import reverse

from accounts import mails, notifications, tenancy, tokens, vault
from accounts.models import Mail, User, Workspace
from accounts.tests.factor import code_of
from adminpanel.tests import canaries, session_files
from adminpanel.tests.canaries import Secrets
from adminpanel.tests.control_room import inside
from bots import connecting, sessions
from bots.models import InstagramAccount
from content import runs
from content.models import Run
from content.tools import TOOLS
from errors import tasks as error_tasks
from errors.models import ActivityLog
from errors.recording import record
from instagrowth.testing import Program, everywhere, workspace_of
from sandbox.testing import Control

NINA = "nina@example.com"
SHOWN = ("pages",)  # where its person may see it


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """All that this process logs, as talkative as it can be."""
    root = logging.getLogger()
    ours = next(handler for handler in root.handlers if type(handler) is logging.StreamHandler)
    copy, level = logging.StreamHandler(io.StringIO()), root.level
    copy.setFormatter(ours.formatter)
    root.addHandler(copy)
    root.setLevel("DEBUG")
    yield copy.stream
    root.setLevel(level)
    root.removeHandler(copy)


@pytest.fixture
def keys(sandbox: Any, settings: LazySettings) -> Secrets:
    """The secrets of the house itself, all doors leading to the sandbox; mails wait in the outbox, alerts leave."""
    secrets = Secrets()
    settings.STRIPE_API_URL, settings.INSTAGRAM_PRIVATE_URL = sandbox.url, sandbox.url
    settings.OPENAI_BASE_URL = f"{sandbox.url}/v1"
    settings.STRIPE_SECRET_KEY = secrets.add("stripe key", "sk_test_canary5trip3")
    settings.STRIPE_WEBHOOK_SECRET = secrets.add("stripe webhook", "whsec_canaryWebh00k")
    settings.OPENAI_API_KEY = secrets.add("ai key", "sk-canary-0penA1-key-of-ours")
    settings.META_APP_SECRET = secrets.add("meta secret", "meta-canary-5ecret")
    settings.ALERT_WEBHOOK_URL = secrets.add("alert address", "https://hooks.example.com/alert-canary-hook")
    settings.ALERT_EMAILS = ["ops@example.com"]
    settings.EMAIL_BACKEND = "accounts.mails.Outbox"
    secrets.add("key of the site", settings.SECRET_KEY)
    for number, key in settings.VAULT_KEYS:
        secrets.add_bytes(f"vault key {number}", key)
    return secrets


def test_no_secret_is_found_again(
    committed: None,
    api: Any,
    admin: User,
    keys: Secrets,
    instagram: Control,
    said: io.StringIO,
    capfd: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Row 110."""
    browser = Client(raise_request_exception=False)
    nina = _signs_up(browser, keys)
    _turns_on_a_second_factor(browser, keys)
    _connects(browser, nina, keys, instagram)
    _gives_access_to_others(browser, nina, keys)
    _asks_the_ai_and_pays(browser, nina, keys)
    staff = api(admin)
    _staff_at_work(staff, admin, keys)
    control_room = inside(admin)
    _fails_unforeseen(browser, nina, keys, monkeypatch)

    kept = canaries.everything_kept()
    members_pages = canaries.pages_of(browser, "/dashboard/", "/activity/", "/settings/", "/help/errors/")
    staffs_pages = canaries.pages_of(control_room, "/admin/")
    kept["pages"] = b"\n".join([*members_pages.values(), *staffs_pages.values()])
    kept["logs"] = (said.getvalue() + "".join(capfd.readouterr())).encode()

    found = keys.hits(kept)
    print(f"canaries={len(keys.known)} places={len(kept)} pages={len(members_pages) + len(staffs_pages)}")
    assert all(len(text) > 200 for place, text in kept.items() if place != "files")
    assert found == []
    print(f"hits={len(found)}")


def test_the_search_finds_what_was_planted(committed: None, alice: User, keys: Secrets) -> None:
    """The control: in each place, in each form."""
    secret = keys.add("planted", "a-planted-5ecret")
    raw = secret.encode()
    with everywhere():
        User.objects.filter(pk=alice.pk).update(name=secret)
        workspace = Workspace.objects.get()
        Workspace.objects.filter(pk=workspace.pk).update(name=raw.hex())
        Mail.objects.create(to=base64.b64encode(b"x" + raw).decode(), subject="", sealed=None)
    error_tasks.send_alert.delay({"text": f"in the body of a message: {secret}"})

    found = keys.hits(canaries.everything_kept())

    assert {("database", "planted", form) for form in ("raw", "hex", "base64")} <= set(found)
    assert ("valkey", "planted", "raw") in found
    assert {name for _, name, _ in found} == {"planted"}


def _signs_up(browser: Client, keys: Secrets) -> User:
    """She makes an account, confirms it, mistypes her password in both doors, resets and changes it."""
    first, second = keys.add("password", "canary batteries 41"), keys.add("reset password", "canary horses 42 again")
    last, wrong = keys.add("new password", "canary staples 43 more"), keys.add("wrong password", "canary wrong 44 oops")
    browser.post("/signup", {"email": NINA, "password1": first})
    browser.post(_mailed(keys, "link of sign-up", r"/accounts/confirm-email/\S+"))
    browser.post("/logout")
    browser.post("/login", {"login": NINA, "password": wrong})
    browser.post("/accounts/password/reset/", {"email": NINA})
    path = browser.get(_mailed(keys, "link of reset", r"/accounts/password/reset/key/\S+"), follow=True)
    browser.post(path.redirect_chain[-1][0], {"password1": second, "password2": second}, follow=True)
    program = Program()
    assert program.post("/api/auth/login", {"login": NINA, "password": wrong}).status_code == 401
    token = program.post("/api/auth/login", {"login": NINA, "password": second}).json()["token"]
    nina = User.objects.get(email=NINA)
    program = Program(headers={"Authorization": f"Bearer {keys.add('token of a login', token)}"})
    asked = {"old_password": second, "new_password": last}
    assert program.put(f"/api/users/{nina.pk}/change-password", asked).status_code == 200
    assert browser.post("/login", {"login": NINA, "password": last}).status_code == 302
    return nina


def _mailed(keys: Secrets, name: str, pattern: str) -> str:
    """The path in the newest mail; what opens it is a secret, but in the mail."""
    with everywhere():
        body = mails.words(Mail.objects.latest("created_at"))["body"]
    found = re.search(pattern, body)
    assert found, body
    keys.add(name, found[0].strip("/").split("/")[-1], but=("mails",))
    return found[0]


def _turns_on_a_second_factor(browser: Client, keys: Secrets) -> None:
    last = {"password": keys.word("new password")}
    browser.post("/accounts/reauthenticate/", last)
    page = browser.get("/accounts/2fa/totp/activate/").content.decode()
    (secret,) = re.findall(r'id="authenticator_secret">([A-Z2-7]{32})<', page)
    keys.add("second factor", secret)
    keys.add_bytes("second factor, its bytes", base64.b32decode(secret))
    shown = browser.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)}, follow=True).content.decode()
    spares = re.findall(r"\b\d{8}\b", shown)
    assert len(spares) == 10
    for number, spare in enumerate(spares):
        keys.add(f"recovery code {number}", spare, but=SHOWN)


def _connects(browser: Client, nina: User, keys: Secrets, instagram: Control) -> None:
    """A wrong password, the right one, and one that waits for a code; then what Instagram gave."""
    right, wrong = (
        keys.add("instagram password", "ig-canary-51-pass"),
        keys.add("wrong at instagram", "ig-canary-52-typo"),
    )
    instagram.account("nina.clay", password=right)
    instagram.account("nina.kiln", password=right, totp_secret="JBSWY3DPEHPK3PXP")
    browser.post("/instagram/connect/", {"accept_risk": "on"})
    for name, word in (("nina.clay", wrong), ("nina.clay", right), ("nina.kiln", right)):
        browser.post("/instagram/connect/login/", {"username": name, "password": word})
    with everywhere():
        account = InstagramAccount.objects.select_related("session").get(username="nina.clay")
        given = sessions.settings_of(account.session)
        proxy = f"http://nina:{keys.add('proxy password', 'canary-pr0xy-53')}@proxy.example.com:8080"
        sealed = vault.seal(proxy.encode(), table="account", row=account.pk, column="proxy")
        InstagramAccount.objects.filter(username="nina.kiln").update(sealed_proxy=sealed)
    sessions.forget(account.pk)
    keys.add("instagram session", given["authorization_data"]["sessionid"])
    for name, number in given["uuids"].items():
        keys.add(f"instagram device, {name}", number)


def _gives_access_to_others(browser: Client, nina: User, keys: Secrets) -> None:
    """A token, a webhook, an invitation, the words of a welcome."""
    asked = {"password": keys.word("new password"), "name": "Mine", "scopes": ["look"], "days": tokens.DAYS[0]}
    made = browser.post("/api/tokens/", json.dumps(asked), content_type="application/json").json()
    keys.add("token", made["token"])
    address = "https://hooks.example.com/" + keys.add("address of a webhook", "canary-h00k-61", but=SHOWN)
    browser.post(
        "/settings/notifications/save/", {"digest": "off", "hooked": ["tasks"], "shown": ["tasks"], "hook": address}
    )
    workspace = workspace_of(nina)
    with tenancy.scope(workspace):
        keys.add(
            "secret of a webhook", notifications.hook_of(notifications.choice_of(workspace, nina))["secret"], but=SHOWN
        )
        notifications.notify(workspace, "tasks", "A task is done")
    for path in ("/calendar/feed/{}.ics", "/analytics/shared/{}.pdf"):  # the address is the secret
        Client().get(path.format(keys.add(path, f"canary-in-an-address-{len(path)}")))
    browser.post("/settings/team/invite/", {"email": "omar@example.com", "role": "viewer"})
    words = keys.add("words of a welcome", "canary words for a guest", but=("database", "pages"))
    browser.post("/texts/", {"name": "Hello", "text": words})


def _asks_the_ai_and_pays(browser: Client, nina: User, keys: Secrets) -> None:
    """Each once as it should be; the AI's key is refused the second time."""
    for number in range(2):
        brief = {
            "feature": "captions",
            "about": "Kiln opening",
            "tone": "plain",
            "length": "short",
            "key": f"k{number}",
        }
        browser.post(reverse("studio:ask"), brief)
        with everywhere():
            run = Run.objects.filter(workspace=workspace_of(nina)).latest("created_at")
        runs.perform(run.workspace_id, run.pk, TOOLS)
    once = re.search(r'name="once" value="([^"]+)"', browser.get("/billing/?plan=growth").content.decode())
    form = {"plan": "growth", "interval": "month", "once": once[1] if once else ""}
    assert browser.post("/billing/stripe/checkout/", form)["Location"].startswith(now.STRIPE_API_URL)
    Client().post(
        "/webhooks/stripe/", b"{}", content_type="application/json", headers={"Stripe-Signature": "t=1,v1=ab"}
    )


def _staff_at_work(staff: Program, admin: User, keys: Secrets) -> None:
    """Session files, a pair, a member with an access code, a staff person's own authenticator."""
    dump = session_files.settings("pool.one")
    session_files.upload(staff, session_files.file(dump), session_files.file(b'{"cookies": ["x"]}'))
    keys.add("uploaded session", session_files.token_of(dump))
    pair = {"app_id": "1234567890", "app_secret": keys.add("secret of a pair", "canary-pair-71")}
    assert staff.post("/api/admin/api-pairs/add", pair).status_code == 201
    code = keys.add(
        "access code", "CANARYACCESS72", but=("database", "pages")
    )  # a name to sign in with, as an e-mail is
    person = {"access_code": code, "password": keys.add("first password", "canary given 73 words"), "role": "user"}
    assert staff.post("/api/admin/users/create", person | {"plan": "starter"}).status_code == 201
    Program().post("/api/auth/login", {"login": code, "password": keys.word("wrong password")})


def _fails_unforeseen(browser: Client, nina: User, keys: Secrets, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault with a secret in the frame, one that the database answers with the whole row, one in a task."""
    held = keys.add("secret in a frame", "canary-frame-81")

    def explode(*_: object, **given: object) -> None:
        password, session = held, {"authorization_data": {"sessionid": held}}
        raise RuntimeError(f"it failed with {len(password) + len(session)} things")

    monkeypatch.setattr(connecting, "connect", explode)
    answer = browser.post("/instagram/connect/login/", {"username": "nina.clay", "password": held})
    assert answer.status_code == 500, answer.content[:500]
    assert held not in answer.content.decode()
    row = keys.add("secret in a row", "canary-row-82-password")
    try:
        with tenancy.platform("a row that the database refuses"), connection.cursor() as cursor:
            cursor.execute("INSERT INTO users (id, password) VALUES (NULL, %s)", [row])
    except IntegrityError as refused:
        record(refused, action="canary", user=nina)
    for name in ("stripe key", "ai key", "alert address"):
        record(RuntimeError(f"the other side said: {keys.word(name)} is not known"), action="canary", user=nina)
    with everywhere():
        assert ActivityLog.objects.filter(action="canary").count() >= 4
