"""allauth's forms of signing up, forgotten passwords and addresses: counted, and refusing with a code."""

from typing import Any
from uuid import uuid4

from allauth.account import forms as allauth
from allauth.account.models import EmailAddress
from allauth.core import context
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse

from accounts import limits, passwords, sign_in
from accounts.models import User
from accounts.refusals import refusing, sentence
from errors import codes
from errors.exceptions import BotException


class SignUpForm(allauth.SignupForm):
    """An e-mail and a password. Whether the address is known is told to its owner, by mail, and to nobody else."""

    def validate_unique_email(self, value: str) -> str:
        """Note whether somebody has it: as their main address, confirmed or not, or as a further confirmed one."""
        self.account_already_exists = (
            User.objects.filter(email=value).exists()
            or EmailAddress.objects.filter(email=value, verified=True).exists()
        )
        return value

    def clean(self) -> dict[str, Any]:
        """Count each complete form. Raises ValidationError with TOO_MANY_TRIES."""
        cleaned: dict[str, Any] = super().clean()
        if not self.errors:
            with refusing():
                limits.take(limits.SIGN_UP, limits.client_address(context.request))
        return cleaned

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Make the person; for a known address make one who is gone at once, as that takes the same time."""
        if not self.account_already_exists:
            try:
                with transaction.atomic():
                    return super().try_save(request)
            except IntegrityError:  # somebody was faster by a moment
                self.account_already_exists = True
        self._pretend(request)
        return super().try_save(request)

    def _pretend(self, request: HttpRequest) -> None:
        known, self.cleaned_data["email"] = self.cleaned_data["email"], f"{uuid4()}@example.com"
        self.account_already_exists = False
        with transaction.atomic():
            self.save(request)
            transaction.set_rollback(True)
        self.account_already_exists, self.cleaned_data["email"] = True, known


class ResetPasswordForm(allauth.ResetPasswordForm):
    """The address of somebody who forgot."""

    def clean_email(self) -> str:
        """Look nobody up yet: known and unknown addresses are alike."""
        email: str = self.cleaned_data["email"]
        return email

    def clean(self) -> dict[str, Any]:
        """Mail the link. Raises ValidationError with TOO_MANY_TRIES."""
        cleaned: dict[str, Any] = super().clean()
        if not self.errors:
            with refusing():
                passwords.ask_for_reset(context.request, cleaned["email"])
        return cleaned

    def save(self, request: HttpRequest, **_: object) -> str:
        """It is on its way already."""
        email: str = self.cleaned_data["email"]
        return email


class ResetLinkForm(allauth.UserTokenForm):
    """The link of the mail."""

    def clean(self) -> dict[str, Any]:
        """Find whose it is; the page says what a wrong link is. Raises TOO_MANY_TRIES."""
        uid, key = self.cleaned_data.get("uidb36", ""), self.cleaned_data.get("key", "")
        try:
            self.reset_user = passwords.person_behind(context.request, uid, key)
        except BotException as refused:
            if refused.code is codes.TOO_MANY_TRIES:
                raise
            raise ValidationError(sentence(refused), code=refused.code.name) from None
        return self.cleaned_data


class NewPasswordForm(allauth.ResetPasswordKeyForm):
    """The new password of somebody with a link, twice."""

    def save(self) -> None:
        """Keep it; the link is used up."""
        passwords.reset(context.request, self.user, self.cleaned_data["password1"])


class ChangePasswordForm(allauth.ChangePasswordForm):
    """The present password, and twice the next."""

    def clean_oldpassword(self) -> str:
        """Prove the present one, counted as at the door. Raises ValidationError with PASSWORD_WRONG."""
        password: str = self.cleaned_data["oldpassword"]
        with refusing():
            sign_in.reauthenticate(self.user, password)
        return password


class AddEmailForm(allauth.AddEmailForm):
    """Another address."""

    def clean(self) -> dict[str, Any]:
        """Count the address and the person. Raises ValidationError with TOO_MANY_TRIES."""
        cleaned: dict[str, Any] = super().clean()
        if not self.errors:
            with refusing():
                limits.take(limits.MANAGE_EMAIL, self.user.pk)
                limits.take(limits.CONFIRM, cleaned["email"])
        return cleaned
