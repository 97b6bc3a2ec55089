"""The activity log: a page by key, filters, and all of it as CSV."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import tenancy
from accounts.models import Membership, Workspace
from accounts.requests import MemberRequest
from accounts.roles import members
from billing import entitlements
from bots.health import Health
from bots.models import SAID, InstagramAccount, Kind, ListedPerson
from bots.pages.log_filters import LOOKED_THROUGH, STATUSES, Filters, find, page
from errors.models import ActivityLog
from instagrowth import live

CSV_ROWS = 1000  # a chunk of the export, one short transaction each
# How a deed is called, in the groups of the filter; others say their own name.
GROUPS: dict[str, dict[str, str]] = {
    "Actions": {kind.value: kind.label for kind in Kind},
    "Accounts and bots": {
        "connect": "Connect",
        "disconnect": "Disconnect",
        "proxy": "Network address",
        "test_session": "Test session",
        "session_verified": "Session verified",
        "session_released": "Session taken back",
        "session_stopped": "Session stopped",
        "session_deleted": "Session deleted",
        "bot_created": "Bot made",
        "bot_start": "Start bot",
        "bot_stop": "Stop bot",
        "bot_paused": "Bot paused by the plan",
        "bot_back": "Bot back in the plan",
        "bot_settings": "Bot settings",
        "bot_turn": "Turn",
        "task": "Task",
        "preview": "Dry run",
        "look_up": "Look-up",
        "network": "Network",
        "list": "List",
        "template": "Text",
        "health": "Health",
    },
    "Meta": {
        "official_connect": "Connected through Meta",
        "official_disconnect": "Disconnected from Meta",
        "official_lost": "Meta access lost",
        "official_aging": "Meta access ends soon",
        "official_renewed": "Meta access renewed",
        "official_subscribe": "Meta webhooks",
        "official_removed": "Removed at Meta",
        "data_deletion": "Data deletion through Meta",
    },
    "Plan": {
        "checkout": "Checkout",
        "plan_change": "Plan changed",
        "plan_cancel": "Plan cancelled",
        "plan_resume": "Plan resumed",
        "plan_comp": "Plan given",
        "plan_extend": "Plan extended",
        "plan_end": "Plan ended",
        "coupon": "Promotion code",
    },
    "Calendar": {
        "post_draft": "Draft",
        "post_idea": "Idea",
        "post_change": "Post changed",
        "post_move": "Post moved",
        "post_propose": "Post proposed",
        "post_schedule": "Post scheduled",
        "post_unschedule": "Post taken out",
        "post_remove": "Post thrown away",
        "post_import": "Import of posts",
        "post_publish": "Publishing",
        "post_published": "Post published",
        "post_unknown": "Post unknown",
        "post_failed": "Post not published",
        "post_missing": "Post looked for",
        "post_comment": "First comment",
        "media_added": "File added",
        "media_changed": "File changed",
        "media_cut": "File cut",
        "media_removed": "File thrown away",
        "media_folder": "Folder",
        "slots": "Posting slots",
        "feed_made": "Calendar feed",
        "feed_revoked": "Calendar feed revoked",
        "hook_added": "Webhook added",
        "report_planned": "Report planned",
        "report_stopped": "Report stopped",
        "report_mailed": "Report mailed",
        "measure": "Numbers read",
    },
    "Inbox": {
        "inbox_reply": "Answer",
        "inbox_rule": "Answering rule",
        "inbox_assign": "Assigned",
        "inbox_done": "Put away",
        "inbox_open": "Opened again",
        "inbox_saved": "Saved reply",
        "inbox_read": "Inbox read",
        "inbox_event": "Word from Meta",
        "hook_removed": "Webhook removed",
        "hook_tested": "Webhook tried",
        "webhook": "Webhook",
    },
    "Content": {
        "ai_run": "AI run",
        "ai_piece": "Text changed",
        "ai_budget": "AI budget",
        "audit": "Account audit",
        "plan": "Growth plan",
        "competitor": "Competitor",
        "experiment": "A/B test",
    },
    "Team": {
        "team_invite": "Invitation",
        "team_take_back": "Invitation taken back",
        "team_join": "Joined the team",
        "team_decline": "Invitation declined",
        "team_role": "Role",
        "team_remove": "Removed from the team",
        "team_leave": "Left the team",
        "team_transfer": "Workspace handed over",
        "propose": "Proposal",
        "proposal": "Answer to a proposal",
        "approvals_on": "Approvals on",
        "approvals_off": "Approvals off",
    },
    "Workspace": {
        "user_created": "Welcome",
        "workspace_made": "New workspace",
        "brand_changed": "Brand",
        "logo_removed": "Logo removed",
        "export": "Archive of data",
        "export_download": "Archive fetched",
        "workspace_deletion_asked": "Deletion asked",
        "workspace_deletion_undone": "Deletion undone",
        "staff_visit": "Support looked in",
    },
    "Sign-in": {
        "login": "Sign in",
        "sign_out_everywhere": "Sign out everywhere",
        "change_password": "New password",
        "reset_password": "Password reset",
        "google_linked": "Google linked",
        "google_unlinked": "Google unlinked",
        "totp_activated": "Second factor on",
        "totp_deactivated": "Second factor off",
        "recovery_code_used": "Recovery code used",
        "token_made": "API token made",
        "token_revoked": "API token revoked",
        "tokens_revoked": "All API tokens revoked",
    },
}
DEEDS = {deed: word for group in GROUPS.values() for deed, word in group.items()}
_FORMULA = re.compile(r"^[\s]*[=+\-@\t\r]")


@dataclass
class Row:
    """One line of the log, as the page tells it."""

    log: ActivityLog
    deed: str
    target: str
    account: InstagramAccount | None
    outcome: str
    about: str = ""
    who: str = ""
    more: list[tuple[str, str]] = field(default_factory=list)


@require_safe
@members("look")
def activity(request: MemberRequest) -> HttpResponse:
    """Answer one page of the log, newest first."""
    return _page(request, Filters.of(request.GET, DEEDS))


@require_safe
@members("look")
def of_account(request: MemberRequest, username: str) -> HttpResponse:
    """Answer the log of one Instagram account."""
    account = get_object_or_404(InstagramAccount, workspace=request.workspace, username=username.lower())
    filters = replace(Filters.of(request.GET, DEEDS), account=account.username)
    return _page(request, filters, about=f"@{account.username}")


@require_safe
@members("look")
def of_person(request: MemberRequest, user_id: UUID) -> HttpResponse:
    """Answer what one person of the team did, or one who left it."""
    name = names(request.workspace).get(user_id, "")
    if not name and not ActivityLog.objects.filter(workspace_id=request.workspace.pk, user_id=user_id).exists():
        raise Http404
    filters = replace(Filters.of(request.GET, DEEDS), person=str(user_id))
    return _page(request, filters, about=name or "somebody who left")


def _page(request: MemberRequest, filters: Filters, about: str = "") -> HttpResponse:
    """Draw one page of what the filters find; `about` whom or what the whole page is."""
    since = live.latest(request.workspace.pk)
    accounts = {account.pk: account for account in InstagramAccount.objects.filter(workspace=request.workspace)}
    logs, newer, older = page(find(request.workspace, filters, accounts), request.GET, in_order=filters.is_story)
    last, first = (0, -1) if filters.is_story else (-1, 0)  # a story is told from its beginning
    people = names(request.workspace)
    context = {
        "live_since": since,
        "filters": filters,
        "about": about,
        "narrowed": filters.any and not (about and filters.only_subject),
        "rows": [told(log, accounts, people) for log in logs],
        "accounts": accounts.values(),
        "people": people.items(),
        "groups": [(group, deeds.items()) for group, deeds in GROUPS.items()],
        "statuses": STATUSES.items(),
        "newer": filters.address(newer=logs[first].pk) if newer else "",
        "older": filters.address(older=logs[last].pk) if older else "",
        "first": not newer,
        "order": f"of {'one story, from its beginning' if filters.is_story else 'the newest first'}. Times in ",
        "export": filters.address(),
        "looked_through": LOOKED_THROUGH,
        "days": entitlements.plan_of(request.workspace).history_days,
    }
    return render(request, "bots/activity_rows.html" if request.htmx else "bots/activity.html", context)


@require_safe
@members("look")
def export(request: MemberRequest) -> StreamingHttpResponse:
    """Answer everything the filters find as CSV, flowing while it is read."""
    answer = StreamingHttpResponse(
        _csv(request.workspace, Filters.of(request.GET, DEEDS)), content_type="text/csv; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="activity-{timezone.now():%Y-%m-%d}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer


def newest(workspace: Workspace, count: int, accounts: dict[UUID, InstagramAccount]) -> list[Row]:
    """Give the latest lines, for other pages. One query."""
    logs = ActivityLog.objects.filter(workspace_id=workspace.pk).order_by("-id")[:count]
    return [told(log, accounts, {}) for log in logs]


def told(log: ActivityLog, accounts: dict[UUID, InstagramAccount], people: dict[UUID, str]) -> Row:
    """Tell one line."""
    meta = log.metadata if isinstance(log.metadata, dict) else {}
    account = accounts.get(log.account_id) if log.account_id else None
    target = meta.get("target") or (meta.get("username") if account is None else "") or ""
    about = _about(meta)
    hidden = {"target", "outcome", "stack", "file", "line", "exception"}
    more = [
        (name.replace("_", " "), _text(value))
        for name, value in meta.items()
        if name not in hidden and value not in (None, "")
    ]
    deed = DEEDS.get(log.action, log.action.replace("_", " "))
    who = people.get(log.user_id, "") if log.user_id else ""
    return Row(log, deed, str(target), account, str(meta.get("outcome", "")), about, who, more)


def names(workspace: Workspace) -> dict[UUID, str]:
    """Give the names of the workspace's people by their ids."""
    mine = Membership.objects.filter(workspace=workspace).select_related("user")
    return {membership.user_id: str(membership.user) for membership in mine}


