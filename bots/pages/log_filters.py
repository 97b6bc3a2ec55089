"""What of the activity log is looked for, and one page of it by key."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet
from django.http import QueryDict

from accounts.models import Workspace
from billing import entitlements
from bots.models import InstagramAccount
from errors.models import ActivityLog

ROWS = 50
LOOKED_THROUGH = 20_000  # newest rows in which words are searched; codes and correlation ids are found in all
STATUSES = {"ok": "Done", "info": "Note", "warning": "Warning", "error": "Error"}
_CODE = re.compile(r"E-[A-Z]{2,4}-[IWEC]-\d{4}")
_STORY = re.compile(r"c-[0-9a-f]{8,}")


@dataclass(frozen=True)
class Filters:
    """What is looked for: GET parameters that mean something; the rest is ignored."""

    q: str = ""
    account: str = ""
    person: str = ""
    action: str = ""
    status: str = ""
    since: str = ""  # a day in the workspace's zone
    until: str = ""  # a day, included

    @classmethod
    def of(cls, query: Mapping[str, str], deeds: Collection[str]) -> "Filters":
        """Read them from an address."""
        text = {one.name: query.get(one.name, "").replace("\0", "").strip()[:100] for one in fields(cls)}
        return cls(
            text["q"],
            text["account"].lower().removeprefix("@"),
            text["person"] if _is_id(text["person"]) else "",
            text["action"] if text["action"] in deeds else "",
            text["status"] if text["status"] in STATUSES else "",
            text["since"] if _day(text["since"]) else "",
            text["until"] if _day(text["until"]) else "",
        )

    @property
    def any(self) -> bool:
        """Tell whether anything is looked for."""
        return any(vars(self).values())

    @property
    def only_subject(self) -> bool:
        """Tell whether nothing but an account or a person is looked for."""
        return not any((self.q, self.action, self.status, self.since, self.until))

    @property
    def is_story(self) -> bool:
        """Tell whether all that belongs to one correlation id is looked for."""
        return bool(_STORY.fullmatch(self.q.lower()))

    @property
    def by_words(self) -> bool:
        """Tell whether the search is for words, which looks through the newest rows only."""
        return bool(self.q) and not _CODE.fullmatch(self.q.upper()) and not self.is_story

    def address(self, **more: object) -> str:
        """Give the query of an address with these filters."""
        return "?" + urlencode({name: value for name, value in (vars(self) | more).items() if value})


def visible(workspace: Workspace) -> QuerySet[ActivityLog]:
    """Give the rows that the workspace's plan shows: what is older is kept, and shown again on a larger plan."""
    rows, since = ActivityLog.objects.filter(workspace_id=workspace.pk), entitlements.history_since(workspace)
    return rows.filter(at__gte=since) if since else rows


def find(workspace: Workspace, filters: Filters, accounts: dict[UUID, InstagramAccount]) -> QuerySet[ActivityLog]:
    """Give the rows that the filters mean."""
    rows = visible(workspace)
    if filters.account:
        rows = rows.filter(
            account_id__in=[pk for pk, account in accounts.items() if account.username == filters.account]
        )
    plain = {"user_id": filters.person, "action": filters.action, "status": filters.status}
    rows = rows.filter(**{name: value for name, value in plain.items() if value})
    zone = ZoneInfo(workspace.timezone)
    if since := _day(filters.since):
        rows = rows.filter(at__gte=datetime.combine(since, time(), zone))
    if until := _day(filters.until):
        rows = rows.filter(at__lt=datetime.combine(until + timedelta(days=1), time(), zone))
    return _with_words(workspace, rows, filters) if filters.q else rows


def _with_words(workspace: Workspace, rows: QuerySet[ActivityLog], filters: Filters) -> QuerySet[ActivityLog]:
    """Look for a code or a story by its index, for other words in the newest rows of the workspace."""
    if not filters.by_words:
        by = {"correlation_id": filters.q.lower()} if filters.is_story else {"error_code": filters.q.upper()}
        return rows.filter(**by)
    everything = ActivityLog.objects.filter(workspace_id=workspace.pk)
    floor = everything.order_by("-id").values_list("id", flat=True)[LOOKED_THROUGH : LOOKED_THROUGH + 1]
    words = filters.q.lower().lstrip("@#")
    return rows.filter(
        Q(metadata__target__icontains=words)
        | Q(metadata__username__icontains=words)
        | Q(metadata__value__icontains=words)
        | Q(error_message__icontains=words),
        id__gt=next(iter(floor), 0),
    )


def page(
    rows: QuerySet[ActivityLog], query: QueryDict, *, in_order: bool = False
) -> tuple[list[ActivityLog], bool, bool]:
    """Give one page by key, and whether there is a newer and an older one: page 10,000 costs what page 1 costs.

    The newest is first, and begins; `in_order` the oldest is and does.
    """
    after, before = _key(query, "newer"), _key(query, "older")
    turn = -1 if in_order else 1
    if after or (in_order and not before):
        found = list(rows.filter(id__gt=after).order_by("id")[: ROWS + 1])
        return found[:ROWS][::-turn], len(found) > ROWS, bool(after and found)
    found = list((rows.filter(id__lt=before) if before else rows).order_by("-id")[: ROWS + 1])
    return found[:ROWS][::turn], bool(before and found), len(found) > ROWS


def _key(query: QueryDict, name: str) -> int:
    text = query.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def _is_id(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _day(text: str) -> date | None:
    """Read a day as browsers send it; none that a time zone could push out of the calendar."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1971 < found.year < 9999 else None
