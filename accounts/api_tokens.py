"""Doors for programs: a person's API tokens. None of them opens to a token with scopes."""

from typing import Any, cast

from django.http import Http404
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import sign_in, tokens
from accounts.api import Done
from accounts.api_auth import InPerson
from accounts.api_contract import SIGNED_IN, contract
from accounts.models import ApiToken, User
from errors import codes

TAG = "API tokens"


class Token(serializers.ModelSerializer):
    """A token that its person made. `id` is how it begins; the rest is known to nobody but its program."""

    id = serializers.CharField(source="token_key")
    scopes = serializers.ListField(child=serializers.ChoiceField(list(tokens.SCOPES)))
    created_at = serializers.DateTimeField(source="created")
    expires_at = serializers.DateTimeField(source="expiry")

    class Meta:
        model = ApiToken
        fields = ["id", "name", "scopes", "created_at", "last_used_at", "expires_at"]


class TokenList(Done):
    """All tokens a person made, newest first: at most 20 that still open something."""

    tokens = Token(many=True)


class NewToken(serializers.Serializer):
    """What the token is for. The password once more, so that a stolen token makes no other."""

    password = serializers.CharField(trim_whitespace=False)
    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(child=serializers.ChoiceField(list(tokens.SCOPES)), allow_empty=False, max_length=3)
    days = serializers.ChoiceField(list(tokens.DAYS))


class TokenMade(Done):
    """The token, this once, and what stays known of it."""

    token = serializers.CharField(help_text="Send it as `Authorization: Bearer <token>`. It is not shown again.")
    made = Token()


class Tokens(APIView):
    """The tokens of the person who asks."""

    permission_classes = (InPerson,)

    @contract(gives=TokenList, refuses=SIGNED_IN, tag=TAG)
    def get(self, request: Request) -> dict[str, object]:
        """List the tokens you made. Those of sign-ins are not among them."""
        return {"success": True, "tokens": Token(tokens.made_by(cast(User, request.user)), many=True).data}

    @contract(
        takes=NewToken,
        gives=TokenMade,
        refuses=(*SIGNED_IN, codes.PASSWORD_WRONG, codes.TOO_MANY_TRIES, codes.TOKENS_FULL),
        status=201,
        tag=TAG,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, object]:
        """Make a token for one program: with what it may do, for 7, 30, 90 or 365 days."""
        user = cast(User, request.user)
        sign_in.reauthenticate(user, wanted.pop("password"))
        token, words = tokens.make(user, **wanted, request=request._request)
        return {"success": True, "token": words, "made": Token(token).data}


class OneToken(APIView):
    """One of them."""

    permission_classes = (InPerson,)

    @contract(gives=Done, refuses=(*SIGNED_IN, codes.NOT_FOUND), tag=TAG)
    def delete(self, request: Request, key: str) -> dict[str, object]:
        """Revoke a token. The program that uses it stops at its next request."""
        if tokens.revoke(cast(User, request.user), key, request._request) is None:
            raise Http404
        return {"success": True}
