"""Bots that an administrator makes for a member: account, session, plan and API pair in one go, or nothing of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import tenancy
from accounts.models import Membership, User, Workspace
from adminpanel import roles
from billing import entitlements
from billing.models import Plan, Subscription
from bots import api_pairs, connecting, health, session_pool, sessions, switch
from bots.models import ApiPair, Bot, InstagramAccount, Session
from bots.session_files import SessionFile
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

PLAN_TYPES = ("starter", "enterprise")  # keys of plans; how the bots run follows from the plan
MOST = 100  # sessions at once
Sees = Callable[..., None]


@dataclass(frozen=True)
class Upload:
    """A session file that comes with the order: its content, and its name, which may only tell the username."""

    raw: bytes
    filename: str


def create(
    *,
    user: str,
    plan_type: str,
    by: User,
    workspace: UUID | None = None,
    display_name: str = "",
    cycle_delay: int = 90,
    named: Sequence[str] = (),
    uploads: Sequence[Upload] = (),
    api_pair: str | None = api_pairs.AUTO,
    sees: Sees = lambda *_, **__: None,
) -> list[Bot]:
    """Make a bot for each session: those of the pool that are named, and those that are uploaded now.

    An account has one bot and one session, so several sessions make several bots: all of them or none. `user` is an id,
    an e-mail or an access code; `api_pair` is an id, `auto`, or None for none. An account that has been here before
    without its session gets its bot back, with these settings. `sees` is told of each row beside the bots before it
    changes (`new=True` for one that is not there yet), for the admin log.

    Raises VALIDATION_FAILED, WORKSPACE_NOT_FOUND, NO_PERMISSION (the plan is another, and `by` may not change it),
    PLAN_IS_PAID, PLAN_ACCOUNT_LIMIT, BEING_DELETED,
    BOT_EXISTS, IG_ACCOUNT_TAKEN, and what sessions and pairs are refused with.
    """
    if not 1 <= len(named) + len(uploads) <= MOST:
        raise _wrong("sessions", f"Name or upload 1 to {MOST} sessions.")
    judged = [session_pool.judge(upload.raw, upload.filename) for upload in uploads]
    with tenancy.platform("an administrator makes a bot in a member's workspace"), transaction.atomic():
        owner, home = _place(user, workspace)
        plan = _put_on(home, plan_type, by, sees)
        chosen = _sessions(named, judged, by, sees)
        made = [_make(home, owner, plan, session, by, sees) for session in chosen]
        for bot, session in zip(made, chosen, strict=True):
            several = f"{display_name[:48]} · @{bot.account.username}"
            bot.display_name = several if display_name and len(made) > 1 else display_name
            bot.cycle_delay = cycle_delay
            bot.save(update_fields=["display_name", "cycle_delay", "updated_at"])
            if api_pair is not None:
                api_pairs.assign(bot, api_pair, by)
            _tell(bot, owner, session, plan, by)
    return made


def _sessions(named: Sequence[str], judged: Sequence[SessionFile], by: User, sees: Sees) -> list[Session]:
    """Those of the pool that are named, and new ones of what was uploaded."""
    pooled, uploaded = [session_pool.find(name) for name in named], [session_pool.add(one, by) for one in judged]
    sees(*pooled)
    sees(*uploaded, new=True)
    found = pooled + uploaded
    if len({session.pk for session in found}) < len(found):
        raise _wrong("sessions", "A session is named twice.")
    return found


def _tell(bot: Bot, owner: User, session: Session, plan: Plan, by: User) -> None:
    log_activity(
        "bot_created", workspace=bot.workspace, user=owner, account=bot.account_id, by=str(by.pk), bot=str(bot.pk),
        session=session_pool.filename_of(session), plan=plan.key,
        pair=str(bot.api_pair_id) if bot.api_pair_id else None,
    )  # fmt: skip


def _place(named: str, workspace: UUID | None) -> tuple[User, Workspace]:
    """Find the member, and lock their workspace: the one that is named, or the first they own, else the first."""
    user = User.objects.filter(_called(named), role=User.Role.USER, is_active=True).first()
    if user is None:
        raise _wrong("user", "There is no active member with this id, e-mail or access code.")
    mine = Membership.objects.filter(user=user).order_by("created_at")
    if workspace is not None:
        mine = mine.filter(workspace=workspace)
    place = mine.filter(role=Membership.Role.OWNER).first() or mine.first()
    if place is None:
        raise BotException(codes.WORKSPACE_NOT_FOUND)
    home = Workspace.objects.select_for_update().get(pk=place.workspace_id)
    if home.delete_at:
        raise BotException(codes.BEING_DELETED)
    return user, home


def _called(named: str) -> Q:
    try:
        return Q(pk=UUID(named))
    except ValueError:
        return Q(email__iexact=named.strip()) | Q(access_code=named.strip().upper())


def _put_on(workspace: Workspace, plan_type: str, by: User, sees: Sees) -> Plan:
    """Put the workspace on the plan. One that is paid for changes where it is paid.

    Raises PLAN_IS_PAID, or NO_PERMISSION for another plan by whoever may not change plans.
    """
    if plan_type not in PLAN_TYPES:
        raise _wrong("plan_type", f"Choose one of: {', '.join(PLAN_TYPES)}.")
    present = Subscription.objects.filter(workspace=workspace, status__in=entitlements.ALIVE).first()
    if present is None or present.plan.key != plan_type:
        if present is not None and present.stripe_subscription_id:
            raise BotException(codes.PLAN_IS_PAID)
        roles.check(by, "workspaces", "change_plan")
        sees(*Subscription.objects.filter(workspace=workspace))
        entitlements.subscribe(workspace, plan_type)
    return Plan.objects.get(key=plan_type)


def _make(home: Workspace, owner: User, plan: Plan, session: Session, by: User, sees: Sees) -> Bot:
    """The account of a session, claimed and ready, and its bot."""
    if not session.username:
        raise _wrong("sessions", "Verify the session first: nobody knows yet whose it is.")
    now = timezone.now()
    account = InstagramAccount.objects.filter(workspace=home, username=session.username).first()
    switch.must_have_place(home, account, plan)
    if account is None:
        account = InstagramAccount(workspace=home, username=session.username, timezone=home.timezone)
    elif hasattr(account, "session"):
        raise BotException(codes.BOT_EXISTS)
    sees(account, new=account._state.adding)
    account.instagram_pk = int(sessions.settings_of(session)["authorization_data"]["ds_user_id"])
    account.warmup_started_at = now
    account.risk_accepted_at = account.risk_accepted_at or now
    account.risk_accepted_by = account.risk_accepted_by or by.pk
    account.save()
    connecting.claim(account, account.instagram_pk)
    session_pool.assign(session, account)
    if session.valid:
        health.welcome(account, now)
    bot, _ = Bot.objects.get_or_create(account=account, defaults={"workspace": home})
    bot.user = owner
    for name, value in switch.terms(plan).items():
        setattr(bot, name, value)
    bot.save(update_fields=["user", "share", "queue", "updated_at"])
    return bot


def _wrong(field: str, sentence: str) -> BotException:
    return BotException(codes.VALIDATION_FAILED, sentence, field=field)


def driven_by(session: Session) -> list[Any]:
    """The account of a session and its bot: what is done to the session stops them."""
    with tenancy.platform("the admin log looks at rows of all workspaces"):
        accounts = InstagramAccount.objects.filter(session=session)
        return [*accounts, *Bot.objects.filter(account__in=accounts)]


def having(pair: ApiPair) -> list[Any]:
    """The bots that have a pair, and lose it with it."""
    with tenancy.platform("the admin log looks at rows of all workspaces"):
        return list(Bot.objects.filter(api_pair=pair))
