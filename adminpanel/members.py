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

from accounts import farewell, notifications, sign_in, teams, tenancy
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


def _check(email: str, access_code: str, plan: str) -> None:
    if email:
        try:
            validate_email(email.strip())
        except ValidationError:
            raise _wrong("email", "This is not an e-mail address.") from None
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
