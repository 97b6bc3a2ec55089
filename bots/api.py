"""Doors for programs: connecting accounts, bots, the activity log."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db.models import F, QuerySet
from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import tenancy
from accounts.api import Done
from accounts.api_auth import CorrelatedJSON, MayWork, Pages
from accounts.api_contract import SIGNED_IN, PageQuery, contract, page_of
from accounts.models import Membership, User, Workspace
from accounts.requests import MemberRequest
from bots import api_shapes as shapes
from bots import connecting, sessions, switch, tuning
from bots.models import Bot, BotTask, InstagramAccount
from bots.pages.activity import inert
from bots.pages.log_filters import visible
from errors import codes
from errors.answers import payload, retry_after, upgrade
from errors.codes import Code
from errors.exceptions import BotException
from errors.models import ActivityLog

CONNECTING, BOTS, TASKS, LOG = "Instagram accounts", "Bots", "Tasks", "Activity"
CSV_ROWS = 1000  # a chunk of the export, one short transaction each
WORKING = (*SIGNED_IN, codes.NO_PERMISSION)


class Door(APIView):
    """A door to what a workspace owns."""

    permission_classes = (MayWork,)

    @property
    def workspace(self) -> Workspace:
        """Give the workspace the program works in."""
        return cast(MemberRequest, self.request._request).workspace

    @property
    def user(self) -> User:
        """Give the person whose program it is."""
        return cast(User, self.request.user)

    @property
    def membership(self) -> Membership:
        """Give the person's place in the workspace."""
        return cast(MemberRequest, self.request._request).membership

    def accounts(self) -> QuerySet[InstagramAccount]:
        """Give the workspace's accounts."""
        return InstagramAccount.objects.filter(workspace=self.workspace).select_related("session", "bot")

    def account(self, named: str) -> InstagramAccount:
        """Find an account by username or id. Raises IG_ACCOUNT_NOT_FOUND."""
        key = _uuid(named)
        by = {"pk": key} if key else {"username": named.strip().lower().removeprefix("@")}
        account = self.accounts().filter(**by).first()
        if account is None:
            raise BotException(codes.IG_ACCOUNT_NOT_FOUND)
        return account

    def first_account(self) -> InstagramAccount | None:
        """Find the account that is meant when none is named: the oldest with a good session, else the oldest."""
        return self.accounts().order_by(F("session__valid").desc(nulls_last=True), "created_at").first()

    def bots(self) -> QuerySet[Bot]:
        """Give the workspace's bots."""
        return Bot.objects.filter(workspace=self.workspace).select_related("account__session", "workspace")

    def bot(self, bot_id: UUID) -> Bot:
        """Find a bot. Raises BOT_NOT_FOUND."""
        bot = self.bots().filter(pk=bot_id).first()
        if bot is None:
            raise BotException(codes.BOT_NOT_FOUND)
        return bot

    def task(self, task_id: UUID) -> BotTask:
        """Find a task. Raises TASK_NOT_FOUND."""
        tasks = BotTask.objects.filter(workspace=self.workspace).select_related("bot__account")
        task = tasks.filter(pk=task_id).first()
        if task is None:
            raise BotException(codes.TASK_NOT_FOUND)
        return task

    def tell_bot(self, bot_id: UUID) -> dict[str, Any]:
        """Give a bot as it is now."""
        return shapes.tell_bots([self.bot(bot_id)], self.workspace)[0]

    def page(self, rows: QuerySet[Any], pages: Pages) -> list[Any]:
        """Give the rows of the page that is asked for."""
        return pages.paginate_queryset(rows, self.request, self) or []

    def refuse(self, refused: BotException) -> Response:
        """Answer a refusal without undoing what was counted on the way to it."""
        seconds = retry_after(refused)
        return Response(
            payload(refused.code, str(refused), **upgrade(refused)),
            refused.code.http,
            headers={} if seconds is None else {"Retry-After": str(seconds)},
        )


# ── Instagram accounts ──────────────────────────────────────────────────────────────────────────────────────────────


