"""The second factor of members: here a code is judged, for pages and programs alike, and nowhere else.

allauth keeps the rows (`Authenticator`) and judges passkeys. Its own way with codes remembers a used one in the cache
for 30 seconds; here the database remembers, so that a code works once even after the cache was emptied.
"""

import base64
import contextlib
import hashlib
import hmac
import re
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import generate_totp_secret
from django.core import signing
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils.timezone import now
from django_otp.oath import hotp
from kombu.exceptions import OperationalError

from accounts import limits, notices, vault
from accounts.models import User
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

STEP = 30  # seconds a code is shown (RFC 6238)
TOLERANCE = 1  # steps either way, for clocks that are a little off
DIGITS = 6
SECRET_WAITS = 600  # seconds between showing a new secret and its first code
SIGN_IN_WAITS = 300  # seconds between the password and the code
PROOF_LASTS = 300  # seconds in which a factor, once proved, need not be proved again: allauth's for pages is the same
_SALT = "accounts.second_factor"
Type = Authenticator.Type


def step_of(key: bytes, code: str) -> int | None:
    """Which 30 seconds of the present, or of a clock that is a little off, this is the code of; None: of none."""
    code = _bare(code)
    if len(code) != DIGITS or not code.isascii() or not code.isdigit():
        return None
    present = int(time.time()) // STEP
    steps = range(present - TOLERANCE, present + TOLERANCE + 1)
    return next((step for step in steps if hmac.compare_digest(f"{hotp(key, step, DIGITS):0{DIGITS}}", code)), None)


# ── Setting up ──────────────────────────────────────────────────────────────────────────────────────────────────────


def app_of(user: User) -> Authenticator | None:
    """The authenticator app of a person."""
    return Authenticator.objects.filter(user=user, type=Type.TOTP).first()


def begin(user: User, door: str) -> str:
    """A new secret (base32) for an app; it waits, sealed, for its first code at the same door. Raises FACTOR_EXISTS.

    `door` is one session or token (`door_of`), so that nobody confirms the secret that somebody else was shown.
    """
    if app_of(user):
        raise BotException(codes.FACTOR_EXISTS)
    secret = generate_totp_secret()
    cache.set(_waiting(user, door), seal(secret, user), SECRET_WAITS)
    return secret


def waiting(user: User, door: str) -> str | None:
    """The secret that waits for its first code."""
    sealed = cache.get(_waiting(user, door))
    return unseal(sealed, user) if sealed else None


def turn_on(user: User, door: str, code: str) -> list[str]:
    """Turn on the app whose secret waits, if the code is its; the recovery codes. This code is used up by it.

    Raises TOO_MANY_TRIES, FACTOR_NOT_BEGUN, SECOND_FACTOR_WRONG or FACTOR_EXISTS.
    """
    left = limits.take(limits.SECOND_FACTOR, user.pk)
    secret = waiting(user, door)
    if secret is None:
        raise BotException(codes.FACTOR_NOT_BEGUN)
    step = step_of(base64.b32decode(secret), code)
    if step is None:
        raise BotException(codes.SECOND_FACTOR_WRONG, tries_left=left)
    try:
        with transaction.atomic():
            data = {"secret": seal(secret, user), "last_step": step}
            Authenticator.objects.create(user=user, type=Type.TOTP, data=data)
    except IntegrityError:
        raise BotException(codes.FACTOR_EXISTS) from None
    cache.delete(_waiting(user, door))
    limits.forgive(limits.SECOND_FACTOR, user.pk)
    prove(door)
    _tell(user, "totp_activated")
    with belonging_to(user):
        return RecoveryCodes.activate(user).get_unused_codes()


def turn_off(user: User, door: str) -> None:
    """Turn the app off, and its recovery codes with it unless a passkey needs them. Raises SECOND_FACTOR_MISSING."""
    found, _ = Authenticator.objects.filter(user=user, type=Type.TOTP).delete()
    if not found:
        raise BotException(codes.SECOND_FACTOR_MISSING)
    if not user.is_two_factor_enabled:
        Authenticator.objects.filter(user=user).delete()
    cache.delete(_proof(door))
    _tell(user, "totp_deactivated")


# ── Using ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def use_code(user: User, code: str) -> Authenticator:
    """Take a code of the person's app or a recovery code, each of which works once, for ever; what it belongs to.

    It is counted before it is looked at: while the door rests, a right code is refused too, and stays unused. Raises
    TOO_MANY_TRIES or SECOND_FACTOR_WRONG.
    """
    left = limits.take(limits.SECOND_FACTOR, user.pk)
    used = take_app_code(user, code) or take_recovery_code(user, code)
    if used is None:
        if left == 0:
            _say_locked(user)
        raise BotException(codes.SECOND_FACTOR_WRONG, tries_left=left)
    limits.forgive(limits.SECOND_FACTOR, user.pk)
    return used


def tell_of_lock(user_id: str) -> None:
    """Mail somebody that codes are not taken for now, after too many wrong ones."""
    user = User.objects.filter(pk=user_id).first()
    if user is not None:
        notices.notify(user, "second_factor_locked")


