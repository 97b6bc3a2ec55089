"""Writing with the real instagrapi, and what the ledger says afterwards."""

import pytest
from instagrapi import Client
from instagrapi.exceptions import DirectMessageRequestsDisabled, InvalidTargetUser, MediaUnavailable

from sandbox.testing import Control


def test_a_follow_is_in_the_ledger_once(alice: Client, control: Control) -> None:
    person = control.people("ceramics")[0]

    assert alice.user_follow(str(person["pk"]))

    report = control.ledger("alice")
    assert report.targets("follow") == [str(person["pk"])]
    assert report.duplicates == []
    assert control.relation("alice", person["pk"]) == "following"


def test_instagrapi_skips_whom_it_follows_already(alice: Client, control: Control) -> None:
    pk = str(control.people("ceramics")[0]["pk"])

    assert [alice.user_follow(pk), alice.user_follow(pk)] == [True, False]
    assert control.ledger("alice").targets("follow") == [pk]


def test_a_second_follow_is_a_duplicate(alice: Client, control: Control) -> None:
    pk = str(control.people("ceramics")[0]["pk"])
    for _ in range(3):
        alice.private_request(f"friendships/create/{pk}/", alice.with_action_data({"user_id": pk}))

    report = control.ledger("alice")

    assert report.duplicates == [{"account": "alice", "kind": "follow", "target": pk, "times": 3, "seqs": [2, 3, 4]}]
    assert [entry["duplicate"] for entry in report.entries] == [False, False, True, True]


def test_the_duplicate_is_told_even_when_only_the_second_is_asked_for(alice: Client, control: Control) -> None:
    pk = str(control.people("ceramics")[0]["pk"])
    alice.private_request(f"friendships/create/{pk}/", {"user_id": pk})
    seen = control.ledger().last
    alice.private_request(f"friendships/create/{pk}/", {"user_id": pk})

    report = control.ledger("alice", since=seen)

    assert [entry["seq"] for entry in report.entries] == [seen + 1]
    assert report.duplicates[0]["seqs"] == [seen, seen + 1]


def test_private_people_are_asked(alice: Client, control: Control) -> None:
    pk = str(control.account("shy", private=True)["pk"])

    assert alice.user_follow(pk)
    assert alice.user_friendship_v1(pk).outgoing_request
    assert control.relation("alice", "shy") == "requested"
    assert not alice.user_follow(pk)


def test_unfollowing_ends_it(alice: Client, control: Control) -> None:
    pk = str(control.people("ceramics")[0]["pk"])
    alice.user_follow(pk)
    followed = alice.user_info_v1(str(alice.user_id)).following_count

    assert alice.user_unfollow(pk)

    assert followed == 81
    assert alice.user_info_v1(str(alice.user_id)).following_count == 80
    assert control.relation("alice", pk) == "none"
    assert control.ledger("alice").targets("unfollow") == [pk]


def test_one_of_those_from_before_can_be_unfollowed(alice: Client) -> None:
    idol = alice.user_following_v1(str(alice.user_id), amount=1)[0]

    assert alice.user_unfollow(idol.pk)

    assert idol.pk not in {user.pk for user in alice.user_following_v1(str(alice.user_id))}
    assert alice.user_info_v1(str(alice.user_id)).following_count == 79


@pytest.mark.parametrize("target", ["42", "self"])
def test_nobody_can_be_followed_who_does_not_exist(alice: Client, control: Control, target: str) -> None:
    with pytest.raises(InvalidTargetUser):
        alice.user_follow(str(alice.user_id) if target == "self" else target)

    assert control.ledger("alice").targets("follow") == []


def test_a_like_is_in_the_ledger_once_and_can_be_taken_back(alice: Client, control: Control) -> None:
    media = alice.hashtag_medias_recent_v1("ceramics", 1)[0]

    assert alice.media_like(media.id)
    assert alice.media_info_v1(str(media.pk)).has_liked
    assert "alice" in {user.username for user in alice.media_likers(media.id)}
    assert alice.media_unlike(media.id)

    report = control.ledger("alice")
    assert (report.targets("like"), report.targets("unlike")) == ([str(media.pk)], [str(media.pk)])
    assert report.entries[1]["detail"] == {"owner": media.user.pk}


