"""Reading with the real instagrapi: hashtags, people, followers, posts."""

from collections.abc import Callable

import pytest
from instagrapi import Client
from instagrapi.exceptions import (
    ClientGraphqlError,
    ClientNotFoundError,
    MediaError,
    MediaNotFound,
    PrivateAccount,
    UnknownError,
    UserError,
    UserNotFound,
)
from pydantic import ValidationError

from sandbox.people import media_pk
from sandbox.testing import Control
from sandbox.tests.conftest import PASSWORD


def all_pages(client: Client, tag: str, tab: str) -> list[str]:
    people, cursor = [], None
    while True:
        medias, cursor = client.hashtag_medias_v1_chunk(tag, max_amount=27, tab_key=tab, max_id=cursor)
        people += [media.user.pk for media in medias]
        if not cursor:
            return people


@pytest.mark.parametrize("tab", ["recent", "top"])
def test_a_hashtag_leads_to_hundreds_of_different_people(alice: Client, tab: str) -> None:
    people = all_pages(alice, "ceramics", tab)

    assert len(people) == len(set(people)) == 600


def test_a_hashtag_shows_the_same_people_every_time(alice: Client, control: Control) -> None:
    found = [media.user.pk for media in alice.hashtag_medias_recent_v1("ceramics", 60)]

    assert found == [str(person["pk"]) for person in control.people("ceramics", count=60)]


def test_two_hashtags_have_different_people(alice: Client) -> None:
    assert not set(all_pages(alice, "ceramics", "recent")) & set(all_pages(alice, "kayak", "recent"))


def test_a_tag_may_be_written_in_any_script(alice: Client) -> None:
    assert len(alice.hashtag_medias_recent_v1("köln_2026", 10)) == 10
    assert alice.hashtag_info_v1("Ceramics").name == "ceramics"


@pytest.mark.parametrize("tag", ["two words", "2026", "a-b", "x" * 101])
def test_what_is_no_hashtag_is_refused(alice: Client, tag: str) -> None:
    with pytest.raises(UnknownError):
        alice.hashtag_medias_recent_v1(tag, 10)


def test_a_tag_can_be_made_small_or_empty(alice: Client, control: Control) -> None:
    assert control.hashtag("tiny", count=5) == 5
    assert control.hashtag("empty", count=0) == 0

    assert len(all_pages(alice, "tiny", "recent")) == 5
    assert all_pages(alice, "empty", "recent") == []


def test_a_tag_can_have_exactly_these_people(alice: Client, control: Control) -> None:
    control.hashtag("friends", people=[{"username": "zoe.small", "followers": 7}, "demo.kayak"])

    names = [media.user.username for media in alice.hashtag_medias_recent_v1("friends", 10)]

    assert names == ["zoe.small", "demo.kayak"]
    assert alice.user_info_by_username_v1("zoe.small").follower_count == 7


def test_everybody_can_be_found_by_key_and_by_name(alice: Client, control: Control) -> None:
    for person in control.people("ceramics", count=40):
        if person["followers"] is None:
            continue
        by_key = alice.user_info_v1(str(person["pk"]))
        by_name = alice.user_info_by_username_v1(person["username"])
        assert (by_key.username, by_key.pk) == (by_name.username, by_name.pk) == (person["username"], str(person["pk"]))
        assert by_key.follower_count == person["followers"]
        assert by_key.biography == person["biography"]


def test_some_people_have_no_counts_and_both_ways_of_saying_so(alice: Client, control: Control) -> None:
    unknown = [person for person in control.people("ceramics", count=600) if person["followers"] is None]

    assert {"follower_count" in alice_raw(alice, person["pk"]) for person in unknown} == {True, False}
    assert 5 <= len(unknown) <= 40
    with pytest.raises(ValidationError):
        alice.user_info_v1(str(unknown[0]["pk"]))


def alice_raw(client: Client, pk: int) -> dict[str, object]:
    return dict(client.private_request(f"users/{pk}/info/")["user"])


def test_the_crowd_is_mixed(control: Control) -> None:
    crowd = control.people("ceramics", count=600)

    assert 40 < sum(person["private"] for person in crowd) < 120
    assert 60 < sum(person["business"] for person in crowd) < 200
    assert sum(person["verified"] for person in crowd) > 0
    assert sum(person["biography"] is None for person in crowd) > 5
    assert sum(not person["picture"] for person in crowd) > 5
    assert len({person["username"] for person in crowd}) == 600


@pytest.mark.parametrize("name", ["nobody.here", "clay.clay", "9", "the_golden_ivan0", "the_golden_ivan99999"])
def test_nobody_else_exists(alice: Client, name: str) -> None:
    with pytest.raises(UserNotFound):
        alice.user_info_by_username_v1(name)


