"""The one login service: page, API and staff doors all come here, so every path is equally strong."""

import contextlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts import limits, notices
from accounts.models import ApiToken, User
from errors import codes
from errors.exceptions import BotException

LONGEST_PASSWORD = 4096  # longer ones are refused before they cost a hash (RELIABILITY row 16)
_NOBODY = make_password(secrets.token_urlsafe(16))  # an unknown name costs the same time as a known one


def identify(login: str, password: str) -> User:
    """Find the member behind a login and password.

    Raises INVALID_CREDENTIALS (unknown and known names look alike), TOO_MANY_TRIES or USER_BLOCKED.
    """
    user = prove(login, password, staff=False)
    forgive(login)
    admit(user)
    return user


def prove(login: str, password: str, *, staff: bool) -> User:
    """Find the person behind a login and password on one side of the house; the guess stays counted.

    It is counted before we look, in one atomic step, so that parallel guesses cannot slip through. Staff have a second
    factor to prove before they are forgiven. Raises INVALID_CREDENTIALS or TOO_MANY_TRIES.
    """
    login = login.strip().lower()
    left = limits.take(limits.GUESS, login)
    user = User.objects.filter(Q(email=login) | Q(access_code=login.upper())).first() if login else None
    right = len(password) <= LONGEST_PASSWORD and _matches(user, password)
    if not right or user is None or user.is_staff != staff:
        if left == 0:
            _say_locked(user)
        raise BotException(codes.INVALID_CREDENTIALS, tries_left=left)
    return user


def tell_of_lock(user_id: str | None) -> None:
    """Mail somebody that their sign-in rests after too many guesses."""
    if user := user_id and User.objects.filter(pk=user_id).first():
        notices.notify(user, "guessing_locked", minutes=limits.GUESS.seconds // 60)


def admit(user: User) -> None:
    """Let in a person who proved who they are. Raises USER_BLOCKED or ADMIN_BOOTSTRAP_EXPIRED."""
    if not user.is_active:
        raise BotException(codes.USER_BLOCKED)
    if user.password_expires_at and user.password_expires_at < timezone.now():
        raise BotException(codes.ADMIN_BOOTSTRAP_EXPIRED)


def must_have_confirmed(user: User) -> None:
    """Raise EMAIL_UNCONFIRMED for a person with an e-mail none of whose addresses was confirmed."""
    if user.email and not EmailAddress.objects.filter(user=user, verified=True).exists():
        raise BotException(codes.EMAIL_UNCONFIRMED)


def reauthenticate(user: User, password: str) -> None:
    """Ask a member for the present password once more. Raises PASSWORD_WRONG or TOO_MANY_TRIES."""
    try:
        identify(user.email or user.access_code or "", password)
    except BotException as error:
        if error.code is codes.INVALID_CREDENTIALS:
            raise BotException(codes.PASSWORD_WRONG, "", **error.meta) from None
        raise


def check_strength(password: str, user: User) -> None:
    """Raise PASSWORD_WEAK for a password that is easy to guess, or longer than anybody types."""
    if len(password) > LONGEST_PASSWORD:
        raise BotException(codes.PASSWORD_WEAK, f"Use at most {LONGEST_PASSWORD:,} characters.")
    try:
        validate_password(password, user)
    except ValidationError as weak:
        raise BotException(codes.PASSWORD_WEAK, " ".join(weak.messages)) from None


def check_new(password: str, user: User) -> None:
    """Raise PASSWORD_WEAK for a password that is weak, or the one this person has."""
    check_strength(password, user)
    if user.check_password(password):
        raise BotException(codes.PASSWORD_WEAK, "The new password must be another one than the present.")


def change_password(
    user: User,
    password: str,
    *,
    keep: ApiToken | None = None,
    request: HttpRequest | None = None,
    event: str = "password_changed",
) -> None:
    """Give a person a new password of their own: a forced change is over, every token but `keep` dies, a mail tells.

    Other sessions die with the password's hash. Raises PASSWORD_WEAK.
    """
    check_new(password, user)
    if not user.has_usable_password():
        event = "password_set"
    user.set_password(password)
    user.must_change_password = False
    user.password_expires_at = None
    user.save()
    ApiToken.objects.filter(user=user).exclude(pk=keep and keep.pk).delete()
    notices.notify(user, event, request)


def make_token(user: User, realm: str, name: str = "Sign-in") -> str:
    """A new bearer token for 14 days; only its hash is kept."""
    token: str
    _, token = ApiToken.objects.create(user, expiry=timedelta(days=14), realm=realm, name=name)
    return token


def guesses_left(login: str) -> int:
    """How many guesses this login name has before it must rest."""
    return limits.left(limits.GUESS, login.strip().lower())


def forgive(login: str) -> None:
    """Forget the guesses of a name that has just proved itself."""
    limits.forgive(limits.GUESS, login.strip().lower())


def _say_locked(user: User | None) -> None:
    """Once per lock. Beside the request, whose refusal undoes what it wrote; for an unknown name it costs the same."""
    from accounts.tasks import tell_of_lock

    with contextlib.suppress(OperationalError):
        tell_of_lock.apply_async((user and str(user.pk),), retry=False)


def _matches(user: User | None, password: str) -> bool:
    if user is None:
        check_password(password, _NOBODY)
        return False
    return user.check_password(password)
