"""Sealed sessions: how one is kept, opened, tested and ended."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts import tenancy, vault
from bots import health, session_moves, ways
from bots.clock import db_now
from bots.instagram import clients, private
from bots.instagram.private import Door, Person
from bots.locks import account_lock
from bots.models import InstagramAccount, Session
from errors import codes
from errors.codes import Code
from errors.exceptions import BotException
from errors.recording import log_activity


def is_usable(account: InstagramAccount) -> bool:
    """Whether the account has a session that was good when it was last asked."""
    session = getattr(account, "session", None)
    return session is not None and session.valid and session.status == Session.Status.ASSIGNED


def keep(account: InstagramAccount, settings: dict[str, Any]) -> Session:
    """Seal what a login gave as the account's session, in place of a former one. Raises SESSION_IN_USE."""
    session = Session.objects.filter(account=account).first() or Session(account=account)
    seal(session, settings, codes.SESSION_IN_USE)
    session.workspace_id = account.workspace_id
    session.username = account.username
    session.version += not session._state.adding
    session.status, session.valid, session.probed_at = Session.Status.ASSIGNED, True, timezone.now()
    session.save()
    return session


def seal(session: Session, settings: dict[str, Any], taken: Code) -> None:
    """Seal settings into a session that is not saved yet. Raises `taken` if the same login is kept elsewhere."""
    marks = vault.fingerprints(_login_of(settings))
    with tenancy.platform("the same login may not be kept twice, wherever it is"):
        if Session.objects.filter(fingerprint__in=marks).exclude(pk=session.pk).exists():
            raise BotException(taken)
    session.sealed = vault.seal_json(settings, **_place(session))
    session.fingerprint = marks[0]


def fingerprint_of(settings: dict[str, Any]) -> str:
    """The mark by which the same login is known again, under the newest key."""
    return vault.fingerprint(_login_of(settings))


def settings_of(session: Session) -> dict[str, Any]:
    """The unsealed settings. Never log, show or send them anywhere but to Instagram."""
    settings: dict[str, Any] = vault.unseal_json(session.sealed, **_place(session))
    return settings


@contextmanager
def borrow(account: InstagramAccount) -> Iterator[Door]:
    """The account's door, warm if this process has it. The caller holds the account's lock."""
    session = account.session
    proxy = ways.proxy_of(account)
    way = hashlib.sha256(bytes(account.sealed_proxy or b"")).hexdigest()[:12]  # sealed anew, it is another
    with clients.borrow(
        account.pk,
        f"{session.pk}/{session.version}/{way}",
        lambda: private.enter(settings_of(session), session.username, proxy),
    ) as door:
        yield door


@contextmanager
def visit(account: InstagramAccount) -> Iterator[Door]:
    """The account's door for some reads beside the turns of its bot; a stop sign met there stops the account.

    Raises ACCOUNT_COOLING or NETWORK_SLOWED while it rests, SESSION_INVALID, SESSION_BUSY, and what Instagram's answer
    means.
    """
    with account_lock(account.pk) as held:
        if not held:
            raise BotException(codes.SESSION_BUSY)
        with tenancy.scope(account.workspace_id):
            # Read anew: what it was before the lock may be from before a sign that its last turn met.
            account = InstagramAccount.objects.select_related("session").filter(pk=account.pk).first() or account
            may_work, usable = health.recover(account, db_now()), is_usable(account)
        if not usable:
            raise BotException(codes.SESSION_INVALID)
        if not may_work:
            raise BotException(codes.ACCOUNT_COOLING)
        if ways.rests(account):
            raise BotException(codes.NETWORK_SLOWED)
        try:
            with borrow(account) as door:
                yield door
        except BotException as stop:
            if stop.code.then in health.TOUCH_ACCOUNT:
                with tenancy.scope(account.workspace_id):
                    health.react(account, stop)
                forget(account.pk)
            raise


def forget(account_id: UUID) -> None:
    """Drop this process's warm door."""
    clients.forget(account_id)


def probe(account: InstagramAccount, user: object = None) -> Person | None:
    """Ask Instagram once whether the session is good; None if there is none or it is not.

    Raises ACCOUNT_COOLING or NETWORK_SLOWED while the account or its way rests, SESSION_BUSY while the bot is at work,
    and what Instagram's answer means if it is a stop sign or a silence.
    """
    if not hasattr(account, "session") or account.session.status == Session.Status.BANNED:
        return None
    with account_lock(account.pk) as held:
        if not held:
            raise BotException(codes.SESSION_BUSY)
        account.refresh_from_db()  # its last turn may have met a sign since
        health.leave_alone(account)
        tenancy.wait_patiently()
        with borrow(account) as door:
            person = door.probe()
    if int(person.pk) != account.instagram_pk:
        raise BotException(codes.SESSION_OTHER_PERSON)
    passed(account, person)
    log_activity("test_session", workspace=account.workspace_id, user=user, account=account)
    return person


@dataclass(frozen=True)
class Checked:
    """Whether a session is good, and the sign that Instagram gave if it is not."""

    valid: bool
    stop: BotException | None = None


def check(account: InstagramAccount, user: object = None) -> Checked:
    """Test the session and take the reaction that a stop sign asks for, in the caller's transaction.

    Raises ACCOUNT_COOLING, NETWORK_SLOWED, SESSION_BUSY, and what was met where it says nothing about the session: a
    silence, or a fault of ours.
    """
    try:
        return Checked(probe(account, user) is not None)
    except BotException as stop:
        if stop.code.then not in health.TOUCH_ACCOUNT:
            raise
        health.react(account, stop)
        forget(account.pk)
        return Checked(False, stop)


def passed(account: InstagramAccount, person: Person) -> None:
    """The session is good: note who it is, and let an account that waited for it go on."""
    health.hold(account)
    if account.session.status == Session.Status.BANNED:
        return  # while Instagram was asked
    now = db_now()
    mine = Session.objects.filter(pk=account.session.pk)
    mine.update(valid=True, probed_at=now)
    if session_moves.move(mine.filter(status=Session.Status.FROZEN), Session.Status.ASSIGNED):
        account.warmup_started_at = now  # after a challenge Instagram looks closer: the warm-up starts again
    account.session.refresh_from_db(fields=["valid", "probed_at", "status"])
    account.full_name = (person.full_name or "")[:150]
    note_counts(account, person)
    if account.health in health.NEEDS_A_PERSON:
        health.welcome(account, now)
    else:
        account.save()


def note_counts(account: InstagramAccount, person: Person) -> None:
    """Keep the counts that Instagram told, with their age; a missing one stays what it was."""
    if person.followers is None and person.following is None:
        return
    account.followers = account.followers if person.followers is None else person.followers
    account.following = account.following if person.following is None else person.following
    account.measured_at = db_now()


def log_out(account: InstagramAccount) -> None:
    """Log out at Instagram as far as it can be reached; its session is good for nothing then."""
    with account_lock(account.pk) as held:
        if not held:
            raise BotException(codes.SESSION_BUSY)
        try:
            with borrow(account) as door:
                door.logout()
        except BotException as silent:
            if silent.code is codes.VAULT_WRONG_KEY:
                raise
        clients.forget(account.pk)


def _place(session: Session) -> dict[str, Any]:
    return {"table": "session", "row": session.pk, "column": "sealed"}


def _login_of(settings: dict[str, Any]) -> bytes:
    """What makes a session the same session: its login at Instagram."""
    login = settings.get("authorization_data") or {}
    return f"{login.get('ds_user_id')}|{login.get('sessionid')}".encode()
