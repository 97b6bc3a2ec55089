"""What got no answer ends: as published where Instagram says so, once more where it was not, or with a person."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import Notification, User
from accounts.tests.team import signed_in
from bots.instagram.graph import GraphDoor
from bots.models import InstagramAccount, OfficialAccess
from bots.official import official_door
from content import publishing
from content.models import Delivery, Hook, Post, Sending
from content.tests.making import captions, come_due, fresh, scheduled, work
from errors import codes
from instagrowth.testing import everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.usefixtures("committed")
PUBLISH, COMMENTS = ".*media_publish", ".*/comments"
HOUR = timedelta(hours=1)


def the_phone(account: InstagramAccount) -> GraphDoor:
    """Somebody who posts on the account beside us."""
    with tenancy.scope(account.workspace_id):
        return official_door(account)


def lost(account: InstagramAccount, user: User, meta: Control, **words: str) -> Post:
    """A post whose publishing never reached Instagram, which we do not know."""
    post = scheduled(account, user, **words)
    meta.fault("reset", path=PUBLISH)
    work()
    assert fresh(post).state == "unknown"
    return post


def time_goes_by(post: Post, turns: int = 6) -> None:
    for _ in range(turns):
        come_due(post)
        work()


@pytest.mark.parametrize("kind", ["story", "image"])
def test_a_post_of_somebody_else_that_looks_like_ours_is_not_taken_for_it(
    alices_official: InstagramAccount, alice: User, meta: Control, kind: str
) -> None:
    post = lost(alices_official, alice, meta, kind=kind)
    phone = the_phone(alices_official)
    fields = {"media_type": "STORIES"} if kind == "story" else {"caption": "Kiln day"}
    container = phone.create_container(image_url="https://example.com/bowl.jpg", **fields)
    phone.container_status(container)
    theirs = phone.publish(container)
    time_goes_by(post)

    assert fresh(post).state == "published"
    assert fresh(post).instagram_id not in ("", theirs)
    there = phone.stories() if kind == "story" else phone.recent_media(2)
    assert {one["id"] for one in there} >= {theirs, fresh(post).instagram_id}


def test_a_request_that_was_slower_than_two_looks_is_found_by_its_container(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    post = lost(alices_official, alice, meta)
    with everywhere():
        Sending.objects.update(lookups=1)
    come_due(post)
    (claim,) = publishing.claim()
    publishing.turn(claim.workspace, claim.post, claim.fence)
    assert fresh(post).state == "publishing"  # absent, as far as anybody could see
    the_phone(alices_official).publish(fresh(post).container)  # and now it arrives
    time_goes_by(post)

    assert (fresh(post).state, bool(fresh(post).instagram_id)) == ("published", True)
    assert captions(alices_official) == ["Kiln day"]


@pytest.mark.parametrize("why", ["revoked", "disconnected", "forgotten"])
def test_what_nobody_can_tell_any_more_is_laid_before_a_person_after_an_hour(
    alices_official: InstagramAccount, alice: User, meta: Control, why: str
) -> None:
    post = lost(alices_official, alice, meta)
    with everywhere():
        if why == "revoked":
            meta.graph("revoke", username="alice.clay")
        elif why == "disconnected":
            OfficialAccess.objects.all().delete()
        else:
            Sending.objects.update(container="99")
    time_goes_by(post, 3)
    assert fresh(post).state == "unknown"

    with everywhere():
        Sending.objects.update(sent_at=now() - HOUR)
    time_goes_by(post, 1)
    assert (fresh(post).state, fresh(post).error_code) == ("failed", codes.PUB_UNCLEAR.id)
    assert fresh(post).due_at is None


def test_a_worker_that_dies_at_the_end_of_a_turn_leaves_nothing_that_is_claimed_for_ever(
    alices_official: InstagramAccount, alice: User
) -> None:
    post = scheduled(alices_official, alice)

    def dead(state: str, attempt: int = 0) -> Post:
        with everywhere():
            over = now() - timedelta(seconds=1)
            Post.objects.update(state=state, attempt=attempt, due_at=over, lease_until=over, fence=1, error_code="")
        assert publishing.sweep() == 1
        return fresh(post)

    assert dead("failed").due_at is None
    assert dead("published").due_at is not None
    assert dead("published", publishing.TRIES).due_at is None
    given_up = dead("unknown", publishing.TRIES)
    assert (given_up.state, given_up.error_code, given_up.due_at) == ("failed", codes.PUB_UNCLEAR.id, None)
    with everywhere():
        Post.objects.update(due_at=now())
    assert publishing.claim() == []


def unclear(account: InstagramAccount, user: User, meta: Control, *, applied: bool) -> Post:
    """A post that was laid before a person; whether it is there, only Instagram knows."""
    post = scheduled(account, user, first_comment="Which glaze?")
    meta.fault("reset_after_apply" if applied else "reset", path=PUBLISH, apply=applied)
    work()
    with everywhere():
        Sending.objects.update(sent_at=now() - HOUR)
    meta.fault("500", path=".*", times=1)
    time_goes_by(post, 1)
    assert (fresh(post).state, fresh(post).error_code) == ("failed", codes.PUB_UNCLEAR.id)
    return post


def test_what_may_be_out_is_not_sent_again_before_somebody_says_that_it_is_not_there(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    post = unclear(alices_official, alice, meta, applied=False)
    page, here = signed_in(alice), f"/calendar/posts/{post.pk}/"
    said = page.get(here).content.decode()
    assert ("Is it on Instagram?" in said, "Not published" in said) == (True, False)
    page.post(f"{here}unschedule/")  # a draft again, of which nobody sees that it was sent
    said = page.post(f"{here}schedule/", follow=True).content.decode()
    assert (codes.PUB_UNCLEAR.id in said, "Is it on Instagram?" in said, fresh(post).state) == (True, True, "draft")

    said = page.post(f"{here}answer/", {"there": "no"}, follow=True).content.decode()
    assert ("You may schedule it again." in said, "Is it on Instagram?" in said) == (True, False)
    page.post(f"{here}schedule/")
    time_goes_by(post, 2)
    assert (fresh(post).state, captions(alices_official)) == ("published", ["Kiln day"])


def test_what_somebody_saw_there_is_published_and_gets_its_comment(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    post = unclear(alices_official, alice, meta, applied=True)
    with everywhere():  # its hour on Instagram is the sending's
        Sending.objects.update(sent_at=now() - HOUR / 60)
    signed_in(alice).post(f"/calendar/posts/{post.pk}/answer/", {"there": "yes"})
    time_goes_by(post, 1)

    post = fresh(post)
    assert (post.state, post.error_code, bool(post.permalink)) == ("published", "", True)
    assert captions(alices_official) == ["Kiln day"]
    assert len(meta.ledger("alice.clay", "own_comment").entries) == 1


def test_a_comment_that_meta_is_too_busy_for_is_written_later_and_programs_hear_where_the_post_is(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    with everywhere():
        hook = Hook(workspace=alices_official.workspace, url="https://example.com/", events=["post.published"])
        hook.sealed_secret = b"x"
        hook.save(force_insert=True)
    post = scheduled(alices_official, alice, first_comment="Which glaze?")
    meta.fault("graph_4", path=COMMENTS, times=2)
    work()
    page = signed_in(alice)
    assert "Not yet; we go on trying" in page.get(f"/calendar/posts/{post.pk}/").content.decode()
    time_goes_by(post, 2)

    assert "Yes, under the post" in page.get(f"/calendar/posts/{post.pk}/").content.decode()
    assert (fresh(post).due_at, fresh(post).error_code) == (None, "")
    assert len(meta.ledger("alice.clay", "own_comment").entries) == 1
    with everywhere():
        (told,) = Delivery.objects.values_list("payload", flat=True)
    assert told["post"]["permalink"] == fresh(post).permalink != ""


@pytest.mark.parametrize(
    ("fault", "code", "words", "written"),
    [
        ("graph_10", codes.PUB_COMMENT_MISSING, "No", 0),
        ("reset_after_apply", codes.PUB_COMMENT_UNCLEAR, "We do not know: no answer came", 1),
        ("killed", codes.PUB_COMMENT_UNCLEAR, "We do not know: no answer came", 0),
    ],
)
def test_a_comment_that_is_not_there_or_may_not_be_is_told_and_not_repeated(
    alices_official: InstagramAccount,
    alice: User,
    meta: Control,
    fault: str,
    code: codes.Code,
    words: str,
    written: int,
) -> None:
    post = scheduled(alices_official, alice, first_comment="Which glaze?")
    if fault == "killed":
        over = now() - timedelta(seconds=1)
        with everywhere():
            Post.objects.update(state="published", instagram_id="17900", lease_until=over)
            Sending.objects.create(workspace_id=post.workspace_id, post=post, what="comment", fence=0)
        publishing.sweep()
    else:
        meta.fault(fault, path=COMMENTS, apply=fault == "reset_after_apply")
    time_goes_by(post, 2)

    assert (fresh(post).state, fresh(post).error_code, fresh(post).due_at) == ("published", code.id, None)
    assert len(meta.ledger("alice.clay", "own_comment").entries) == written
    said = signed_in(alice).get(f"/calendar/posts/{post.pk}/").content.decode()
    assert (f"<dd>{words}</dd>" in said, code.what in said) == (True, True)
    with everywhere():
        told = Notification.objects.get(user=alice, code=code.id)
    assert told.title == "A post of @alice.clay may lack its first comment"


@pytest.mark.parametrize("found", [True, False])
def test_a_post_of_which_instagram_says_only_that_it_is_out_is_found_within_the_hour_or_said_to_be_unknown(
    alices_official: InstagramAccount, alice: User, meta: Control, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    post = scheduled(alices_official, alice, first_comment="Which glaze?")
    meta.fault("reset_after_apply", path=PUBLISH, apply=True)
    with monkeypatch.context() as patch:  # a list that takes its time
        patch.setattr(GraphDoor, "recent_media", lambda *_: [])
        time_goes_by(post, 5)
        assert (fresh(post).state, fresh(post).instagram_id, fresh(post).due_at is None) == ("published", "", False)
        if not found:
            with everywhere():
                Sending.objects.update(sent_at=now() - HOUR)
            time_goes_by(post, 1)
    time_goes_by(post, 1)
    said = signed_in(alice).get(f"/calendar/posts/{post.pk}/").content.decode()
    assert ("could not find out which one it is" in said, codes.PUB_COMMENT_MISSING.id in said) == (
        not found,
        not found,
    )
    assert (bool(fresh(post).permalink), fresh(post).due_at) == (found, None)
    assert len(meta.ledger("alice.clay", "own_comment").entries) == found
