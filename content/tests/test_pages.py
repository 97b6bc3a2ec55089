"""The calendar's pages: what each shows, does, and refuses."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import Membership, Proposal, User, Workspace
from accounts.tests.team import be, signed_in
from bots.models import InstagramAccount
from content import calendar, imports, slots
from content.models import Feed, Media, Post, Slot
from content.tests.making import clip, fresh, kept, picture
from instagrowth.testing import everywhere

pytestmark = pytest.mark.django_db
OSLO = ZoneInfo("Europe/Oslo")


@pytest.fixture
def page(alice: User) -> Client:
    return signed_in(alice)


def at(days: int, clock: str = "18:30") -> datetime:
    day = now().astimezone(OSLO).date() + timedelta(days=days)
    return datetime.combine(day, datetime.strptime(clock, "%H:%M").time(), OSLO)


def write(page: Client, account: InstagramAccount, media: list[Media], then: str = "schedule", **words: Any) -> str:
    form = {
        "account": account.pk,
        "kind": "image",
        "caption": "Kiln day",
        "planned_for": f"{at(2):%Y-%m-%dT%H:%M}",
        "media": [one.pk for one in media],
        "then": then,
    } | words
    return page.post(reverse("calendar:new"), form, follow=True).content.decode()


def the_post() -> Post:
    with everywhere():
        return Post.objects.select_related("account").get()


def test_a_post_is_scheduled_at_the_hour_of_its_account(
    page: Client, alice: User, alices_official: InstagramAccount
) -> None:
    said = write(page, alices_official, [kept(alices_official, alice)])

    assert f"Scheduled for {at(2):%a %-d %b} 18:30 (Europe/Oslo)." in said
    post = the_post()
    assert (post.state, post.planned_for, post.due_at) == ("scheduled", at(2), at(2))
    assert "Kiln day" in page.get(f"{reverse('calendar:calendar')}?day={at(2):%Y-%m-%d}").content.decode()
    assert "18:30" in page.get(f"{reverse('calendar:calendar')}?account=alice.clay&view=list").content.decode()


def test_a_second_click_writes_no_second_post_and_other_words_do(
    page: Client, alice: User, alices_official: InstagramAccount
) -> None:
    media = [kept(alices_official, alice)]
    once = page.get(reverse("calendar:new")).context["form"]["once"].value()
    for caption in ("Kiln day", "Kiln day", "Another day"):  # the last by somebody who went back
        said = write(page, alices_official, media, once=once, caption=caption)
        assert "Scheduled for" in said
    file = b"caption\nOne\nTwo\n"
    with tenancy.scope(alices_official.workspace_id):
        owner = Membership.objects.select_related("workspace", "user").get(user=alice)
        for _ in range(2):
            assert len(imports.take(owner, file, once=once)) == 2
        captions = sorted(Post.objects.values_list("caption", flat=True))
    assert captions == ["Another day", "Kiln day", "One", "Two"]


def test_what_instagram_would_refuse_is_kept_as_a_draft_and_said(
    page: Client, alice: User, alices_official: InstagramAccount
) -> None:
    tall = kept(alices_official, alice, picture(900, 1600))
    said = write(page, alices_official, [tall], caption="#a " * 31)

    assert "The caption has 31 hashtags; Instagram takes 30." in said
    assert "Instagram takes 4:5 to 1.91:1. Cut it in the media library." in said
    assert the_post().state == "draft"


def test_without_the_official_door_nothing_is_scheduled(
    page: Client, alice: User, alices_account: InstagramAccount
) -> None:
    said = write(page, alices_account, [kept(alices_account, alice)])

    assert "This account is not connected through Meta." in said
    assert the_post().state == "draft"


def test_files_are_added_in_the_editor_and_keep_their_order(
    page: Client, alice: User, alices_official: InstagramAccount
) -> None:
    media = [kept(alices_official, alice, picture(name=f"{n}.jpg")) for n in range(3)]
    write(page, alices_official, media[::-1], "keep", kind="carousel", files=[clip("last.mp4")])

    with tenancy.scope(alices_official.workspace_id):
        assert [one.name for one in calendar.media_of(the_post())] == ["2.jpg", "1.jpg", "0.jpg", "last.mp4"]


def test_moving_keeps_the_hour_and_a_changed_post_is_a_draft_again(
    page: Client, alice: User, alices_official: InstagramAccount
) -> None:
    media = [kept(alices_official, alice)]
    write(page, alices_official, media)
    post = the_post()
    move = reverse("calendar:move", args=[post.pk])
    answer = page.post(move, {"day": f"{at(9):%Y-%m-%d}"}, headers={"X-Drag": "1"})

    assert answer.status_code == 204
    assert (fresh(post).planned_for, fresh(post).due_at, fresh(post).state) == (at(9), at(9), "scheduled")
    assert page.post(move, {"day": f"{at(-3):%Y-%m-%d}"}, headers={"X-Drag": "1"}).status_code == 409
    page.post(reverse("calendar:post", args=[post.pk]), {"kind": "image", "caption": "Other", "then": "keep"})
    assert (fresh(post).state, fresh(post).caption, fresh(post).due_at) == ("draft", "Other", None)


def test_the_next_free_slot_is_taken(page: Client, alice: User, alices_official: InstagramAccount) -> None:
    page.post(reverse("calendar:slots", args=["alice.clay"]), {"at": "09:15", "weekdays": list(range(7))})
    with everywhere():
        assert Slot.objects.count() == 7
    media = [kept(alices_official, alice)]
    for _ in range(2):
        write(page, alices_official, media, "slot", planned_for="")

    with everywhere():
        hours = list(Post.objects.order_by("planned_for").values_list("planned_for", flat=True))
        expected = [moment for moment, _ in zip(slots.upcoming(alices_official, now()), range(2), strict=False)]
    assert hours == expected
    shown = page.get(reverse("calendar:slots", args=["alice.clay"])).content.decode()
    assert shown.count("Kiln day") == 2


def test_what_is_on_its_way_cannot_be_changed(page: Client, alice: User, alices_official: InstagramAccount) -> None:
    write(page, alices_official, [kept(alices_official, alice)])
    post = the_post()
    with everywhere():
        Post.objects.update(state="publishing")
    for name, form in (("move", {"day": f"{at(4):%Y-%m-%d}"}), ("unschedule", {}), ("remove", {}), ("pin", {})):
        said = page.post(reverse(f"calendar:{name}", args=[post.pk]), form, follow=True).content.decode()
        assert "E-PUB-E-0103" in said

    assert (fresh(post).state, fresh(post).planned_for) == ("publishing", at(2))


def test_a_manager_proposes_and_the_owner_lets_it_go_out(
    page: Client, alices_workspace: Workspace, alice: User, bob: User, alices_official: InstagramAccount
) -> None:
    page.post(reverse("accounts:want_approval"), {"wants_approval": "on"})
    media = [kept(alices_official, alice)]
    assert "Proposed. An owner decides." in write(signed_in(bob), alices_official, media)
    post = the_post()
    with everywhere():
        proposal = Proposal.objects.get()
    assert post.state == "proposed"
    page.post(reverse("accounts:decide", args=[proposal.pk]), {"answer": "approve"})

    assert (fresh(post).state, fresh(post).due_at) == ("scheduled", at(2))


def test_what_was_changed_after_it_was_proposed_is_not_approved(
    page: Client, alice: User, bob: User, alices_official: InstagramAccount
) -> None:
    page.post(reverse("accounts:want_approval"), {"wants_approval": "on"})
    manager = signed_in(bob)
    write(manager, alices_official, [kept(alices_official, alice)])
    post = the_post()
    with everywhere():
        proposal = Proposal.objects.get()
    manager.post(reverse("calendar:post", args=[post.pk]), {"kind": "image", "caption": "Worse", "then": "keep"})
    said = page.post(reverse("accounts:decide", args=[proposal.pk]), {"answer": "approve"}, follow=True)

    assert fresh(post).state == "draft"
    assert "E-AUTH-E-0027" in said.content.decode()


def test_ideas_become_drafts(page: Client, alices_workspace: Workspace) -> None:
    page.post(reverse("calendar:ideas"), {"caption": "Show how a glaze is mixed"})
    post = the_post()
    assert post.state == "idea"
    assert "Show how a glaze" not in page.get(reverse("calendar:calendar")).content.decode()
    page.post(reverse("calendar:pin", args=[post.pk]), {"to": "draft"})

    assert fresh(post).state == "draft"
    assert "Show how a glaze" in page.get(reverse("calendar:calendar")).content.decode()


def test_a_feed_is_read_by_its_secret_until_it_is_revoked(
    page: Client, client: Client, alice: User, alices_official: InstagramAccount
) -> None:
    from icalendar import Calendar

    write(page, alices_official, [kept(alices_official, alice)])
    shown = page.post(reverse("calendar:feeds"), {"name": "Phone"}).content.decode()
    token = shown.split("/calendar/feed/")[1].split(".ics")[0]
    with everywhere():
        assert token not in Feed.objects.get().token_hash
    answer = client.get(reverse("calendar:feed", args=[token]))

    (event,) = Calendar.from_ical(answer.content).walk("VEVENT")
    assert (event["SUMMARY"], event["DTSTART"].dt) == ("@alice.clay: Kiln day", at(2))
    with everywhere():
        page.post(reverse("calendar:revoke_feed", args=[Feed.objects.get().pk]))
    assert client.get(reverse("calendar:feed", args=[token])).status_code == 404


def test_a_file_of_posts_is_taken_whole_or_not_at_all(
    page: Client, alice: User, alices_official: InstagramAccount
) -> None:
    kept(alices_official, alice, picture(name="bowl.jpg"))
    good = f'{at(3):%Y-%m-%d} 09:00,alice.clay,image,"Kiln, day",,bowl.jpg\n'
    bad = "tomorrow,alice.clay,image,Two,,bowl.jpg\n,nobody,image,Three,,\n,,image,Four,,mug.jpg\n"

    def send(lines: str) -> str:
        from django.core.files.uploadedfile import SimpleUploadedFile

        file = SimpleUploadedFile("posts.csv", f"when,account,kind,caption,first_comment,media\n{lines}".encode())
        return page.post(reverse("calendar:import"), {"file": file, "schedule": "on"}, follow=True).content.decode()

    said = send(good + bad)
    assert "Line 3: “tomorrow” is not a time such as 2026-12-24 18:30." in said
    assert "Line 4: there is no account @nobody here." in said
    assert "Line 5: “mug.jpg” is not in the media library." in said
    with everywhere():
        assert not Post.objects.exists()
    assert "1 post is in the calendar." in send(good)
    assert (the_post().state, the_post().caption, the_post().planned_for) == ("scheduled", "Kiln, day", at(3, "09:00"))


def test_the_plan_asks_the_same_number_of_questions_for_any_number_of_posts(
    page: Client, alice: User, alices_official: InstagramAccount
) -> None:
    address = f"{reverse('calendar:calendar')}?day={at(2):%Y-%m-%d}"

    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert page.get(address).status_code == 200
        return len(asked)

    write(page, alices_official, [kept(alices_official, alice)])
    questions()  # what is asked once a process
    one = questions()
    for _ in range(2):
        write(page, alices_official, [kept(alices_official, alice)])

    assert questions() == one


def test_others_find_none_of_it(
    page: Client, alice: User, bob: User, charlie: User, alices_official: InstagramAccount
) -> None:
    media = kept(alices_official, alice)
    write(page, alices_official, [media])
    post = the_post()
    stranger = signed_in(charlie)
    assert stranger.get(reverse("calendar:post", args=[post.pk])).status_code == 404
    assert stranger.get(reverse("calendar:media", args=[media.pk])).status_code == 404
    said = write(stranger, alices_official, [media])
    assert "Select a valid choice" in said
    be(bob, "viewer")
    viewer = signed_in(bob)
    assert viewer.get(reverse("calendar:post", args=[post.pk])).status_code == 200
    assert viewer.post(reverse("calendar:remove", args=[post.pk])).status_code == 403
