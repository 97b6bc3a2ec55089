"""Tokens are renewed on day 50, the owners hear on day 53, and what Meta takes away is said once."""

import base64
import hashlib
import hmac
import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import User
from bots import official
from bots.models import InstagramAccount, OfficialAccess
from bots.official import official_door, token_of
from errors import codes
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth.testing import META_APP, connect_officially, everywhere
from sandbox.testing import Control


def access_of(account: InstagramAccount) -> OfficialAccess:
    with everywhere():
        return OfficialAccess.objects.select_related("account").get(account=account)


def told(action: str) -> int:
    with everywhere():
        return ActivityLog.objects.filter(action=action).count()


def mails() -> int:
    return sum("connected again" in message.subject for message in mail.outbox)


@pytest.fixture
def aged(alices_official: InstagramAccount, meta: Control) -> Any:
    """The token of @alice.clay, so many days old."""

    def age(days: float) -> OfficialAccess:
        given = meta.graph("token", username="alice.clay", age_days=days)
        access, issued = access_of(alices_official), timezone.now() - timedelta(days=days)
        official.seal_token(access, given["token"])
        access.issued_at, access.expires_at = issued, issued + timedelta(days=60)
        access.refresh_at = access.expires_at - official.RENEW_BEFORE
        with everywhere():
            access.save()
        return access

    return age


@pytest.mark.parametrize(("days", "due"), [(49.9, False), (50.1, True), (59, True)])
def test_a_token_is_due_on_day_50(aged: Any, days: float, due: bool) -> None:
    access = aged(days)

    assert ((access.workspace_id, access.pk) in official.due_for_care()) is due


def test_a_renewed_token_lasts_another_60_days(aged: Any) -> None:
    access = aged(50)
    former = token_of(access)

    official.care_for(access.workspace_id, access.pk)

    new = access_of(access.account)
    assert (new.expires_at - timezone.now()).days == 59
    assert token_of(new) != former
    with everywhere():
        assert official_door(new.account).me()["username"] == "alice.clay"
    assert official.due_for_care() == []


@pytest.mark.parametrize(("days", "warned"), [(51, 0), (53.1, 1), (58, 1)])
def test_the_owners_hear_on_day_53_once(alice: User, aged: Any, meta: Control, days: float, warned: int) -> None:
    access = aged(days)
    meta.fault("503", path="refresh_access_token", times=3)

    for _ in range(3):
        official.care_for(access.workspace_id, access.pk)

    assert (told("official_aging"), mails()) == (warned, warned)
    assert access_of(access.account).is_active
    assert access_of(access.account).refresh_at > timezone.now()


def test_a_token_that_has_ended_needs_a_reconnect(aged: Any, meta: Control) -> None:
    access = aged(61)

    official.care_for(access.workspace_id, access.pk)

    assert access_of(access.account).status == "reconnect"
    with everywhere(), pytest.raises(BotException) as refused:
        official_door(access.account)
    assert refused.value.code is codes.IG_OFFICIAL_RECONNECT


def test_a_token_younger_than_a_day_is_tried_again_later(aged: Any) -> None:
    access = aged(0.5)

    official.care_for(access.workspace_id, access.pk)

    assert access_of(access.account).is_active


def test_whoever_meets_a_revoked_token_says_so_once(alices_official: InstagramAccount, meta: Control) -> None:
    meta.graph("revoke", username="alice.clay")
    with everywhere():
        door = official_door(alices_official)

    for _ in range(3):
        with pytest.raises(BotException) as refused:
            door.me()
        assert refused.value.code is codes.IG_OFFICIAL_RECONNECT

    assert access_of(alices_official).status == "reconnect"
    assert (told("official_lost"), mails()) == (1, 1)


def test_what_an_old_token_meets_closes_no_fresh_connection(
    alices_official: InstagramAccount, aged: Any, meta: Control
) -> None:
    with everywhere():
        door = official_door(alices_official)  # as a look of some minutes holds it
    late = meta.graph("revoke", username="alice.clay")["signed_request"]
    with everywhere():
        old = access_of(alices_official)
    fresh = aged(-0.01)  # connected again a quarter of an hour later

    with pytest.raises(BotException) as refused:
        door.me()
    answer = Client().post("/webhooks/instagram/removed/", {"signed_request": late}).json()

    assert (refused.value.code, answer["accounts"]) == (codes.IG_OFFICIAL_RECONNECT, 0)
    assert old.issued_at < fresh.issued_at == access_of(alices_official).issued_at
    assert (access_of(alices_official).status, told("official_lost"), mails()) == ("active", 0, 0)


