"""Staff: the first administrator, the one-time password, the authenticator whose codes work once."""

import base64
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from accounts import limits, second_factor, sign_in, vault
from accounts.models import ApiToken, StaffDevice, User
from adminpanel import roles
from errors import codes
from errors.exceptions import BotException

ENROLMENT = "staff_enrolment"  # the key in the session
FIRST_PASSWORD_LASTS = timedelta(hours=24)


@dataclass(frozen=True)
class Handed:
    """What is shown once to whoever gave out an administrator's access."""

    user: User
    password: str
    otpauth_uri: str


def hand_out(email: str, password: str = "", *, new: bool = False, role: str = roles.Role.OWNER) -> Handed:
    """Make an administrator, or (unless `new`) give one who was locked out a new one-time password and authenticator.

    The password (a random one where none is given) must be changed within 24 hours, and every former token and session
    dies. One who has a role keeps it. Raises LOGIN_TAKEN for the e-mail of a member or, with `new`, of anybody, and
    PASSWORD_WEAK.
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
        if not roles.of(user):
            roles.give(user, role)
        return Handed(user, password, enrol(user))


def invite(email: str, role: str) -> Handed:
    """Make an administrator who sets up their own authenticator at the first sign-in. Raises LOGIN_TAKEN."""
    handed = hand_out(email, new=True, role=role)
    StaffDevice.objects.filter(user=handed.user).delete()
    return Handed(handed.user, handed.password, "")


def renew(user: User) -> Handed:
    """Give somebody who was locked out a new one-time password; their authenticator is forgotten, as is every token."""
    handed = hand_out(user.email or "")
    StaffDevice.objects.filter(user=user).delete()
    return Handed(handed.user, handed.password, "")


def block(user: User) -> None:
    """Let a staff person in no more: sessions and tokens die. Raises LAST_STAFF_OWNER."""
    with transaction.atomic():
        roles.keep_an_owner(user)
        User.objects.filter(pk=user.pk).update(is_active=False)
        sign_out(user)


def unblock(user: User) -> None:
    """Let them in again."""
    User.objects.filter(pk=user.pk).update(is_active=True)


def sign_out(user: User) -> None:
    """End every session and token of a person."""
    User.objects.filter(pk=user.pk).update(session_generation=F("session_generation") + 1)
    ApiToken.objects.filter(user=user).delete()


def enrol(user: User, secret: bytes = b"", last_step: int = -1) -> str:
    """Give a staff person a new authenticator, in place of a former one; its `otpauth://` address for the app."""
    secret = secret or secrets.token_bytes(20)
    StaffDevice.objects.filter(user=user).delete()
    device = StaffDevice(user=user, last_step=last_step)
    device.sealed_secret = vault.seal(secret, **_place(device))
    device.save()
    return address_of(user, secret)


def address_of(user: User, secret: bytes) -> str:
    """What an authenticator app reads."""
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


def newcomer(email: str, password: str) -> User | None:
    """The person behind a one-time password who has no authenticator yet; None for everybody else.

    Raises INVALID_CREDENTIALS, TOO_MANY_TRIES, USER_BLOCKED or ADMIN_BOOTSTRAP_EXPIRED.
    """
    user = sign_in.prove(email, password, staff=True)
    if not user.must_change_password or StaffDevice.objects.filter(user=user).exists():
        return None
    sign_in.forgive(email)
    sign_in.admit(user)
    return user


def begin_enrolment(session: SessionBase, user: User) -> None:
    """Remember who proved a one-time password, with a fresh secret, sealed: nothing else opens to them."""
    session.cycle_key()
    sealed = vault.seal(secrets.token_bytes(20), **_waiting(user))
    session[ENROLMENT] = {"user": str(user.pk), "secret": base64.b64encode(sealed).decode(), "at": time.time()}


def enrolling(session: SessionBase) -> tuple[User, bytes] | None:
    """Who sets up an authenticator here, and its secret; None once ten minutes are over."""
    waiting = session.get(ENROLMENT)
    if not waiting or time.time() - waiting["at"] > second_factor.SECRET_WAITS:
        return None
    user = User.objects.filter(pk=waiting["user"], role=User.Role.ADMIN, is_active=True).first()
    if user is None or not user.must_change_password:
        return None
    return user, vault.unseal(base64.b64decode(waiting["secret"]), **_waiting(user))


def finish_enrolment(session: SessionBase, code: str, password: str) -> User:
    """Take the first code and a password of one's own.

    Raises SECOND_FACTOR_EXPIRED, SECOND_FACTOR_WRONG, TOO_MANY_TRIES or PASSWORD_WEAK.
    """
    found = enrolling(session)
    if found is None:
        raise BotException(codes.SECOND_FACTOR_EXPIRED)
    user, secret = found
    limits.take(limits.SECOND_FACTOR, user.pk)
    step = second_factor.step_of(secret, code)
    if step is None:
        raise BotException(codes.SECOND_FACTOR_WRONG)
    limits.forgive(limits.SECOND_FACTOR, user.pk)
    sign_in.change_password(user, password)
    enrol(user, secret, step)
    del session[ENROLMENT]
    return user


def use_code(user: User, code: str) -> bool:
    """Take a code of the person's authenticator if it is right and newer than the last one taken: each works once."""
    device = StaffDevice.objects.filter(user=user).first()
    step = device and second_factor.step_of(vault.unseal(device.sealed_secret, **_place(device)), code)
    if device is None or step is None:
        return False
    # Two requests with the same code: the database lets one of them through.
    return bool(StaffDevice.objects.filter(pk=device.pk, last_step__lt=step).update(last_step=step))


def prove(user: User, code: str) -> None:
    """Ask for a fresh code once more. Raises SECOND_FACTOR_WRONG or TOO_MANY_TRIES."""
    limits.take(limits.SECOND_FACTOR, user.pk)
    if not use_code(user, code):
        raise BotException(codes.SECOND_FACTOR_WRONG)
    limits.forgive(limits.SECOND_FACTOR, user.pk)


def _waiting(user: User) -> dict[str, Any]:
    return {"table": "django_session", "row": user.pk, "column": ENROLMENT}


def _place(device: StaffDevice) -> dict[str, Any]:
    return {"table": "accounts_staffdevice", "row": device.pk, "column": "sealed_secret"}
