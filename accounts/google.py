"""Sign in with Google: allauth's OpenID Connect, made strict, and who may come in, sign up or link by it.

A person is recognised by Google's own number for them (`sub`), read from an id_token whose signature, issuer, audience,
time and nonce are right. An e-mail address never opens an account that exists.
"""

import base64
import hashlib
from typing import Any

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView, OAuth2View
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from allauth.utils import get_request_param
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from requests import RequestException

from accounts import limits, notices, sign_in
from accounts.models import User
from errors import codes
from errors.answers import fail
from errors.exceptions import BotException
from errors.recording import log_activity

PROVIDER = "google"
WHERE_SECONDS = 3600  # how long we remember where everything is at Google
WHERE = {"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"}


# The way there and back


class Door(OpenIDConnectOAuth2Adapter):
    """Allauth's way through OpenID Connect. Allauth trusts the line to Google; we check the token itself too."""

    nonce = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        """Where everything is at Google. Raises OAuth2Error when it does not tell."""
        name = f"google:{self.get_provider().server_url}"
        if (known := cache.get(name)) is None:
            try:
                known = super().openid_config
            except RequestException as error:
                raise OAuth2Error("Google does not tell where it is.") from error
            if not isinstance(known, dict) or not known.keys() >= WHERE:
                raise OAuth2Error("Google's description of itself is not whole.")
            cache.set(name, known, WHERE_SECONDS)
        return known

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: OAuth2Client, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """Exchange the code; only the id_token of this very sign-in has its nonce."""
        self.nonce = challenge_of(pkce_code_verifier or "")
        return super().get_access_token_data(request, app, client, pkce_code_verifier=pkce_code_verifier)

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """Nothing: we want to know who somebody is, not to act as them."""
        return SocialToken(token="")

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> SocialLogin:
        """Who the signed token says. Raises OAuth2Error."""
        try:
            login = self.get_provider().verify_token(request, kwargs["response"])
        except (ValidationError, KeyError, TypeError, ValueError) as error:
            raise OAuth2Error("The id_token is not right.") from error
        told = login.account.extra_data
        if told.get("nonce") != self.nonce:
            raise OAuth2Error("The id_token is of another sign-in.")
        login.account.extra_data = {name: told[name] for name in ("email", "name") if name in told}
        return login


class Google(OpenIDConnectProvider):
    """Google, asked who somebody is and nothing else."""

    oauth2_adapter_class = Door

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict[str, Any]:
        """What the address of a sign-in asks for beside (`scope`, `auth_params`) is not passed on."""
        asked = super().get_redirect_from_request_kwargs(request)
        return asked | {"scope": self.get_scope(), "auth_params": self.get_auth_params()}

    def get_pkce_params(self) -> dict[str, Any]:
        """The PKCE challenge is the nonce too: only the session that holds its verifier takes the id_token back."""
        pkce = super().get_pkce_params()
        return pkce | {"nonce": challenge_of(pkce["code_verifier"])}


def challenge_of(verifier: str) -> str:
    """RFC 7636: base64url of SHA-256, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@login_not_required
def enter(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Send somebody to Google. To link it, they prove first that it is them."""
    if get_request_param(request, "process") == AuthProcess.CONNECT and request.user.is_authenticated:
        raise_if_reauthentication_required(request, app="allauth.socialaccount")
    return _through(OAuth2LoginView, request, provider_id)


@login_not_required
def come_back(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Meet somebody whom Google sends back."""
    return _through(OAuth2CallbackView, request, provider_id)


def _through(way: type[OAuth2View], request: HttpRequest, provider_id: str) -> HttpResponse:
    if provider_id != PROVIDER:
        raise Http404
    try:
        return way.adapter_view(Door(request, provider_id))(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except OAuth2Error as error:
        return refuse(request, BotException(codes.GOOGLE_REFUSED, why=str(error)))


def refuse(request: HttpRequest, error: BotException) -> HttpResponse:
    """Say on a page of the sign-in why Google does not open it; recorded like every error."""
    answer = fail(request, error)
    words = {"code": error.code, "message": error.message, "correlation_id": getattr(request, "correlation_id", "")}
    answer.content = render_to_string("socialaccount/authentication_error.html", words, request)
    return answer


# Who may


def check(request: HttpRequest, login: SocialLogin) -> None:
    """Let pass whom Google sends: to link, to sign in or to sign up. Raises what the three below raise."""
    if login.state.get("process") == AuthProcess.CONNECT:
        if request.user.is_authenticated:
            _may_link(request.user, login)
    elif login.is_existing:
        _may_sign_in(login.user)
    else:
        _may_sign_up(login)
        limits.take(limits.SIGN_UP, limits.client_address(request))


def _may_sign_in(user: User) -> None:
    """Raises USER_BLOCKED, or GOOGLE_REFUSED for staff, who have a door of their own."""
    if user.is_staff:
        raise BotException(codes.GOOGLE_REFUSED)
    sign_in.admit(user)


def _may_sign_up(login: SocialLogin) -> None:
    """A new person needs an address that Google has confirmed and nobody here uses.

    Raises GOOGLE_REFUSED or GOOGLE_NOT_LINKED; the second only to who has shown that the address is theirs.
    """
    email = login.user.email or ""
    if not any(told.verified is True and told.email.lower() == email for told in login.email_addresses):
        raise BotException(codes.GOOGLE_REFUSED, "Google has not confirmed the e-mail address of this account.")
    if (
        User.objects.filter(Q(email__iexact=email)).exists()
        or EmailAddress.objects.filter(email__iexact=email).exists()
    ):
        raise BotException(codes.GOOGLE_NOT_LINKED)


def _may_link(user: User, login: SocialLogin) -> None:
    """One Google account for one person. Raises GOOGLE_LINKED_ALREADY, or GOOGLE_REFUSED for staff."""
    if user.is_staff:
        raise BotException(codes.GOOGLE_REFUSED)
    User.objects.select_for_update().get(pk=user.pk)  # of two at once, the second sees what the first linked
    others = SocialAccount.objects.filter(Q(user=user) & ~Q(uid=login.account.uid))
    if (login.is_existing and login.user != user) or others.exists():
        raise BotException(codes.GOOGLE_LINKED_ALREADY)


def unlink(request: HttpRequest, account: SocialAccount) -> None:
    """Let Google no longer open this person's account; they prove first that it is them."""
    raise_if_reauthentication_required(request, app="allauth.socialaccount")
    account.delete()
    log_activity("google_unlinked", user=account.user_id)
    notices.notify(account.user, "account_disconnected", request)
    messages.success(request, "Google is unlinked.")
