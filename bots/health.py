"""How an account is doing, and what we do when Instagram gives a sign: stop first, then say why and until when."""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.dateparse import parse_datetime

from accounts import notices, notifications, tenancy
from accounts.models import Membership, NoticeKind
from bots import session_moves, ways
from bots.clock import db_now
from bots.models import Bot, InstagramAccount, Session
from errors import correlation
from errors.codes import (
    ACCOUNT_COOLING,
    BOT_PARKED,
    INSTAGRAM_APP_OUTDATED,
    INSTAGRAM_SENTRY_BLOCK,
    NETWORK_SLOWED,
    SESSION_RELOGIN_LOOP,
    Code,
    Then,
)
from errors.exceptions import BotException
from errors.recording import record
from instagrowth import live

Health = InstagramAccount.Health
WORKING = (Health.ACTIVE, Health.WARMING, Health.SLOWED)
TOUCH_ACCOUNT = (Then.COOL_1H, Then.COOL_24H, Then.BLOCK_KIND, Then.NEEDS_LOGIN, Then.FREEZE, Then.BAN)
NEEDS_A_PERSON = (Health.NEEDS_LOGIN, Health.NEEDS_YOU, Health.FROZEN, Health.BANNED)
WARMUP = timedelta(days=21)
SLOW = timedelta(days=10)  # after a restriction the account goes gently for so long
LONGEST_REST = 24  # hours
OUTDATED_REST = timedelta(hours=1)  # while Instagram takes no request of our app's version
# Signs that a person must answer, but not before so long: neither a probe nor a login is sent meanwhile.
LOCKED = {INSTAGRAM_SENTRY_BLOCK: timedelta(hours=72), SESSION_RELOGIN_LOOP: timedelta(hours=24)}
BLOCK_MEMORY = timedelta(days=7)
BLOCK_REST = (timedelta(hours=24), timedelta(hours=72))  # the first block of a kind, the second; a third freezes


def react(account: InstagramAccount, stop: BotException, kind: str = "") -> None:
    """Take the reaction that the code prescribes, in the caller's transaction and view, and write it down.

    Only the reactions that touch the account do something here; the runner skips targets and waits by itself.
    """
    if not hold(account):
        return  # gone while Instagram was asked
    now = db_now()
    then = stop.code.then
    locked = now + LOCKED[stop.code] if stop.code in LOCKED else None
    ways.note(account, stop.code)
    if then is Then.COOL_1H:
        hours = min(LONGEST_REST, account.cooling_hours * 2 or 1)
        account.cooling_hours = hours
        _restrict(account, now)
        _move(account, Health.COOLING, stop, now + timedelta(hours=hours))
    elif then is Then.COOL_24H or (then is Then.BLOCK_KIND and not kind):  # a block of all that it does
        _restrict(account, now)
        _move(account, Health.COOLING, stop, now + timedelta(hours=24))
    elif then is Then.BLOCK_KIND:
        _block(account, kind, stop, now)
    elif then is Then.NEEDS_LOGIN:
        Session.objects.filter(account=account).update(valid=False)
        _move(account, Health.NEEDS_LOGIN, stop, locked)
    elif then is Then.FREEZE:
        session_moves.move(Session.objects.filter(account=account), Session.Status.FROZEN, valid=False)
        _move(account, Health.NEEDS_YOU, stop, locked)
    elif then is Then.BAN:
        session_moves.move(Session.objects.filter(account=account), Session.Status.BANNED, valid=False)
        _move(account, Health.BANNED, stop)
    elif stop.code is INSTAGRAM_APP_OUTDATED:  # no account is to blame, but none shall go on asking with it
        _move(account, Health.COOLING, stop, now + OUTDATED_REST)
    else:
        record(stop, action="bot_turn", workspace=account.workspace_id, account=account)
    _note(account, stop)


def recover(account: InstagramAccount, now: datetime) -> bool:
    """Come back from a rest whose time is over; whether the account may work."""
    if _is_over(account, now) and hold(account) and _is_over(account, now):
        gently = account.restricted_at is not None and now - account.restricted_at < SLOW
        if account.health == Health.COOLING and gently:
            account.health, account.health_since, account.health_until = Health.SLOWED, now, now + SLOW
            _save(account)
            _tell(account, "ok", f"@{account.username} goes on", "Its rest is over. It goes gently for some days.")
        else:
            welcome(account, now)
    return account.health in WORKING


