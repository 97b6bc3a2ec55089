"""Sessions after their upload: listed by state, verified at Instagram, moved, deleted."""

import pytest

from adminpanel.tests.session_files import file, real_settings, settings, token_of, upload, uploaded
from bots import health, session_pool, sessions, switch
from bots.instagram.private import Door, Person
from bots.models import Bot, InstagramAccount, InstagramClaim, Session
from errors import codes
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth.testing import everywhere, warm_account

LIST = "/api/admin/sessions/list"
NOBODY = "00000000-0000-4000-8000-000000000000"  # an id that nothing has


def verify(program, **named):
    return program.post("/api/admin/sessions/verify", named)


def move(program, to, **named):
    return program.post("/api/admin/sessions/move", {"to": to, **named})


def delete(program, named, **query):
    return program.delete(f"/api/admin/sessions/{named}", query_params=query)


@pytest.fixture
def alices_session(alices_bot):
    """The session that @alice.clay has."""
    with everywhere():
        return Session.objects.get(account=alices_bot.account_id)


@pytest.fixture
def running(alices_bot, alice):
    """Alice's bot at work."""
    with everywhere():
        bot = Bot.objects.select_related("account__session", "workspace").get(pk=alices_bot.pk)
        switch.start(bot, alice)
    return bot


# ── The list ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_they_are_listed_by_state_with_counts(api, admin, alices_workspace, alices_session):
    program = api(admin)
    new = uploaded(program, settings("new.one"))
    for name, sign in (("alice.frozen", codes.CHALLENGE_REQUIRED), ("alice.banned", codes.ACCOUNT_SUSPENDED)):
        account = warm_account(alices_workspace, name)
        with everywhere():
            health.react(account, BotException(sign))

    body = program.get(LIST).json()

    assert body["counts"] == {"unused": 1, "assigned": 1, "frozen": 1, "banned": 1}
    told = {status: [one["username"] for one in body[status]] for status in body["counts"]}
    assert told == {
        "unused": ["new.one"],
        "assigned": ["alice.clay"],
        "frozen": ["alice.frozen"],
        "banned": ["alice.banned"],
    }
    assert body["unused"] == [new]
    assert body["assigned"][0]["workspace"] == str(alices_workspace.pk)
    assert body["next"] == {"unused": None, "assigned": None, "frozen": None, "banned": None}


def test_each_group_has_its_own_pages(api, admin, alices_session):
    program = api(admin)
    upload(program, *(file(settings(f"n{number}")) for number in range(5)))

    first = program.get(LIST, {"page_size": 2}).json()
    second = program.get(first["next"]["unused"]).json()
    third = program.get(second["next"]["unused"]).json()

    assert [len(page["unused"]) for page in (first, second, third)] == [2, 2, 1]
    assert [len(page["assigned"]) for page in (first, second, third)] == [1, 0, 0]
    assert len({one["id"] for page in (first, second, third) for one in page["unused"]}) == 5
    assert third["next"]["unused"] is None
    assert third["counts"]["unused"] == 5


def test_three_sessions_cost_as_many_queries_as_one(
    api, admin, django_assert_num_queries, django_assert_max_num_queries
):
    program = api(admin)
    upload(program, file(settings("one")))
    program.get(LIST)
    with django_assert_max_num_queries(30) as once:
        program.get(LIST)
    queries = len(once.captured_queries)
    upload(program, file(settings("two")), file(settings("three")))

    with django_assert_num_queries(queries):
        assert len(program.get(LIST).json()["unused"]) == 3


# ── Verifying ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_session_is_verified_and_named_by_the_probe(api, admin, instagram):
    program = api(admin)
    session = uploaded(program, real_settings(instagram, "alice.real"), "export of monday.json")
    assert session["username"] == ""
    assert session["filename"].startswith("unknown-")

    answer = verify(program, filename=session["filename"])

    body = answer.json()
    assert (answer.status_code, body["valid"], body["account"]) == (200, True, "alice.real")
    assert body["session"]["filename"] == f"alice.real-{session['id'].replace('-', '')[:12]}.json"
    assert (body["session"]["status"], body["session"]["valid"]) == ("unused", True)
    assert body["session"]["probed_at"] > session["created_at"]


NAMES = ["{id}", "alice.real", "@Alice.Real", "alice.real.json", "{filename}", "renamed-{short}.json"]


@pytest.mark.parametrize("name", NAMES)
def test_a_session_goes_by_several_names(api, admin, instagram, name):
    session = uploaded(api(admin), real_settings(instagram, "alice.real"), "alice.real.json")
    short = session["id"].replace("-", "")[:12]

    assert verify(api(admin), filename=name.format(**session, short=short)).json()["valid"] is True