@pytest.mark.usefixtures("committed")
def test_of_many_workers_at_once_one_tells(alices_official: InstagramAccount, meta: Control) -> None:
    meta.graph("revoke", username="alice.clay")
    with everywhere():
        doors = [official_door(alices_official) for _ in range(6)]

    def meet(door: Any) -> None:
        try:
            door.me()
        except BotException:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=meet, args=(door,)) for door in doors]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert mails() == 1


# Meta's own callbacks


def signed(document: dict[str, Any], secret: str = META_APP["secret"]) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"algorithm": "HMAC-SHA256"} | document).encode()).rstrip(b"=")
    mark = base64.urlsafe_b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).rstrip(b"=")
    return f"{mark.decode()}.{body.decode()}"


def test_removing_us_at_meta_needs_a_reconnect_said_once(alices_official: InstagramAccount, meta: Control) -> None:
    sent = meta.graph("revoke", username="alice.clay")["signed_request"]

    answers = [Client().post("/webhooks/instagram/removed/", {"signed_request": sent}).json() for _ in range(5)]

    assert [answer["accounts"] for answer in answers] == [1, 0, 0, 0, 0]
    assert (access_of(alices_official).status, mails()) == ("reconnect", 1)


def test_a_deletion_takes_everything_and_has_a_page(
    alices_official: InstagramAccount, charlie: User, meta: Control
) -> None:
    sent = meta.graph("revoke", username="alice.clay")["signed_request"]

    answer = Client().post("/webhooks/instagram/delete/", {"signed_request": sent}).json()
    page = Client().get(answer["url"].partition("8000")[2]).content.decode()

    with everywhere():
        assert not OfficialAccess.objects.exists()
    assert answer["confirmation_code"] in page
    assert "alice" not in page
    assert Client().get("/help/deletion/0000000000000000/").status_code == 404


@pytest.mark.parametrize("address", ["/webhooks/instagram/removed/", "/webhooks/instagram/delete/"])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda access: signed({"user_id": access.ig_id}, "a" * 32),
        lambda access: signed({"user_id": access.ig_id, "algorithm": "none"}),
        lambda access: signed({"user_id": access.ig_id}).replace(".", ".A"),
        lambda _: "",
        lambda _: "x.y",
    ],
)
def test_a_wrong_signature_changes_nothing(alices_official: InstagramAccount, address: str, spoil: Any) -> None:
    answer = Client().post(address, {"signed_request": spoil(access_of(alices_official))})

    assert (answer.status_code, answer.json()["error"]) == (400, "SIGNATURE_WRONG")
    assert access_of(alices_official).is_active


def test_another_apps_word_touches_only_its_own(alices_official: InstagramAccount, settings: Any) -> None:
    settings.META_APP_ID, settings.META_APP_SECRET = "another-app", "b" * 32
    sent = signed({"user_id": access_of(alices_official).ig_id}, "b" * 32)

    assert Client().post("/webhooks/instagram/removed/", {"signed_request": sent}).json()["accounts"] == 0
    assert access_of(alices_official).is_active


def test_the_handshake_repeats_the_challenge_for_our_word_alone(nobody_guessed: None, meta: Control) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}

    right = Client().get("/webhooks/instagram/", asked | {"hub.verify_token": META_APP["verify"]})
    wrong = Client().get("/webhooks/instagram/", asked | {"hub.verify_token": "guess"})

    assert (right.status_code, right.content) == (200, b"1158201444")
    assert wrong.status_code == 400


def test_a_deletion_of_one_leaves_the_others(alices_official: InstagramAccount, charlie: User, meta: Control) -> None:
    from instagrowth.testing import warm_account, workspace_of

    connect_officially(warm_account(workspace_of(charlie), "charlie.clay"), meta)
    sent = meta.graph("revoke", username="alice.clay")["signed_request"]

    Client().post("/webhooks/instagram/delete/", {"signed_request": sent})

    with everywhere():
        assert [one.account.username for one in OfficialAccess.objects.select_related("account")] == ["charlie.clay"]