class Connect(Door):
    """Logging in to Instagram."""

    @contract(
        takes=shapes.ConnectForm,
        gives=shapes.Connected,
        refuses=(
            *WORKING,
            codes.IG_RISK_NOT_ACCEPTED,
            codes.IG_BAD_PASSWORD,
            codes.IG_UNKNOWN_USER_OR_NETWORK,
            codes.IG_CODE_WRONG,
            codes.IG_CODE_EXPIRED,
            codes.IG_ACCOUNT_TAKEN,
            codes.IG_LOGIN_LOCKED,
            codes.CHALLENGE_REQUIRED,
            codes.ACCOUNT_COOLING,
            codes.NETWORK_SLOWED,
            codes.PLAN_ACCOUNT_LIMIT,
            codes.SESSION_BUSY,
            codes.NET_REFUSED,
            codes.NET_TIMEOUT,
        ),
        tag=CONNECTING,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, object] | Response:
        """Connect an Instagram account. If Instagram wants a code, call again with it and the same username."""
        answer = connecting.connect(
            self.workspace,
            self.user,
            wanted["username"],
            wanted["password"],
            wanted["verification_code"],
            accept_risk=wanted["accept_risk"],
        )
        if answer.refused is not None:
            return self.refuse(answer.refused)
        if answer.account is None or answer.bot is None:
            asked = payload(codes.IG_CODE_REQUIRED)
            return {**asked, "requires_verification": True, "method": answer.wants_code}
        return {
            "success": True,
            "message": "Login successful",
            "account": shapes.Account(self.account(str(answer.account.pk))).data,
            "bot": self.tell_bot(answer.bot.pk),
        }


class Disconnect(Door):
    """Logging out of Instagram."""

    @contract(
        takes=shapes.AccountForm,
        gives=Done,
        refuses=(*WORKING, codes.IG_ACCOUNT_NOT_FOUND, codes.SESSION_INVALID, codes.SESSION_BUSY),
        tag=CONNECTING,
    )
    def post(self, request: Request, wanted: dict[str, str]) -> dict[str, object]:
        """Stop the account's bot, log out at Instagram and throw the session away; its history stays."""
        account = self.account(wanted["account"])
        connecting.disconnect(account, self.user)
        return {"success": True, "message": "Logged out", "account": account.username, "session_valid": False}


class CheckSession(Door):
    """Asking Instagram whether a session is good."""

    @contract(
        takes=shapes.AnyAccountForm,
        gives=shapes.Checked,
        refuses=(
            *WORKING,
            codes.NOT_FOUND,
            codes.IG_ACCOUNT_NOT_FOUND,
            codes.ACCOUNT_COOLING,
            codes.NETWORK_SLOWED,
            codes.SESSION_BUSY,
            codes.NET_TIMEOUT,
        ),
        tag=CONNECTING,
    )
    def post(self, request: Request, user_id: UUID, wanted: dict[str, str | None]) -> dict[str, object]:
        """Ask Instagram once, in your own name only. Without an account there is nobody to ask: the answer is no."""
        if user_id != self.user.pk:
            raise Http404
        named = wanted["account"]
        account = self.account(named) if named else self.first_account()
        found = sessions.check(account, self.user) if account else sessions.Checked(False)
        answer: dict[str, object] = {
            "session_valid": found.valid,
            "account": account.username if account else None,
            "checked_at": timezone.now(),
        }
        if found.stop is None:
            return answer
        told = payload(found.stop.code, str(found.stop))
        return answer | {name: told[name] for name in ("error", "error_code", "message", "do_next")}


class Accounts(Door):
    """The workspace's Instagram accounts."""

    @contract(query=PageQuery, gives=page_of(shapes.Account), refuses=SIGNED_IN, tag=CONNECTING)
    def get(self, request: Request, asked: dict[str, Any]) -> Response:
        """List the accounts, the newest first."""
        pages = Pages()
        found = self.page(self.accounts(), pages)
        return pages.get_paginated_response(shapes.Account(found, many=True).data)


# ── Bots ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Bots(Door):
    """The workspace's bots."""

    @contract(query=PageQuery, gives=page_of(shapes.BotShape), refuses=SIGNED_IN, tag=BOTS)
    def get(self, request: Request, asked: dict[str, Any]) -> Response:
        """List the bots, the newest first."""
        pages = Pages()
        found = self.page(self.bots(), pages)
        return pages.get_paginated_response(shapes.tell_bots(found, self.workspace))


class OneBot(Door):
    """One bot."""

    @contract(gives=shapes.BotShape, refuses=(*SIGNED_IN, codes.BOT_NOT_FOUND), tag=BOTS)
    def get(self, request: Request, bot_id: UUID) -> dict[str, Any]:
        """Tell how a bot is doing, and what it may do today and why."""
        return self.tell_bot(bot_id)

    @contract(
        takes=shapes.SettingsForm,
        gives=shapes.BotShape,
        refuses=(*WORKING, codes.BOT_NOT_FOUND, codes.SETTINGS_INVALID),
        tag=BOTS,
    )
    def patch(self, request: Request, bot_id: UUID, wanted: dict[str, Any]) -> dict[str, Any]:
        """Change how a bot works. What is not given stays as it is."""
        bot = self.bot(bot_id)
        changes = {name: value for name, value in wanted.items() if name != "working_hours"}
        if "working_hours" in wanted:
            hours = wanted["working_hours"] or {"from": None, "to": None}
            changes |= {"works_from": hours["from"], "works_to": hours["to"]}
        if "limits" in wanted:
            merged = {**bot.own_limits, **wanted["limits"]}
            changes["limits"] = {kind: most for kind, most in merged.items() if most is not None}
        tuning.tune(bot, self.user, changes)
        return self.tell_bot(bot_id)