def leave_alone(account: InstagramAccount, until: datetime | None = None) -> None:
    """See that nothing is asked of Instagram now. Raises ACCOUNT_COOLING while the account rests, or until then.

    And NETWORK_SLOWED while its way does.
    """
    now = db_now()
    asked = None if recover(account, now) else account.health_until
    ends = max((moment for moment in (asked, until) if moment), default=now)
    if ends > now:
        there = f"{ends.astimezone(ZoneInfo(account.timezone)):%a %-d %b %H:%M} ({account.timezone})"
        message = f"The account rests until {there} because Instagram asked for it."
        raise BotException(ACCOUNT_COOLING, message, retry_after=math.ceil((ends - now).total_seconds()))
    if ways.rests(account):
        raise BotException(NETWORK_SLOWED)


def hold(account: InstagramAccount) -> bool:
    """Keep the account as it is now until the transaction ends; whether it is still there.

    Whoever moves its health goes on from what was decided meanwhile, by other workers and by people.
    """
    try:
        # Its journal may go on: a weaker lock than a deletion's lets rows point at it.
        account.refresh_from_db(from_queryset=InstagramAccount.objects.select_for_update(no_key=True))
    except InstagramAccount.DoesNotExist:
        return False
    return True


def welcome(account: InstagramAccount, now: datetime) -> None:
    """Nothing is wrong: the account warms up, or is active once it has; a rest that is not over goes on first."""
    account.health_since = now
    if account.health_until is not None and account.health_until > now:
        account.health, account.health_code = Health.COOLING, ACCOUNT_COOLING.id
    else:
        warm = account.warmup_started_at and now - account.warmup_started_at < WARMUP
        account.health = Health.WARMING if warm else Health.ACTIVE
        account.health_until, account.health_code, account.cooling_hours = None, "", 0
    _save(account)


def let_in(account: InstagramAccount, now: datetime) -> None:
    """A new login: it ends what needed one, and no rest. After a challenge or a ban the warm-up starts again."""
    if account.health in (Health.NEEDS_YOU, Health.FROZEN, Health.BANNED):
        account.warmup_started_at = now
    if account.health in (Health.COOLING, Health.SLOWED):
        _save(account)
    else:
        welcome(account, now)


def let_go(account: InstagramAccount, now: datetime) -> None:
    """A logout: the account needs a login, which does not end a rest."""
    if account.health in WORKING:
        account.health_until = None
    account.health, account.health_since, account.health_code = Health.NEEDS_LOGIN, now, ""
    _save(account)


def return_rested(limit: int = 100) -> int:
    """Let accounts go on whose rest is over, whether or not their bot runs; how many."""
    with tenancy.platform("a clock ends rests in all workspaces"):
        over = InstagramAccount.objects.filter(health__in=(Health.COOLING, Health.SLOWED), health_until__lte=Now())
        rested = list(over.select_for_update(skip_locked=True, no_key=True).order_by("health_until")[:limit])
        for account in rested:
            recover(account, db_now())
    return len(rested)


def blocked_until(account: InstagramAccount, kind: str, now: datetime) -> datetime | None:
    """Until when this kind of action rests, if Instagram blocked it."""
    until = parse_datetime(account.blocked_kinds.get(kind, {}).get("until", ""))
    return until if until and until > now else None


def _is_over(account: InstagramAccount, now: datetime) -> bool:
    """Whether a clock alone ends what the account is in."""
    if account.health == Health.WARMING:
        return account.warmup_started_at is not None and now - account.warmup_started_at >= WARMUP
    by_the_clock = account.health in (Health.COOLING, Health.SLOWED)
    return by_the_clock and account.health_until is not None and account.health_until <= now


