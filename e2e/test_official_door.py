"""The official door from end to end, in a browser: connect, drag a carousel, see it out, read its numbers, answer."""

from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import Browser, expect

from accounts.models import User
from content.models import Post, PostInsight, TalkLine
from content.tests.making import picture
from e2e.conftest import Stack
from e2e.visitor import Visitor, visit
from instagrowth.testing import META_APP, everywhere
from instagrowth.testing_processes import eventually

pytestmark = pytest.mark.browser
PHONE = (360, 780)


def state() -> str:
    with everywhere():
        return Post.objects.get().state


def reach() -> int | None:
    with everywhere():
        return (
            PostInsight.objects.filter(media_id=Post.objects.get().instagram_id).values_list("reach", flat=True).first()
        )


def answered() -> bool:
    with everywhere():
        return TalkLine.objects.filter(is_ours=True, state=TalkLine.State.CONFIRMED).exists()


def connects(visitor: Visitor) -> None:
    visitor.goes_to("/instagram/official/")
    visitor.presses("Continue with Instagram")
    visitor.page.locator('button[value="alice.clay"]').click()
    visitor.sees("@alice.clay connected through Meta")


def drags_a_carousel(visitor: Visitor) -> None:
    """Plan it for next Monday, and drag it to Tuesday."""
    monday = now().date() + timedelta(days=7 - now().weekday())
    visitor.goes_to(f"/calendar/new/?day={monday}")
    visitor.page.locator('[name="kind"]').select_option("carousel")
    visitor.page.locator('[name="account"]').select_option(label="@alice.clay")
    visitor.types(caption="Three steps of a bowl")
    files = [picture(1080, 1080, f"step{n}.jpg") for n in range(2)]
    visitor.page.locator('[name="files"]').set_input_files(
        [{"name": str(file.name), "mimeType": "image/jpeg", "buffer": file.read()} for file in files]
    )
    visitor.presses("Schedule")
    visitor.sees("Scheduled for")
    visitor.goes_to(f"/calendar/?view=week&day={monday}")
    tuesday = visitor.page.locator(f'td[data-day="{monday + timedelta(days=1)}"]')
    visitor.page.locator("a.plan-post").drag_to(tuesday)
    expect(tuesday.locator("a.plan-post")).to_have_count(1)
    post = visitor.page.locator("a.plan-post")  # and with the keyboard to Wednesday, and back
    for key, day in (("Shift+ArrowRight", 2), ("Shift+ArrowLeft", 1)):
        post.press(key)
        there = visitor.page.locator(f'td[data-day="{monday + timedelta(days=day)}"]')
        expect(there.locator("a.plan-post")).to_be_focused()


def looks_for_a_file(visitor: Visitor) -> None:
    """What is ticked stays beside what is found."""
    visitor.goes_to("/calendar/new/")
    picks = visitor.page.locator("#picks .pick")
    picks.filter(has_text="step1.jpg").get_by_role("checkbox").check()
    finder = visitor.page.get_by_role("searchbox", name="Find files by name or alt text")
    for words, names in (("no such", ["step1.jpg"]), ("STEP0", ["step1.jpg", "step0.jpg"])):
        finder.fill(words)
        expect(picks).to_have_text(names)


def test_connect_drag_publish_measure_and_answer(browser: Browser, stack: Stack, alice: User) -> None:
    meta = stack.instagram
    meta.account("alice.clay", business=True, followers=900, media=3)
    meta.account("fan.of.clay", followers=3)
    meta.graph("settings", fetches=False)  # this stack's worker knows another address than its web server
    meta.graph("hooks", app_id=META_APP["id"], url=f"{stack.site}/webhooks/instagram/", verify_token=META_APP["verify"])
    with visit(browser, stack.site) as visitor:
        visitor.sign_in(alice)
        connects(visitor)
        drags_a_carousel(visitor)
        looks_for_a_file(visitor)
        with everywhere():
            post = Post.objects.get()
            assert (post.kind, post.state, post.planned_for.weekday()) == ("carousel", "scheduled", 1)
            Post.objects.update(due_at=now())  # Tuesday comes
        eventually(lambda: state() == "published", why=stack.said)
        path = f"/calendar/posts/{post.pk}/"
        visitor.goes_to(path)
        visitor.sees("Published")

        with everywhere():
            media = Post.objects.get().instagram_id
        meta.graph("insights", media=media, reach=321, views=400, total_interactions=12)
        visitor.goes_to("/analytics/")
        visitor.presses("Read now")
        eventually(lambda: reach() == 321, why=stack.said)
        visitor.goes_to(path)
        visitor.sees("321")
        visitor.goes_to("/analytics/?account=alice.clay")
        visitor.sees("Three steps of a bowl")

        visitor.goes_to("/inbox/")
        meta.graph("comments", username="alice.clay", by="fan.of.clay", text="How long is the firing?", media=media)
        visitor.sees("How long is the firing?").click()  # by itself, without loading the page again
        visitor.types(text="About ten hours")
        visitor.presses("Answer")
        visitor.sees("About ten hours")
        eventually(answered, why=stack.said)
        talk = visitor.page.url.removeprefix(stack.site)
    assert [entry["kind"] for entry in meta.ledger("alice.clay").entries].count("publish") == 1

    with visit(browser, stack.site, PHONE) as visitor:
        visitor.sign_in(alice)
        for page in ("/analytics/", "/analytics/reports/", "/inbox/", talk, "/inbox/rules/"):
            visitor.goes_to(page)
            expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
            visitor.examines()
