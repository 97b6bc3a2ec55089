"""The door for administrators' programs that makes bots."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

from accounts import tenancy
from accounts.api import Done
from accounts.api_contract import contract
from accounts.models import User
from adminpanel import bots
from adminpanel.api import STAFF_ONLY, StaffDoor
from adminpanel.api_pairs import PairShape
from adminpanel.api_sessions import SessionShape
from adminpanel.uploads import FilesParser, SessionFileField, content_of
from billing import entitlements
from billing.models import Plan
from bots import api_pairs
from bots.api_shapes import AccountName
from bots.models import Bot
from errors import codes


class NewBotForm(serializers.Serializer):
    """For whom, on which plan, with which sessions. Several sessions make several bots, one for each account."""

    user = serializers.CharField(max_length=254, help_text="A member's id, e-mail or access code.")
    workspace = serializers.UUIDField(required=False, help_text="Where the member has several; else their own.")
    display_name = serializers.CharField(max_length=80, required=False, allow_blank=True, default="")
    plan_type = serializers.ChoiceField(
        bots.PLAN_TYPES, help_text="The workspace is put on this plan; how its bots run and on which queue follows."
    )
    cycle_delay = serializers.IntegerField(
        min_value=1, max_value=86400, required=False, default=90, help_text="Seconds between turns."
    )
    sessions = serializers.ListField(
        child=serializers.CharField(max_length=120),
        max_length=bots.MOST,
        required=False,
        default=list,
        help_text="Ids or filenames of unused sessions.",
    )
    upload = serializers.ListField(
        child=SessionFileField(),
        max_length=bots.MOST,
        required=False,
        default=list,
        help_text="Session files, with multipart/form-data.",
    )
    api_pair = serializers.CharField(
        max_length=40,
        required=False,
        default=api_pairs.AUTO,
        allow_null=True,
        help_text="`auto`, an id, or null for none.",
    )


class PlanName(serializers.ModelSerializer):
    """A plan, and how it lets bots run."""

    class Meta:
        model = Plan
        fields = ["key", "name", "execution_mode", "queue"]


class NewBot(serializers.ModelSerializer):
    """A bot and all that it was given."""

    account = AccountName()
    plan = serializers.SerializerMethodField()
    session = SessionShape(source="account.session")
    api_pair = serializers.SerializerMethodField()

    class Meta:
        model = Bot
        fields = [
            "id", "display_name", "status", "user", "workspace", "plan", "cycle_delay", "account", "session",
            "api_pair", "created_at", "updated_at",
        ]  # fmt: skip

    @extend_schema_field(PlanName)
    def get_plan(self, bot: Bot) -> dict[str, Any]:
        """Tell the workspace's plan."""
        return PlanName(entitlements.plan_of(bot.workspace)).data

    @extend_schema_field(PairShape(allow_null=True))
    def get_api_pair(self, bot: Bot) -> dict[str, Any] | None:
        """Tell the pair."""
        pair = api_pairs.pairs().filter(pk=bot.api_pair_id).first() if bot.api_pair_id else None
        return PairShape(pair).data if pair else None


class BotsCreated(Done):
    """The bot, and where there are several, all of them in the order of their sessions."""

    bot = NewBot()
    bots = NewBot(many=True)


class CreateBot(StaffDoor):
    """Making bots."""

    needs = ("bots", "add")
    parser_classes = (JSONParser, FilesParser)

    @contract(
        takes=NewBotForm,
        gives=BotsCreated,
        status=201,
        refuses=(
            *STAFF_ONLY,
            codes.BODY_TOO_LARGE,
            codes.WORKSPACE_NOT_FOUND,
            codes.BEING_DELETED,
            codes.PLAN_IS_PAID,
            codes.PLAN_ACCOUNT_LIMIT,
            codes.SESSION_NOT_FOUND,
            codes.SESSION_IN_USE,
            codes.SESSION_INVALID,
            codes.SESSION_FILE_INVALID,
            codes.SESSION_FILE_TOO_LARGE,
            codes.SESSION_DUPLICATE,
            codes.SESSION_POOL_FULL,
            codes.BOT_EXISTS,
            codes.IG_ACCOUNT_TAKEN,
            codes.API_PAIR_NOT_FOUND,
            codes.API_PAIR_NO_ROOM,
        ),
        tag="Administration",
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Make a bot with account, plan, session and API pair, or nothing of it. It is stopped until it is started."""
        uploads = [bots.Upload(content_of(file), file.name) for file in wanted["upload"]]
        asked = {name: wanted[name] for name in ("user", "plan_type", "display_name", "cycle_delay", "api_pair")}
        made = bots.create(
            by=cast(User, request.user),
            workspace=wanted.get("workspace"),
            named=wanted["sessions"],
            uploads=uploads,
            sees=self.looks_at,
            **asked,
        )
        with tenancy.platform("an administrator sees what was made"):
            rows = Bot.objects.select_related("account__session", "workspace").in_bulk([bot.pk for bot in made])
            beside, self.seen = self.seen, []
            self.looks_at(*rows.values(), new=True)
            self.seen += beside
            told = NewBot([rows[bot.pk] for bot in made], many=True).data
        return {"success": True, "bot": told[0], "bots": told}
