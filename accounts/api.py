"""Doors for programs: signing in, who I am, my password."""

from typing import cast
from uuid import UUID

from django.contrib.auth import logout, update_session_auth_hash
from django.http import Http404
from drf_spectacular.utils import PolymorphicProxySerializer
from knox.crypto import hash_token
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import devices, entry, second_factor, sign_in
from accounts.api_auth import workspace_of
from accounts.api_contract import SIGNED_IN, contract
from accounts.models import ApiToken, Membership, User
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

SIGNING_IN = "Signing in"


class Person(serializers.ModelSerializer):
    """A person, as programs see them."""

    class Meta:
        model = User
        fields = [
            "id",
            "email",
            "access_code",
            "name",
            "role",
            "timezone",
            "must_change_password",
            "is_two_factor_enabled",
        ]
        extra_kwargs = {"is_two_factor_enabled": {"help_text": "Signing in asks for a code or a passkey too."}}


class Place(serializers.ModelSerializer):
    """A workspace that a person belongs to, and as what."""

    id = serializers.UUIDField(source="workspace_id")
    name = serializers.CharField(source="workspace.name")
    timezone = serializers.CharField(source="workspace.timezone")

    class Meta:
        model = Membership
        fields = ["id", "name", "timezone", "role"]


class Done(serializers.Serializer):
    """It is done."""

    success = serializers.BooleanField(default=True)


class LoginForm(serializers.Serializer):
    """E-mail or access code, and password."""

    login = serializers.CharField(max_length=254, help_text="E-mail or access code.")
    password = serializers.CharField(trim_whitespace=False)


class SignedIn(Done):
    """A token for `Authorization: Bearer`, good for 14 days."""

    token = serializers.CharField()
    must_change_password = serializers.BooleanField(help_text="True: the token opens only change-password, me, logout.")
    user = Person()


class FactorAsked(serializers.Serializer):
    """The password is right, and a code is needed too: POST /api/auth/verify-otp with this challenge and the code."""

    success = serializers.BooleanField(default=False)
    requires_2fa = serializers.BooleanField(default=True)
    challenge = serializers.CharField(help_text="Good for five minutes and one sign-in.")


class Me(Done):
    """The person and their workspaces; `workspace` is the one this request works in."""

    user = Person()
    workspace = serializers.UUIDField(allow_null=True)
    workspaces = Place(many=True)


class NewPassword(serializers.Serializer):
    """The present password and the next."""

    old_password = serializers.CharField(trim_whitespace=False)
    new_password = serializers.CharField(trim_whitespace=False, max_length=sign_in.LONGEST_PASSWORD)


class PasswordChanged(Done):
    """The password is changed."""

    must_change_password = serializers.BooleanField(default=False)


class Login(APIView):
    """The door."""

    authentication_classes = ()
    permission_classes = ()

    @contract(
        takes=LoginForm,
        gives=PolymorphicProxySerializer("SignedInOrAsked", [SignedIn, FactorAsked], resource_type_field_name=None),
        refuses=(codes.INVALID_CREDENTIALS, codes.USER_BLOCKED, codes.EMAIL_UNCONFIRMED, codes.TOO_MANY_TRIES),
        tag=SIGNING_IN,
    )
    def post(self, request: Request, wanted: dict[str, str]) -> dict[str, object]:
        """Sign in with e-mail or access code and password; gives a token, or asks for the second factor.

        Five wrong guesses rest a login 5 minutes.
        """
        user = sign_in.identify(wanted["login"], wanted["password"])
        sign_in.must_have_confirmed(user)
        if user.is_two_factor_enabled:
            return {"success": False, "requires_2fa": True, "challenge": second_factor.challenge(user)}
        return let_in(request, user)


def let_in(request: Request, user: User, *, factor_shown: bool = False) -> dict[str, object]:
    """Answer a program whose person has proved who they are, with a token. Raises what `sign_in.admit` does."""
    if user.is_staff:  # since the password was given
        raise BotException(codes.INVALID_CREDENTIALS)
    sign_in.admit(user)
    token = sign_in.make_token(user, ApiToken.Realm.USER)
    if factor_shown:
        second_factor.prove(f"token {hash_token(token)}")
    entry.enter(request._request, user)
    if workspace_of(request) is not None:
        log_activity("login", user=user, door="api")
    devices.note(user, request._request)
    return {
        "success": True,
        "token": token,
        "must_change_password": user.must_change_password,
        "user": Person(user).data,
    }


class Logout(APIView):
    """The way out."""

    open_to_must_change = open_to_any_token = open_without_workspace = True

    @contract(gives=Done, refuses=SIGNED_IN, tag=SIGNING_IN)
    def post(self, request: Request) -> dict[str, object]:
        """Revoke the token this request came with, or end the session of its cookie."""
        if isinstance(request.auth, ApiToken):
            request.auth.delete()
        else:
            logout(request._request)
        return {"success": True}


class WhoAmI(APIView):
    """The person behind the token."""

    open_to_must_change = open_without_workspace = True

    @contract(gives=Me, refuses=SIGNED_IN, tag=SIGNING_IN)
    def get(self, request: Request) -> dict[str, object]:
        """Tell who is signed in, their workspaces, and the one this request works in (see the header X-Workspace)."""
        user, workspace = cast(User, request.user), workspace_of(request)
        mine = Membership.objects.filter(user=user).select_related("workspace").order_by("created_at")
        return {
            "success": True,
            "user": Person(user).data,
            "workspace": str(workspace.pk) if workspace else None,
            "workspaces": Place(mine, many=True).data,
        }


class ChangePassword(APIView):
    """One's own password."""

    open_to_must_change = open_without_workspace = True

    @contract(
        takes=NewPassword,
        gives=PasswordChanged,
        refuses=(*SIGNED_IN, codes.PASSWORD_WRONG, codes.PASSWORD_WEAK, codes.NOT_FOUND, codes.TOO_MANY_TRIES),
        tag=SIGNING_IN,
    )
    def put(self, request: Request, user_id: UUID, wanted: dict[str, str]) -> dict[str, object]:
        """Change your own password. Your other tokens and sessions die; the one this request came with lives on."""
        user = cast(User, request.user)
        if user_id != user.pk:
            raise Http404
        sign_in.reauthenticate(user, wanted["old_password"])
        kept = cast(ApiToken | None, request.auth)
        sign_in.change_password(user, wanted["new_password"], keep=kept, request=request._request)
        if request.auth is None:
            update_session_auth_hash(request._request, user)
        log_activity("change_password", user=user)
        return {"success": True, "must_change_password": False}
