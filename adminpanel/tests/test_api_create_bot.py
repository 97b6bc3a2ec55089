"""Bots that an administrator makes for a member: everything is assigned, or nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from accounts import tenancy
from accounts.models import Membership
from adminpanel import bots, roles
from adminpanel.models import AdminLog
from adminpanel.tests.control_room import inside, staff_person
from adminpanel.tests.session_files import file, real_settings, send, settings, upload, uploaded
from billing import entitlements
from billing.models import Plan, Subscription
from bots import api_pairs, sessions
from bots.models import ApiPair, Bot, InstagramAccount, InstagramClaim, Session
from errors import codes
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth.testing import everywhere, warm_account, workspace_of

PATH = "/api/admin/bots/create"
NOBODY = "00000000-0000-4000-8000-000000000000"  # an id that nothing has


def create(program, user, /, *named, **asked):
    known = {"plan_type": "starter", "cycle_delay": 120, "display_name": "Clay", "api_pair": None}
    return program.post(PATH, {"user": str(user.pk), "sessions": list(named), **known, **asked})


def left():
    """What there would be of a bot that was not made."""
    with everywhere():
        return (
            Bot.objects.count(),
            InstagramAccount.objects.count(),
            InstagramClaim.objects.count(),
            Session.objects.exclude(status="unused").count(),
        )


@pytest.fixture
def pair(admin):
    return api_pairs.add("1234567890", "a secret", admin, capacity=2)


def test_everything_is_assigned(api, admin, alice, alices_workspace, pair):
    program = api(admin)
    session = uploaded(program, settings("alice.clay"))

    answer = create(program, alice, session["filename"], api_pair="auto")

    told = answer.json()["bot"]
    assert (answer.status_code, answer.json()["success"], answer.json()["bots"]) == (201, True, [told])
    assert (told["display_name"], told["cycle_delay"], told["status"]) == ("Clay", 120, "stopped")
    assert (told["user"], told["workspace"]) == (str(alice.pk), str(alices_workspace.pk))
    assert told["plan"] == {"key": "starter", "name": "Starter", "execution_mode": "sequential", "queue": "starter"}
    assert told["account"]["username"] == "alice.clay"
    assert (told["session"]["id"], told["session"]["status"]) == (session["id"], "assigned")
    assert told["session"]["workspace"] == str(alices_workspace.pk)
    assert (told["api_pair"]["id"], told["api_pair"]["used"]) == (str(pair.pk), 1)
    with everywhere():
        bot = Bot.objects.select_related("account__session", "account__claim").get()
        assert (str(bot.pk), bot.user_id, bot.api_pair_id) == (told["id"], alice.pk, pair.pk)
        assert str(bot.account.session.pk) == session["id"]
        assert bot.account.claim.instagram_pk == bot.account.instagram_pk
        row = ActivityLog.objects.filter(action="bot_created").latest("id")
        assert (row.workspace_id, row.account_id, row.user_id) == (bot.workspace_id, bot.account_id, alice.pk)
        assert row.metadata["by"] == str(admin.pk)
    assert api(alice).get("/api/bots/").json()["results"][0]["id"] == told["id"]


@pytest.mark.parametrize(
    ("plan_type", "mode", "queue", "share"),
    [("starter", "sequential", "starter", 1), ("enterprise", "parallel", "enterprise", 50)],
)
def test_how_it_runs_follows_from_the_plan(api, admin, alice, plan_type, mode, queue, share):
    session = uploaded(api(admin), settings("alice.clay"))

    told = create(api(admin), alice, session["id"], plan_type=plan_type).json()["bot"]

    assert (told["plan"]["key"], told["plan"]["execution_mode"], told["plan"]["queue"]) == (plan_type, mode, queue)
    with everywhere():
        bot = Bot.objects.get()
        assert (bot.queue, bot.share) == (queue, share)
        assert entitlements.plan_of(workspace_of(alice)).key == plan_type


def test_a_plan_that_staff_changed_is_followed(api, admin, alice):
    Plan.objects.filter(key="starter").update(execution_mode="parallel", queue="enterprise")
    session = uploaded(api(admin), settings("alice.clay"))

    create(api(admin), alice, session["id"])

    with everywhere():
        assert (Bot.objects.get().queue, Bot.objects.get().share) == ("enterprise", 50)


def test_a_session_can_be_uploaded_with_it(api, admin, alice, pair):
    fields = {"user": alice.email, "plan_type": "enterprise", "cycle_delay": 30, "api_pair": str(pair.pk)}

    answer = send(api(admin), PATH, **fields, upload=file(settings(), "alice.clay.json"))

    told = answer.json()["bot"]
    assert answer.status_code == 201
    assert (told["account"]["username"], told["cycle_delay"], told["display_name"]) == ("alice.clay", 30, "")
    assert (told["session"]["status"], told["api_pair"]["app_id"]) == ("assigned", "1234567890")


def test_several_sessions_make_a_bot_each(api, admin, alice, pair):
    program = api(admin)
    first, second = uploaded(program, settings("one")), uploaded(program, settings("two"))

    body = create(program, alice, first["id"], second["filename"], api_pair="auto").json()

    assert [bot["account"]["username"] for bot in body["bots"]] == ["one", "two"]
    assert [bot["display_name"] for bot in body["bots"]] == ["Clay · @one", "Clay · @two"]
    assert body["bot"] == body["bots"][0]
    with everywhere():
        assert Bot.objects.filter(api_pair=pair).count() == 2


def test_if_one_of_several_fails_there_is_none(api, admin, alice, alices_account, pair):
    program = api(admin)
    good = uploaded(program, settings("good"))
    before = left()

    for wrong in (NOBODY, str(alices_account.session.pk), good["id"]):
        assert create(program, alice, good["id"], wrong).status_code in (400, 404, 409)
    both = {"user": alice.email, "plan_type": "enterprise", "sessions": good["id"], "upload": file(b"{}")}
    assert send(program, PATH, **both).json()["error"] == "SESSION_FILE_INVALID"

    assert left() == before
    with everywhere():
        assert entitlements.plan_of(workspace_of(alice)).key == "growth"
    assert program.get("/api/admin/sessions/list").json()["counts"]["unused"] == 1


def test_without_room_for_a_pair_there_is_no_bot(api, admin, alice):
    session = uploaded(api(admin), settings("alice.clay"))

    answer = create(api(admin), alice, session["id"], api_pair="auto")

    assert (answer.status_code, answer.json()["error"]) == (409, "API_PAIR_NO_ROOM")
    assert left() == (0, 0, 0, 0)


def test_a_pair_without_room_undoes_all_bots(api, admin, alice, pair):
    program = api(admin)
    named = [uploaded(program, settings(f"n{number}"))["id"] for number in range(3)]

    assert create(program, alice, *named, api_pair="auto").json()["error"] == "API_PAIR_NO_ROOM"

    assert left() == (0, 0, 0, 0)


def test_an_identity_that_is_driven_elsewhere_is_refused(api, admin, alice, charlie):
    program = api(admin)
    dump = settings("alice.clay")
    number = dump["authorization_data"]["ds_user_id"]
    again = settings("alice.clay", authorization_data={"ds_user_id": number, "sessionid": "another%3Alogin"})
    first, second = uploaded(program, dump), uploaded(program, again)
    assert create(program, alice, first["id"]).status_code == 201

    answer = create(program, charlie, second["id"])

    assert (answer.status_code, answer.json()["error"]) == (409, "IG_ACCOUNT_TAKEN")
    assert create(program, alice, second["id"]).json()["error"] == "BOT_EXISTS"
    with everywhere():
        assert Bot.objects.count() == 1


def test_a_session_that_a_bot_has_is_not_given_again(api, admin, alice, charlie):
    session = uploaded(api(admin), settings("alice.clay"))
    create(api(admin), alice, session["id"])

    assert create(api(admin), charlie, session["id"]).json()["error"] in ("SESSION_IN_USE", "IG_ACCOUNT_TAKEN")
    with everywhere():
        assert Bot.objects.count() == 1


def test_a_bot_whose_session_was_deleted_gets_a_new_one(api, admin, alice, alices_bot):
    program = api(admin)
    with everywhere():
        number = str(InstagramAccount.objects.get().instagram_pk)
        session_id = Session.objects.get().pk
    program.delete(f"/api/admin/sessions/{session_id}")
    login = {"ds_user_id": number, "sessionid": f"{number}%3Anew%3A1"}
    session = uploaded(program, settings("alice.clay", authorization_data=login))

    told = create(program, alice, session["id"], display_name="Again").json()["bot"]

    assert (told["id"], told["display_name"], told["session"]["id"]) == (str(alices_bot.pk), "Again", session["id"])


def test_what_instagram_refused_makes_no_bot(api, admin, alice, instagram):
    program = api(admin)
    session = uploaded(program, real_settings(instagram, "alice.real"), "alice.real.json")
    instagram.kill_sessions("alice.real")
    program.post("/api/admin/sessions/verify", {"id": session["id"]})

    answer = create(program, alice, session["id"])

    assert (answer.status_code, answer.json()["error"]) == (409, "SESSION_INVALID")
    assert left() == (0, 0, 0, 0)


def test_a_verified_session_makes_a_bot_that_can_start(api, admin, alice, instagram):
    program = api(admin)
    session = uploaded(program, real_settings(instagram, "alice.real"), "alice.real.json")
    program.post("/api/admin/sessions/verify", {"id": session["id"]})

    bot = create(program, alice, session["id"]).json()["bot"]["id"]

    started = api(alice).post(f"/api/bots/{bot}/start").json()
    assert (started["status"], started["health"]["status"]) == ("running", "warming")


def test_one_that_nobody_verified_waits_for_its_probe(api, admin, alice, instagram):
    program = api(admin)
    session = uploaded(program, real_settings(instagram, "alice.real"), "alice.real.json")
    bot = create(program, alice, session["id"]).json()["bot"]["id"]
    member = api(alice)
    assert member.post(f"/api/bots/{bot}/start").json()["error"] == "SESSION_INVALID"

    assert member.post(f"/api/users/{alice.pk}/test-session").json()["session_valid"] is True

    assert member.post(f"/api/bots/{bot}/start").json()["status"] == "running"
    with everywhere():
        sessions.forget(InstagramAccount.objects.get().pk)


def test_a_session_whose_name_nobody_knows_is_verified_first(api, admin, alice):
    session = uploaded(api(admin), settings(), "no name at all.json")

    answer = create(api(admin), alice, session["id"])

    assert (answer.status_code, answer.json()["details"].keys()) == (400, {"sessions"})


def test_the_plans_room_for_accounts_counts(api, admin, alice, alices_workspace):
    program = api(admin)
    for name in ("one", "two", "three"):
        warm_account(alices_workspace, name)
    session = uploaded(program, settings("four"))

    answer = create(program, alice, session["id"])

    assert (answer.status_code, answer.json()["error"]) == (402, "PLAN_ACCOUNT_LIMIT")
    assert create(program, alice, session["id"], plan_type="enterprise").status_code == 201


def test_a_plan_that_is_paid_for_is_not_changed_by_the_way(api, admin, alice):
    with everywhere():
        Subscription.objects.update(stripe_subscription_id="sub_1")
    session = uploaded(api(admin), settings("alice.clay"))

    answer = create(api(admin), alice, session["id"])

    assert (answer.status_code, answer.json()["error"]) == (409, "PLAN_IS_PAID")


def test_the_workspace_may_be_named(api, admin, alice, charlie):
    program = api(admin)
    charlies = workspace_of(charlie)
    with everywhere():
        Membership.objects.create(workspace=charlies, user=alice, role="manager")
    session = uploaded(program, settings("alice.clay"))

    told = create(program, alice, session["id"], workspace=str(charlies.pk)).json()["bot"]
    refused = create(program, charlie, session["id"], workspace=str(workspace_of(alice).pk))

    assert told["workspace"] == str(charlies.pk)
    assert refused.json()["error"] == "WORKSPACE_NOT_FOUND"


def test_a_member_goes_by_id_mail_or_access_code(api, admin, alice):
    program = api(admin)
    person = program.post(
        "/api/admin/users/create", {"password": "a fresh battery staple", "plan": "free", "access_code": "CLAY-2026"}
    ).json()["user"]
    one, two = uploaded(program, settings("one")), uploaded(program, settings("two"))

    assert create(program, alice, one["id"], user="ALICE@example.com").json()["bot"]["user"] == str(alice.pk)
    assert create(program, alice, two["id"], user="clay-2026").json()["bot"]["user"] == person["id"]


@pytest.mark.parametrize(
    "asked",
    [
        {"user": "nobody@example.com"},
        {"user": NOBODY},
        {"user": "admin@example.com"},
        {"user": ""},
        {"plan_type": "golden"},
        {"plan_type": "free"},
        {"plan_type": None},
        {"cycle_delay": 0},
        {"cycle_delay": 86401},
        {"cycle_delay": "soon"},
        {"display_name": "x" * 81},
        {"sessions": []},
        {"sessions": None},
        {"sessions": "all"},
        {"sessions": [{}]},
        {"sessions": ["a\0"]},
        {"api_pair": ["auto"]},
        {"workspace": "mine"},
        {"upload": ["text"]},
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_made(api, admin, alice, asked):
    session = uploaded(api(admin), settings("alice.clay"))

    answer = create(api(admin), alice, **{"sessions": [session["id"]]} | asked)

    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_FAILED")
    assert left() == (0, 0, 0, 0)


def test_who_may_not_change_plans_makes_bots_on_the_plan_there_is(api, admin, alice, alices_workspace):
    program, session = api(staff_person("oleg", roles.Role.OPERATIONS)), uploaded(api(admin), settings("alice.clay"))
    with everywhere():
        entitlements.subscribe(alices_workspace, "enterprise")

    smaller = create(program, alice, session["id"], plan_type="starter")
    assert (smaller.status_code, smaller.json()["error"], left()) == (403, "NO_PERMISSION", (0, 0, 0, 0))
    assert create(program, alice, session["id"], plan_type="enterprise").status_code == 201


@pytest.mark.parametrize("door", ["api", "page"])
def test_the_log_has_what_the_bot_changed_beside_it(api, admin, alice, alices_workspace, door):
    session = uploaded(api(admin), settings("alice.clay"))
    if door == "api":
        assert create(api(admin), alice, session["id"]).status_code == 201
    else:
        asked = {"user": alice.email, "plan_type": "starter", "cycle_delay": "90", "sessions": session["id"]}
        assert inside(admin).post("/admin/bots/bot/add/", {**asked, "api_pair": ""}).status_code == 302
    log = {row.target_type: row for row in AdminLog.objects.filter(action__in=("bots.add", "api.CreateBot"))}
    plans = [str(Plan.objects.get(key=key).pk) for key in ("growth", "starter")]

    assert set(log) == {"bots.bot", "billing.subscription", "bots.session", "bots.instagramaccount"}
    assert log["billing.subscription"].changes["plan_id"] == plans
    assert log["bots.session"].changes["status"] == ["unused", "assigned"]
    assert log["bots.instagramaccount"].changes["username"] == [None, "alice.clay"]


@pytest.mark.parametrize("named", ["nobody", NOBODY, "a/b"])
def test_a_pair_that_is_not_there_makes_no_bot(api, admin, alice, named):
    session = uploaded(api(admin), settings("alice.clay"))

    assert create(api(admin), alice, session["id"], api_pair=named).json()["error"] == "API_PAIR_NOT_FOUND"
    assert left() == (0, 0, 0, 0)


def test_of_twenty_administrators_with_one_session_one_makes_a_bot(committed, api, admin, alice):
    session = uploaded(api(admin), settings("alice.clay"))

    def make(_):
        try:
            return bots.create(user=alice.email, plan_type="starter", by=admin, named=[session["id"]], api_pair=None)[
                0
            ].pk
        except BotException as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as administrators:
        outcomes = list(administrators.map(make, range(20)))

    made = [outcome for outcome in outcomes if outcome not in (codes.SESSION_IN_USE, codes.BOT_EXISTS)]
    with everywhere():
        assert made == [Bot.objects.get().pk]
        assert Session.objects.get().status == "assigned"


def test_charlie_sees_nothing_of_what_was_made_for_alice(api, admin, alice, charlie):
    session = uploaded(api(admin), settings("alice.clay"))
    create(api(admin), alice, session["id"])

    assert api(charlie).get("/api/bots/").json()["results"] == []
    with tenancy.scope(workspace_of(charlie)):
        assert not Session.objects.exists()
    with tenancy.scope(workspace_of(alice)):
        assert Session.objects.count() == 1


def test_what_is_in_the_pool_no_member_sees(api, admin, alice):
    upload(api(admin), file(settings("alice.clay")))

    with tenancy.scope(workspace_of(alice)):
        assert not Session.objects.exists()


def test_members_make_no_bots(api, visitor, alice):
    assert create(api(alice), alice).json()["error"] == "TOKEN_INVALID"
    assert create(visitor, alice).json()["error"] == "NOT_SIGNED_IN"
    assert not ApiPair.objects.exists()
