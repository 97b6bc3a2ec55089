"""Forgotten passwords: a link by mail that works once, for an hour, and opens nothing but a new password."""

from allauth.account.adapter import get_adapter
from allauth.account.forms import UserTokenForm, default_token_generator
from allauth.account.internal.flows.password_reset import request_password_reset
from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest

from accounts import limits, sign_in, tenancy
from accounts.models import User
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity


def ask_for_reset(request: HttpRequest, email: str) -> None:
    """Mail a link to whoever has this address; to an unknown address a mail that says so. Raises TOO_MANY_TRIES.

    Staff have their own way back (`manage.py createadmin`), and people who are switched off have none.
    """
    email = email.strip().lower()
    limits.take(limits.RESET_FROM, limits.client_address(request))
    limits.take(limits.RESET, email)
    # A second address that nobody confirmed yet may be a slip of the pen: its owner must not get in.
    confirmed = Exists(EmailAddress.objects.filter(user=OuterRef("pk"), email=email, verified=True))
    people = User.objects.filter(confirmed | Q(email=email), is_active=True, role=User.Role.USER)
    found = people.order_by(confirmed.desc()).first()
    if found is None:
        default_token_generator.make_token(User(email=email))  # an unknown address costs the same time
    request_password_reset(request, email, [found] if found else [], default_token_generator)


def person_behind(request: HttpRequest, uid: str, key: str) -> User:
    """The person whose link this is. Raises RESET_LINK_INVALID or TOO_MANY_TRIES."""
    address = limits.client_address(request)
    limits.take(limits.RESET_KEY, address)
    link = UserTokenForm({"uidb36": uid, "key": key})
    if not link.is_valid() or not link.reset_user.is_active or link.reset_user.is_staff:
        raise BotException(codes.RESET_LINK_INVALID)
    limits.give_back(limits.RESET_KEY, address)
    user: User = link.reset_user
    return user


def reset(request: HttpRequest, user: User, password: str) -> None:
    """Give the person behind a link a new password: sessions, tokens and the link itself die, and nobody is signed in.

    Who never confirmed their address has done so now. Raises PASSWORD_WEAK.
    """
    sign_in.change_password(user, password, request=request, event="password_reset")
    for login in filter(None, (user.email, user.access_code)):
        sign_in.forgive(login)
    if not EmailAddress.objects.filter(user=user, verified=True).exists():
        address, _ = EmailAddress.objects.get_or_create(user=user, email=user.email)
        get_adapter(request).confirm_email(request, address)
    with tenancy.platform("who is not signed in has no workspace in view"):
        log_activity("reset_password", user=user)
