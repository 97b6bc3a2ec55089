"""Connecting an Instagram account: one login, perhaps a code, and from then on a sealed session."""

import re
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import tenancy, vault
from accounts.models import User, Workspace
from bots import health, sessions, switch, ways
from bots.instagram import private
from bots.instagram.private import LoggedIn, LoginRefused, NeedsCode
from bots.locks import account_lock
from bots.models import Bot, ConnectAttempt, InstagramAccount, InstagramClaim, Session
from errors import codes
from errors.codes import Then
from errors.exceptions import BotException
from errors.recording import log_activity, record

CODE_STEP = timedelta(minutes=10)  # how long the sealed password waits for the code, and no longer
WRONG_PASSWORDS = 2  # a day; Instagram counts them too (instagram.md 1.2)
REST = {Then.COOL_1H: timedelta(hours=1), Then.COOL_24H: timedelta(hours=24), Then.BLOCK_KIND: timedelta(hours=24)}
SOLVING = timedelta(minutes=10)  # what a person needs to do what Instagram asks for; a login before that is in vain
OUTDATED = "instagram:app_outdated"  # in the cache: nobody logs in meanwhile
_USERNAME = re.compile(r"@?([a-z0-9._]{1,30})")


@dataclass(frozen=True)
class Answer:
    """How connecting went: an account with its bot, or a code that is wanted, or what was refused.

    A refusal is given back and not raised, because what was counted on the way to it must stay in the database.
    """

    account: InstagramAccount | None = None
    bot: Bot | None = None
    wants_code: str = ""  # by which way: totp, sms or email
    refused: BotException | None = None


def connect(
    workspace: Workspace, user: User, username: str, password: str = "", code: str = "", *, accept_risk: bool = False
) -> Answer:
    """Log an account in, once. With a code and no password, the password of the step before is used and forgotten."""
    try:
        username = clean_username(username)
        known = InstagramAccount.objects.filter(username=username).values_list("pk", flat=True).first()
        # The second is the one that its bot's turns take: neither would know of a sign that the other meets.
        with account_lock(f"connect:{username}") as alone, account_lock(known or username) as at_rest:
            if not (alone and at_rest):
                raise BotException(codes.SESSION_BUSY)
            return _connect(workspace, user, username, password, code.strip(), accept_risk)
    except BotException as refused:
        return _refuse(workspace, user, username, refused)


def clean_username(text: str) -> str:
    """The username in small letters, without @. Raises VALIDATION_FAILED."""
    found = _USERNAME.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    if found is None:
        raise BotException(codes.VALIDATION_FAILED, "This is not an Instagram username.", field="username")
    return found[1]


def disconnect(account: InstagramAccount, user: User) -> None:
    """Stop the bot, log out at Instagram and throw the session away; the account and its history stay.

    What a smaller plan had no room for may come back in its place.
    """
    if not hasattr(account, "session"):
        raise BotException(codes.SESSION_INVALID)
    sessions.log_out(account)
    # What a worker met meanwhile stays; and the account is held before bot and session, as its reaction does.
    if not health.hold(account):
        raise BotException(codes.IG_ACCOUNT_NOT_FOUND)
    Bot.objects.filter(account=account).update(status=Bot.Status.STOPPED)
    Session.objects.filter(account=account).delete()
    health.let_go(account, timezone.now())
    switch.fit_to_plan(account.workspace_id)
    log_activity("disconnect", workspace=account.workspace_id, user=user, account=account)


def _connect(workspace: Workspace, user: User, username: str, password: str, code: str, accept_risk: bool) -> Answer:
    account = InstagramAccount.objects.filter(username=username).first()
    _may_try(workspace, account, accept_risk)
    attempt, _ = ConnectAttempt.objects.select_for_update().get_or_create(workspace=workspace, username=username)
    account = account or InstagramAccount(workspace=workspace, username=username, timezone=workspace.timezone)
    health.leave_alone(account, attempt.rests_until)
    waiting = _waiting(attempt)
    if code and not password:
        if waiting is None:
            raise BotException(codes.IG_CODE_EXPIRED)
        password = waiting["password"]
    if not password:
        raise BotException(codes.VALIDATION_FAILED, "Type the password of the Instagram account.", field="password")
    if attempt.wrong_day == timezone.now().date() and attempt.wrong_passwords >= WRONG_PASSWORDS:
        raise BotException(codes.IG_LOGIN_LOCKED)
    device = (
        waiting["settings"]
        if waiting
        else sessions.settings_of(account.session)
        if hasattr(account, "session")
        else None
    )
    tenancy.wait_patiently()
    try:
        result = private.login(username, password, settings=device, code=code, proxy=ways.proxy_of(account))
    except LoginRefused as refused:
        _count(attempt, refused, password)
        _heed(attempt, account, refused)
        raise
    if isinstance(result, NeedsCode):
        _hold(attempt, password, result.settings, result.method)
        log_activity(
            "connect", status="info", code=codes.IG_CODE_REQUIRED, workspace=workspace, user=user, username=username
        )
        return Answer(wants_code=result.method)
    return _keep(workspace, user, account, result, attempt)