def take_app_code(user: User, code: str) -> Authenticator | None:
    """Take a code of the person's app if it is right and newer than the last one taken. Counts no try."""
    app = app_of(user)
    step = step_of(base64.b32decode(unseal(app.data["secret"], user)), code) if app else None
    if app is None or step is None:
        return None
    # Of requests with the same code the database lets one through: the others wait for its row, and find it moved on.
    unused = Authenticator.objects.filter(pk=app.pk, data__last_step__lt=step, data__secret=app.data["secret"])
    taken = unused.update(data=app.data | {"last_step": step}, last_used_at=now())
    return app if taken else None


def take_recovery_code(user: User, code: str) -> Authenticator | None:
    """Cross out a recovery code, and tell its owner. Counts no try."""
    with transaction.atomic(), belonging_to(user):
        kept = Authenticator.objects.select_for_update().filter(user=user, type=Type.RECOVERY_CODES).first()
        recovery = RecoveryCodes(kept) if kept else None
        if recovery is None or not recovery.validate_code(_bare(code)):
            return None
        left = len(recovery.get_unused_codes())
    recovery.instance.record_usage()
    _tell(user, "recovery_code_used", left=left)
    return recovery.instance


# ── Signing in, for programs ────────────────────────────────────────────────────────────────────────────────────────


def challenge(user: User) -> str:
    """What a program whose password was right shows together with the code, within five minutes."""
    return signing.dumps({"user": user.pk.hex, "seen": seen(user)}, salt=_SALT)


def answer(challenge: str, code: str) -> User:
    """The person behind a challenge, if the code is theirs. Success uses the challenge up; so does a new password.

    Raises SECOND_FACTOR_EXPIRED, TOO_MANY_TRIES or SECOND_FACTOR_WRONG.
    """
    used = f"challenge:{hashlib.sha256(challenge.encode()).hexdigest()}"
    try:
        asked = signing.loads(challenge, salt=_SALT, max_age=SIGN_IN_WAITS)
    except signing.BadSignature:
        raise BotException(codes.SECOND_FACTOR_EXPIRED) from None
    user = User.objects.filter(pk=asked["user"]).first()
    if user is None or asked["seen"] != seen(user) or cache.get(used):
        raise BotException(codes.SECOND_FACTOR_EXPIRED)
    use_code(user, code)
    if not cache.add(used, 1, SIGN_IN_WAITS):  # another code came with it at this moment
        raise BotException(codes.SECOND_FACTOR_EXPIRED)
    return user


def seen(user: User) -> str:
    """Which password and which generation of sessions a sign-in began with; it ends nowhere else."""
    return hashlib.sha256(user.get_session_auth_hash().encode()).hexdigest()


def door_of(request: Any) -> str:
    """By what a request came in: its token, or the session of its cookie."""
    token = getattr(request, "auth", None)
    return f"token {token.digest}" if token else f"session {request.session.session_key}"


def prove(door: str) -> None:
    """Remember for five minutes that whoever is at this door has just shown the second factor."""
    cache.set(_proof(door), 1, PROOF_LASTS)


def is_proved(door: str) -> bool:
    """Whether the second factor was shown at this door in the last five minutes."""
    return bool(cache.get(_proof(door)))


# ── Sealing ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_owner: ContextVar[User | None] = ContextVar("owner of the second factor", default=None)


@contextlib.contextmanager
def belonging_to(user: User) -> Iterator[None]:
    """Say whose secrets allauth seals and opens inside; elsewhere they are those of who asks for the page."""
    before = _owner.set(user)
    try:
        yield
    finally:
        _owner.reset(before)


def owner() -> User:
    """Whose secrets allauth has in hand now."""
    return _owner.get() or context.request.user


def seal(text: str, user: User) -> str:
    """A secret as it is kept: it opens for this person alone, so a copy in another person's row is worth nothing."""
    return base64.b64encode(vault.seal(text.encode(), **_place(user))).decode()


def unseal(sealed: str, user: User) -> str:
    """The secret that `seal` sealed. Raises VAULT_CANNOT_OPEN or VAULT_WRONG_KEY."""
    return vault.unseal(base64.b64decode(sealed), **_place(user)).decode()


def reseal(sealed: str, user: User) -> str:
    """The same secret under the newest key. Raises VAULT_CANNOT_OPEN or VAULT_WRONG_KEY."""
    return base64.b64encode(vault.rotate(base64.b64decode(sealed), **_place(user))).decode()


def _say_locked(user: User) -> None:
    """Once per lock. Beside the request, whose refusal undoes what it wrote."""
    from accounts.tasks import tell_of_wrong_codes

    with contextlib.suppress(OperationalError):
        tell_of_wrong_codes.apply_async((str(user.pk),), retry=False)


def _tell(user: User, event: str, **facts: Any) -> None:
    request = context.request
    if workspace := getattr(request, "workspace", None):
        log_activity(event, workspace=workspace, user=user, **facts)
    notices.notify(user, event, request, **facts)


def _place(user: User) -> dict[str, Any]:
    return {"table": "mfa_authenticator", "row": user.pk, "column": "data"}


def _bare(code: str) -> str:
    return re.sub(r"[\s-]", "", code)


def _waiting(user: User, door: str) -> str:
    return f"factor:waits:{user.pk}:{hashlib.sha256(door.encode()).hexdigest()}"


def _proof(door: str) -> str:
    return f"factor:proved:{hashlib.sha256(door.encode()).hexdigest()}"