def test_an_unknown_key_is_not_found(alice: Client) -> None:
    with pytest.raises(UserNotFound):
        alice.user_info_v1("42")


def test_followers_come_in_pages(alice: Client, control: Control) -> None:
    control.relate("demo.kayak", "alice", "following")

    followers = alice.user_followers_v1(str(alice.user_id), amount=0)

    assert len(followers) == len({user.pk for user in followers}) == 121
    assert followers[0].username == "demo.kayak"
    assert alice.user_info_v1(str(alice.user_id)).follower_count == 121
    assert len(alice.user_following_v1(str(alice.user_id), amount=0)) == 80


def test_a_list_and_the_relation_agree(alice: Client) -> None:
    fan = alice.user_followers_v1(str(alice.user_id), amount=3)[2]
    idol = alice.user_following_v1(str(alice.user_id), amount=3)[2]

    assert alice.user_friendship_v1(fan.pk).followed_by
    assert alice.user_friendship_v1(idol.pk).following


def test_large_follower_lists_are_read_page_by_page(alice: Client, control: Control) -> None:
    control.account("star", followers=1_000)

    first, cursor = alice.user_followers_v1_chunk(control.person("star")["pk"], 200)
    second, _ = alice.user_followers_v1_chunk(control.person("star")["pk"], 200, max_id=cursor)

    assert len({user.pk for user in first + second}) == 400


def test_private_people_show_nothing_until_they_accept(alice: Client, control: Control) -> None:
    pk = str(control.account("shy", private=True, followers=5, media=3, stories=1)["pk"])

    with pytest.raises(PrivateAccount):
        alice.user_followers_v1(pk)
    with pytest.raises(PrivateAccount):
        alice.user_medias_v1(pk, 3)
    assert alice.user_stories_v1(pk) == []

    control.relate("alice", "shy", "following")

    assert len(alice.user_followers_v1(pk)) == 6
    assert len(alice.user_medias_v1(pk, 3)) == 3
    assert len(alice.user_stories_v1(pk)) == 1


def test_posts_come_in_pages_the_newest_first(alice: Client, control: Control) -> None:
    pk = str(control.account("busy", media=70)["pk"])

    medias = alice.user_medias_v1(pk, 0)

    assert len({media.pk for media in medias}) == 70
    assert medias[0].taken_at > medias[-1].taken_at


def test_a_post_from_a_hashtag_can_be_read(alice: Client) -> None:
    for media in alice.hashtag_medias_recent_v1("ceramics", 60):
        assert alice.media_info_v1(str(media.pk)).id == media.id
    assert alice.media_likers(media.id)


def test_a_post_that_does_not_exist_is_not_found(alice: Client, control: Control) -> None:
    pk = control.account("busy", media=2)["pk"]

    with pytest.raises(MediaNotFound):
        alice.media_info_v1(str(3_000_000_000_000_000_000 + pk * 100_000 + 2))
    with pytest.raises(MediaNotFound):
        alice.media_info_v1("7")


def test_people_are_found_by_search(alice: Client) -> None:
    assert [user.username for user in alice.search_users_v1("demo.kay", 5)] == ["demo.kayak"]
    assert [user.username for user in alice.search_users_v1("the_golden_ivan16", 5)] == ["the_golden_ivan16"]


def test_many_relations_are_read_at_once(alice: Client, control: Control) -> None:
    keys = [str(person["pk"]) for person in control.people("ceramics", count=5)]
    control.relate("alice", keys[1], "following")

    relations = {relation.user_id: relation.following for relation in alice.user_friendships_v1(keys)}

    assert relations == {key: key == keys[1] for key in keys}


def test_what_the_stand_in_does_not_know_says_so(alice: Client) -> None:
    with pytest.raises(ClientNotFoundError):
        alice.private_request("fundraiser/unheard_of/")
    assert "does not know GET /api/v1/fundraiser" in alice.last_json["message"]
    with pytest.raises(ClientGraphqlError):
        alice.private_graphql_www_request("UnheardOf")


def test_a_business_account_has_insights(new_client: Callable[..., Client], control: Control) -> None:
    pk = control.account("shop", password=PASSWORD, business=True, media=2, followers=40)["pk"]
    client = new_client()
    client.login("shop", PASSWORD)

    assert client.insights_account()["account_summary_unit"] == {"followers_count": 40, "posts_count": 2}
    assert client.insights_media(media_pk(pk, 1))["inline_insights_node"]["metrics"]["reach_count"] >= 0


def test_a_personal_account_has_no_insights(alice: Client) -> None:
    with pytest.raises(UserError):
        alice.insights_account()
    with pytest.raises(MediaError):
        alice.insights_media(media_pk(alice.user_id, 1))
