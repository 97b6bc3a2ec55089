"""Doors for administrators' programs: API pairs."""

from typing import Any, cast
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tenancy
from accounts.api import Done
from accounts.api_auth import Pages
from accounts.api_contract import PageQuery, contract, page_of
from accounts.models import User
from adminpanel import bots
from adminpanel.api import STAFF_ONLY, StaffDoor
from adminpanel.api_sessions import ForceQuery
from bots import api_pairs
from bots.models import ApiPair, Bot
from errors import codes
from errors.exceptions import BotException

PAIRS = "API pairs"


class PairShape(serializers.ModelSerializer):
    """An API pair; its secret is never told."""

    used = serializers.IntegerField(help_text="How many bots have it.")

    class Meta:
        model = ApiPair
        fields = ["id", "name", "app_id", "capacity", "used", "status", "created_at"]


class PairForm(serializers.Serializer):
    """A Meta app."""

    app_id = serializers.CharField(max_length=40)
    app_secret = serializers.CharField(max_length=200, write_only=True, help_text="Sealed at once; never told again.")
    name = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    capacity = serializers.IntegerField(
        min_value=1, max_value=api_pairs.MOST_BOTS, required=False, default=50, help_text="How many bots may have it."
    )


class AssignForm(serializers.Serializer):
    """Which bot gets which pair."""

    bot = serializers.UUIDField()
    api_pair = serializers.CharField(
        max_length=40,
        default=api_pairs.AUTO,
        allow_null=True,
        help_text="An id; `auto` for the least used share of its room; null gives the bot's pair back.",
    )


class PairAdded(Done):
    """The new pair."""

    api_pair = PairShape()


class PairAssigned(Done):
    """The pair that the bot has now."""

    api_pair = PairShape(allow_null=True)


class ListPairs(StaffDoor):
    """All pairs."""

    needs = ("api_pairs", "look")

    @contract(query=PageQuery, gives=page_of(PairShape), refuses=STAFF_ONLY, tag=PAIRS)
    def get(self, request: Request, asked: dict[str, Any]) -> Response:
        """List the pairs with what they are used, the newest first."""
        with tenancy.platform(api_pairs.ALL):
            pages = Pages()
            found = pages.paginate_queryset(api_pairs.pairs(), request, self)
            return pages.get_paginated_response(PairShape(found, many=True).data)


class AddPair(StaffDoor):
    """Adding a pair."""

    needs = ("api_pairs", "add")

    @contract(takes=PairForm, gives=PairAdded, status=201, refuses=(*STAFF_ONLY, codes.API_PAIR_EXISTS), tag=PAIRS)
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Take a Meta app into use."""
        pair = api_pairs.add(by=cast(User, request.user), **wanted)
        self.looks_at(pair, new=True)
        return {"success": True, "api_pair": PairShape(api_pairs.find(str(pair.pk))).data}


class AssignPair(StaffDoor):
    """Which pair a bot has."""

    needs = ("bots", "give_pair")

    @contract(
        takes=AssignForm,
        gives=PairAssigned,
        refuses=(*STAFF_ONLY, codes.BOT_NOT_FOUND, codes.API_PAIR_NOT_FOUND, codes.API_PAIR_NO_ROOM),
        tag=PAIRS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Give a bot a pair in place of the one it has, or let it give that back."""
        by = cast(User, request.user)
        bot = _bot(wanted["bot"])
        self.looks_at(bot)
        if wanted["api_pair"] is None:
            api_pairs.release(bot, by)
            return {"success": True, "api_pair": None}
        pair = api_pairs.assign(bot, wanted["api_pair"], by)
        return {"success": True, "api_pair": PairShape(api_pairs.find(str(pair.pk))).data}


class DeletePair(StaffDoor):
    """Throwing a pair away."""

    needs = ("api_pairs", "delete")

    @contract(
        query=ForceQuery,
        gives=Done,
        refuses=(*STAFF_ONLY, codes.API_PAIR_NOT_FOUND, codes.API_PAIR_IN_USE),
        tag=PAIRS,
    )
    def delete(self, request: Request, api_id: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Delete a pair, named by its id or its app id. Whatever uses it must be without it first, or by force."""
        pair = api_pairs.find(api_id)
        self.looks_at(pair, *bots.having(pair))
        api_pairs.delete(pair, cast(User, request.user), force=asked["force"])
        return {"success": True}


def _bot(bot_id: UUID) -> Bot:
    with tenancy.platform(api_pairs.ALL):
        bot = Bot.objects.select_related("api_pair").filter(pk=bot_id).first()
    if bot is None:
        raise BotException(codes.BOT_NOT_FOUND)
    return bot
