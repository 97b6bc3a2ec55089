"""Filling the demo workspace."""

import io
import json
import stat

import pytest
from django.core.management import call_command

from accounts.models import User
from adminpanel import demo
from bots import sessions
from bots.models import (
    AccountDay,
    Action,
    Bot,
    BotTask,
    InstagramAccount,
    Kind,
    ListedPerson,
    MessageTemplate,
    OfficialAccess,
)
from content.models import Post, ReplyRule, ReportPlan, SavedReply, Talk
from instagrowth.testing import everywhere


@pytest.fixture(autouse=True)
def folder(settings, tmp_path, db):
    settings.DATA_DIR = tmp_path
    yield tmp_path
    with everywhere():
        for account in InstagramAccount.objects.all():
            sessions.forget(account.pk)


def fill(*words):
    out = io.StringIO()
    call_command("demo", "--json", *words, stdout=out)
    return json.loads(out.getvalue() or "null")


def test_the_demo_is_at_work_and_says_how_to_sign_in(instagram, visitor, folder):
    told = fill()

    file = folder / "demo.json"
    assert json.loads(file.read_text()) == told
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    signed_in = visitor.post("/api/auth/login", {"login": told["login"], "password": told["password"]}).json()
    assert (signed_in["success"], signed_in["must_change_password"]) == (True, False)
    assert told["instagram"]["username"] == "demo.bakery"
    with everywhere():
        bot = Bot.objects.select_related("account").get()
        first, *_ = tasks = BotTask.objects.order_by("created_at")
        assert {task.kind for task in tasks} == set(Kind.values)
        assert sorted(ListedPerson.objects.values_list("list", flat=True)) == ["block", *["keep"] * 3]
        assert MessageTemplate.objects.get().approved_at is not None
    assert (bot.account.username, bot.status, bot.account.health) == ("demo.ceramics", "running", "active")
    assert (first.kind, first.value, first.amount, first.status) == ("follow", "ceramics", 25, "queued")


def test_it_invents_nothing_that_the_bot_did_not_do(instagram):
    fill()

    with everywhere():
        assert not Action.objects.exists()
        assert not AccountDay.objects.exists()
        assert not BotTask.objects.exclude(confirmed=0).exists()


def test_a_second_time_changes_nothing(instagram):
    first = fill()

    assert fill() == first
    with everywhere():
        assert (Bot.objects.count(), User.objects.count()) == (1, 1)
        assert (BotTask.objects.count(), ListedPerson.objects.count(), MessageTemplate.objects.count()) == (5, 4, 1)


def test_a_lost_password_is_made_anew(folder, visitor):
    first = fill()
    (folder / "demo.json").unlink()

    second = fill()

    assert second["password"] != first["password"]
    assert visitor.post("/api/auth/login", second).status_code == 200


def test_if_empty_does_nothing_where_there_are_people(alice, folder):
    assert fill("--if-empty") is None
    assert not (folder / "demo.json").exists()


def test_the_real_instagram_is_left_alone(settings):
    settings.INSTAGRAM_PRIVATE_URL = ""

    assert set(fill()) == {"login", "password"}
    with everywhere():
        assert not InstagramAccount.objects.exists()


def test_a_sandbox_that_does_not_answer_leaves_the_sign_in(settings, monkeypatch):
    settings.INSTAGRAM_PRIVATE_URL = "http://127.0.0.1:9"
    monkeypatch.setattr(demo, "PATIENCE", 0.1)

    assert fill()["login"] == demo.EMAIL


def test_the_official_door_is_open_and_a_week_is_planned(instagram, meta):
    fill()
    fill()

    with everywhere():
        assert OfficialAccess.objects.get().subscribed
        planned = ["idea", "idea", *["scheduled"] * 3]  # beside the drafts, three of them in an A/B test
        assert sorted(Post.objects.values_list("state", flat=True)) == [*["draft"] * 4, *planned]
        assert [model.objects.count() for model in (ReplyRule, SavedReply, ReportPlan)] == [1, 2, 1]
        assert Talk.objects.count() == 0  # comments and messages are read, not made up
