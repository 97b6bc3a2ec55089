"""What programs do stands in the admin log as what is done on pages: who, what, before and after, from where."""

from typing import Any

import pytest
from django.urls import get_resolver

from adminpanel import api, audit
from adminpanel.models import AdminLog
from adminpanel.tests.session_files import settings as session
from adminpanel.tests.session_files import uploaded
from bots.models import Bot, Session
from instagrowth.testing import everywhere

CANARY = "canary-app-secret-5f2e"


@pytest.fixture
def program(api: Any, admin: Any) -> Any:
    return api(admin)


def logged(deed: str) -> list[AdminLog]:
    return list(AdminLog.objects.filter(action=f"api.{deed}").order_by("pk"))


def test_a_pair_from_its_making_to_its_end(program: Any, admin: Any, alices_connected_bot: Bot) -> None:
    bot = alices_connected_bot
    pair = program.post("/api/admin/api-pairs/add", {"app_id": "4711", "app_secret": CANARY}).json()["api_pair"]
    program.post("/api/admin/api-pairs/assign", {"bot": str(bot.pk), "api_pair": pair["id"]})
    program.delete(f"/api/admin/api-pairs/{pair['id']}", query_params={"force": "true"})

    (made,), (given,), gone = logged("AddPair"), logged("AssignPair"), logged("DeletePair")

    assert (made.target_id, made.changes["app_id"]) == (pair["id"], [None, "4711"])
    assert (made.admin_id, made.address, made.door) == (admin.pk, "127.0.0.1", "api")
    assert made.correlation_id.startswith("c-")
    assert (given.target_id, given.changes["api_pair_id"]) == (str(bot.pk), [None, pair["id"]])
    assert given.changes["sent"] == [None, {"bot": str(bot.pk), "api_pair": pair["id"]}]
    assert [(row.target_type, row.changes.get("app_id"), row.changes.get("api_pair_id")) for row in gone] == [
        ("bots.apipair", ["4711", None], None), ("bots.bot", None, [pair["id"], None]),
    ]  # fmt: skip
    assert CANARY not in str(list(AdminLog.objects.values_list("changes", flat=True)))
    assert list(audit.verify()) == []


def test_a_session_that_is_frozen_and_the_bot_it_stops(program: Any, alices_connected_bot: Bot) -> None:
    with everywhere():
        Bot.objects.filter(pk=alices_connected_bot.pk).update(status="running")
        named = Session.objects.get(account=alices_connected_bot.account_id)
    assert program.post("/api/admin/sessions/move", {"id": str(named.pk), "to": "frozen"}).status_code == 200

    rows = {row.target_type: row.changes for row in logged("MoveSession")}

    assert rows["bots.session"]["status"] == ["assigned", "frozen"]
    assert rows["bots.instagramaccount"]["health"] == ["active", "needs_you"]
    assert rows["bots.bot"]["status"][0] == "running"
    assert bytes(named.sealed).hex() not in str(rows)


def test_what_is_uploaded_and_made_and_a_body_that_says_more_than_it_may(program: Any) -> None:
    uploaded_one = uploaded(program, session("one"))
    asked = {"email": "zoe@example.com", "password": "staple horse battery 11", "target": "x", "by": "y", "request": 1}
    assert program.post("/api/admin/users/create", asked).status_code == 201

    (kept,), made = logged("UploadSessions"), logged("CreateUser")

    assert (kept.target_id, kept.changes["status"]) == (uploaded_one["id"], [None, "unused"])
    assert [(row.target_type, row.changes["name"][0]) for row in made] == [
        ("accounts.user", None), ("accounts.workspace", None),
    ]  # fmt: skip
    told = made[0].changes
    assert (told["email"][1], told["sent"][1]["email"]) == ("zo•••@example.com",) * 2
    assert told["sent"][1]["password"] == told["password"][1] == audit.HIDDEN


def test_every_door_that_changes_something_says_which_rows() -> None:
    """So that none is forgotten: a new door names its rows, or stands here with its reason."""
    nothing_changes = {"AdminVerify"}
    doors = [found for found in _below(api.StaffDoor) if {"post", "delete", "put", "patch"} & set(vars(found))]
    silent = {found.__name__ for found in doors if "looks_at" not in _names(found)}

    assert len(doors) >= 11
    assert silent == nothing_changes


def _below(of: type) -> list[type]:
    assert get_resolver().url_patterns  # all doors are loaded
    return [found for one in of.__subclasses__() for found in (one, *_below(one))]


def _names(door: type) -> set[str]:
    """All names that the methods of a door use, behind their contracts."""
    found: set[str] = set()
    for method in ("post", "delete", "put", "patch"):
        code = getattr(door, method, None)
        while code is not None:
            found |= set(code.__code__.co_names)
            code = getattr(code, "__wrapped__", None)
    return found
