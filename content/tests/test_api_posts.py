"""Programs plan, schedule and take back posts, fill the library and read the numbers of their own workspace."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from accounts.models import User
from bots.models import InstagramAccount
from content import measuring
from content.models import AccountInsight, Delivery, Hook, Post
from content.tests.making import picture
from errors import codes
from instagrowth.testing import Program, everywhere

pytestmark = pytest.mark.django_db
POSTS = "/api/content/posts/"


def of(user: User) -> Program:
    program = Program()
    program.force_login(user)
    return program


def uploaded(user: User) -> str:
    client = Client()
    client.force_login(user)
    answer = client.post("/api/content/media/", {"file": picture(), "alt_text": "A bowl"})
    assert answer.status_code == 201, answer.content
    told: dict[str, Any] = answer.json()["media"]
    assert (told["kind"], told["width"], told["alt_text"]) == ("image", 1080, "A bowl")
    return str(told["id"])


def test_a_program_plans_schedules_and_takes_back(
    alices_official: InstagramAccount, alice: User, charlie: User
) -> None:
    program, media = of(alice), uploaded(alice)
    with everywhere():
        hook = Hook(workspace=alices_official.workspace, url="https://example.com/", events=["post.scheduled"])
        hook.sealed_secret = b"x"
        hook.save(force_insert=True)
    made = program.post(POSTS, {"caption": "Kiln day", "account": "alice.clay", "media": [media]})
    assert made.status_code == 201
    post = made.json()["post"]
    assert (post["state"], post["origin"], post["media"]) == ("draft", "api", [media])
    at = f"{POSTS}{post['id']}/"
    assert program.post(f"{at}schedule").json()["error"] == codes.PUB_NOT_READY.name
    soon = (now() + timedelta(hours=1)).isoformat()
    assert program.post(f"{at}schedule", {"at": soon}).json()["post"]["state"] == "scheduled"
    later = (now() + timedelta(hours=2)).isoformat()
    assert program.patch(at, {"planned_for": later}).json()["post"]["state"] == "scheduled"
    assert program.patch(at, {"caption": "Other words"}).json()["post"]["state"] == "draft"
    assert program.post(f"{at}schedule", {"at": soon}).status_code == 200
    assert program.post(f"{at}unschedule").json()["post"]["state"] == "draft"

    with everywhere():
        assert Delivery.objects.filter(event="post.scheduled").count() == 2
    assert of(charlie).get(at).status_code == 404
    assert of(charlie).get(POSTS).json()["results"] == []
    assert of(charlie).post(POSTS, {"caption": "x", "media": [media]}).json()["error_code"] == codes.NOT_FOUND.id
    assert program.delete(at).status_code == 200
    assert program.get(at).status_code == 404


def test_the_list_costs_the_same_for_any_number_of_posts(alices_account: InstagramAccount, alice: User) -> None:
    program = of(alice)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert program.get(POSTS, {"account": "alice.clay", "state": "draft"}).status_code == 200
        return len(queries)

    def posts(amount: int) -> None:
        with everywhere():
            Post.objects.bulk_create(
                Post(workspace=alices_account.workspace, account=alices_account, caption="x") for _ in range(amount)
            )

    posts(1)
    asked()
    one = asked()
    posts(2)
    assert asked() == one


def test_numbers_are_told_as_on_the_page_and_unknown_is_null(
    alices_official: InstagramAccount, alice: User, charlie: User
) -> None:
    today = now().date()
    with everywhere():
        hook = Hook(workspace=alices_official.workspace, url="https://example.com/", events=["analytics.measured"])
        hook.sealed_secret = b"x"
        hook.save(force_insert=True)
    measuring.measure(alices_official.workspace_id, alices_official.pk)
    span = {"since": (today - timedelta(days=40)).isoformat(), "until": today.isoformat()}
    told = of(alice).get("/api/analytics/", span | {"account": "alice.clay"}).json()

    assert len(told["days"]) == 41
    assert told["days"][0]["reach"] is None
    assert told["days"][-2]["reach"] > 0
    assert {one["key"]: one["before"] for one in told["figures"]}["reach"] is None
    assert told["best"][0]["interactions"] >= told["best"][-1]["interactions"]
    assert of(charlie).get("/api/analytics/", span | {"account": "alice.clay"}).status_code == 404
    assert of(alice).get("/api/analytics/", {"since": span["until"], "until": span["since"]}).status_code == 400
    with everywhere():
        told_of = Delivery.objects.get().payload
        newest = AccountInsight.objects.get(day=told_of["day"])
    assert (told_of["account"], told_of["followers"], told_of["reach"]) == ("alice.clay", 900, newest.reach)
