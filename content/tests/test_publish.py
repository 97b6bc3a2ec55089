"""A post goes out once, whatever happens on the way, and what is not known is looked up and never sent again."""

from datetime import time, timedelta
from itertools import islice, pairwise

import pytest
from django.db import IntegrityError
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import Notification, User
from accounts.tests.team import signed_in
from billing import entitlements
from bots.models import InstagramAccount, OfficialAccess
from content import publishing, slots
from content.models import Post, Sending
from content.tests.making import captions, clip, come_due, fresh, kept, picture, scheduled, work
from errors import codes
from errors.models import ActivityLog
from instagrowth.testing import connect_officially, everywhere, warm_account
from sandbox.testing import Control

pytestmark = pytest.mark.usefixtures("committed")
PUBLISH = ".*media_publish"


def sendings(post: Post) -> list[tuple[str, str]]:
    with everywhere():
        return list(Sending.objects.filter(post=post).order_by("sent_at").values_list("what", "state"))


def test_a_due_post_is_prepared_and_published_with_its_first_comment(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    post = scheduled(alices_official, alice, first_comment="Which glaze?")
    work()
    come_due(post)
    work()

    post = fresh(post)
    assert (post.state, post.error_code, post.due_at, post.lease_until) == ("published", "", None, None)
    assert captions(alices_official) == ["Kiln day"]
    assert sendings(post) == [("post", "confirmed"), ("comment", "confirmed")]
    assert post.permalink.startswith("https://")
    assert len(meta.ledger("alice.clay", "publish").entries) == 1


def test_what_is_not_due_or_only_a_draft_stays(alices_official: InstagramAccount, alice: User) -> None:
    post = scheduled(alices_official, alice)
    with everywhere():
        Post.objects.filter(pk=post.pk).update(due_at=now() + timedelta(minutes=1))

    assert work() == 0
    assert captions(alices_official) == []


@pytest.mark.parametrize("fault", ["reset_after_apply", "graph_2", "not_json", "500"])
def test_a_lost_answer_is_looked_up_and_found(
    alices_official: InstagramAccount, alice: User, meta: Control, fault: str
) -> None:
    post = scheduled(alices_official, alice)
    meta.fault(fault, path=PUBLISH, apply=True)
    for _ in range(3):
        work()
        come_due(post)
        if fresh(post).state == "unknown":
            break
    assert fresh(post).state == "unknown"
    work()

    post = fresh(post)
    assert (post.state, post.error_code) == ("published", "")
    assert post.instagram_id
    assert captions(alices_official) == ["Kiln day"]
    assert len(meta.ledger("alice.clay", "publish").entries) == 1


def test_what_never_arrived_is_missed_twice_and_then_goes_out_by_the_same_container(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    post = scheduled(alices_official, alice)
    meta.fault("reset", path=PUBLISH)
    for _ in range(6):
        work()
        come_due(post)

    assert fresh(post).state == "published"
    assert captions(alices_official) == ["Kiln day"]
    assert sendings(post) == [("post", "absent"), ("post", "confirmed")]
    with everywhere():
        assert len(set(Sending.objects.values_list("container", flat=True))) == 1


def test_a_worker_that_dies_after_the_intent_leaves_an_unknown_post(
    alices_official: InstagramAccount, alice: User, meta: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = scheduled(alices_official, alice)

    class Killed(BaseException):
        pass

    def publish(door: object, container: str) -> str:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("bots.instagram.graph.GraphDoor.publish", publish)
        with pytest.raises(Killed):
            work()
    with everywhere():
        Post.objects.update(lease_until=now() - timedelta(seconds=1))
    assert publishing.sweep() == 1

    assert fresh(post).state == "unknown"
    for _ in range(6):
        come_due(post)
        work()
    assert fresh(post).state == "published"
    assert captions(alices_official) == ["Kiln day"]


def test_a_worker_that_dies_while_it_tells_of_a_failed_post_leaves_it_to_the_next_who_tells_once(
    alices_official: InstagramAccount, alice: User, meta: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = scheduled(alices_official, alice)
    meta.fault("graph_36003", path=".*media", times=None)

    def dies(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("content.calendar.tell_people", dies)
        with pytest.raises(SystemExit):
            work()
    assert fresh(post).state == "publishing"
    with everywhere():
        Post.objects.update(lease_until=now() - timedelta(seconds=1))
    assert publishing.sweep() == 1
    come_due(post)
    work()

    assert fresh(post).state == "failed"
    with everywhere():
        assert Notification.objects.filter(user=alice, code=fresh(post).error_code).count() == 1


def test_whoever_lost_the_lease_sends_nothing(alices_official: InstagramAccount, alice: User, meta: Control) -> None:
    post = scheduled(alices_official, alice)
    claim = publishing.claim()[0]
    with everywhere():
        Post.objects.update(lease_until=now() - timedelta(seconds=1))
    publishing.sweep()
    later = publishing.claim()
    assert [one.fence for one in later] == [claim.fence + 1]

    publishing.turn(claim.workspace, claim.post, claim.fence)

    assert meta.ledger("alice.clay").entries == []
    assert fresh(post).fence == claim.fence + 1


def test_without_the_journals_key_a_second_intent_would_be_written(
    alices_official: InstagramAccount, alice: User
) -> None:
    """The negative control: the database itself refuses what the code must never try."""
    post = scheduled(alices_official, alice)
    with tenancy.scope(post.workspace_id):
        row = {"workspace_id": post.workspace_id, "post": post, "fence": 1}
        Sending.objects.create(**row, state=Sending.State.ABSENT)
        Sending.objects.create(**row, state=Sending.State.UNKNOWN)
        with pytest.raises(IntegrityError, match="sending_once"):
            Sending.objects.create(**row)


def test_a_carousel_is_put_together_of_its_files_in_their_order(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    media = [kept(alices_official, alice, picture(1080, 1350)), kept(alices_official, alice, clip())]
    post = scheduled(alices_official, alice, media, kind="carousel", caption="Three steps")
    for _ in range(8):
        work()
        come_due(post)

    assert fresh(post).state == "published"
    assert captions(alices_official) == ["Three steps"]
    assert len(fresh(post).parts) == 2


def test_a_reel_waits_until_instagram_has_prepared_it(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    post = scheduled(alices_official, alice, [kept(alices_official, alice, clip())], kind="reel")
    work()
    assert (fresh(post).state, fresh(post).attempt) == ("publishing", 0)
    for _ in range(6):
        come_due(post)
        work()

    assert fresh(post).state == "published"


def test_media_that_never_gets_ready_fails_and_nothing_was_sent(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    post = scheduled(alices_official, alice, [kept(alices_official, alice, clip())], kind="reel")
    work()
    with everywhere():
        Post.objects.update(container_at=now() - publishing.READY_WITHIN - timedelta(seconds=1))
    come_due(post)
    meta.fault("container_stuck", path=".*", times=None)
    work()

    assert (fresh(post).state, fresh(post).error_code) == ("failed", codes.PUB_NEVER_READY.id)
    assert sendings(post) == []


def test_a_container_that_expires_each_time_is_made_anew_a_few_times_and_then_given_up(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    post = scheduled(alices_official, alice)
    meta.fault("container_expired", path=".*", times=60)
    turns = work()

    assert (fresh(post).state, fresh(post).error_code) == ("failed", codes.PUB_UPLOAD_FAILED.id)
    assert turns == publishing.TRIES + 1
    assert sendings(post) == []


def test_at_the_daily_limit_it_waits_and_goes_out_later(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    meta.graph("settings", limit=0)
    post = scheduled(alices_official, alice)
    work()
    waiting = fresh(post)
    assert (waiting.state, waiting.error_code) == ("publishing", codes.PUB_DAILY_LIMIT.id)
    assert waiting.due_at is not None
    assert waiting.due_at > now() + timedelta(minutes=20)

    meta.graph("settings", limit=50)
    for _ in range(3):
        come_due(post)
        work()
    assert fresh(post).state == "published"


def test_a_limit_that_is_reached_in_the_middle_of_a_queue_holds_the_rest_and_loses_none(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    media = [kept(alices_official, alice)]
    posts = [scheduled(alices_official, alice, media, caption=f"Post {n}") for n in range(4)]
    meta.graph("settings", limit=2)
    for _ in range(3):
        work()
        come_due(*posts)
    states = [fresh(post).state for post in posts]
    assert sorted(states) == ["published", "published", "publishing", "publishing"]
    assert {fresh(post).error_code for post in posts} == {"", codes.PUB_DAILY_LIMIT.id}

    meta.graph("settings", limit=50)
    for _ in range(3):
        work()
        come_due(*posts)
    assert sorted(captions(alices_official)) == [f"Post {n}" for n in range(4)]


def test_an_access_taken_back_in_the_middle_of_a_queue_is_told_once_and_the_posts_go_out_when_scheduled_again(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    media = [kept(alices_official, alice)]
    posts = [scheduled(alices_official, alice, media, caption=f"Post {n}") for n in range(3)]
    meta.graph("revoke", username="alice.clay")
    work()
    assert {(fresh(post).state, fresh(post).error_code) for post in posts} == {
        ("failed", codes.IG_OFFICIAL_RECONNECT.id)
    }
    with everywhere():
        mine = ActivityLog.objects.filter(workspace_id=alices_official.workspace_id)
        assert mine.filter(action="official_lost").count() == 1
        OfficialAccess.objects.all().delete()
    connect_officially(alices_official, meta)
    with everywhere():
        told = Notification.objects.get(user=alice, kind="tasks")
    assert (told.title, told.times) == ("A post of @alice.clay was not published", 3)

    page = signed_in(alice)
    assert "3 posts did not go out" in page.get("/calendar/").content.decode()
    page.post("/calendar/missed/", {"how": "now"})
    again = [fresh(post) for post in posts]
    assert [post.state for post in again] == ["scheduled"] * 3
    assert [b.due_at - a.due_at for a, b in pairwise(again)] == [timedelta(minutes=10)] * 2
    assert "did not go out" not in page.get("/calendar/").content.decode()
    for _ in range(3):
        come_due(*posts)
        work()
    assert sorted(captions(alices_official)) == [f"Post {n}" for n in range(3)]


def test_what_was_missed_waits_for_the_connection_and_takes_the_slots_that_are_free(
    alices_official: InstagramAccount, alice: User, charlie: User, meta: Control
) -> None:
    posts = [scheduled(alices_official, alice, caption=f"Post {n}") for n in range(2)]
    with everywhere():
        access = OfficialAccess.objects.filter(account=alices_official)
        access.update(status="reconnect", code=codes.IG_OFFICIAL_RECONNECT.id)
    work()
    page = signed_in(alice)
    assert "did not go out" not in page.get("/calendar/").content.decode()  # nothing can be done about it yet

    with everywhere():
        access.update(status="active", code="")
        slots.add(alices_official, alice, [0], time(9))
    signed_in(charlie).post("/calendar/missed/", {"how": "draft"})
    page.post("/calendar/missed/", {"how": "slots", "account": "alice.clay"})
    with everywhere():
        free = list(islice(slots.upcoming(alices_official, now()), 2))
    assert [(fresh(post).state, fresh(post).planned_for) for post in posts] == [("scheduled", at) for at in free]


def test_an_account_beyond_the_plan_publishes_nothing_until_the_plan_has_room_again(
    alices_official: InstagramAccount, alice: User
) -> None:
    workspace = alices_official.workspace
    warm_account(workspace, "older.kiln", created_at=alices_official.created_at - timedelta(days=1))
    post = scheduled(alices_official, alice)
    with everywhere():
        entitlements.subscribe(workspace, "free")  # room for one: the oldest
    work()
    assert (fresh(post).state, fresh(post).error_code) == ("failed", codes.PLAN_ACCOUNT_LIMIT.id)
    page = signed_in(alice)
    assert "did not go out" not in page.get("/calendar/").content.decode()
    said = page.post(f"/calendar/posts/{post.pk}/schedule/", follow=True).content.decode()
    assert "Starter has room for 3" in said  # at the door too

    with everywhere():
        entitlements.subscribe(workspace, "starter")
    page.post("/calendar/missed/", {"how": "now"})
    assert fresh(post).state == "scheduled"


def test_a_post_that_is_out_stays_so_when_its_comment_finds_the_access_gone(
    alices_official: InstagramAccount, alice: User
) -> None:
    post = scheduled(alices_official, alice, first_comment="Which glaze?")
    with everywhere():  # its worker died right after the post was out
        Post.objects.update(state="published", instagram_id="17900", due_at=now())
        OfficialAccess.objects.update(status="reconnect", code=codes.IG_OFFICIAL_RECONNECT.id)
    work()
    assert (fresh(post).state, fresh(post).due_at) == ("published", None)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("graph_190", codes.IG_OFFICIAL_RECONNECT),
        ("graph_36003", codes.PUB_MEDIA_RATIO),
        ("graph_25_2207050", codes.PUB_ACCOUNT_RESTRICTED),
        ("graph_368", codes.PUB_SPAM),
    ],
)
def test_a_refusal_is_told_by_its_code_and_never_repeated(
    alices_official: InstagramAccount, alice: User, meta: Control, fault: str, code: codes.Code
) -> None:
    post = scheduled(alices_official, alice)
    meta.fault(fault, path=PUBLISH)
    for _ in range(4):
        work()
        come_due(post)

    assert (fresh(post).state, fresh(post).error_code) == ("failed", code.id)
    assert sendings(post) == [("post", "refused")]
    assert meta.ledger("alice.clay", "publish").targets("publish") == []  # the door may be shut now: ask the other side


def test_a_busy_meta_is_asked_again_before_anything_was_sent(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    post = scheduled(alices_official, alice)
    meta.fault("graph_2", path=".*content_publishing_limit", times=2)
    for _ in range(6):
        work()
        come_due(post)

    assert fresh(post).state == "published"


def test_two_posts_with_the_same_words_are_found_as_two(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    posts = [scheduled(alices_official, alice) for _ in range(2)]
    meta.fault("reset_after_apply", path=PUBLISH, apply=True, times=2)
    for _ in range(6):
        work()
        come_due(*posts)

    assert [fresh(post).state for post in posts] == ["published", "published"]
    assert len({fresh(post).instagram_id for post in posts}) == 2
    assert captions(alices_official) == ["Kiln day", "Kiln day"]
