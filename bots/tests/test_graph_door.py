"""The official door against the sandbox's Graph API, over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts import tenancy
from bots.instagram import graph_errors
from bots.instagram.graph import FACEBOOK, App, GraphDoor
from bots.instagram.reactions import NoAnswer
from bots.models import InstagramAccount
from bots.official import official_door
from errors import codes
from errors.exceptions import BotException
from errors.steps import Step
from instagrowth.testing import META_APP
from sandbox.testing import Control

PICTURE = "https://pictures.example/bowl.jpg"


@pytest.fixture
def door(meta: Control) -> GraphDoor:
    meta.account("shop", business=True, followers=900, media=30, full_name="The Shop")
    given = meta.graph("token", username="shop")
    return GraphDoor(App(META_APP["id"], META_APP["secret"]), given["token"], ig_id=given["ig_id"])


@pytest.fixture
def page(meta: Control) -> GraphDoor:
    meta.account("shop", business=True, followers=900, media=30)
    given = meta.graph("token", username="shop", login="facebook")
    app = App(META_APP["id"], META_APP["secret"])
    return GraphDoor(app, given["token"], login=FACEBOOK, ig_id=given["ig_id"], page_id=given["page_id"])


def refusal(deed: Any, *args: Any, **kwargs: Any) -> BotException:
    with pytest.raises(BotException) as refused:
        deed(*args, **kwargs)
    return refused.value


def test_it_reads_the_profile_by_either_login(door: GraphDoor, page: GraphDoor, steps_here: list[Step]) -> None:
    assert [(told["username"], told["followers_count"]) for told in (door.me(), page.me())] == [("shop", 900)] * 2
    assert [step.name.split("/")[0] for step in steps_here] == ["GET graph.instagram.com", "GET graph.facebook.com"]


def test_it_walks_through_all_posts_a_page_at_a_time(door: GraphDoor) -> None:
    first, after = door.media(limit=20)
    second, end = door.media(after=after, limit=20)

    assert (len(first), len(second), end) == (20, 10, "")
    assert len({post["id"] for post in first + second}) == 30
    assert first[0]["timestamp"] > second[-1]["timestamp"]


def test_a_picture_is_published_and_found_again(door: GraphDoor) -> None:
    container = door.create_container(image_url=PICTURE, caption="A bowl #clay", alt_text="A blue bowl")
    status = door.container_status(container)
    media = door.publish(container)

    assert status == "FINISHED"
    assert door.recent_media(3)[0] | {"timestamp": ""} == {
        "id": media,
        "caption": "A bowl #clay",
        "media_type": "IMAGE",
        "media_product_type": "FEED",
        "permalink": f"https://www.instagram.com/p/{media}/",
        "timestamp": "",
        "like_count": 0,
        "comments_count": 0,
    }
    assert door.publishing_limit() == (1, 50)


def test_a_reel_takes_a_few_looks_and_is_refused_before(door: GraphDoor) -> None:
    container = door.create_container(video_url="https://pictures.example/a.mp4", media_type="REELS")
    early = refusal(door.publish, container)
    looks = [door.container_status(container) for _ in range(3)]

    assert (early.code, isinstance(early, NoAnswer)) == (codes.PUB_MEDIA_NOT_READY, False)
    assert looks == ["IN_PROGRESS", "IN_PROGRESS", "FINISHED"]
    assert door.publish(container)


def test_a_carousel_is_made_of_its_children(door: GraphDoor) -> None:
    children = [door.create_container(image_url=f"{PICTURE}?{n}", is_carousel_item=True) for n in range(3)]
    whole = door.create_container(media_type="CAROUSEL", children=children, caption="Three")
    looks = [door.container_status(whole) for _ in range(2)]
    door.publish(whole)

    assert looks[-1] == "FINISHED"
    assert door.recent_media(1)[0]["media_type"] == "CAROUSEL_ALBUM"


@pytest.mark.parametrize("fault", ["reset_after_apply", "hang_after_apply", "graph_2", "not_json", "500"])
def test_a_lost_answer_to_a_publish_is_unknown_and_can_be_looked_up(
    door: GraphDoor, meta: Control, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.instagram.graph.TIMEOUT", (3, 0.5))
    container = door.create_container(image_url=PICTURE, caption="Lost?")
    door.container_status(container)
    meta.fault(fault, path=".*media_publish", apply=True)

    lost = refusal(door.publish, container)

    assert isinstance(lost, NoAnswer)
    assert [post["caption"] for post in door.recent_media(1)] == ["Lost?"]
    assert meta.ledger("shop", "publish").duplicates == []


def test_a_second_publish_of_the_same_is_a_duplicate_in_the_ledger(door: GraphDoor, meta: Control) -> None:
    for _ in range(2):
        container = door.create_container(image_url=PICTURE, caption="Twice")
        door.container_status(container)
        door.publish(container)

    assert [one["times"] for one in meta.ledger("shop", "publish").duplicates] == [2]


@pytest.mark.parametrize(("pair", "code"), list(graph_errors.TABLE.items()), ids=lambda value: str(value)[:24])
def test_every_error_of_the_table_has_our_code(
    door: GraphDoor, meta: Control, pair: tuple[int, int | None], code: codes.Code
) -> None:
    meta.fault(f"graph_{pair[0]}" + (f"_{pair[1]}" if pair[1] else ""), path=".*media")

    refused = refusal(door.recent_media)

    assert refused.code is code
    assert refused.meta["meta_code"] == pair[0]
    assert door.token not in str(refused.meta)


def test_an_error_that_nobody_knows_is_a_refusal(door: GraphDoor, meta: Control) -> None:
    meta.fault("graph_4711_99", path=".*media")

    assert refusal(door.recent_media).code is codes.GRAPH_REFUSED


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("not_json", codes.NET_BAD_ANSWER),
        ("bad_json", codes.NET_BAD_ANSWER),
        ("503", codes.NET_BAD_ANSWER),
        ("reset", codes.NET_RESET),
        ("hang", codes.NET_TIMEOUT),
    ],
)
def test_a_read_without_a_good_answer_is_no_unknown_write(
    door: GraphDoor, meta: Control, monkeypatch: pytest.MonkeyPatch, fault: str, code: codes.Code
) -> None:
    monkeypatch.setattr("bots.instagram.graph.TIMEOUT", (3, 0.5))
    meta.fault(fault, path=".*media")

    refused = refusal(door.recent_media)

    assert (refused.code, type(refused)) == (code, BotException)


def test_a_server_that_is_not_there_got_nothing(door: GraphDoor, settings: Any) -> None:
    settings.INSTAGRAM_GRAPH_URL = "http://127.0.0.1:9"

    refused = refusal(door.publish, "1")

    assert (refused.code, type(refused)) == (codes.NET_REFUSED, BotException)


def test_numbers_that_meta_has_not_are_absent(door: GraphDoor, meta: Control) -> None:
    meta.account("shop", followers=60)
    day = datetime(2026, 11, 20, tzinfo=UTC)
    post = door.recent_media(1)[0]["id"]
    known = door.account_insights(day, day + timedelta(days=1))
    meta.fault("insights_empty", path=".*insights", times=3)

    assert {"reach", "views"} <= set(known)
    assert "follower_count" not in known  # below 100 followers
    assert (door.account_insights(day, day + timedelta(days=1)), door.media_insights(post)) == ({}, {})


def test_only_facebook_login_tells_of_others(door: GraphDoor, page: GraphDoor, meta: Control) -> None:
    meta.account("rival", business=True, followers=4000, media=12)

    found = page.discover("rival")

    assert (found["followers_count"], len(found["media"]["data"])) == (4000, 12)
    assert refusal(door.discover, "rival").code is codes.IG_OFFICIAL_SCOPE
    assert refusal(page.discover, "nobody.here").code is codes.GRAPH_NOT_FOUND


def test_facebook_refuses_requests_without_the_proof_of_the_apps_secret(page: GraphDoor) -> None:
    forged = GraphDoor(App(page.app.id, "wrong"), page.token, login=FACEBOOK, ig_id=page.ig_id)

    assert refusal(forged.me).code is codes.GRAPH_NOT_UNDERSTOOD


def test_a_comment_is_answered_in_public_and_once_in_private(door: GraphDoor, meta: Control) -> None:
    made = meta.graph("comments", username="shop", by="anna.clay", text="How much?")

    door.reply(made["comment"], "Twelve euros")
    door.private_reply(made["comment"], "We wrote you")

    told = door.comments(made["media"])[0]
    assert (told["text"], [one["text"] for one in told["replies"]["data"]]) == ("How much?", ["Twelve euros"])
    assert refusal(door.private_reply, made["comment"], "Again").code is codes.IG_PRIVATE_REPLY_USED


def test_a_message_goes_only_to_who_wrote(door: GraphDoor, meta: Control) -> None:
    meta.graph("messages", username="shop", by="anna.clay", text="Hello")
    anna = str(meta.person("anna.clay")["pk"])

    assert door.send_message(anna, "Hello Anna")
    assert refusal(door.send_message, str(meta.person("ben.clay")["pk"]), "Hello").code is codes.GRAPH_NOT_FOUND
    assert [one["message"] for one in door.conversations()[0]["messages"]["data"]] == ["Hello Anna", "Hello"]


def test_the_door_of_an_account_opens_with_its_own_token(alices_official: InstagramAccount) -> None:
    with tenancy.scope(alices_official.workspace_id):
        door = official_door(alices_official)

    assert door.me()["username"] == "alice.clay"


def test_there_is_no_door_without_a_connection(alices_account: InstagramAccount) -> None:
    with tenancy.scope(alices_account.workspace_id):
        assert refusal(official_door, alices_account).code is codes.IG_OFFICIAL_MISSING
