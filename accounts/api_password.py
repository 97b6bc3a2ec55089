"""Doors for programs: a forgotten password."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import passwords, sign_in
from accounts.api import SIGNING_IN, Done
from accounts.api_contract import contract
from errors import codes


class ResetWanted(serializers.Serializer):
    """Who forgot."""

    email = serializers.EmailField(max_length=254)


class ResetDone(serializers.Serializer):
    """The link and the new password."""

    key = serializers.CharField(max_length=200, help_text="The last part of the link's address: `<uid>-<token>`.")
    new_password = serializers.CharField(trim_whitespace=False, max_length=sign_in.LONGEST_PASSWORD)


class Reset(APIView):
    """A link by mail."""

    authentication_classes = ()
    permission_classes = ()

    @contract(takes=ResetWanted, gives=Done, refuses=(codes.TOO_MANY_TRIES,), tag=SIGNING_IN)
    def post(self, request: Request, wanted: dict[str, str]) -> dict[str, object]:
        """Mail a link for a new password. A known and an unknown address get the same answer. Five mails an hour."""
        passwords.ask_for_reset(request._request, wanted["email"])
        return {"success": True}


class ConfirmReset(APIView):
    """The new password."""

    authentication_classes = ()
    permission_classes = ()

    @contract(
        takes=ResetDone,
        gives=Done,
        refuses=(codes.RESET_LINK_INVALID, codes.PASSWORD_WEAK, codes.TOO_MANY_TRIES),
        tag=SIGNING_IN,
    )
    def post(self, request: Request, wanted: dict[str, str]) -> dict[str, object]:
        """Set a new password with the link of a mail, once, within an hour. All sessions and tokens die.

        It signs nobody in: sign in with the new password, and with the second factor where there is one.
        """
        uid, _, token = wanted["key"].partition("-")
        user = passwords.person_behind(request._request, uid, token)
        passwords.reset(request._request, user, wanted["new_password"])
        return {"success": True}