def _block(account: InstagramAccount, kind: str, stop: BotException, now: datetime) -> None:
    """24 hours without this kind, 72 the second time within 7 days; the third time nothing goes on without a person."""
    former = account.blocked_kinds.get(kind, {})
    met = [moment for moment in former.get("met", []) if now - datetime.fromisoformat(moment) < BLOCK_MEMORY]
    times = len(met) + 1
    _restrict(account, now)
    if times > len(BLOCK_REST):
        session_moves.move(Session.objects.filter(account=account), Session.Status.FROZEN, valid=False)
        _move(account, Health.FROZEN, stop)
        return
    until = now + BLOCK_REST[times - 1]
    account.blocked_kinds = {
        **account.blocked_kinds,
        kind: {
            "until": until.isoformat(),
            "met": [*met, now.isoformat()],
            "times": times,
            "code": stop.code.id,
        },
    }
    _move(account, Health.SLOWED, stop, now + SLOW)


def _restrict(account: InstagramAccount, now: datetime) -> None:
    account.restricted_at = now
    account.restrictions += 1


def _move(account: InstagramAccount, health: str, stop: BotException, until: datetime | None = None) -> None:
    former = account.health
    health, until = _worse(account, health, until)
    account.health, account.health_code, account.health_until = health, stop.code.id, until
    account.health_since = db_now()
    _save(account)
    if health in NEEDS_A_PERSON:
        Bot.objects.filter(account=account).update(status=Bot.Status.STOPPED)
        if former not in NEEDS_A_PERSON:
            _call_owners(account, stop.code)
    elif health == Health.COOLING and former != Health.COOLING:
        title = f"@{account.username} rests"
        _tell(account, "warn", title, f"{stop.code.what} It goes on by itself.", stop.code)
    record(
        stop,
        action="health",
        workspace=account.workspace_id,
        account=account,
        moved_from=former,
        moved_to=health,
        until=until.isoformat() if until else None,
    )


def _worse(account: InstagramAccount, health: str, until: datetime | None) -> tuple[str, datetime | None]:
    """A sign never makes things better: who needs a person still does, a rest is not shortened, a ban stays.

    A banned account whose session is taken away needs a login, as any other. A login does not end a rest either.
    """
    rests = (Health.COOLING, *NEEDS_A_PERSON)
    both = ((account.health, account.health_until), (health, until))
    longest = max((moment for state, moment in both if moment and state in rests), default=None)
    stays = account.health in NEEDS_A_PERSON and health not in NEEDS_A_PERSON
    if stays or (account.health == Health.BANNED and health != Health.NEEDS_LOGIN):
        return account.health, longest
    if account.health == Health.COOLING and health == Health.SLOWED:
        return Health.COOLING, longest
    return health, longest if health in rests else until  # what is left of a rest comes after the person


def tell_parked(account: InstagramAccount) -> None:
    """Tell the workspace that its bot was given up on: nothing goes on before somebody looks."""
    words = f"{BOT_PARKED.what} {BOT_PARKED.do_next}"
    _tell(account, "bad", f"The bot of @{account.username} is parked", words, BOT_PARKED)


def _call_owners(account: InstagramAccount, code: Code) -> None:
    """Mail the workspace's owners that nothing goes on without them."""
    owners = Membership.objects.filter(workspace=account.workspace_id, role=Membership.Role.OWNER)
    for membership in owners.select_related("user", "workspace__subscription__plan"):
        notices.notify(
            membership.user,
            "instagram_needs_you",
            label_of=membership.workspace,
            username=account.username,
            cause=code.what,
            next_step=code.do_next,
            code=code.id,
            page=f"{settings.SITE_URL}/instagram/",
        )


def _tell(account: InstagramAccount, tone: str, title: str, body: str, code: Code | None = None) -> None:
    path = f"/automation/{account.username}/"
    about = f"health:{account.pk}:{tone}"
    notifications.notify(
        account.workspace_id, NoticeKind.ACCOUNTS, title, body=body, path=path, tone=tone, code=code, about=about
    )


def _save(account: InstagramAccount) -> None:
    account.save()
    live.publish(account.workspace_id, "health", {"account": account.username, "health": account.health})


def _note(account: InstagramAccount, stop: BotException) -> None:
    note_error(Bot.objects.filter(account=account), stop.code)


def note_error(bots: QuerySet[Bot], code: Code) -> None:
    """Keep the last error where the automation page shows it."""
    bots.update(last_error_code=code.id, last_error_at=Now(), last_error_correlation=correlation.current())
