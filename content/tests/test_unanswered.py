"""What got no answer ends: as published where Instagram says so, once more where it was not, or with a person."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import User
from bots.instagram.graph import GraphDoor
from bots.models import InstagramAccount, OfficialAccess
from bots.official import official_door
from content import publishing
from content.models import Post, Sending
from content.tests.making import captions, come_due, fresh, scheduled, work
from errors import codes
from instagrowth.testing import everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.usefixtures("committed")
PUBLISH = ".*media_publish"
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
