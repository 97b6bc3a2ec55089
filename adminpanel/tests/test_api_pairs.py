"""API pairs: kept without a word about their secret, given to bots by load, exact under a crowd."""

import hmac
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from bots import api_pairs
from bots.models import ApiPair, Bot, InstagramAccount, OfficialAccess
from errors import codes
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth.testing import everywhere

SECRET = "canary-app-secret-5f2e"
LIST = "/api/admin/api-pairs/list"
NOBODY = "00000000-0000-4000-8000-000000000000"  # an id that nothing has


def add(program, app_id="1234567890", **asked):
    return program.post("/api/admin/api-pairs/add", {"app_id": app_id, "app_secret": SECRET, **asked})


def added(program, app_id, **asked):
    return add(program, app_id, **asked).json()["api_pair"]


def assign(program, bot, pair="auto"):
    return program.post("/api/admin/api-pairs/assign", {"bot": str(bot.pk), "api_pair": pair})


def delete(program, named, **query):
    return program.delete(f"/api/admin/api-pairs/{named}", query_params=query)


def bots(workspace, count):
    """So many bots without a pair."""
    with everywhere():
        accounts = [InstagramAccount(workspace=workspace, username=f"pairless.{number}") for number in range(count)]
        InstagramAccount.objects.bulk_create(accounts)
        return Bot.objects.bulk_create(Bot(workspace=workspace, account=account) for account in accounts)


def used():
    with everywhere():
        return {pair.app_id: pair.used for pair in api_pairs.pairs()}


def test_a_pair_is_added_and_listed_and_its_secret_never_told(api, admin, caplog):
    caplog.set_level("DEBUG")
    program = api(admin)

    answer = add(program, name="Our app", capacity=3)
    listed = program.get(LIST)

    told = answer.json()["api_pair"]
    assert (answer.status_code, told["app_id"], told["name"], told["capacity"]) == (201, "1234567890", "Our app", 3)
    assert (told["used"], told["status"]) == (0, "active")
    assert listed.json()["results"] == [told]
    assert SECRET not in answer.content.decode() + listed.content.decode() + caplog.text
    with everywhere():
        pair = ApiPair.objects.get()
        assert SECRET.encode() not in bytes(pair.sealed_secret)
        assert api_pairs.secret_of(pair) == SECRET
        row = ActivityLog.objects.filter(action="api_pair_added").latest("id")
        assert (row.metadata["by"], SECRET in str(row.metadata)) == (str(admin.pk), False)


def test_the_secret_of_one_row_does_not_open_in_another(api, admin):
    program = api(admin)
    added(program, "1")
    added(program, "2")
    with everywhere():
        first, second = ApiPair.objects.all()
        second.sealed_secret = first.sealed_secret
        with pytest.raises(BotException) as refused:
            api_pairs.secret_of(second)
    assert refused.value.code is codes.VAULT_CANNOT_OPEN


def test_the_same_app_twice_is_refused(api, admin):
    add(api(admin))

    answer = add(api(admin))

    assert (answer.status_code, answer.json()["error"]) == (409, "API_PAIR_EXISTS")


@pytest.mark.parametrize(
    "asked",
    [
        {"app_id": ""},
        {"app_id": "a" * 41},
        {"app_id": "1/../2"},
        {"app_id": None},
        {"app_secret": ""},
        {"app_secret": "x" * 201},
        {"capacity": 0},
        {"capacity": -1},
        {"capacity": 10**9},
        {"capacity": "many"},
        {"name": "x" * 81},
    ],
)
def test_what_does_not_fit_is_refused(api, admin, asked):
    answer = add(api(admin), **asked)

    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_FAILED")
    assert SECRET not in answer.content.decode()


def test_the_pair_with_the_least_used_share_is_given(api, admin, alices_workspace):
    program = api(admin)
    added(program, "small", capacity=2)
    added(program, "large", capacity=6)

    for bot in bots(alices_workspace, 8):
        assert assign(program, bot).status_code == 200

    assert used() == {"small": 2, "large": 6}


def test_the_order_is_by_share_and_not_by_number(api, admin, alices_workspace):
    program = api(admin)
    added(program, "small", capacity=1)
    added(program, "large", capacity=4)
    given = [assign(program, bot).json()["api_pair"]["app_id"] for bot in bots(alices_workspace, 4)]

    assert given == ["small", "large", "large", "large"]


def test_paused_and_full_pairs_are_passed_over(api, admin, alices_workspace):
    program = api(admin)
    added(program, "paused")
    added(program, "full", capacity=1)
    added(program, "free", capacity=1)
    ApiPair.objects.filter(app_id="paused").update(status="paused")
    first, second, third = bots(alices_workspace, 3)
    assign(program, first)
    assign(program, second)

    answer = assign(program, third)

    assert used() == {"paused": 0, "full": 1, "free": 1}
    assert (answer.status_code, answer.json()["error"]) == (409, "API_PAIR_NO_ROOM")
    paused = ApiPair.objects.get(app_id="paused")
    assert assign(program, third, str(paused.pk)).json()["error"] == "API_PAIR_NO_ROOM"