def test_seen_stories_are_in_the_ledger_each_once(alice: Client, control: Control) -> None:
    pk = str(control.account("bob", stories=2)["pk"])
    stories = alice.user_stories_v1(pk)

    assert alice.story_seen([story.id for story in stories])

    assert control.ledger("alice").targets("story_seen") == [story.pk for story in stories]
    assert control.ledger("alice").duplicates == []


def test_a_story_can_be_liked(alice: Client, control: Control) -> None:
    pk = str(control.account("bob", stories=1)["pk"])
    story = alice.user_stories_v1(pk)[0]

    assert alice.story_like(story.id, mark_seen=False)
    assert control.ledger("alice").targets("story_like") == [story.pk]


@pytest.mark.parametrize("text", ["Hello Bob, lovely bowls.", "Look: https://example.com/a?b=c&d=ü"])
def test_a_message_arrives_once(alice: Client, control: Control, text: str) -> None:
    pk = control.account("bob")["pk"]

    message = alice.direct_send(text, [pk])

    entry = control.ledger("alice", kind="dm").entries[0]
    assert (entry["target"], entry["detail"]) == (str(pk), {"text": text})
    thread = alice.direct_thread(int(str(message.thread_id)))
    assert [item.id for item in thread.messages] == [message.id]


def test_an_answer_is_in_the_same_conversation(alice: Client, control: Control) -> None:
    pk = control.account("bob")["pk"]
    sent = alice.direct_send("Hello", [pk])
    control.message("bob", "alice", "Hello yourself")

    [thread] = alice.direct_threads()

    assert [(item.text, item.is_sent_by_viewer) for item in thread.messages] == [
        ("Hello yourself", False),
        ("Hello", True),
    ]
    assert thread.users[0].username == "bob"
    alice.direct_answer(int(thread.id), "And again")
    assert control.ledger("alice").targets("dm") == [str(pk), str(pk)]
    assert sent.thread_id == int(thread.id)


def test_who_takes_no_messages_says_so(alice: Client, control: Control) -> None:
    pk = control.account("bob", accepts_messages=False)["pk"]

    with pytest.raises(DirectMessageRequestsDisabled):
        alice.direct_send("Hello", [pk])

    assert control.ledger("alice").targets("dm", applied=False) == [str(pk)]


def test_a_comment_is_in_the_ledger(alice: Client, control: Control) -> None:
    media = alice.hashtag_medias_recent_v1("ceramics", 1)[0]

    assert alice.media_comment(media.id, "Beautiful").text == "Beautiful"
    assert control.ledger("alice").targets("comment") == [str(media.pk)]


def test_a_post_that_does_not_exist_cannot_be_liked(alice: Client) -> None:
    with pytest.raises(MediaUnavailable):
        alice.media_like("7_8")


def test_a_write_of_a_dead_session_is_known_and_not_applied(alice: Client, control: Control) -> None:
    pk = str(control.people("ceramics")[0]["pk"])
    control.kill_sessions("alice")

    with pytest.raises(Exception, match="login_required"):
        alice.private_request(f"friendships/create/{pk}/", {"user_id": pk})

    assert control.ledger("alice").targets("follow", applied=False) == [pk]
    assert control.relation("alice", pk) == "none"


def test_requests_are_counted_by_account(alice: Client, control: Control) -> None:
    before = control.ledger("alice").total_requests("alice")
    alice.user_follow(str(control.people("ceramics")[0]["pk"]))

    report = control.ledger("alice")

    assert report.total_requests("alice") == before + 2
    assert report.requests["alice"]["routes"]["GET friendships/show/*"] == 1
    assert report.requests["alice"]["routes"]["POST friendships/create/*"] == 1
