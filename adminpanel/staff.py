"""Staff: the first administrator, the one-time password, the authenticator whose codes work once."""

import base64
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import second_factor, sign_in, vault
from accounts.models import ApiToken, StaffDevice, User
from errors import codes
from errors.exceptions import BotException

FIRST_PASSWORD_LASTS = timedelta(hours=24)


@dataclass(frozen=True)
class Handed:
    """What is shown once to whoever gave out an administrator's access."""

    user: User
    password: str
    otpauth_uri: str


def hand_out(email: str, password: str = "", *, new: bool = False) -> Handed:
    """Make an administrator, or (unless `new`) give one who was locked out a new one-time password and authenticator.

    The password (a random one where none is given) must be changed within 24 hours, and every former token dies.
    Raises LOGIN_TAKEN for the e-mail of a member or, with `new`, of anybody, and PASSWORD_WEAK.
    """
    email = email.strip().lower()
    with transaction.atomic():
        known = User.objects.select_for_update().filter(email=email).first()
        if known and (new or not known.is_staff):
            raise BotException(codes.LOGIN_TAKEN)
        user = known or User(email=email, role=User.Role.ADMIN)
        if password:
            sign_in.check_strength(password, user)
        password = password or secrets.token_urlsafe(15)
        user.set_password(password)
        user.is_active, user.must_change_password = True, True
        user.password_expires_at = timezone.now() + FIRST_PASSWORD_LASTS
        try:
            with transaction.atomic():
                user.save()
        except IntegrityError:  # somebody made the same person at this moment
            raise BotException(codes.LOGIN_TAKEN) from None
        ApiToken.objects.filter(user=user).delete()
        return Handed(user, password, enrol(user))


def enrol(user: User) -> str:
    """Give a staff person a new authenticator, in place of a former one; its `otpauth://` address for the app."""
    secret = secrets.token_bytes(20)
    StaffDevice.objects.filter(user=user).delete()
    device = StaffDevice(user=user)
    device.sealed_secret = vault.seal(secret, **_place(device))
    device.save()
    issuer = settings.OTP_TOTP_ISSUER
    words = urlencode({"secret": base64.b32encode(secret).decode(), "issuer": issuer}, quote_via=quote)
    return f"otpauth://totp/{quote(f'{issuer}:{user.email}')}?{words}"


def identify(email: str, password: str, code: str) -> User:
    """Find the administrator behind e-mail, password and code. Whatever of them is wrong, the refusal looks the same.

    Raises INVALID_CREDENTIALS, TOO_MANY_TRIES, USER_BLOCKED or ADMIN_BOOTSTRAP_EXPIRED.
    """
    user = sign_in.prove(email, password, staff=True)
    if not use_code(user, code):
        raise BotException(codes.INVALID_CREDENTIALS, tries_left=sign_in.guesses_left(email))
    sign_in.forgive(email)
    sign_in.admit(user)
    return user


def use_code(user: User, code: str) -> bool:
    """Take a code of the person's authenticator if it is right and newer than the last one taken: each works once."""
    device = StaffDevice.objects.filter(user=user).first()
    step = device and second_factor.step_of(vault.unseal(device.sealed_secret, **_place(device)), code)
    if device is None or step is None:
        return False
    # Two requests with the same code: the database lets one of them through.
    return bool(StaffDevice.objects.filter(pk=device.pk, last_step__lt=step).update(last_step=step))


def _place(device: StaffDevice) -> dict[str, Any]:
    return {"table": "accounts_staffdevice", "row": device.pk, "column": "sealed_secret"}