def _about(meta: dict[str, Any]) -> str:
    """Say in a word or two what a line is about, where it is about no person."""
    if meta.get("moved_to") in Health.values:
        return f"now {Health(meta['moved_to']).label.lower()}"
    if meta.get("ended"):
        return str(meta["ended"])
    if meta.get("source") in SAID:
        return f"{Kind(meta['kind']).label} {meta['asked']} {SAID[meta['source']].format(meta['value'])}"
    if meta.get("list") in ListedPerson.List.values:
        return f"{meta['list']}, {meta['added']} added" if "added" in meta else f"{meta['list']}, 1 taken off"
    if "approved" in meta:
        return f"“{meta['name']}”" + ("" if meta["approved"] else ", waits for an owner")
    return f"#{meta['value']}" if meta.get("value") else ""


async def _csv(workspace: Workspace, filters: Filters) -> AsyncIterator[str]:
    """Write the export chunk by chunk, so that neither memory nor a transaction grows with it."""
    yield lines([["time", "outcome", "action", "target", "account", "code", "message", "correlation id", "by", "more"]])
    before: int | None = None
    while True:
        text, before = await sync_to_async(_chunk)(workspace, filters, before)
        yield text
        if before is None:
            return


def _chunk(workspace: Workspace, filters: Filters, before: int | None) -> tuple[str, int | None]:
    with tenancy.scope(workspace):
        accounts = {account.pk: account for account in InstagramAccount.objects.filter(workspace=workspace)}
        rows = find(workspace, filters, accounts).order_by("-id")
        logs = list((rows.filter(id__lt=before) if before else rows)[:CSV_ROWS])
        people = names(workspace)
    zone = ZoneInfo(workspace.timezone)
    told_rows = [told(log, accounts, people) for log in logs]
    text = lines([_cells(row, zone) for row in told_rows])
    return text, logs[-1].pk if len(logs) == CSV_ROWS else None


def _cells(row: Row, zone: ZoneInfo) -> list[str]:
    log = row.log
    return [
        log.at.astimezone(zone).isoformat(timespec="seconds"),
        row.outcome or log.status,
        log.action,
        row.target,
        row.account.username if row.account else "",
        log.error_code,
        log.error_message,
        log.correlation_id,
        row.who,
        json.dumps(dict(row.more), ensure_ascii=False) if row.more else "",
    ]


def lines(rows: list[list[str]]) -> str:
    """Give rows as CSV that a spreadsheet never computes."""
    text = io.StringIO()
    csv.writer(text).writerows([[inert(cell) for cell in row] for row in rows])
    return text.getvalue()


def inert(cell: str) -> str:
    """Give the text so that a spreadsheet shows it and never computes it."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
