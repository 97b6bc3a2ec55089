"""What each kind of staff may do: the one table that every page, action, field and admin address asks."""

from typing import Any

from django.contrib.auth.models import Group
from django.db import models, transaction

from accounts.models import User
from errors import codes
from errors.exceptions import BotException


class Role(models.TextChoices):
    """A staff person has one of them; each is a group of that name."""

    OWNER = "Owner"
    OPERATIONS = "Operations"
    SUPPORT = "Support"
    BILLING = "Billing"
    AUDITOR = "Auditor"


def _only(*roles: Role) -> frozenset[str]:
    """Owners may whatever anybody may."""
    return frozenset({Role.OWNER, *roles})


_ALL = frozenset(Role.values)
_OWNER = _only()
_RUN = _only(Role.OPERATIONS)
_HELP = _only(Role.OPERATIONS, Role.SUPPORT)
_MONEY = _only(Role.BILLING)
_SEES_RUN = _only(Role.OPERATIONS, Role.SUPPORT, Role.AUDITOR)
_SEES_MONEY = _only(Role.BILLING, Role.AUDITOR)
_SEES_SAFETY = _only(Role.OPERATIONS, Role.AUDITOR)
_EXPORTS = _only(Role.AUDITOR)

# page -> deed -> who. A deed that is not named here is nobody's, an owner's neither.
MAY: dict[str, dict[str, frozenset[str]]] = {
    "dashboard": {"look": _ALL},
    # ── People ──
    "users": {
        "look": _ALL, "add": _HELP, "edit": _HELP, "reset_password": _HELP, "block": _HELP, "unblock": _HELP,
        "sign_out": _HELP, "visit": _HELP, "change_plan": _MONEY, "delete": _OWNER, "export": _EXPORTS,
    },
    "workspaces": {"look": _ALL, "change_plan": _MONEY, "export": _EXPORTS},
    "memberships": {"look": _ALL, "give_role": _HELP, "remove": _HELP, "export": _EXPORTS},
    # ── Instagram ──
    "accounts": {
        "look": _SEES_RUN, "test_session": _HELP, "give_proxy": _RUN, "take_proxy": _RUN, "export": _EXPORTS,
    },
    "sessions": {
        "look": _SEES_RUN, "add": _RUN, "verify": _HELP, "release": _RUN, "freeze": _RUN, "ban": _RUN,
        "delete": _RUN, "export": _EXPORTS,
    },
    "api_pairs": {
        "look": _SEES_RUN, "add": _RUN, "pause": _RUN, "resume": _RUN, "delete": _RUN, "export": _EXPORTS,
    },
    "bots": {
        "look": _SEES_RUN, "add": _RUN, "start": _HELP, "stop": _HELP, "give_pair": _RUN, "take_pair": _RUN,
        "export": _EXPORTS,
    },
    "tasks": {"look": _SEES_RUN, "stop": _HELP, "export": _EXPORTS},
    "actions": {"look": _SEES_RUN, "export": _EXPORTS},
    "limits": {"look": _SEES_RUN, "add": _RUN, "change": _RUN, "delete": _RUN, "export": _EXPORTS},
    # ── Money ──
    "plans": {
        "look": _ALL, "add": _MONEY, "change": _only(Role.BILLING, Role.OPERATIONS), "change_price": _MONEY,
        "change_engine": _RUN, "activate": _MONEY, "deactivate": _MONEY, "delete": _OWNER, "export": _SEES_MONEY,
    },
    "subscriptions": {
        "look": _SEES_MONEY, "change_plan": _MONEY, "change_paid": _MONEY, "extend": _MONEY, "cancel": _MONEY,
        "resume": _MONEY, "end": _MONEY, "export": _SEES_MONEY,
    },
    "drifts": {"look": _SEES_MONEY, "repair": _MONEY, "name_price": _MONEY, "export": _SEES_MONEY},
    "invoices": {"look": _SEES_MONEY, "export": _SEES_MONEY},
    "revenue": {"look": _SEES_MONEY},
    "ai_usage": {"look": _SEES_MONEY},
    "ai_calls": {"look": _SEES_MONEY, "export": _EXPORTS},
    # ── What members are told ──
    "announcements": {"look": _ALL, "add": _HELP, "change": _HELP, "end": _HELP, "ring": _RUN, "export": _EXPORTS},
    "notifications": {"look": _SEES_RUN, "export": _EXPORTS},
    # ── What happened ──
    "activity": {"look": _ALL, "export": _EXPORTS},
    "errors": {"look": _ALL, "export": _EXPORTS},
    "error_groups": {"look": _SEES_RUN, "handle": _HELP, "export": _EXPORTS},
    "story": {"look": _ALL},
    "alerts": {"look": _SEES_RUN, "test": _RUN},
    # ── The control room ──
    "staff": {
        "look": _only(Role.AUDITOR), "add": _OWNER, "give_role": _OWNER, "block": _OWNER, "unblock": _OWNER,
        "new_access": _OWNER, "sign_out": _OWNER, "export": _EXPORTS,
    },
    "settings": {"look": _SEES_SAFETY, "set": _OWNER, "default": _OWNER, "export": _EXPORTS},
    "networks": {"look": _SEES_SAFETY, "add": _OWNER, "delete": _OWNER, "export": _EXPORTS},
    "bulk_jobs": {"look": _ALL, "stop": _only(Role.OPERATIONS, Role.SUPPORT), "export": _EXPORTS},
    "admin_log": {"look": _only(Role.AUDITOR), "export": _EXPORTS},
}  # fmt: skip


def of(user: Any) -> str:
    """The role of a staff person, "" for anybody else. Costs a query the first time."""
    if not getattr(user, "is_staff", False):
        return ""
    if "_staff_role" not in vars(user):
        names = set(user.groups.values_list("name", flat=True))
        vars(user)["_staff_role"] = next((role for role in Role.values if role in names), "")
    return vars(user)["_staff_role"]


def may(user: Any, page: str, deed: str = "look") -> bool:
    """Whether this person may do this on this page."""
    return of(user) in MAY.get(page, {}).get(deed, frozenset())


def check(user: Any, page: str, deed: str = "look") -> None:
    """Raise NO_PERMISSION unless this person may do this on this page."""
    if not may(user, page, deed):
        raise BotException(codes.NO_PERMISSION)


def give(user: User, role: str) -> None:
    """Give a staff person a role in place of the one they have. Raises LAST_STAFF_OWNER.

    Whoever takes an owner away holds the group's row, so that two at once cannot take away the last two.
    """
    with transaction.atomic():
        groups = {group.name: group for group in Group.objects.select_for_update().filter(name__in=Role.values)}
        if role != Role.OWNER:
            keep_an_owner(user)
        user.groups.remove(*groups.values())
        user.groups.add(groups[role])
    vars(user).pop("_staff_role", None)


def keep_an_owner(user: User) -> None:
    """Raise LAST_STAFF_OWNER if no other active owner could sign in today. Needs a transaction.

    Whoever was only invited has no authenticator yet, and a one-time password that dies.
    """
    Group.objects.select_for_update().get(name=Role.OWNER)
    owners = User.objects.filter(role=User.Role.ADMIN, is_active=True, groups__name=Role.OWNER)
    able = owners.exclude(pk=user.pk).filter(staff_device__isnull=False, must_change_password=False)
    if owners.filter(pk=user.pk).exists() and not able.exists():
        raise BotException(codes.LAST_STAFF_OWNER)


def sync(**_: object) -> None:
    """Make the groups that the table names; runs after each migrate."""
    for name in Role.values:
        Group.objects.get_or_create(name=name)