def test_a_dead_session_is_told_with_its_code_and_given_to_no_bot(api, admin, instagram, alices_account):
    program = api(admin)
    session = uploaded(program, real_settings(instagram, "alice.real"), "alice.real.json")
    instagram.kill_sessions("alice.real")

    body = verify(program, id=session["id"]).json()

    assert (body["success"], body["valid"], body["error"]) == (True, False, "SESSION_NEEDS_LOGIN")
    assert (body["session"]["status"], body["session"]["valid"]) == ("unused", False)
    with everywhere(), pytest.raises(BotException) as refused:
        session_pool.assign(session_pool.find(session["id"]), alices_account)
    assert refused.value.code is codes.SESSION_INVALID


def test_a_session_of_somebody_else_than_its_file_says_is_not_good(
    api, admin, instagram, alices_connected_bot, monkeypatch
):
    program = api(admin)
    uploaded(program, real_settings(instagram, "alice.second"), "alice.second.json")
    monkeypatch.setattr(Door, "probe", lambda _: Person("42", "somebody.else"))

    for username in ("alice.second", "alice.real"):  # in the pool, and with a bot
        body = verify(program, filename=username).json()

        assert (body["valid"], body["error"], body["account"]) == (False, "SESSION_OTHER_PERSON", username)
        assert body["session"]["valid"] is False


def test_the_session_of_a_bot_is_verified_too(api, admin, alices_connected_bot, instagram):
    program = api(admin)

    assert verify(program, filename="alice.real").json()["valid"] is True
    instagram.kill_sessions("alice.real")
    body = verify(program, filename="alice.real").json()

    assert (body["valid"], body["error"]) == (False, "SESSION_NEEDS_LOGIN")
    with everywhere():
        assert InstagramAccount.objects.get().health == "needs_login"


def test_a_frozen_session_goes_on_once_a_probe_has_passed(api, admin, alices_connected_bot):
    with everywhere():
        health.react(alices_connected_bot.account, BotException(codes.CHALLENGE_REQUIRED))

    body = verify(api(admin), filename="alice.real").json()

    assert (body["valid"], body["session"]["status"]) == (True, "assigned")


def test_instagram_being_away_says_nothing_about_a_session(api, admin, settings):
    from adminpanel.tests.session_files import settings as made_up

    settings.INSTAGRAM_PRIVATE_URL = "http://127.0.0.1:9"
    session = uploaded(api(admin), made_up("alice.clay"))

    answer = verify(api(admin), id=session["id"])

    assert (answer.status_code, answer.json()["error"]) == (502, "NET_REFUSED")
    assert api(admin).get(LIST).json()["unused"][0]["probed_at"] is None


@pytest.mark.parametrize("named", [{"id": NOBODY}, {"filename": "nobody"}, {"filename": "../x"}, {"filename": "é"}])
def test_what_is_not_there_is_told(api, admin, named):
    answer = verify(api(admin), **named)

    assert (answer.status_code, answer.json()["error"]) == (404, "SESSION_NOT_FOUND")


@pytest.mark.parametrize("named", [{}, {"filename": ""}, {"filename": "a\0b"}, {"filename": ["x"]}])
def test_a_session_must_be_named(api, admin, named):
    assert verify(api(admin), **named).json()["error"] == "VALIDATION_FAILED"


def test_a_username_of_two_sessions_names_neither(api, admin):
    upload(api(admin), file(settings("twice")), file(settings("twice")))

    answer = verify(api(admin), filename="twice")

    assert (answer.status_code, "several" in answer.json()["message"]) == (404, True)


# ── Moving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_is_taken_back_into_the_pool(api, admin, alices_session, alices_bot):
    with everywhere():
        InstagramClaim.objects.create(instagram_pk=alices_bot.account.instagram_pk, account=alices_bot.account)

    answer = move(api(admin), "unused", id=str(alices_session.pk))

    told = answer.json()["session"]
    assert (answer.status_code, told["status"], told["account"], told["workspace"]) == (200, "unused", None, None)
    assert told["valid"] is True
    with everywhere():
        account = InstagramAccount.objects.get()
        assert (account.health, account.health_code) == ("needs_login", codes.SESSION_INVALID.id)
        assert not InstagramClaim.objects.exists()
        row = ActivityLog.objects.filter(action="session_released").latest("id")
        assert (row.workspace_id, row.account_id) == (account.workspace_id, account.pk)
        assert row.metadata["by"] == str(admin.pk)