def test_a_pair_may_be_chosen_changed_and_given_back(api, admin, alices_bot, alices_workspace):
    program = api(admin)
    one, two = added(program, "1", capacity=1), added(program, "2", capacity=1)

    assert assign(program, alices_bot, one["id"]).json()["api_pair"]["used"] == 1
    assert assign(program, alices_bot, one["id"]).status_code == 200  # it has it already
    assert assign(program, alices_bot, "2").json()["api_pair"]["id"] == two["id"]
    assert used() == {"1": 0, "2": 1}
    assert assign(program, alices_bot, None).json()["api_pair"] is None
    assert used() == {"1": 0, "2": 0}
    with everywhere():
        rows = ActivityLog.objects.filter(workspace_id=alices_workspace.pk, action__startswith="api_pair")
        assert [row.action for row in rows.order_by("id")] == ["api_pair_assigned"] * 3 + ["api_pair_released"]
        assert {row.metadata["by"] for row in rows} == {str(admin.pk)}


def test_of_fifty_bots_three_get_a_pair_with_room_for_three(committed, admin, alices_workspace):
    pair = api_pairs.add("1", SECRET, admin, capacity=3)

    def take(bot):
        try:
            return api_pairs.assign(bot, "auto", admin).pk
        except BotException as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as takers:
        outcomes = list(takers.map(take, bots(alices_workspace, 50)))

    assert (outcomes.count(pair.pk), outcomes.count(codes.API_PAIR_NO_ROOM)) == (3, 47)
    assert used() == {"1": 3}
    with everywhere():
        Bot.objects.all().delete()
        ApiPair.objects.all().delete()


def test_a_pair_that_nobody_uses_is_gone(api, admin):
    program = api(admin)
    pair = added(program, "1")
    added(program, "2")

    assert delete(program, pair["id"]).json()["success"] is True
    assert delete(program, "2").json()["success"] is True
    assert delete(program, pair["id"]).json()["error"] == "API_PAIR_NOT_FOUND"
    assert program.get(LIST).json()["results"] == []


def test_a_pair_in_use_stays_unless_it_is_forced(api, admin, alices_bot):
    program = api(admin)
    pair = added(program, "1")
    assign(program, alices_bot)

    answer = delete(program, pair["id"])
    assert (answer.status_code, answer.json()["error"]) == (409, "API_PAIR_IN_USE")

    assert delete(program, pair["id"], force="1").status_code == 200
    with everywhere():
        assert Bot.objects.get().api_pair is None
        assert ActivityLog.objects.filter(action="api_pair_released").latest("id").account_id == alices_bot.account_id


def test_a_pair_by_which_an_account_is_connected_is_heard_after_its_bot_gave_it_back(
    api, admin, alices_bot, alices_official, mailoutbox
):
    program = api(admin)
    pair = added(program, "1")
    with everywhere():
        OfficialAccess.objects.update(app_id="1")
    entry = {"object": "instagram", "entry": []}
    body = json.dumps(entry).encode()
    signature = "sha256=" + hmac.digest(SECRET.encode(), body, "sha256").hex()
    said = Client().post(
        "/webhooks/instagram/", body, content_type="application/json", headers={"X-Hub-Signature-256": signature}
    )
    refused = delete(program, pair["id"])
    with everywhere():
        kept = OfficialAccess.objects.get().status
    forced = delete(program, pair["id"], force="1")

    assert (said.status_code, refused.json()["error"], kept) == (200, "API_PAIR_IN_USE", "active")
    assert forced.json()["success"] is True
    with everywhere():
        access = OfficialAccess.objects.get()
        assert access.status == "reconnect"
        assert ActivityLog.objects.filter(action="official_lost", account_id=access.account_id).count() == 1
    assert sum("connected again" in mail.subject for mail in mailoutbox) == 1


@pytest.mark.parametrize("named", [NOBODY, "nobody", "%00", "x" * 300, "é"])
def test_what_is_not_there_is_told(api, admin, named):
    answer = delete(api(admin), named)

    assert (answer.status_code, answer.json()["error"]) == (404, "API_PAIR_NOT_FOUND")


def test_a_pair_for_a_bot_or_a_bot_for_a_pair_that_is_not_there(api, admin, alices_bot):
    assert assign(api(admin), Bot()).json()["error"] == "BOT_NOT_FOUND"
    assert assign(api(admin), alices_bot, "nobody").json()["error"] == "API_PAIR_NOT_FOUND"


def test_three_pairs_cost_as_many_queries_as_one(api, admin, django_assert_num_queries, django_assert_max_num_queries):
    program = api(admin)
    added(program, "1")
    program.get(LIST)
    with django_assert_max_num_queries(30) as once:
        program.get(LIST)
    queries = len(once.captured_queries)
    added(program, "2")
    added(program, "3")

    with django_assert_num_queries(queries):
        assert len(program.get(LIST).json()["results"]) == 3


@pytest.mark.parametrize(("method", "path"), [("get", "list"), ("post", "add"), ("post", "assign"), ("delete", "1")])
def test_members_manage_no_pairs(api, visitor, alice, method, path):
    for program, error in ((api(alice), "TOKEN_INVALID"), (visitor, "NOT_SIGNED_IN")):
        answer = getattr(program, method)(f"/api/admin/api-pairs/{path}")
        assert (answer.status_code, answer.json()["error"]) == (401, error)
