"""What allauth asks of us."""

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.account.internal.stagekit import clear_login
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import HASH_SESSION_KEY
from django.db import IntegrityError, transaction
from django.forms import BaseForm, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts import (
    addresses,
    devices,
    google,
    limits,
    mails,
    notices,
    notifications,
    second_factor,
    sign_in,
    teams,
    tenancy,
)
from accounts.models import User
from accounts.refusals import refusing
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import system

_BEGUN = "sign_in_begun"  # in a session whose sign-in is not finished: which password and generation it began with


class AccountAdapter(DefaultAccountAdapter):
    """Allauth's flows over our one login service."""

    def authenticate(self, request: HttpRequest, **credentials: str) -> User | None:
        """The person, by e-mail or access code and password."""
        login = credentials.get("username") or credentials.get("email") or ""
        return sign_in.identify(login, credentials.get("password", ""))

    def reauthenticate(self, user: User, password: str) -> bool:
        """Whether this is the person's own password, under the same limit as a login."""
        try:
            known = sign_in.identify(user.email or user.access_code or "", password)
        except BotException as error:
            if error.code is codes.TOO_MANY_TRIES:
                raise ValidationError(f"{error.message} {error.code.id}", code=error.code.name) from None
            return False
        if known == user and known.password != user.password:  # hashed anew at today's price: this browser stays in
            self.request.session[HASH_SESSION_KEY] = known.get_session_auth_hash()
        return known == user

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Whether anybody may sign up; an invitation lets people in always."""
        return system.SIGN_UP_OPEN.now() or bool(request.session.get("account_verified_email"))

    def populate_username(self, request: HttpRequest, user: User) -> None:
        """People who sign up have an e-mail; access codes are given by admins."""

    def get_client_ip(self, request: HttpRequest) -> str:
        """One idea of where a request came from, for the whole house."""
        return limits.client_address(request)

    def save_user(self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True) -> User:
        """A new member."""
        user = super().save_user(request, user, form, commit=False)
        user.access_code = None
        if commit:
            self.welcome(request, user)
        return user

    def welcome(self, request: HttpRequest, user: User, **how: Any) -> None:
        """Give a new member a workspace of their own; who comes by an invitation joins that one instead."""
        user.save()
        notifications.tell_staff(user)
        if self.is_email_verified(request, user.email or ""):
            with tenancy.platform("who is invited belongs to no workspace yet"):
                log_activity("user_created", user=user, invited=True, **how)
            return
        self.unstash_verified_email(request)  # an invitation proves its own address and no other
        workspace = teams.open_workspace(user)
        with tenancy.scope(workspace):
            log_activity("user_created", workspace=workspace, user=user, **how)

    def pre_login(self, request: HttpRequest, user: User, **how: Any) -> HttpResponse | None:
        """Every way in passes here, a passkey too: staff have a door of their own, and the blocked have none."""
        if user.is_staff:
            clear_login(request)
            refused = codes.INVALID_CREDENTIALS
            messages.error(request, f"{refused.what} {refused.do_next} {refused.id}")
            return redirect("account_login")
        request.session[_BEGUN] = second_factor.seen(user)
        return super().pre_login(request, user, **how)

    def login(self, request: HttpRequest, user: User) -> None:
        """The end of every way in: what was proved before the password or the generation changed is not enough."""
        if request.session.pop(_BEGUN, None) != second_factor.seen(user):
            expired = codes.SECOND_FACTOR_EXPIRED
            messages.error(request, f"{expired.what} {expired.do_next} {expired.id}")
            raise ImmediateHttpResponse(redirect("account_login"))
        super().login(request, user)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """How to prove once more who you are: with a second factor, the password alone is not enough."""
        words = {
            "reauthenticate": "Use your password",
            "mfa_reauthenticate": "Use a code",
            "mfa_reauthenticate:webauthn": "Use a passkey",
        }
        ways = super().get_reauthentication_methods(user)
        stronger = [way for way in ways if way["id"] != "reauthenticate"]
        return [way | {"description": words[way["id"]]} for way in stronger or ways]

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """All mails leave by one door."""
        mails.write(template_prefix, email, context)

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """All notices are in one table."""
        event = template_prefix.rpartition("/")[2]
        if event in ("password_changed", "password_set", "password_reset"):
            return  # told where it is done, for every door
        facts: dict[str, Any] = {name: fact for name, fact in (context or {}).items() if isinstance(fact, str)}
        if event == "email_changed":
            notices.notify(user, event, self.request, to=facts["to_email"], **facts)
        notices.notify(user, event, self.request, to=email or "", **facts)

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell the owner of a known address, and nobody else, as often as a new one would be asked to confirm."""
        if self.may_confirm(email):
            self.send_mail("account/email/account_already_exists", email, {})

    def should_send_confirmation_mail(self, request: HttpRequest, email_address: EmailAddress, signup: bool) -> bool:
        """Whether the address may have another link."""
        return self.may_confirm(email_address.email)

    def may_confirm(self, email: str) -> bool:
        """Count a mail that confirms an address; where there were too many the page says so."""
        try:
            limits.take(limits.CONFIRM, email.lower())
        except BotException as refused:
            messages.error(self.request, f"{refused.message} Open the link that we sent before. {refused.code.id}")
            return False
        return True

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: EmailConfirmationHMAC) -> str:
        """A link to us, whatever host a request names."""
        return f"{settings.SITE_URL}{reverse('account_confirm_email', args=[emailconfirmation.key])}"

    def get_reset_password_from_key_url(self, key: str) -> str:
        """A link to us, whatever host a request names."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return f"{settings.SITE_URL}{path.replace('UID-KEY', key)}"

    def get_login_stages(self) -> list[str]:
        """The steps of signing in."""
        ours = {"allauth.account.stages.EmailVerificationStage": "accounts.addresses.ConfirmStage"}
        return [ours.get(stage, stage) for stage in super().get_login_stages()]

    def can_delete_email(self, email_address: EmailAddress) -> bool:
        """The main address goes only from a person who can still sign in without it."""
        return not email_address.primary or bool(email_address.user.access_code)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """The address is this person's: whoever else wrote it down and never confirmed it gives way."""
        addresses.make_way(email_address)
        return bool(super().confirm_email(request, email_address))

    def clean_password(self, password: str, user: User | None = None) -> str:
        """A strong password, and a new one. Raises ValidationError with PASSWORD_WEAK."""
        user = user or User()
        with refusing():
            (sign_in.check_strength if user._state.adding else sign_in.check_new)(password, user)
        return password

    def set_password(self, user: User, password: str) -> None:
        """A new password by the change form."""
        sign_in.change_password(user, password, request=self.request)

    def post_login(self, request: HttpRequest, user: User, **how: Any) -> HttpResponse:
        """Somebody is in: a device that we do not know is told of."""
        response = super().post_login(request, user, **how)
        devices.note(user, request)
        return response


