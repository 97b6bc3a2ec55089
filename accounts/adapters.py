"""What allauth asks of us."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.forms import BaseForm, ValidationError
from django.http import HttpRequest

from accounts import limits, mails, notices, sign_in, teams, tenancy
from accounts.models import User
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity


class AccountAdapter(DefaultAccountAdapter):
    """Allauth's flows over our one login service."""

    def authenticate(self, request: HttpRequest, **credentials: str) -> User | None:
        """The person, by e-mail or access code and password."""
        login = credentials.get("username") or credentials.get("email") or ""
        return sign_in.identify(login, credentials.get("password", ""))

    def reauthenticate(self, user: User, password: str) -> bool:
        """Whether this is the person's own password, under the same limit as a login."""
        try:
            return sign_in.identify(user.email or user.access_code or "", password) == user
        except BotException as error:
            if error.code is codes.TOO_MANY_TRIES:
                raise ValidationError(f"{error.message} {error.code.id}") from None
            return False

    def populate_username(self, request: HttpRequest, user: User) -> None:
        """People who sign up have an e-mail; access codes are given by admins."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """One idea of where a request came from, for the whole house."""
        return limits.client_address(request)

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """A new member, with a workspace of their own."""
        user = super().save_user(request, user, form, commit=False)
        user.access_code = None
        if commit:
            user.save()
            workspace = teams.open_workspace(user)
            with tenancy.scope(workspace):
                log_activity("user_created", workspace=workspace, user=user)
        return user

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """All mails leave by one door."""
        mails.write(template_prefix, email, context)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """All notices are in one table."""
        facts = {name: fact for name, fact in (context or {}).items() if isinstance(fact, str)}
        notices.notify(user, template_prefix.rpartition("/")[2], self.request, to=email or "", **facts)

    def set_password(self, user: User, password: str) -> None:
        """A new password by the change or reset form."""
        sign_in.change_password(user, password)


class FactorAdapter(DefaultMFAAdapter):
    """Allauth's second factor, with its secrets sealed."""


class GoogleAdapter(DefaultSocialAccountAdapter):
    """Allauth's Google sign-in, linked by Google's own number for a person and nothing else."""
