"""Doors for programs: the second factor."""

from typing import cast

from allauth.mfa.adapter import get_adapter
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import second_factor, sign_in
from accounts.api import SIGNING_IN, Done, SignedIn, let_in
from accounts.api_auth import InPerson
from accounts.api_contract import SIGNED_IN, contract
from accounts.models import User
from errors import codes
from errors.exceptions import BotException


class NewSecret(Done):
    """A secret for an authenticator app. It is shown once, and waits ten minutes for its first code."""

    otpauth_url = serializers.CharField(help_text="What the app wants: `otpauth://totp/…?secret=…`.")
    qr_svg = serializers.CharField(help_text="The same as a picture to scan: one <svg> element.")


class Code(serializers.Serializer):
    """A code of the authenticator app."""

    code = serializers.CharField(max_length=20)


class FactorOn(Done):
    """The second factor is on."""

    recovery_codes = serializers.ListField(
        child=serializers.CharField(), help_text="Shown here once. Each opens the account once in place of a code."
    )


class Off(serializers.Serializer):
    """What it takes to turn the second factor off."""

    password = serializers.CharField(trim_whitespace=False)
    code = serializers.CharField(
        max_length=20, required=False, help_text="Needed unless this token showed one in the last five minutes."
    )


class FactorOff(Done):
    """The authenticator app is off."""

    is_two_factor_enabled = serializers.BooleanField(help_text="True where a passkey stays.")


class ChallengeAnswer(Code):
    """The challenge of the login, and a code of the app or a recovery code."""

    challenge = serializers.CharField(max_length=1000)
    code = serializers.CharField(max_length=20)


class Enable(APIView):
    """A new authenticator app."""

    permission_classes = (InPerson,)
    open_without_workspace = True

    @contract(gives=NewSecret, refuses=(*SIGNED_IN, codes.FACTOR_EXISTS), tag=SIGNING_IN)
    def post(self, request: Request) -> dict[str, object]:
        """Begin to turn on a second factor: show the secret in an authenticator app, then confirm with its code."""
        user = cast(User, request.user)
        url = get_adapter().build_totp_url(user, second_factor.begin(user, second_factor.door_of(request)))
        return {"success": True, "otpauth_url": url, "qr_svg": get_adapter().build_totp_svg(url)}


class Confirm(APIView):
    """The first code of it."""

    permission_classes = (InPerson,)
    open_without_workspace = True

    @contract(
        takes=Code,
        gives=FactorOn,
        refuses=(
            *SIGNED_IN,
            codes.FACTOR_NOT_BEGUN,
            codes.SECOND_FACTOR_WRONG,
            codes.FACTOR_EXISTS,
            codes.TOO_MANY_TRIES,
        ),
        tag=SIGNING_IN,
    )
    def post(self, request: Request, wanted: dict[str, str]) -> dict[str, object]:
        """Turn the second factor on with the first code. From now on a login asks for one; this code is used up."""
        user = cast(User, request.user)
        recovery_codes = second_factor.turn_on(user, second_factor.door_of(request), wanted["code"])
        return {"success": True, "recovery_codes": recovery_codes}


class Disable(APIView):
    """The end of it."""

    permission_classes = (InPerson,)
    open_without_workspace = True

    @contract(
        takes=Off,
        gives=FactorOff,
        refuses=(
            *SIGNED_IN,
            codes.PASSWORD_WRONG,
            codes.SECOND_FACTOR_MISSING,
            codes.SECOND_FACTOR_REQUIRED,
            codes.SECOND_FACTOR_WRONG,
            codes.TOO_MANY_TRIES,
        ),
        tag=SIGNING_IN,
    )
    def post(self, request: Request, wanted: dict[str, str]) -> dict[str, object]:
        """Turn the authenticator app off. A token that has not just shown a code gives one beside the password."""
        user, door = cast(User, request.user), second_factor.door_of(request)
        sign_in.reauthenticate(user, wanted["password"])
        if second_factor.app_of(user) is None:
            raise BotException(codes.SECOND_FACTOR_MISSING)
        if "code" in wanted:
            second_factor.use_code(user, wanted["code"])
        elif not second_factor.is_proved(door):
            raise BotException(codes.SECOND_FACTOR_REQUIRED)
        second_factor.turn_off(user, door)
        return {"success": True, "is_two_factor_enabled": user.is_two_factor_enabled}


class VerifyOtp(APIView):
    """The second half of the login."""

    authentication_classes = ()
    permission_classes = ()

    @contract(
        takes=ChallengeAnswer,
        gives=SignedIn,
        refuses=(
            codes.SECOND_FACTOR_WRONG,
            codes.SECOND_FACTOR_EXPIRED,
            codes.USER_BLOCKED,
            codes.INVALID_CREDENTIALS,
            codes.TOO_MANY_TRIES,
        ),
        tag=SIGNING_IN,
    )
    def post(self, request: Request, wanted: dict[str, str]) -> dict[str, object]:
        """Finish a login that asked for a second factor, within five minutes. Five wrong codes rest the person."""
        user = second_factor.answer(wanted["challenge"], wanted["code"])
        return let_in(request, user, factor_shown=True)