class StartBot(Door):
    """Letting a bot run."""

    @contract(
        gives=shapes.BotShape,
        refuses=(
            *WORKING,
            codes.BOT_NOT_FOUND,
            codes.SESSION_INVALID,
            codes.SESSION_FROZEN,
            codes.ACCOUNT_SUSPENDED,
        ),
        tag=BOTS,
    )
    def post(self, request: Request, bot_id: UUID) -> dict[str, Any]:
        """Start a bot; one that runs goes on as it was. Who never logged in to Instagram is told that."""
        if not self.bots().exists():
            raise BotException(codes.SESSION_INVALID)
        switch.start(self.bot(bot_id), self.user)
        return {"success": True, **self.tell_bot(bot_id)}


class StopBot(Door):
    """Stopping a bot."""

    @contract(gives=shapes.BotShape, refuses=(*WORKING, codes.BOT_NOT_FOUND), tag=BOTS)
    def post(self, request: Request, bot_id: UUID) -> dict[str, Any]:
        """Stop a bot: no action starts from now on; one that is on its way ends."""
        switch.stop(self.bot(bot_id), self.user)
        return {"success": True, **self.tell_bot(bot_id)}


# ── The activity log ────────────────────────────────────────────────────────────────────────────────────────────────


class NewestFirst(Pages):
    """The log by its own key."""

    ordering = "-id"


class Activity(Door):
    """What happened."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        """Leave `?format=csv` to us: errors are JSON in any case."""
        return CorrelatedJSON(), CorrelatedJSON.media_type

    @contract(
        query=shapes.ActivityQuery,
        gives=page_of(shapes.Row),
        refuses=(*SIGNED_IN, codes.IG_ACCOUNT_NOT_FOUND),
        tag=LOG,
    )
    def get(self, request: Request, asked: dict[str, Any]) -> Response | StreamingHttpResponse:
        """List what happened, newest first; with `format=csv` all of it as one file."""
        rows = self._rows(asked)
        usernames = dict(self.accounts().values_list("pk", "username"))
        if asked.get("format") == "csv":
            answer = StreamingHttpResponse(
                _csv(self.workspace, rows, usernames), content_type="text/csv; charset=utf-8"
            )
            answer["Content-Disposition"] = f'attachment; filename="activity-{timezone.now():%Y-%m-%d}.csv"'
            return answer
        pages = NewestFirst()
        found = self.page(rows, pages)
        return pages.get_paginated_response(shapes.Row(found, many=True, context={"usernames": usernames}).data)

    def _rows(self, asked: dict[str, Any]) -> QuerySet[ActivityLog]:
        """Give the rows that are asked for."""
        by: dict[str, Any] = {name: asked[name] for name in ("action", "status", "correlation_id") if name in asked}
        if "account" in asked:
            by["account_id"] = self.account(asked["account"]).pk
        if "person" in asked:
            by["user_id"] = asked["person"]
        if "code" in asked:
            by["error_code"] = _code_id(asked["code"])
        if "since" in asked:
            by["at__gte"] = asked["since"]
        if "until" in asked:
            by["at__lt"] = asked["until"]
        return visible(self.workspace).filter(**by)


COLUMNS = ("id", "at", "action", "status", "error_code", "error_message", "account", "user_id", "correlation_id")


async def _csv(workspace: Workspace, rows: QuerySet[ActivityLog], usernames: dict[UUID, str]) -> AsyncIterator[str]:
    """Write chunk by chunk, so that neither memory nor a transaction grows with the log."""
    yield _lines([[*COLUMNS, "metadata"]])
    before: int | None = None
    while True:
        found = await sync_to_async(_chunk)(workspace, rows, before)
        told = shapes.Row(found, many=True, context={"usernames": usernames}).data
        yield _lines([[*(row[name] for name in COLUMNS), json.dumps(row["metadata"])] for row in told])
        if len(found) < CSV_ROWS:
            return
        before = found[-1].pk


def _chunk(workspace: Workspace, rows: QuerySet[ActivityLog], before: int | None) -> list[ActivityLog]:
    with tenancy.scope(workspace):
        return list((rows.filter(id__lt=before) if before else rows).order_by("-id")[:CSV_ROWS])


def _lines(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    cells = [["" if cell is None else inert(str(cell)) for cell in row] for row in rows]
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(cells)
    return text.getvalue()


def _code_id(text: str) -> str:
    code: Code | None = codes.by_id(text) or codes.by_name(text)
    return code.id if code else text.upper()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
