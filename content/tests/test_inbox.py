"""What people say is kept once, and what we say goes out at most once, within Meta's windows, and never first."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import Notification, User
from bots.instagram.graph import GraphDoor
from bots.instagram.reactions import NoAnswer
from bots.models import InstagramAccount, MetaEvent, OfficialAccess
from bots.official import official_door
from content import inbox, measuring, replies
from content.models import Measuring, PostInsight, ReplyRule, SavedReply, Talk, TalkLine
from errors import codes
from errors.models import ActivityLog
from instagrowth.testing import META_APP, everywhere
from sandbox.graph_hooks import sign
from sandbox.testing import Control

pytestmark = pytest.mark.django_db
HOOK = "/webhooks/instagram/"


@pytest.fixture
def subscribed(alices_official: InstagramAccount, meta: Control) -> InstagramAccount:
    """Meta tells us of @alice.clay, and Fan and Ben write."""
    meta.account("fan.of.clay", followers=3)
    meta.account("ben.clay", followers=3)
    with everywhere():
        official_door(alices_official).subscribe()
    return alices_official


def says(
    client: Client, meta: Control, how: str, text: str, times: int = 1, by: str = "fan.of.clay", **where: str
) -> list[int]:
    """Fan says something, and Meta tells us so often; the answers."""
    (sent,) = meta.graph(how, username="alice.clay", by=by, text=text, **where)["sent"]
    return [
        client.post(HOOK, sent["body"], "application/json", headers={"X-Hub-Signature-256": sent["signature"]})
        .status_code
        for _ in range(times)
    ]  # fmt: skip


def tells(client: Client, event: dict[str, Any], entry: dict[str, Any] | None = None) -> int:
    """Meta tells us of an event, with these changes in its entry; the answer."""
    event["entry"][0] |= entry or {}
    body = json.dumps(event)
    header = {"X-Hub-Signature-256": sign(body.encode(), META_APP["secret"])}
    return client.post(HOOK, body, "application/json", headers=header).status_code


def worked(account: InstagramAccount) -> int:
    return inbox.work(account.workspace_id, account.pk)


def lines() -> list[tuple[str, bool, str]]:
    with everywhere():
        return list(TalkLine.objects.order_by("at").values_list("text", "is_ours", "state"))


def talk() -> Talk:
    with everywhere():
        return Talk.objects.select_related("account").latest("created_at")


def send_all(account: InstagramAccount) -> None:
    with everywhere():
        waiting = list(TalkLine.objects.filter(state="queued").values_list("pk", flat=True))
    for line in waiting:
        replies.send(account.workspace_id, line)
        replies.send(account.workspace_id, line)  # a second message does nothing


def opened(account: InstagramAccount) -> GraphDoor:
    with everywhere():
        return official_door(account)


def written(door: GraphDoor) -> dict[str, list[str]]:
    """What Meta shows that each person was written, beginning with the first."""
    return {
        person["username"]: [one["message"] for one in reversed(talk["messages"]["data"])]
        for talk in door.conversations()
        for person in talk["participants"]["data"]
        if person.get("username") in ("ben.clay", "fan.of.clay")
    }


def sent(meta: Control) -> list[str]:
    """What Meta was asked to say for us."""
    return [entry["kind"] for entry in meta.ledger("alice.clay").entries if entry["kind"] != "subscribe"]


def test_the_same_webhook_five_times_is_one_row_and_one_line(
    subscribed: InstagramAccount, client: Client, meta: Control
) -> None:
    assert says(client, meta, "comments", "Is it food safe?", times=5) == [200] * 5
    with everywhere():
        assert MetaEvent.objects.count() == 1
    assert (worked(subscribed), worked(subscribed)) == (1, 0)

    assert lines() == [("Is it food safe?", False, "received")]
    with everywhere():
        MetaEvent.objects.all().delete()  # even when the note of it is gone
    inbox.read(subscribed.workspace_id, subscribed.pk)
    assert [line for line in lines() if line[0] == "Is it food safe?"] == [("Is it food safe?", False, "received")]


def test_what_is_not_signed_by_our_app_too_large_or_no_event_is_refused(
    subscribed: InstagramAccount, client: Client, settings: Any
) -> None:
    def post(body: str, secret: str) -> int:
        header = {"X-Hub-Signature-256": sign(body.encode(), secret)}
        return client.post(HOOK, body, "application/json", headers=header).status_code

    event = json.dumps({"object": "instagram", "entry": [{"id": "1", "changes": []}]})
    right = settings.META_APP_SECRET
    assert (post(event, "another secret"), post("[]", right), post("{", right)) == (400, 400, 400)
    assert client.post(HOOK, event, "application/json").status_code == 400
    assert post(json.dumps({"entry": [{"id": "1", "changes": ["x" * 300_000]}]}), right) == 413
    assert post(event, right) == 200
    with everywhere():
        assert MetaEvent.objects.count() == 0


def test_an_event_that_cannot_be_read_is_left_after_some_tries_and_the_next_is_worked(
    subscribed: InstagramAccount, client: Client, meta: Control
) -> None:
    with everywhere():
        MetaEvent.objects.create(
            workspace=subscribed.workspace, account=subscribed, digest="0", told={"field": "comments"}
        )
    says(client, meta, "messages", "Hello")
    for _ in range(inbox.TRIES + 1):
        worked(subscribed)

    assert lines() == [("Hello", False, "received")]
    with everywhere():
        assert MetaEvent.objects.get(digest="0").error_code == codes.JSON_MALFORMED.id


def test_a_comment_is_answered_in_public_and_once_in_private(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control
) -> None:
    says(client, meta, "comments", "Do you ship?")
    worked(subscribed)
    client.force_login(alice)
    path = reverse("inbox:talk", args=[talk().pk])
    once = client.get(path).context["form"]["once"].value()
    for _ in range(2):  # a double click
        assert client.post(path, {"text": "Yes, everywhere.", "once": once}).status_code == 302
    with everywhere():
        comment = str(TalkLine.objects.get(is_ours=False).pk)
    assert client.post(path, {"text": "The list is here.", "private": comment}).status_code == 302
    again = client.post(path, {"text": "And here.", "private": comment})
    send_all(subscribed)

    assert again.status_code == 400
    assert codes.IG_PRIVATE_REPLY_USED.what in again.content.decode()
    assert sorted(lines()) == sorted(
        [
            ("Do you ship?", False, "received"),
            ("Yes, everywhere.", True, "confirmed"),
            ("The list is here.", True, "confirmed"),
        ]
    )
    assert len(sent(meta)) == 2


def test_a_message_is_answered_within_24_hours_and_not_a_minute_later(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control
) -> None:
    says(client, meta, "messages", "Hello")
    worked(subscribed)
    client.force_login(alice)
    path = reverse("inbox:talk", args=[talk().pk])
    client.post(path, {"text": "Hello you"})
    with everywhere():
        Talk.objects.update(theirs_at=now() - replies.WINDOW - timedelta(minutes=1))
    send_all(subscribed)  # it was asked in time, and is too late now
    page = client.post(path, {"text": "Still there?"})

    assert [(text, state) for text, ours, state in lines() if ours] == [("Hello you", "refused")]
    assert page.status_code == 400
    assert codes.IG_WINDOW_CLOSED.id in client.get(path).content.decode()
    assert sent(meta) == []


def test_a_rule_answers_its_words_once_in_a_talk_and_only_what_was_said_lately(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control
) -> None:
    workspace = subscribed.workspace_id
    with tenancy.scope(workspace):
        inbox.add_rule(workspace, alice, words="Price, blue", on="comment", how="private", text="The list")
        ReplyRule.objects.update(created_at=now() - timedelta(days=9))
    says(client, meta, "comments", "What is the PRICE of the blue bowl?")
    says(client, meta, "comments", "What is the price of the green bowl?")
    worked(subscribed)
    send_all(subscribed)
    assert [(text, state) for text, ours, state in lines() if ours] == [("The list", "confirmed")]


def test_a_rule_that_is_removed_sends_nothing_that_waits_and_one_too_long_for_a_message_is_not_made(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control
) -> None:
    client.force_login(alice)
    rule = {"what": "rule", "words": "price", "on": "comment", "how": "private"}
    page = client.post(reverse("inbox:rules"), rule | {"text": "ფასი" * 84})  # 336 letters of three bytes each
    assert (page.status_code, codes.IG_REPLY_INVALID.what in page.content.decode()) == (400, True)
    assert client.post(reverse("inbox:rules"), rule | {"text": "The wrong list"}).status_code == 302
    with everywhere():
        ReplyRule.objects.update(created_at=now() - timedelta(days=9))
        made = ReplyRule.objects.get()
    says(client, meta, "comments", "The price?")
    worked(subscribed)
    assert ("The wrong list", True, "queued") in lines()
    client.post(reverse("inbox:remove_rule", args=[made.pk]))
    send_all(subscribed)

    assert (lines(), sent(meta)) == ([("The price?", False, "received")], [])
    assert "The wrong list" not in client.get(reverse("inbox:page")).content.decode()
    with everywhere():
        assert not TalkLine.objects.get().answered_privately  # it may be answered by hand


def test_what_meta_brings_late_was_said_when_meta_says_and_no_rule_answers_it(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control
) -> None:
    workspace = subscribed.workspace_id
    with tenancy.scope(workspace):
        old = inbox.add_rule(workspace, alice, words="price", on="comment", how="same", text="The list")
        ReplyRule.objects.filter(pk=old.pk).update(created_at=now() - timedelta(days=9))
        inbox.add_rule(workspace, alice, words="ship", on="comment", how="same", text="Everywhere")
    received = int(now().timestamp())
    yesterday, lately = received - 25 * 3600, received - 23 * 3600

    def comment(text: str) -> dict[str, Any]:
        (sent,) = meta.graph("comments", username="alice.clay", by="fan.of.clay", text=text)["sent"]
        return dict(json.loads(sent["body"]))

    late = comment("Price of yesterday?")
    tells(client, late, {"time": yesterday})
    tells(client, late, {"time": received})  # Meta brings it again, and the first moment stays
    tells(client, comment("Price of today?"), {"time": lately * 1000})  # in milliseconds, as of messages
    tells(client, comment("Do you ship?"), {"time": lately})  # the rule is newer
    tells(client, comment("And the price from tomorrow?"), {"time": received + 86400})
    tells(client, comment("Price at no moment?"), {"time": "soon"})
    worked(subscribed)

    with everywhere():
        said = dict(TalkLine.objects.filter(is_ours=False).values_list("text", "at"))
        answered = TalkLine.objects.filter(is_ours=True).values_list("answers__text", flat=True)
        assert set(answered) == {"Price of today?", "And the price from tomorrow?", "Price at no moment?"}
    assert said["Price of yesterday?"].timestamp() == yesterday
    assert said["Price of today?"].timestamp() == said["Do you ship?"].timestamp() == lately
    assert max(said.values()) <= now()


def test_an_answer_by_a_rule_or_in_private_that_waited_too_long_is_not_sent(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control
) -> None:
    workspace = subscribed.workspace_id
    with tenancy.scope(workspace):
        inbox.add_rule(workspace, alice, words="price", on="comment", how="same", text="The list")
        ReplyRule.objects.update(created_at=now() - timedelta(days=9))
    says(client, meta, "comments", "The price?")
    worked(subscribed)
    with everywhere():
        comment = TalkLine.objects.select_related("talk__account").get(is_ours=False)
        replies.say(comment.talk, "For you", user=alice, to=comment, private=True)
        TalkLine.objects.filter(pk=comment.pk).update(at=now() - replies.PRIVATE_WINDOW - timedelta(minutes=1))
    send_all(subscribed)

    assert sent(meta) == []
    with everywhere():
        ended = set(TalkLine.objects.filter(is_ours=True).values_list("text", "error_code"))
    assert ended == {("The list", codes.IG_WINDOW_CLOSED.id), ("For you", codes.IG_PRIVATE_REPLY_USED.id)}


def test_what_meta_refuses_of_the_inbox_holds_up_nothing_else_and_is_written_down_once(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control
) -> None:
    client.force_login(alice)
    newest, second = (post["id"] for post in opened(subscribed).recent_media(2))
    for media in (newest, second):
        meta.graph("comments", username="alice.clay", by="fan.of.clay", text=f"On {media}", media=media)
    meta.graph("messages", username="alice.clay", by="fan.of.clay", text="Hello")

    def read(*faults: tuple[str, str]) -> tuple[list[str], list[str], bool]:
        """What is known, what was written down, and whether messages count as read, after a look at such a Meta."""
        meta.clear_faults()
        for fault, path in faults:
            meta.fault(fault, path=path, times=None)
        inbox.read(subscribed.workspace_id, subscribed.pk)
        with everywhere():
            said = TalkLine.objects.filter(text__in=[f"On {newest}", f"On {second}", "Hello"])
            written = ActivityLog.objects.filter(action="inbox_read").order_by("at", "pk")
            return (
                sorted(said.values_list("text", flat=True)),
                list(written.values_list("error_code", flat=True)),
                Measuring.objects.filter(messages_at__isnull=False).exists(),
            )

    scope, throttled = codes.IG_OFFICIAL_SCOPE.id, codes.GRAPH_THROTTLED.id
    unticked, limit = ("graph_10", ".*conversations"), ("graph_4", f"{second}/comments")
    assert read(unticked, limit) == ([f"On {newest}"], [scope, throttled], False)
    assert scope in client.get(reverse("inbox:page")).content.decode()
    everything = sorted(["Hello", f"On {newest}", f"On {second}"])
    assert read(unticked) == (everything[1:], [scope, throttled], False)  # said before
    assert read(("graph_100_33", f"{newest}/comments")) == (
        everything,
        [scope, throttled, codes.GRAPH_NOT_FOUND.id],
        True,
    )
    assert read()[0] == everything
    assert "Not everything could be read" not in client.get(reverse("inbox:page")).content.decode()
    asked = meta.ledger().total_requests("alice.clay")
    read(("graph_190", ".*conversations"))
    assert meta.ledger().total_requests("alice.clay") == asked + 1  # a token that is lost is not asked with again
    with everywhere():
        assert not OfficialAccess.objects.get().is_active


def test_the_words_of_a_message_that_was_taken_back_are_nowhere(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control
) -> None:
    says(client, meta, "messages", "Hello")
    (told,) = meta.graph("messages", username="alice.clay", by="fan.of.clay", text="My secret")["sent"]
    event = json.loads(told["body"])
    tells(client, event)
    worked(subscribed)
    event["entry"][0]["messaging"][0]["message"] = {"mid": event["entry"][0]["messaging"][0]["message"]["mid"],
                                                    "is_deleted": True}  # fmt: skip
    tells(client, event)
    worked(subscribed)

    client.force_login(alice)
    for page in (reverse("inbox:page"), f"/inbox/{talk().pk}/"):
        assert "My secret" not in client.get(page).content.decode()
    with everywhere():
        assert "My secret" not in str(list(MetaEvent.objects.values_list("told", flat=True)))
    assert sorted(text for text, _, _ in lines()) == ["", "Hello"]


def test_a_private_answer_goes_to_whoever_wrote_that_comment_in_a_thread_of_several(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control
) -> None:
    workspace, door = subscribed.workspace_id, opened(subscribed)
    with tenancy.scope(workspace):
        inbox.add_rule(workspace, alice, words="price", on="comment", how="private", text="The list")
        ReplyRule.objects.update(created_at=now() - timedelta(days=9))
    begun = meta.graph("comments", username="alice.clay", by="fan.of.clay", text="Lovely")
    lovely = begun["comment"]
    for _ in range(2):
        says(client, meta, "comments", "The price?", by="ben.clay", parent=lovely)
    says(client, meta, "comments", "Yes, what price?", by="fan.of.clay", parent=lovely)
    first = door.comment(door.recent_media(1)[0]["id"], "Ask us anything")  # no talk, and the root of one
    says(client, meta, "comments", "What is the price?", by="ben.clay", parent=first)
    tells(client, json.loads(begun["sent"][0]["body"]))  # the root comes last
    worked(subscribed)
    send_all(subscribed)

    assert written(door) == {"ben.clay": ["The list", "The list"], "fan.of.clay": ["The list"]}  # once in a thread each

    with everywhere():
        thread = Talk.objects.get(root=lovely)
        assert str(thread) == "@fan.of.clay"  # by whoever began it
        left = TalkLine.objects.get(talk=thread, username="ben.clay", is_ours=False, answered_privately=False)
        TalkLine.objects.filter(talk=thread, username="fan.of.clay").update(at=now() - timedelta(days=8))
    client.force_login(alice)
    page = client.get(f"/inbox/{thread.pk}/").content.decode()
    assert (page.count("In private, to @"), f'<option value="{left.pk}">In private, to @ben.clay' in page) == (1, True)
    assert client.post(f"/inbox/{thread.pk}/", {"text": "For you", "private": str(left.pk)}).status_code == 302
    with everywhere():
        TalkLine.objects.filter(pk=left.pk).update(answered_privately=False)  # Meta itself allows no second
    client.post(f"/inbox/{thread.pk}/", {"text": "And more", "private": str(left.pk)})
    send_all(subscribed)

    assert written(door)["ben.clay"] == ["The list", "The list", "For you"]
    with everywhere():
        assert TalkLine.objects.get(text="And more").error_code == codes.IG_PRIVATE_REPLY_USED.id


@pytest.mark.parametrize("fault", ["reset_after_apply", "500"])
def test_an_answer_that_was_lost_is_not_sent_again_and_found_by_reading(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control, fault: str
) -> None:
    says(client, meta, "messages", "Hello")
    worked(subscribed)
    with tenancy.scope(subscribed.workspace_id):
        line = replies.say(talk(), "Hello you", user=alice)
    meta.fault(fault, path=".*messages", apply=True)
    send_all(subscribed)
    assert lines()[-1] == ("Hello you", True, "unknown")
    with everywhere():
        TalkLine.objects.filter(pk=line.pk).update(at=now() - timedelta(minutes=2))
    assert replies.to_look_up() == [(subscribed.workspace_id, subscribed.pk)]
    inbox.read(subscribed.workspace_id, subscribed.pk)

    assert [line for line in lines() if line[1]] == [("Hello you", True, "confirmed")]
    assert len(sent(meta)) == 1


def test_what_meta_tells_of_our_own_answer_is_believed_before_an_error_of_ours(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(client, meta, "messages", "Hello")
    worked(subscribed)
    with tenancy.scope(subscribed.workspace_id):
        line = replies.say(talk(), "Hello you", user=alice)
    send = replies._send

    def slow(door: Any, line: TalkLine) -> str:
        send(door, line)
        inbox.read(subscribed.workspace_id, subscribed.pk)  # Meta shows it while we still wait for the answer
        raise NoAnswer(codes.NET_TIMEOUT)

    monkeypatch.setattr(replies, "_send", slow)
    replies.send(subscribed.workspace_id, line.pk)

    assert [one for one in lines() if one[1]] == [("Hello you", True, "confirmed")]


def test_a_lost_private_reply_is_found_in_the_conversation(
    subscribed: InstagramAccount, alice: User, client: Client, meta: Control
) -> None:
    says(client, meta, "comments", "How much?")
    worked(subscribed)
    with tenancy.scope(subscribed.workspace_id):
        replies.say(talk(), "The list", user=alice, to=TalkLine.objects.get(), private=True)
    meta.fault("reset_after_apply", path=".*messages", apply=True)
    send_all(subscribed)
    assert [state for text, ours, state in lines() if ours] == ["unknown"]
    inbox.read(subscribed.workspace_id, subscribed.pk)

    assert [(text, state) for text, ours, state in lines() if ours] == [("The list", "confirmed")] * 2
    assert len(sent(meta)) == 1
    with everywhere():
        assert list(Talk.objects.order_by("kind").values_list("kind", flat=True))[-1] == "message"


def test_an_answer_in_a_dead_workers_hand_is_unknown_and_one_that_nobody_took_is_handed_over(
    subscribed: InstagramAccount, client: Client, meta: Control
) -> None:
    says(client, meta, "messages", "Hello")
    worked(subscribed)
    with tenancy.scope(subscribed.workspace_id):
        dead, waiting = replies.say(talk(), "One"), replies.say(talk(), "Two")
        TalkLine.objects.filter(pk=dead.pk).update(state="intent")
        TalkLine.objects.filter(is_ours=True).update(at=now() - replies.STUCK - timedelta(seconds=1))

    assert replies.sweep() == [(subscribed.workspace_id, waiting.pk)]
    assert {text: state for text, ours, state in lines() if ours} == {"One": "unknown", "Two": "queued"}


def test_the_team_assigns_puts_away_and_saves_and_nobody_else_sees_it(
    subscribed: InstagramAccount, alice: User, bob: User, charlie: User, client: Client, meta: Control
) -> None:
    says(client, meta, "comments", "Love the colour")
    worked(subscribed)
    one = talk()
    client.force_login(alice)
    client.post(reverse("inbox:assign", args=[one.pk]), {"assigned": str(bob.pk)})
    client.post(reverse("inbox:assign", args=[one.pk]), {"assigned": str(charlie.pk)})  # not of the team: nobody
    client.post(reverse("inbox:assign", args=[one.pk]), {"assigned": str(bob.pk)})
    client.post(reverse("inbox:rules"), {"what": "saved", "saved-name": "thanks", "saved-text": "Thank you"})
    client.force_login(bob)
    assert "Love the colour" in client.get(reverse("inbox:page"), {"view": "mine"}).content.decode()
    with everywhere():
        assert Notification.objects.filter(user=bob).count() == 1
        saved = SavedReply.objects.get()
    assert "Thank you</textarea>" in client.get(f"/inbox/{one.pk}/", {"saved": str(saved.pk)}).content.decode()
    client.post(reverse("inbox:settle", args=[one.pk]), {"to": "done"})
    assert "Everything is answered" in client.get(reverse("inbox:page")).content.decode()
    client.force_login(charlie)
    assert client.get(f"/inbox/{one.pk}/").status_code == 404
    assert "Love the colour" not in client.get(reverse("inbox:page"), {"view": "done"}).content.decode()


def test_a_storys_last_numbers_are_kept_when_it_is_gone(
    subscribed: InstagramAccount, client: Client, meta: Control
) -> None:
    meta.graph("settings", fetches=False)
    with everywhere():
        door = official_door(subscribed)
    story = door.publish(door.create_container(media_type="STORIES", image_url="https://example.com/story.jpg"))
    measuring.measure(subscribed.workspace_id, subscribed.pk)
    (told,) = meta.graph("story_end", media=story)["sent"]
    value = {"media_id": story, "reach": 71, "views": 90, "replies": 4, "shares": 1}
    event = json.loads(told["body"])
    event["entry"][0]["changes"][0]["value"] = value
    assert tells(client, event) == 200
    worked(subscribed)

    with everywhere():
        kept = PostInsight.objects.get(media_id=story)
        assert (kept.product, kept.reach, kept.views, kept.replies) == ("STORY", 71, 90, 4)


def test_who_wants_their_data_deleted_leaves_no_word_and_no_number_here(
    subscribed: InstagramAccount, client: Client, meta: Control
) -> None:
    says(client, meta, "messages", "Hello")
    worked(subscribed)
    told = meta.graph("revoke", username="alice.clay")["signed_request"]
    assert client.post("/webhooks/instagram/delete/", {"signed_request": told}).status_code == 200
    with everywhere():
        assert [model.objects.count() for model in (Talk, TalkLine, MetaEvent)] == [0, 0, 0]
