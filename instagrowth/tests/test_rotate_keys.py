"""A new vault key takes over: every stored secret is sealed anew, and then the old key may go."""

import base64
import json

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.db.models import BinaryField

from accounts import mails, second_factor, vault
from accounts.models import Mail
from adminpanel import staff
from bots import api_pairs, sessions, ways
from bots.models import ApiPair, InstagramAccount, Session, VaultCanary
from errors import codes
from errors.exceptions import BotException
from instagrowth import rotation
from instagrowth.testing import everywhere, warm_account

pytestmark = pytest.mark.django_db
NEW = (7, b"n" * 32)


@pytest.fixture
def old(settings):
    return settings.VAULT_KEYS[0]


@pytest.fixture
def secrets(alice, alices_workspace, admin, old, settings):
    """A secret of each kind under the old key."""
    settings.EMAIL_BACKEND = "accounts.mails.Outbox"
    accounts = [warm_account(alices_workspace, f"clay.{number}") for number in range(3)]
    proxy = vault.seal(b"socks5://proxy", table="account", row=accounts[0].pk, column="proxy")
    with everywhere():
        InstagramAccount.objects.filter(pk=accounts[0].pk).update(sealed_proxy=proxy)
        api_pairs.add("4711", "app-secret", by=admin)
    staff.enrol(admin)
    EmailMessage("Hello", "the words", "us@example.com", ["bob@example.com"]).send()
    for kind, name in ((Authenticator.Type.TOTP, "secret"), (Authenticator.Type.RECOVERY_CODES, "seed")):
        Authenticator.objects.create(user=alice, type=kind, data={name: second_factor.seal("JBSWY3DP", alice)})
    return accounts


def rotate(settings, ring):
    settings.VAULT_KEYS = ring
    return list(rotation.rotate())


def test_everything_opens_with_the_new_key_alone(secrets, alice, admin, settings, old):
    told = {column.what: column.done for column in rotate(settings, [NEW, old])}

    assert told["bots.Session.sealed"] == 3
    assert [what for what, done in told.items() if not done] == [
        "bots.ConnectAttempt.sealed",
        "bots.OfficialAccess.sealed_token",
        "accounts.NoticeChoice.sealed_hook",
        "content.Hook.sealed_secret",
    ]
    settings.VAULT_KEYS = [NEW]
    with everywhere():
        for account in InstagramAccount.objects.select_related("session"):
            login = sessions.settings_of(account.session)
            assert login["authorization_data"]["ds_user_id"] == str(account.instagram_pk)
            assert account.session.fingerprint == sessions.fingerprint_of(login)
        assert ways.proxy_of(InstagramAccount.objects.get(username="clay.0")) == "socks5://proxy"
        assert api_pairs.secret_of(ApiPair.objects.get()) == "app-secret"
        assert mails.words(Mail.objects.get())["body"] == "the words"
    assert staff.use_code(admin, "000000") is False  # its secret was opened to see that
    for factor in Authenticator.objects.all():
        assert second_factor.unseal(next(iter(factor.data.values())), alice) == "JBSWY3DP"
    vault.check_canary(VaultCanary.objects.get().sealed)


def test_without_a_rotation_the_old_key_is_missed(secrets, settings):
    """The control: the test above would find what was left out."""
    settings.VAULT_KEYS = [NEW]

    with everywhere(), pytest.raises(BotException) as caught:
        sessions.settings_of(Session.objects.first())
    assert caught.value.code is codes.VAULT_WRONG_KEY


def test_what_was_broken_off_goes_on(secrets, settings, old, monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 1)
    settings.VAULT_KEYS = [NEW, old]
    seal, sealed = vault.seal, []

    def dies_at_the_second(*words, **place):
        sealed.append(place)
        if len(sealed) == 2:
            raise KeyboardInterrupt
        return seal(*words, **place)

    with monkeypatch.context() as killed:
        killed.setattr(vault, "seal", dies_at_the_second)
        with pytest.raises(KeyboardInterrupt):
            list(rotation.rotate())
    with everywhere():  # both keys are needed now, and both open
        assert sorted(blob[2] for blob in Session.objects.values_list("sealed", flat=True)) == [old[0], old[0], NEW[0]]
        assert all(sessions.settings_of(session) for session in Session.objects.all())

    assert next(rotation.rotate()) == rotation.Rotated("bots.Session.sealed", done=2)
    list(rotation.rotate())
    assert {column.done for column in rotation.rotate()} == {0}


def test_a_changed_secret_is_counted_and_stops_nothing(secrets, settings, old):
    with everywhere():
        broken = Session.objects.first()
        Session.objects.filter(pk=broken.pk).update(sealed=bytes(broken.sealed)[:-1] + b"?")
    settings.VAULT_KEYS = [NEW, old]

    with pytest.raises(CommandError, match="1 secrets cannot be opened"):
        call_command("rotate_keys")
    settings.VAULT_KEYS = [NEW]
    with everywhere():
        assert sum(blob[2] == NEW[0] for blob in Session.objects.values_list("sealed", flat=True)) == 2


def test_a_missing_key_stops_it_with_a_sentence(secrets, settings):
    settings.VAULT_KEYS = [NEW]

    with pytest.raises(CommandError, match=r"VAULT_KEYS has no key number 1"):
        call_command("rotate_keys")


def test_the_command_says_that_older_keys_may_go(secrets, settings, old, capsys):
    settings.VAULT_KEYS = [NEW, old]

    call_command("rotate_keys")

    said = capsys.readouterr().out
    assert "bots.Session.sealed: 3 sealed anew" in said
    assert "Everything is sealed with key number 7: VAULT_KEYS needs no other." in said
    assert base64.b64encode(NEW[1]).decode() not in said
    assert json.dumps("app-secret") not in said


def test_no_sealed_column_is_forgotten():
    fields = [field for model in apps.get_models() for field in model._meta.local_fields]
    sealed = {str(field) for field in fields if isinstance(field, BinaryField) and field.name.startswith("sealed")}

    assert sealed - {"bots.VaultCanary.sealed"} == {str(place) for place in rotation.SEALED}, "see rotation.SEALED"
