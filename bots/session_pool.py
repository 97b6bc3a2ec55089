"""Sessions as staff handle them: uploaded into the pool, verified, given to accounts, taken back, stopped, deleted."""

import re
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Count
from django.utils import timezone

from accounts import tenancy
from accounts.models import User
from bots import health, session_files, session_moves, sessions
from bots.instagram import private
from bots.locks import account_lock
from bots.models import Bot, InstagramAccount, InstagramClaim, Session
from bots.session_files import SessionFile
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

MOST_UNUSED = 1000  # sessions in the pool
_FILENAME = re.compile(r"(.*)-([0-9a-f]{12})\.json")
Status = Session.Status
POOL = "a session in the pool belongs to no workspace, and staff see all of them"


def filename_of(session: Session) -> str:
    """The name we give its file: whose it is and the first half of its id. What an uploaded file was called is gone."""
    return f"{session.username or 'unknown'}-{session.pk.hex[:12]}.json"


def judge(raw: bytes, filename: str) -> SessionFile:
    """Judge an uploaded file, which takes some processor time. `filename` may only tell the username.

    Raises SESSION_FILE_TOO_LARGE, SESSION_FILE_INVALID.
    """
    found = session_files.read(raw, filename)
    # The library reads it, too, and fills in once what the file lacks of a device.
    with private.enter(found.settings, found.username) as door:
        return SessionFile(door.settings(), found.username)


def add(found: SessionFile, by: User) -> Session:
    """Seal a judged file into the pool. Whoever else adds waits until this transaction ends.

    Raises SESSION_DUPLICATE, SESSION_POOL_FULL.
    """
    with tenancy.platform(POOL), transaction.atomic():
        _one_at_a_time()
        session = Session(username=found.username)
        sessions.seal(session, found.settings, codes.SESSION_DUPLICATE)
        if Session.objects.filter(status=Status.UNUSED).count() >= MOST_UNUSED:
            raise BotException(codes.SESSION_POOL_FULL)
        try:
            with transaction.atomic():
                session.save(force_insert=True)
        except IntegrityError:  # a member connected the same login at this moment
            raise BotException(codes.SESSION_DUPLICATE) from None
        _note("session_uploaded", session, by)
    return session


def counts() -> dict[str, int]:
    """How many sessions are in each state; to be read inside `tenancy.platform`."""
    found = dict(Session.objects.values_list("status").annotate(n=Count("pk")).order_by())
    return {status: found.get(status, 0) for status in Status.values}


def find(named: str) -> Session:
    """The session of this id, of this file name, or the only one of this username. Raises SESSION_NOT_FOUND."""
    with tenancy.platform(POOL):
        found = list(Session.objects.filter(**_by(named)).select_related("account")[:2])
    if len(found) != 1:
        message = f"There are several sessions of {named}: name one by its id." if found else ""
        raise BotException(codes.SESSION_NOT_FOUND, message)
    return found[0]


def verify(session: Session, by: User) -> sessions.Checked:
    """Ask Instagram once whether the session is good, and learn whose it is.

    Raises SESSION_BUSY, and what was met where it says nothing about the session: a silence, or a fault of ours.
    """
    if session.account_id is None:
        checked = _probe(session)
    else:
        with tenancy.scope(session.workspace_id):
            account = InstagramAccount.objects.select_related("session").get(pk=session.account_id)
            checked = sessions.check(account, by)
        if session.status == Status.BANNED:
            checked = sessions.Checked(False, BotException(codes.ACCOUNT_SUSPENDED))
    _note("session_verified", session, by, valid=checked.valid)
    return checked


def assign(session: Session, account: InstagramAccount) -> None:
    """Give a session of the pool to an account that has none. Of many at once, one gets it: SESSION_IN_USE.

    Raises SESSION_INVALID for one that Instagram has refused.
    """
    with tenancy.platform(POOL):
        unused = Session.objects.filter(pk=session.pk)
        if unused.filter(probed_at__isnull=False, valid=False).exists():
            raise BotException(codes.SESSION_INVALID, "Instagram refused this session when it was last asked.")
        owner = {"account": account, "workspace": account.workspace_id}
        if not session_moves.move(unused.filter(status=Status.UNUSED), Status.ASSIGNED, **owner):
            raise BotException(codes.SESSION_IN_USE)
        session.refresh_from_db()


