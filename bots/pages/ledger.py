"""The journal of one account: every action with its target, its state, its code; all of it as CSV; unfollow some."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from accounts import tenancy
from accounts.models import Workspace
from accounts.requests import MemberRequest
from accounts.roles import members
from bots import tasking
from bots.models import Action, InstagramAccount, Kind
from bots.pages.activity import CSV_ROWS, lines
from bots.pages.doors import bot_of, do

ROWS = 50
COLUMNS = (
    "id", "time", "action", "target", "target id", "reason", "campaign or post", "state", "code", "what it says",
    "ended", "task", "correlation id",
)  # fmt: skip


@dataclass(frozen=True)
class Filters:
    """What is looked for: GET parameters that mean something; the rest is ignored."""

    q: str = ""
    kind: str = ""
    state: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Filters":
        """Read them from an address."""
        text = query.get("q", "").replace("\0", "").strip()[:64].lower().removeprefix("@")
        kind, state = query.get("kind", ""), query.get("state", "")
        return cls(text, kind if kind in Kind.values else "", state if state in Action.State.values else "")

    def address(self, **more: object) -> str:
        """Give the query of an address with these filters."""
        return "?" + urlencode({name: value for name, value in {**asdict(self), **more}.items() if value})

    def rows(self, account: InstagramAccount | UUID) -> QuerySet[Action]:
        """Give the account's actions that they mean, newest first."""
        by = {name: value for name, value in (("kind", self.kind), ("state", self.state)) if value}
        found = Action.objects.filter(account=account, **by).select_related("task").order_by("-created_at", "-id")
        if self.q.startswith("e-"):
            return found.filter(error_code=self.q.upper())
        if self.q.startswith("c-"):
            return found.filter(correlation_id=self.q)
        return found.filter(target_username__startswith=self.q) if self.q else found


@require_safe
@members("look")
def ledger(request: MemberRequest, username: str) -> HttpResponse:
    """Answer one page of the journal, newest first."""
    bot, filters = bot_of(request, username), Filters.of(request.GET)
    before = parse_datetime(request.GET.get("older", "")[:40]) if request.GET.get("older") else None
    rows = filters.rows(bot.account)
    found = list((_before(rows, before) if before else rows)[: ROWS + 1])
    shown = found[:ROWS]
    context = {
        "account": bot.account,
        "rows": shown,
        "choosable": any(action.kind == Kind.FOLLOW and action.state == Action.State.CONFIRMED for action in shown),
        "filters": filters,
        "kinds": Kind.choices,
        "states": Action.State.choices,
        "older": filters.address(older=shown[-1].created_at.isoformat()) if len(found) > ROWS else "",
        "newest": filters.address() if before else "",
        "export": filters.address(),
    }
    return render(request, "bots/ledger.html", context)


@require_safe
@members("look")
def export(request: MemberRequest, username: str) -> StreamingHttpResponse:
    """Answer all actions that the filters find as CSV, flowing while it is read."""
    account = bot_of(request, username).account
    answer = StreamingHttpResponse(
        _csv(request.workspace, account.pk, account.timezone, Filters.of(request.GET)),
        content_type="text/csv; charset=utf-8",
    )
    name = f"{account.username}-actions-{timezone.now():%Y-%m-%d}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
@members("act")
def undo(request: MemberRequest, username: str) -> HttpResponse:
    """Ask the bot to unfollow the people of the chosen follows, within its limits."""
    bot = bot_of(request, username)
    keys = [key for key in (_uuid(text) for text in request.POST.getlist("action")[:ROWS]) if key]
    follows = list(Action.objects.filter(account=bot.account, pk__in=keys).order_by("created_at"))
    done = "The bot unfollows them, within its limits. Who is on the keep list stays."
    do(request, lambda: tasking.undo(bot, follows, request.user), done, name="task", account=bot.account)
    return redirect("bots:ledger", bot.account.username)


def _before(rows: QuerySet[Action], moment: datetime) -> QuerySet[Action]:
    return rows.filter(created_at__lt=moment)


async def _csv(workspace: Workspace, account: UUID, zone: str, filters: Filters) -> AsyncIterator[str]:
    """Write chunk by chunk, so that neither memory nor a transaction grows with the journal."""
    yield lines([list(COLUMNS)])
    before: datetime | None = None
    while True:
        found = await sync_to_async(_chunk)(workspace, account, filters, before)
        yield lines([_cells(action, ZoneInfo(zone)) for action in found])
        if len(found) < CSV_ROWS:
            return
        before = found[-1].created_at


def _chunk(workspace: Workspace, account: UUID, filters: Filters, before: datetime | None) -> list[Action]:
    with tenancy.scope(workspace):
        rows = filters.rows(account)
        return list((_before(rows, before) if before else rows)[:CSV_ROWS])


def _cells(action: Action, zone: ZoneInfo) -> list[str]:
    ended = action.ended_at.astimezone(zone).isoformat(timespec="seconds") if action.ended_at else ""
    return [
        str(action.pk),
        action.created_at.astimezone(zone).isoformat(timespec="seconds"),
        action.kind,
        action.target_username,
        str(action.target_pk),
        action.reason,
        action.campaign,
        action.state,
        action.error_code,
        action.told,
        ended,
        str(action.task_id or ""),
        action.correlation_id,
    ]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
