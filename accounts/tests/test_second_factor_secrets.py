"""What is kept of a second factor: sealed, and bound to its person."""

import base64
import json
import re

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django_redis import get_redis_connection

from accounts import second_factor
from accounts.adapters import FactorAdapter
from accounts.models import User
from accounts.tests.factor import code_of, reauthenticate, recovery_codes_of, with_app
from errors.exceptions import BotException
from instagrowth.testing import everywhere


def dump() -> str:
    """Everything the database and Valkey hold, and what signed sessions say."""
    said = []
    with everywhere(), connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT t::text FROM {connection.ops.quote_name(table)} t")
            said += [row for (row,) in cursor.fetchall()]
    said += [json.dumps(session.get_decoded(), default=str) for session in Session.objects.all()]
    redis = get_redis_connection()
    said += [repr(redis.get(key)) for key in redis.scan_iter("*") if redis.type(key) == b"string"]
    said += [repr(value) for value in cache.get_many(list(cache.keys("*"))).values()]
    return "\n".join(said)


def test_no_dump_has_a_secret_before_or_after_it_is_confirmed(client: Client, alice: User) -> None:
    """Row 22."""
    client.force_login(alice)
    reauthenticate(client)
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    (secret,) = re.findall(r'id="authenticator_secret">([A-Z2-7]{32})<', page)
    before = dump()
    spares = re.findall(
        r"\b\d{8}\b",
        client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)}, follow=True).content.decode(),
    )
    with second_factor.belonging_to(alice):
        seed = second_factor.unseal(Authenticator.objects.get(type="recovery_codes").data["seed"], alice)
    after = dump()

    sought = [secret, base64.b32decode(secret).hex(), base64.b64encode(secret.encode()).decode(), seed, *spares]
    hits = sum(text in before + after for text in sought)
    assert len(spares) == 10
    assert str(alice.pk) in after
    assert hits == 0
    print(f"hits={hits}")


def test_a_secret_copied_to_another_person_is_worth_nothing(alice: User, charlie: User, nobody_guessed: None) -> None:
    secret = with_app(alice)
    with_app(charlie)
    Authenticator.objects.filter(user=charlie).update(data=Authenticator.objects.get(user=alice).data)

    with pytest.raises(BotException, match="opened"):
        second_factor.use_code(charlie, code_of(secret))
    assert second_factor.use_code(alice, code_of(secret))


def test_a_recovery_seed_copied_to_another_person_is_worth_nothing(alice: User, charlie: User) -> None:
    spare, *_ = recovery_codes_of(alice)
    recovery_codes_of(charlie)
    Authenticator.objects.filter(user=charlie).update(data=Authenticator.objects.get(user=alice).data)

    with pytest.raises(BotException):
        second_factor.take_recovery_code(charlie, spare)


def test_the_same_secret_is_sealed_differently_each_time(alice: User) -> None:
    assert second_factor.seal("JBSWY3DPEHPK3PXP", alice) != second_factor.seal("JBSWY3DPEHPK3PXP", alice)


def test_passkeys_are_for_the_site_of_the_settings(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SITE_URL", "https://grow.example.com")

    assert FactorAdapter().get_public_key_credential_rp_entity() == {
        "id": "grow.example.com",
        "name": "InstaGrowth OS",
    }


def test_a_device_is_not_shown_the_access_code(db: None) -> None:
    bearer = User.objects.make(password="a long enough phrase", name="Bea")

    shown = FactorAdapter().get_public_key_credential_user_entity(bearer)

    assert shown == {"id": bearer.pk.hex.encode(), "display_name": "Bea", "name": "Bea"}