def release(session: Session, by: User, *, force: bool = False) -> None:
    """Take a session from its account, back into the pool; the account may be driven elsewhere from now on.

    Raises SESSION_CANNOT_MOVE, and SESSION_AT_WORK as `delete` does.
    """
    with tenancy.platform(POOL), transaction.atomic():
        _must_rest(session, force)
        mine = Session.objects.filter(pk=session.pk)
        _tell_bot(session, "An administrator took the session away.")
        if not session_moves.move(mine, Status.UNUSED, account=None, workspace=None):
            raise BotException(codes.SESSION_CANNOT_MOVE)
        # Losing its account says nothing about the login itself.
        mine.update(valid=session.valid)
        InstagramClaim.objects.filter(account=session.account_id).delete()
        _note("session_released", session, by)


def stop(session: Session, to: str, by: User) -> None:
    """Freeze or ban an account's session by hand, as if Instagram had asked for it. Raises SESSION_CANNOT_MOVE."""
    if session.account_id is None or to not in session_moves.MOVES[session.status]:
        raise BotException(codes.SESSION_CANNOT_MOVE)
    sign = {Status.FROZEN: codes.SESSION_FROZEN, Status.BANNED: codes.ACCOUNT_SUSPENDED}[Status(to)]
    with tenancy.scope(session.workspace_id):
        account = InstagramAccount.objects.select_for_update().get(pk=session.account_id)
        health.react(account, BotException(sign, f"An administrator set the session to {to}."))
        sessions.forget(account.pk)
    _note("session_stopped", session, by, to=to)


def delete(session: Session, by: User, *, force: bool = False) -> None:
    """Throw a session away and tell its bot. Raises SESSION_AT_WORK while that runs, unless `force`: then it stops."""
    with tenancy.platform(POOL), transaction.atomic():
        _must_rest(session, force)
        _tell_bot(session, "An administrator deleted the session.")
        Session.objects.filter(pk=session.pk).delete()
        _note("session_deleted", session, by)


def _probe(session: Session) -> sessions.Checked:
    """Ask about a session of the pool, through a door of its own that is closed afterwards."""
    with account_lock(session.pk) as held:
        if not held:
            raise BotException(codes.SESSION_BUSY)
        tenancy.wait_patiently()
        settings = sessions.settings_of(session)
        try:
            with private.enter(settings, session.username) as door:
                person = door.probe()
            if person.pk != settings["authorization_data"]["ds_user_id"]:
                raise BotException(codes.SESSION_OTHER_PERSON)
            checked, known = sessions.Checked(True), {"username": person.username.lower()[:30]}
        except BotException as stop:
            if stop.code.then not in health.TOUCH_ACCOUNT:
                raise
            checked, known = sessions.Checked(False, stop), {}
    with tenancy.platform(POOL):
        Session.objects.filter(pk=session.pk).update(valid=checked.valid, probed_at=timezone.now(), **known)
    return checked


def _by(named: str) -> dict[str, object]:
    """What a name is looked up by. Of a file name only the id counts: the username in it may have been learnt since."""
    try:
        return {"pk": UUID(named)}
    except ValueError:
        pass
    if found := _FILENAME.fullmatch(named):
        return {"pk__range": (UUID(f"{found[2]:0<32}"), UUID(f"{found[2]:f<32}"))}
    username = named.strip().lower().removeprefix("@").removesuffix(".json")
    return {"username": username} if session_files.USERNAME.fullmatch(username) else {"pk": None}


def _must_rest(session: Session, force: bool) -> None:
    """Hold the account and its bot where they are until the transaction ends: in the order that `health` has."""
    if session.account_id is None:
        return
    InstagramAccount.objects.select_for_update().get(pk=session.account_id)
    bot = Bot.objects.select_for_update().filter(account=session.account_id).first()
    if bot is not None and bot.status == Bot.Status.RUNNING and not force:
        raise BotException(codes.SESSION_AT_WORK)


def _tell_bot(session: Session, why: str) -> None:
    """Stop the bot of a session that goes, and let its owner see why."""
    if session.account_id is None:
        return
    account = InstagramAccount.objects.get(pk=session.account_id)
    health.react(account, BotException(codes.SESSION_INVALID, why))
    sessions.forget(account.pk)


def _one_at_a_time() -> None:
    """Let uploads count one after the other, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('session pool'))")


def _note(deed: str, session: Session, by: User, **more: Any) -> None:
    with tenancy.platform(POOL):
        log_activity(
            deed,
            workspace=session.workspace_id,
            user=by,
            account=session.account_id,
            by=str(by.pk),
            session=filename_of(session),
            **more,
        )
