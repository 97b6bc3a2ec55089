"""The keep list and the block list of a workspace: whom no bot unfollows, and whom no bot contacts."""

import csv
import io
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import Workspace
from bots.models import Action, Kind, ListedPerson
from bots.tasking import clean_username
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

MOST = 10_000  # people on one list
LARGEST_FILE = 256 * 1024  # bytes; 10,000 names and more


def add(workspace: Workspace, which: str, names: list[str], note: str = "", user: object = None) -> int:
    """Put people on a list by their usernames; how many are new to it. Raises VALIDATION_FAILED."""
    clean = list(dict.fromkeys(_clean(name) for name in names))
    there = ListedPerson.objects.filter(workspace=workspace, list=which)
    known = set(there.filter(username__in=clean).values_list("username", flat=True))
    new = [name for name in clean if name not in known]
    if there.count() + len(new) > MOST:
        raise BotException(codes.VALIDATION_FAILED, f"A list holds at most {MOST:,} people.", field="names")
    met = Action.objects.filter(workspace=workspace, target_username__in=new).order_by("created_at")
    numbers = dict(met.values_list("target_username", "target_pk"))
    own: dict[str, Any] = {"workspace": workspace, "list": which, "note": note[:120]}
    ListedPerson.objects.bulk_create(
        [ListedPerson(**own, username=name, target_pk=numbers.get(name)) for name in new], ignore_conflicts=True
    )
    log_activity("list", workspace=workspace, user=user, list=which, added=len(new))
    return len(new)


def barring(workspace: UUID, kind: str) -> QuerySet[ListedPerson]:
    """The list that keeps a person from this kind of action, as `write_intent` has it."""
    which = ListedPerson.List.KEEP if kind == Kind.UNFOLLOW else ListedPerson.List.BLOCK
    return ListedPerson.objects.filter(workspace=workspace, list=which)


def learn(workspace: UUID, kind: str, username: str, target_pk: int) -> None:
    """Keep the number of somebody who was met under a listed name: they are meant when they change it, too."""
    barring(workspace, kind).filter(username=username.lower(), target_pk=None).update(target_pk=target_pk)


def remove(listed: ListedPerson, user: object = None) -> None:
    """Take somebody off a list."""
    listed.delete()
    log_activity("list", workspace=listed.workspace_id, user=user, list=listed.list, removed=1)


def names_in(data: bytes) -> list[str]:
    """The usernames in a CSV file: its column `username`, or its first. Raises VALIDATION_FAILED."""
    if len(data) > LARGEST_FILE:
        raise BotException(codes.VALIDATION_FAILED, f"The file is larger than {LARGEST_FILE // 1024} KB.", field="file")
    try:
        rows = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) if any(cell.strip() for cell in row)]
    except (UnicodeDecodeError, csv.Error):
        raise BotException(codes.VALIDATION_FAILED, "This is no CSV file in UTF-8.", field="file") from None
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = header.index("username") if "username" in header else 0
    body = rows[1:] if "username" in header else rows
    # Our own export puts an apostrophe before what a spreadsheet would take for a formula.
    return [row[column].strip().removeprefix("'") for row in body if len(row) > column and row[column].strip()]


def _clean(name: str) -> str:
    """The username, or which of many is none."""
    try:
        return clean_username(name)
    except BotException:
        raise BotException(codes.VALIDATION_FAILED, f"“{name[:40]}” is no Instagram username.", field="names") from None
