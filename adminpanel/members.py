"""Members whom an operator or an administrator lets in: with an e-mail, or with an access code alone."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from accounts import farewell, notices, notifications, sign_in, teams, tenancy
from accounts.models import ApiToken, User, Workspace
from adminpanel import staff
from billing import entitlements
from billing.models import Plan, Subscription
from bots import switch
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

_ACCESS_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{5,63}")


@dataclass(frozen=True)
class Admitted:
    """A new member and the workspace that was opened for them."""

    user: User
    workspace: Workspace


def admit(
    *,
    email: str = "",
    access_code: str = "",
    password: str,
    plan: str = "free",
    must_change_password: bool = False,
    by: User | None = None,
) -> Admitted:
    """Make a member with a workspace on a plan. Without e-mail and access code, an access code is made.

    Raises LOGIN_TAKEN, PASSWORD_WEAK, or VALIDATION_FAILED for an e-mail, an access code or a plan that is none.
    """
    _check(email, access_code, plan)
    sign_in.check_strength(password, User(email=email))
    try:
        with transaction.atomic():
            user = User.objects.make(
                email=email, access_code=access_code, password=password, must_change_password=must_change_password
            )
    except IntegrityError:
        raise BotException(codes.LOGIN_TAKEN) from None
    if user.email:
        # Whoever lets a person in vouches for the address: nothing waits for a mail.
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    workspace = teams.open_workspace(user)
    notifications.tell_staff(user)
    with tenancy.scope(workspace):
        entitlements.subscribe(workspace, plan)
        log_activity("user_created", workspace=workspace, user=user, by=str(by.pk) if by else "manage.py", plan=plan)
    return Admitted(user, workspace)


def edit(user: User, *, name: str, email: str, timezone: str, by: User) -> None:
    """Write down anew what a member is called, where they live and where mail reaches them; "" is no e-mail.

    Staff vouch for a new address as they do for a new member's; the former one is told and is theirs no more.
    Raises LOGIN_TAKEN, or VALIDATION_FAILED for an address that is none, and for none where nothing else signs in.
    """
    former, email = user.email or "", email.strip().lower()
    _check_email(email)
    if not (email or user.access_code):
        raise _wrong("email", "Without an e-mail nothing is left to sign in with: there is no access code.")
    user.name, user.timezone, user.email = name, timezone, email or None
    try:
        with transaction.atomic():
            if email != former.lower():
                if EmailAddress.objects.filter(email__iexact=email, verified=True).exclude(user=user).exists():
                    raise BotException(codes.LOGIN_TAKEN)
                _move(user, former)
            user.save(update_fields=["name", "timezone", "email"])
    except IntegrityError:
        raise BotException(codes.LOGIN_TAKEN) from None
    log_activity("user_edited", user=user, by=str(by.pk))


def _move(user: User, former: str) -> None:
    EmailAddress.objects.filter(user=user).delete()
    if user.email:
        EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    if former:
        notices.notify(user, "email_changed", to=former, from_email=former, to_email=user.email or "none")


def _check_email(email: str) -> None:
    if email:
        try:
            validate_email(email.strip())
        except ValidationError:
            raise _wrong("email", "This is not an e-mail address.") from None


def _check(email: str, access_code: str, plan: str) -> None:
    _check_email(email)
    if access_code and not _ACCESS_CODE.fullmatch(access_code.strip().upper()):
        raise _wrong("access_code", "An access code has 6 to 64 letters, digits, hyphens and underscores.")
    if not Plan.objects.filter(key=plan, status=Plan.Status.ACTIVE).exists():
        known = ", ".join(
            Plan.objects.filter(status=Plan.Status.ACTIVE).order_by("price").values_list("key", flat=True)
        )
        raise _wrong("plan", f"There is no plan “{plan}”. There are: {known}.")


def _wrong(field: str, sentence: str) -> BotException:
    return BotException(codes.VALIDATION_FAILED, sentence, field=field)


def reset_password(user: User) -> str:
    """Give a member a one-time password, which is returned; sessions and tokens die, the second factor stays."""
    password = secrets.token_urlsafe(12)
    user.set_password(password)
    user.must_change_password, user.password_expires_at = True, now() + staff.FIRST_PASSWORD_LASTS
    user.save(update_fields=["password", "must_change_password", "password_expires_at"])
    ApiToken.objects.filter(user=user).delete()
    return password


def block(user: User) -> None:
    """Let a member in no more, and stop the bots of workspaces where nobody else is."""
    with tenancy.platform("staff block a member"), transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_active=False)
        staff.sign_out(user)
        for workspace in farewell.alone(user):
            switch.stop_all(workspace, user)


def unblock(user: User) -> None:
    """Let them in again; bots stay stopped."""
    User.objects.filter(pk=user.pk).update(is_active=True)


def put_on_plan(workspace: Workspace, plan: str, until: datetime | None = None) -> None:
    """Give a workspace a plan without payment. One that is paid for changes where it is paid: PLAN_IS_PAID."""
    present = Subscription.objects.filter(workspace=workspace).first()
    if present is not None and present.is_at_stripe:
        raise BotException(codes.PLAN_IS_PAID)
    entitlements.subscribe(workspace, plan, until=until)