def _may_try(workspace: Workspace, account: InstagramAccount | None, accept_risk: bool) -> None:
    """Refuse what needs no asking of Instagram."""
    if workspace.delete_at:
        raise BotException(codes.BEING_DELETED)
    if not accept_risk and (account is None or account.risk_accepted_at is None):
        raise BotException(codes.IG_RISK_NOT_ACCEPTED)
    switch.must_have_place(workspace, account)
    if cache.get(OUTDATED):
        raise BotException(codes.INSTAGRAM_APP_OUTDATED)


def _keep(
    workspace: Workspace, user: User, account: InstagramAccount, result: LoggedIn, attempt: ConnectAttempt
) -> Answer:
    """Write down account, session and bot: all or nothing."""
    now = timezone.now()
    with transaction.atomic():
        if not (account._state.adding or health.hold(account)):
            raise BotException(codes.IG_ACCOUNT_NOT_FOUND)  # deleted while Instagram was asked
        account.instagram_pk = int(result.person.pk)
        account.full_name = (result.person.full_name or "")[:150]
        account.risk_accepted_at = account.risk_accepted_at or now
        account.risk_accepted_by = account.risk_accepted_by or user.pk
        account.warmup_started_at = account.warmup_started_at or now
        account.save()
        claim(account, int(result.person.pk))
        account.session = sessions.keep(account, result.settings)
        health.let_in(account, now)
        bot, _ = Bot.objects.get_or_create(account=account, defaults={"workspace": workspace, "user": user})
        attempt.delete()
    sessions.forget(account.pk)
    log_activity("connect", workspace=workspace, user=user, account=account, username=account.username)
    return Answer(account=account, bot=bot)


def claim(account: InstagramAccount, instagram_pk: int) -> None:
    """One of all our accounts drives an Instagram identity. Raises IG_ACCOUNT_TAKEN."""
    try:
        with transaction.atomic():
            driver, _ = InstagramClaim.objects.get_or_create(instagram_pk=instagram_pk, defaults={"account": account})
    except IntegrityError:
        raise BotException(codes.IG_ACCOUNT_TAKEN) from None
    if driver.account_id != account.pk:
        raise BotException(codes.IG_ACCOUNT_TAKEN)


def forget_expired() -> None:
    """Throw away sealed passwords whose ten minutes are over."""
    with tenancy.platform("what waited too long for a code goes, in all workspaces"):
        ConnectAttempt.objects.filter(expires_at__lt=timezone.now(), sealed__isnull=False).update(sealed=None)


def _waiting(attempt: ConnectAttempt) -> dict | None:
    """What waits for the code, if its ten minutes are not over."""
    if attempt.sealed is None or attempt.expires_at is None or attempt.expires_at < timezone.now():
        return None
    waiting: dict = vault.unseal_json(attempt.sealed, table="attempt", row=attempt.pk, column="sealed")
    return waiting


def _hold(attempt: ConnectAttempt, password: str, settings: dict, method: str) -> None:
    """Seal password and device until the code comes."""
    attempt.sealed = vault.seal_json(
        {"password": password, "settings": settings}, table="attempt", row=attempt.pk, column="sealed"
    )
    attempt.method, attempt.expires_at = method, timezone.now() + CODE_STEP
    attempt.save()


def _count(attempt: ConnectAttempt, refused: LoginRefused, password: str) -> None:
    """Count a wrong password, and keep the device for the next try; a wrong code may be typed again."""
    today = timezone.now().date()
    if refused.code is codes.IG_BAD_PASSWORD:
        attempt.wrong_passwords = attempt.wrong_passwords + 1 if attempt.wrong_day == today else 1
        attempt.wrong_day, attempt.sealed = today, None
        attempt.save()
    elif refused.code is codes.IG_CODE_WRONG:
        _hold(attempt, password, refused.settings, attempt.method)


def _heed(attempt: ConnectAttempt, account: InstagramAccount, refused: LoginRefused) -> None:
    """A stop sign at a login is one as any other. The next login waits, also where we do not know the account yet."""
    code = refused.code
    if code is codes.INSTAGRAM_APP_OUTDATED:  # so it would be for everybody
        cache.set(OUTDATED, True, health.OUTDATED_REST.total_seconds())
    if code.then not in health.TOUCH_ACCOUNT:
        return
    attempt.rests_until = timezone.now() + (health.LOCKED.get(code) or REST.get(code.then, SOLVING))
    attempt.save(update_fields=["rests_until"])
    if account._state.adding:
        ways.note(account, code)
        record(refused, action="connect", workspace=attempt.workspace_id)
    else:
        health.react(account, refused)
        sessions.forget(account.pk)


def _refuse(workspace: Workspace, user: User, username: str, refused: BotException) -> Answer:
    with tenancy.scope(workspace):
        log_activity(
            "connect",
            status="warning",
            code=refused.code,
            message=str(refused),
            workspace=workspace,
            user=user,
            username=username if isinstance(username, str) else "",
        )
    return Answer(refused=refused)
