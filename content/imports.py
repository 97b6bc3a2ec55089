"""Posts from a CSV file: all of it, or nothing and what is wrong with each line."""

import csv
import hashlib
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from accounts.models import Membership
from bots.models import InstagramAccount
from content import calendar
from content.calendar_forms import in_zone
from content.models import Media, Post
from errors import codes
from errors.exceptions import BotException

COLUMNS = ("when", "account", "kind", "caption", "first_comment", "media")
MOST_BYTES, MOST_LINES = 1024 * 1024, 500
WHEN = ("%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M")


@dataclass
class Line:
    """What one line asks for."""

    account: InstagramAccount | None
    kind: str
    caption: str
    first_comment: str
    planned_for: datetime | None
    media: list[Media]


def take(membership: Membership, data: bytes, *, schedule: bool = False, once: str = "") -> list[Post]:
    """Write a draft for each line and, where wanted, schedule it. A second click (`once` names the page) does nothing.

    Raises VALIDATION_FAILED with all that is wrong.
    """
    rows = _rows(data)
    names = [once and f"{once} {hashlib.sha256(data).hexdigest()} {number}" for number, _ in enumerate(rows)]
    if calendar.known(membership.workspace, names[0]):
        return [post for name in names if (post := calendar.known(membership.workspace, name))]
    lines, wrong = _understood(membership, rows)
    posts = []
    for number, line in enumerate(lines, 2):
        words: dict[str, Any] = {"origin": Post.Origin.CSV, **vars(line)}
        account = words.pop("account")
        post = calendar.draft(membership.workspace, account, membership.user, once=names[number - 2], **words)
        posts.append(post)
        if schedule and not wrong:
            try:
                calendar.schedule(membership, post)
            except BotException as refused:
                wrong.append(f"Line {number}: {refused.message}")
    if wrong:
        more = f" And {len(wrong) - 8} more." if len(wrong) > 8 else ""
        raise BotException(codes.VALIDATION_FAILED, " ".join(wrong[:8]) + more, field="file")
    return posts


def _rows(data: bytes) -> list[dict[str, str]]:
    try:
        text = data.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        rows = [{key: (value or "").strip() for key, value in row.items() if isinstance(key, str)} for row in reader]
        names = set(reader.fieldnames or ())
    except (UnicodeDecodeError, csv.Error, AttributeError):
        raise BotException(codes.VALIDATION_FAILED, "The file is not a CSV file in UTF-8.", field="file") from None
    if len(data) > MOST_BYTES or len(rows) > MOST_LINES:
        raise BotException(codes.VALIDATION_FAILED, "A file has at most 500 lines and 1 MB.", field="file")
    if not rows or "caption" not in names or names - set(COLUMNS):
        said = f"The first line must name the columns: {', '.join(COLUMNS)}. Only “caption” must be there."
        raise BotException(codes.VALIDATION_FAILED, said, field="file")
    return rows


def _understood(membership: Membership, rows: list[dict[str, str]]) -> tuple[list[Line], list[str]]:
    """Give what can be understood, and a sentence about each line that cannot."""
    workspace = membership.workspace
    accounts = {one.username: one for one in InstagramAccount.objects.filter(workspace=workspace)}
    media = {one.name: one for one in Media.objects.filter(workspace=workspace).order_by("created_at")}
    lines, wrong = [], []
    for number, row in enumerate(rows, 2):
        try:
            lines.append(_line(row, accounts, media, workspace.timezone))
        except ValueError as error:
            wrong.append(f"Line {number}: {error}")
    return lines, wrong


def _line(row: dict[str, str], accounts: dict[str, InstagramAccount], media: dict[str, Media], zone: str) -> Line:
    """Understand one line. Raises ValueError with a sentence."""
    name = row.get("account", "").lower().removeprefix("@")
    if name and name not in accounts:
        raise ValueError(f"there is no account @{name} here.")
    account = accounts.get(name)
    kind = row.get("kind", "").lower() or Post.Kind.IMAGE.value
    if kind not in Post.Kind.values:
        raise ValueError(f"“{kind}” is none of {', '.join(Post.Kind.values)}.")
    files = [file.strip() for file in row.get("media", "").split("|") if file.strip()]
    if missing := [file for file in files if file not in media]:
        raise ValueError(f"“{missing[0]}” is not in the media library.")
    at = _moment(row.get("when", ""), account.timezone if account else zone)
    return Line(account, kind, row["caption"], row.get("first_comment", ""), at, [media[file] for file in files])


def _moment(text: str, zone: str) -> datetime | None:
    for form in WHEN if text else ():
        try:
            return in_zone(datetime.strptime(text, form), zone)  # noqa: DTZ007  (the account's zone is put on)
        except ValueError:
            continue
    if text:
        raise ValueError(f"“{text}” is not a time such as 2026-12-24 18:30.")
    return None
