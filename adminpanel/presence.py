"""The session of a staff person: its own cookie, 15 minutes of silence, 8 hours in all, a fresh code for danger."""

from datetime import timedelta
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY, login
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from accounts.models import User
from adminpanel import allowlist

IDLE = timedelta(minutes=15)
WHOLE = timedelta(hours=8)
PROOF_LASTS = timedelta(minutes=5)
NOTED = timedelta(seconds=30)  # being seen is written down this often: not each click is worth a row
MARK = "staff"  # nobody but `begin` writes it: a member's session never has it


def in_control_room(path: str) -> bool:
    """Whether an address belongs to staff's pages."""
    return path.startswith("/admin/")


def begin(request: HttpRequest, user: User) -> None:
    """Sign in a person who has just proved password and code; the session gets a new key."""
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    now = timezone.now().timestamp()
    request.session[MARK] = {"since": now, "seen": now, "proved": now}
    request.session.set_expiry(IDLE)


def is_alive(session: SessionBase) -> bool:
    """Whether this is a staff session within both its limits."""
    mark, now = session.get(MARK), timezone.now().timestamp()
    return (
        isinstance(mark, dict)
        and now - mark["seen"] < IDLE.total_seconds()
        and now - mark["since"] < WHOLE.total_seconds()
    )


def note(session: SessionBase) -> None:
    """Write down that the person was seen, at most twice a minute."""
    now = timezone.now().timestamp()
    if now - session[MARK]["seen"] > NOTED.total_seconds():
        session[MARK] = {**session[MARK], "seen": now}


def prove(session: SessionBase) -> None:
    """Remember that a code was given just now."""
    session[MARK] = {**session[MARK], "proved": timezone.now().timestamp()}


def has_proved(session: SessionBase) -> bool:
    """Whether a code was given within the last five minutes."""
    return timezone.now().timestamp() - session[MARK]["proved"] < PROOF_LASTS.total_seconds()


def is_here(user: Any, session: SessionBase) -> bool:
    """Whether this is an active staff person's living session."""
    return bool(user.is_authenticated and user.is_staff and user.is_active and is_alive(session))


def whose_socket(headers: list[tuple[bytes, bytes]], address: str) -> User | None:
    """The staff person behind a socket to `/ws/admin/`, by the handshake's headers and where it comes from.

    None for everybody else: no staff session, one that ended, a password to be changed, an address that is not allowed.
    """
    return whose(staff_key(headers), address)


def staff_key(headers: list[tuple[bytes, bytes]]) -> str:
    """The key of the staff session that a handshake's headers bring; "" for none."""
    cookies = SimpleCookie(b"; ".join(value for name, value in headers if name == b"cookie").decode("latin-1"))
    return cookies[settings.STAFF_COOKIE_NAME].value if settings.STAFF_COOKIE_NAME in cookies else ""


def whose(key: str, address: str) -> User | None:
    """The staff person behind the key of a session, by where they come from. None as for `whose_socket`."""
    if not key or not allowlist.allows(address):
        return None
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = User.objects.filter(pk=session.get(SESSION_KEY)).first() if is_alive(session) else None
    if user is None or not is_here(user, session) or user.must_change_password:
        return None
    same = constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    return user if same else None
