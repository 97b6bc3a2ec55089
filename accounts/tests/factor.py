"""A person's authenticator app, as the tests hold it."""

import base64
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.test import Client
from django_otp.oath import hotp

from accounts import second_factor
from accounts.models import User
from instagrowth.testing import PASSWORD


def with_app(user: User) -> str:
    """Give a person an app of which no code was used yet; its secret."""
    secret = generate_totp_secret()
    data = {"secret": second_factor.seal(secret, user), "last_step": 0}
    Authenticator.objects.create(user=user, type="totp", data=data)
    return secret


def recovery_codes_of(user: User) -> list[str]:
    """Give a person recovery codes."""
    with second_factor.belonging_to(user):
        return RecoveryCodes.activate(user).get_unused_codes()


def code_of(secret: str, *, later: int = 0) -> str:
    """What the app shows, now or some steps of 30 seconds later."""
    step = int(time.time()) // 30 + later
    return f"{hotp(base64.b32decode(secret), step, 6):06}"


def next_code(secret: str) -> str:
    """What the app shows next: taken already, for clocks that are a little off."""
    return code_of(secret, later=1)


def reauthenticate(client: Client) -> None:
    """Prove once more, by the password, who this is."""
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302