@pytest.mark.parametrize(("to", "state"), [("frozen", "needs_you"), ("banned", "banned")])
def test_a_session_is_stopped_by_hand_and_its_bot_with_it(api, admin, running, to, state):
    answer = move(api(admin), to, filename="alice.clay")

    assert (answer.status_code, answer.json()["session"]["status"]) == (200, to)
    with everywhere():
        bot = Bot.objects.select_related("account").get()
        assert (bot.status, bot.account.health) == ("stopped", state)


@pytest.mark.parametrize("to", ["frozen", "banned", "unused"])
def test_what_is_in_the_pool_cannot_be_stopped_or_taken_back(api, admin, to):
    session = uploaded(api(admin), settings("free"))

    answer = move(api(admin), to, id=session["id"])

    assert (answer.status_code, answer.json()["error"]) == (409, "SESSION_CANNOT_MOVE")


def test_nobody_says_that_a_session_is_assigned(api, admin, alices_session):
    assert move(api(admin), "assigned", id=str(alices_session.pk)).json()["error"] == "VALIDATION_FAILED"


# ── Deleting ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unused_session_is_gone(api, admin):
    program = api(admin)
    dump = settings("alice.clay")
    session = uploaded(program, dump)

    assert delete(program, session["filename"]).json()["success"] is True

    assert delete(program, session["filename"]).json()["error"] == "SESSION_NOT_FOUND"
    assert program.get(LIST).json()["counts"]["unused"] == 0
    assert uploaded(program, dump)["username"] == "alice.clay"
    assert token_of(dump) not in program.get(LIST).content.decode()


def test_the_session_of_a_running_bot_stays(api, admin, running, alices_session):
    answer = delete(api(admin), str(alices_session.pk))

    assert (answer.status_code, answer.json()["error"]) == (409, "SESSION_AT_WORK")
    assert move(api(admin), "unused", id=str(alices_session.pk)).json()["error"] == "SESSION_AT_WORK"
    with everywhere():
        assert Bot.objects.get().status == "running"


def test_by_force_it_goes_and_its_bot_is_told(api, admin, running, alices_session, alice):
    answer = delete(api(admin), session_pool.filename_of(alices_session), force=1)

    assert (answer.status_code, answer.json()["success"]) == (200, True)
    with everywhere():
        bot = Bot.objects.select_related("account").get()
        assert (bot.status, bot.last_error_code) == ("stopped", codes.SESSION_INVALID.id)
        assert bot.account.health == "needs_login"
        rows = ActivityLog.objects.filter(workspace_id=bot.workspace_id, action="health")
        assert "administrator" in rows.latest("id").error_message
    assert api(alice).post(f"/api/bots/{bot.pk}/start").json()["error"] == "SESSION_INVALID"


def test_a_stopped_bots_session_goes_without_force(api, admin, alices_session):
    assert delete(api(admin), str(alices_session.pk)).status_code == 200


@pytest.mark.parametrize("named", ["%00", "..", "a%00b", "%ff", "x" * 500, "%F0%9F%92%A9", "' OR 1=1 --"])
def test_no_name_does_harm(api, admin, alices_session, named):
    assert delete(api(admin), named).status_code in (404, 405)
    with everywhere():
        assert Session.objects.count() == 1


def test_a_new_login_never_meets_the_door_of_the_session_before(alices_workspace, instagram):
    """A worker keeps doors warm by account: the door of a deleted session must not serve the next one."""
    dumps = [real_settings(instagram, "alice.real") for _ in range(2)]
    account = warm_account(alices_workspace, "alice.real", instagram_pk=dumps[0]["authorization_data"]["ds_user_id"])
    for dump in dumps:
        with everywhere():
            account.session.delete()
            account = InstagramAccount.objects.get(pk=account.pk)
            account.session = sessions.keep(account, dump)
            with sessions.borrow(account) as door:
                assert door.settings()["authorization_data"]["sessionid"] == token_of(dump)
    sessions.forget(account.pk)


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "list"), ("post", "upload"), ("post", "verify"), ("post", "move"), ("delete", "alice.clay")],
)
def test_members_manage_nothing(api, visitor, alice, alices_session, method, path):
    for program, error in ((api(alice), "TOKEN_INVALID"), (visitor, "NOT_SIGNED_IN")):
        answer = getattr(program, method)(f"/api/admin/sessions/{path}")
        assert (answer.status_code, answer.json()["error"]) == (401, error)
