"""The one login service: page, API and staff doors all come here, so every path is equally strong."""

import hashlib
import secrets

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q
from datetime import timedelta
from django.utils import timezone
from django_redis import get_redis_connection

from accounts.models import ApiToken, User
from errors import codes
from errors.exceptions import BotException

GUESSES = 5  # wrong guesses per login name ...
WINDOW = 300  # ... in so many seconds (RELIABILITY row 1)
LONGEST_PASSWORD = 4096  # longer ones are refused before they cost a hash (RELIABILITY row 16)
_NOBODY = make_password(secrets.token_urlsafe(16))  # an unknown name costs the same time as a known one


def identify(login: str, password: str, *, staff: bool = False) -> User:
    """The person behind a login and password, on the members' side or on the staff's.

    Counts the guess before it looks, in one atomic step, so that parallel guesses cannot slip through.
    Raises INVALID_CREDENTIALS (unknown and known names look alike), TOO_MANY_TRIES, USER_BLOCKED or
    ADMIN_BOOTSTRAP_EXPIRED.
    """
    login = login.strip().lower()
    left = _take_guess(login)
    user = User.objects.filter(Q(email=login) | Q(access_code=login.upper())).first() if login else None
    right = len(password) <= LONGEST_PASSWORD and _matches(user, password)
    if not right or user is None or user.is_staff != staff:
        raise BotException(codes.INVALID_CREDENTIALS, tries_left=left)
    forgive(login)
    if not user.is_active:
        raise BotException(codes.USER_BLOCKED)
    if user.password_expires_at and user.password_expires_at < timezone.now():
        raise BotException(codes.ADMIN_BOOTSTRAP_EXPIRED)
    return user


def change_password(user: User, password: str) -> None:
    """Give a person a new password of their own: a forced change is over, and every token dies.

    Other sessions die with the password's hash. Raises PASSWORD_WEAK.
    """
    try:
        validate_password(password, user)
    except ValidationError as weak:
        raise BotException(codes.PASSWORD_WEAK, " ".join(weak.messages)) from None
    user.set_password(password)
    user.must_change_password = False
    user.password_expires_at = None
    user.save()
    ApiToken.objects.filter(user=user).delete()


def make_token(user: User, realm: str, name: str = "Sign-in") -> str:
    """A new bearer token for 14 days; only its hash is kept."""
    token: str
    _, token = ApiToken.objects.create(user, expiry=timedelta(days=14), realm=realm, name=name)
    return token


def guesses_left(login: str) -> int:
    """How many guesses this login name has before it must rest."""
    return max(0, GUESSES - int(get_redis_connection().get(_counter(login.strip().lower())) or 0))


def forgive(login: str) -> None:
    """Forget the guesses of a name that has just proved itself."""
    get_redis_connection().delete(_counter(login))


def _take_guess(login: str) -> int:
    """Count one guess; the guesses left after it. Raises TOO_MANY_TRIES."""
    key = _counter(login)
    pipe = get_redis_connection().pipeline(transaction=True)
    pipe.set(key, 0, ex=WINDOW, nx=True)
    pipe.incr(key)
    pipe.ttl(key)
    _, taken, wait = pipe.execute()
    if taken > GUESSES:
        raise BotException(codes.TOO_MANY_TRIES, retry_after=max(wait, 1))
    return GUESSES - taken


def _counter(login: str) -> str:
    return f"guesses:{hashlib.sha256(login.encode()).hexdigest()}"


def _matches(user: User | None, password: str) -> bool:
    if user is None:
        check_password(password, _NOBODY)
        return False
    return user.check_password(password)