class FactorAdapter(DefaultMFAAdapter):
    """Allauth's second factor, with its secrets sealed, and named after SITE_URL whatever host a request names."""

    error_messages = DefaultMFAAdapter.error_messages | {
        # Codes are judged elsewhere: it is always a passkey.
        "incorrect_code": f"{codes.PASSKEY_REFUSED.what} {codes.PASSKEY_REFUSED.do_next} {codes.PASSKEY_REFUSED.id}"
    }

    def encrypt(self, text: str) -> str:
        """Seal a secret for the person it belongs to."""
        return second_factor.seal(text, second_factor.owner())

    def decrypt(self, encrypted_text: str) -> str:
        """Open a secret of the person whose it should be."""
        return second_factor.unseal(encrypted_text, second_factor.owner())

    def generate_authenticator_name(self, user: User, kind: str) -> str:
        """What a passkey is called until its owner says better."""
        others = Authenticator.objects.filter(user=user, type=kind).count()
        return f"Passkey {others + 1}" if others else "Passkey"

    def get_totp_label(self, user: User) -> str:
        """What the app writes beside the code; the access code, half of a sign-in, is not shown there."""
        return f"{self.get_totp_issuer()}:{user.email or user}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The site that a passkey is for."""
        return {"id": urlsplit(settings.SITE_URL).hostname or "", "name": self.get_totp_issuer()}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        """Whose passkey it is, as the device shows it."""
        return {"id": user.pk.hex.encode(), "display_name": str(user), "name": user.email or str(user)}


class GoogleAdapter(DefaultSocialAccountAdapter):
    """Allauth's Google sign-in, linked by Google's own number for a person and nothing else."""

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> google.Google:
        """Google, as strict as we want it."""
        return google.Google(request, app=super().get_provider(request, provider, client_id).app)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        """Who a new person would be, in Google's words."""
        user: User = sociallogin.user
        user.email = (data.get("email") or "").lower() or None
        user.name = " ".join(str(data.get("name") or "").split())[:120]
        user.access_code = ""  # allauth wants to read one; nobody is saved with it
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Nobody is linked, let in or signed up whom our rules do not admit."""
        try:
            google.check(request, sociallogin)
        except BotException as error:
            raise ImmediateHttpResponse(google.refuse(request, error)) from None

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: BaseForm | None = None) -> User:
        """A new member who signed up with Google: without a password, the address confirmed."""
        user: User = sociallogin.user
        user.access_code = None
        try:
            with transaction.atomic():
                get_account_adapter(request).welcome(request, user, door="google")
                sociallogin.save(request)
        except IntegrityError:  # the same person in another window was faster, and is let in at the next try
            refusal = google.refuse(request, BotException(codes.GOOGLE_REFUSED))
            raise ImmediateHttpResponse(refusal) from None
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: object,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Answer what went wrong between Google and us: on our page, or where somebody who changed their mind was."""
        state = (extra_context or {}).get("state") or {}
        if error != AuthError.CANCELLED:
            why = BotException(codes.GOOGLE_REFUSED, why=type(exception).__name__)
            raise ImmediateHttpResponse(google.refuse(request, why))
        if state.get("process") == AuthProcess.CONNECT:
            messages.info(request, "Nothing was linked.")
            raise ImmediateHttpResponse(redirect("socialaccount_connections"))

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """Google was linked: written down, and told by mail."""
        log_activity("google_linked", user=user)
        super().send_notification_mail(template_prefix, user, *args, **kwargs)
