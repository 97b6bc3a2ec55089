"""Programs ask for audits, texts, plans and drafts of welcomes, look until they are done, and watch competitors."""

import pytest

from accounts.models import User
from bots.models import Bot, InstagramAccount
from content.models import Audit, CompetitorDay, Post, Run
from content.tests.test_studio_page import work
from errors import codes
from instagrowth.testing import Program, everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.django_db
AT = "/api/content/"


def of(user: User) -> Program:
    program = Program()
    program.force_login(user)
    return program


def test_a_program_asks_once_by_its_key_and_looks_until_it_is_done(
    openai: Control, alice: User, bob: User, charlie: User
) -> None:
    program, wanted = of(bob), {"about": "kiln opening", "key": "mine"}
    first, again = (program.post(f"{AT}ideas", wanted) for _ in range(2))
    run = first.json()["run"]
    assert (first.status_code, run["status"], run["id"]) == (202, "queued", again.json()["run"]["id"])
    work()
    done = program.get(f"{AT}runs/{run['id']}/").json()
    assert (done["status"], done["feature"], len(done["pieces"]) >= 3, done["plan"]) == ("done", "ideas", True, None)
    assert of(charlie).get(f"{AT}runs/{run['id']}/").status_code == 404
    assert program.post(f"{AT}ideas", {"about": ""}).json()["error"] == codes.VALIDATION_FAILED.name
    captions = program.post(f"{AT}ideas", {"about": "a bowl", "feature": "captions"}).json()["run"]
    drafts = program.post(f"{AT}dm-templates", {"about": "stoneware"}).json()["run"]
    work()
    kinds = [
        {piece["kind"] for piece in program.get(f"{AT}runs/{one['id']}/").json()["pieces"]}
        for one in (captions, drafts)
    ]
    assert kinds == [{"captions"}, {"dm_template"}]


def test_a_program_plans_and_accepts(openai: Control, alice: User, charlie: User, alices_bot: Bot) -> None:
    program = of(alice)
    wanted = {"account": "alice.clay", "goal": "more", "niche": "clay", "days": 7, "posts_a_week": 4}
    run = program.post(f"{AT}plan", wanted).json()["run"]
    work()
    plan = program.get(f"{AT}runs/{run['id']}/").json()["plan"]
    assert (len(plan["posts"]), plan["status"], "follow" in plan["limits"]) == (4, "draft", True)
    accept = f"{AT}plans/{plan['id']}/accept"
    assert of(charlie).post(accept).status_code == 404
    assert [program.post(accept).json()["posts"] for _ in range(2)] == [4, 4]
    with everywhere():
        assert Post.objects.count() == 4


def test_a_program_gets_an_audit_or_why_there_is_none(
    openai: Control, alice: User, alices_account: InstagramAccount
) -> None:
    program = of(alice)
    missing = program.post(f"{AT}audit", {"account": "nobody.here"})
    assert missing.json()["error"] == codes.IG_ACCOUNT_NOT_FOUND.name
    run = program.post(f"{AT}audit", {"account": "alice.clay"}).json()["run"]
    with everywhere():
        Run.objects.update(status="done")
        Audit.objects.create(
            workspace_id=alices_account.workspace_id, account=alices_account, run_id=run["id"], door="private",
            facts={"followers": None}, scores=[], findings={"summary": "s"},
        )  # fmt: skip
    told = program.get(f"{AT}runs/{run['id']}/").json()["audit"]
    assert (told["facts"], told["findings"]) == ({"followers": None}, {"summary": "s"})


def test_a_program_watches_competitors(alice: User, charlie: User, alices_account: InstagramAccount) -> None:
    program, at = of(alice), f"{AT}competitors/"
    made = program.post(at, {"account": "alice.clay", "username": "@Rival"})
    assert (made.status_code, made.json()["competitor"]["username"]) == (201, "rival")
    twice = program.post(at, {"account": "alice.clay", "username": "rival"})
    assert twice.json()["error"] == codes.VALIDATION_FAILED.name
    key = made.json()["competitor"]["id"]
    with everywhere():
        CompetitorDay.objects.create(
            workspace_id=alices_account.workspace_id, competitor_id=key, day="2026-01-02", followers=9,
            facts={"engagement": None}, door="private",
        )  # fmt: skip
    told = program.get(at, {"account": "alice.clay"}).json()["results"][0]
    assert (told["figures"], told["days"][0]["followers"]) == ({"engagement": None}, 9)
    assert of(charlie).get(at).json()["results"] == []
    assert of(charlie).delete(f"{at}{key}/").status_code == 404
    assert program.delete(f"{at}{key}/").status_code == 200
    assert program.get(at).json()["results"] == []
