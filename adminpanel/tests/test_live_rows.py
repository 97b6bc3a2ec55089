"""Rows on staff's screens: a change of any kind, by whoever, is told to those who may see it, and to nobody else."""

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client

from accounts.models import User
from adminpanel import presence, roles, watching
from adminpanel.tests.control_room import inside, staff_person
from adminpanel.tests.test_pages import owner as owner
from bots.models import ApiPair, Bot
from instagrowth.testing import everywhere

pytestmark = pytest.mark.django_db
LIST = "/admin/bots/bot/"


def watched(client: Client, where: str = LIST) -> tuple[str, dict[str, str]]:
    """What the page asks the open line to look at."""
    page = client.get(where).content.decode()
    found = re.search(r'id="room-watched" type="application/json">(.*?)</script>', page)
    assert found
    told: dict[str, Any] = json.loads(found[1])
    asked = watching.asked({"table": told["table"], "rows": dict(told["rows"].values())})
    assert asked
    return asked


def test_a_change_is_told_once_and_a_row_that_is_gone_too(owner: Client, alices_bot: Bot) -> None:
    olga = User.objects.get(email="olga@staff.example.com").pk
    table, rows = watched(owner)
    assert watching.changed(olga, table, rows) == {}

    with everywhere():
        Bot.objects.update(last_error_code="E-IG-E-0003")
    told = watching.changed(olga, table, rows)
    assert list(told) == [str(alices_bot.pk)]
    assert watching.changed(olga, table, rows | told) == {}
    with everywhere():
        Bot.objects.all().delete()
    assert watching.changed(olga, table, rows) == {str(alices_bot.pk): ""}


def test_a_number_that_a_list_counts_is_looked_at_too(owner: Client, alices_bot: Bot) -> None:
    with everywhere():
        pair = ApiPair.objects.create(app_id="42", sealed_secret=b"x")
    table, rows = watched(owner, "/admin/bots/apipair/")
    with everywhere():
        Bot.objects.update(api_pair=pair)

    assert list(watching.changed(User.objects.get(email="olga@staff.example.com").pk, table, rows)) == [str(pair.pk)]


def test_whoever_may_not_see_the_page_hears_nothing(owner: Client, alices_bot: Bot) -> None:
    table, rows = watched(owner)
    with everywhere():
        Bot.objects.update(last_error_code="E-IG-E-0003")

    assert watching.changed(staff_person("bea", roles.Role.BILLING).pk, table, rows) == {}
    assert watching.changed(alices_bot.user_id, table, rows) == {}
    assert watching.changed(None, table, rows) == {}


@pytest.mark.parametrize(
    "content",
    [None, [], "x", {}, {"table": 1, "rows": {}}, {"table": "bots.bot", "rows": []},
     {"table": "bots.bot", "rows": {"a": 1}}, {"table": "bots.bot", "rows": {str(n): "x" for n in range(101)}}],
)  # fmt: skip
def test_what_is_no_question_is_not_looked_at(content: object) -> None:
    assert watching.asked(content) is None


def test_ids_and_tables_that_are_none_find_nothing(owner: Client) -> None:
    olga = User.objects.get(email="olga@staff.example.com").pk
    assert watching.changed(olga, "bots.bot", {"no uuid": "x", "\0": "y"}) == {}
    assert watching.changed(olga, "auth.permission", {"1": "x"}) == {}


def test_a_page_that_draws_itself_anew_keeps_nobody_signed_in(nobody_guessed: None) -> None:
    client = inside("olga")
    key = client.cookies[settings.STAFF_COOKIE_NAME].value
    session = SessionStore(key)
    session[presence.MARK] |= {"seen": session[presence.MARK]["seen"] - 600}
    session.save()

    before = SessionStore(key)[presence.MARK]["seen"]
    assert client.get(LIST, headers={"X-Room-Look": "1"}).status_code == 200
    assert SessionStore(key)[presence.MARK]["seen"] == before
    client.get(LIST)
    assert SessionStore(key)[presence.MARK]["seen"] > before
