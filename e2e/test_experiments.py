"""An A/B test from the first click to its verdict, in a browser; the weeks between pass by moving its dates."""

import re
from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import Browser, expect

from accounts.models import User
from bots.models import InstagramAccount
from content import experiments, measuring
from content.models import Experiment, Post, PostInsight, Trial
from e2e.conftest import Stack
from e2e.visitor import visit
from instagrowth.testing import everywhere

pytestmark = pytest.mark.browser
PHONE = (360, 780)


def told(account: InstagramAccount, media: str, interactions: int, days: int) -> None:
    """Meta told this of a post that went out so many days ago."""
    at = now() - timedelta(days=days)
    PostInsight.objects.create(
        workspace_id=account.workspace_id, account=account, media_id=media, kind="IMAGE", product="FEED", posted_at=at,
        local_at=measuring.local(at, account.timezone), measured_at=now(), reach=1000, interactions=interactions,
    )  # fmt: skip


def weeks_pass(account: InstagramAccount, test: Experiment) -> None:
    """All drafts went out eight days ago; those with B did better."""
    with everywhere():
        for number, lot in enumerate(Trial.objects.filter(experiment=test)):
            Post.objects.filter(pk=lot.unit).update(
                state=Post.State.PUBLISHED, published_at=now() - timedelta(days=8), instagram_id=f"out{number}"
            )
            told(account, f"out{number}", (90 if lot.arm == "B" else 40) + number % 5, 8)
    experiments.look_in(test.workspace_id, test.pk)


def test_a_test_runs_from_the_first_click_to_its_verdict(
    browser: Browser, stack: Stack, alice: User, alices_official: InstagramAccount
) -> None:
    with everywhere():
        for number in range(20):
            told(alices_official, f"old{number}", 40 + 5 * (number % 5), 10 + number)
        Post.objects.bulk_create(
            Post(workspace_id=alices_official.workspace_id, account=alices_official, caption=f"Bowl {number}")
            for number in range(40)
        )
    with visit(browser, stack.site, PHONE) as visitor:
        visitor.sign_in(alice)
        visitor.goes_to("/content/")
        visitor.page.get_by_role("link", name="A/B tests").click()
        visitor.sees("No test yet")
        visitor.examines()
        visitor.page.get_by_role("link", name="Captions", exact=True).click()
        visitor.types(name="A question below", b="{caption}\n\nWhich one?")
        visitor.page.locator('[name="difference"]').select_option("1.0")
        visitor.examines()
        visitor.presses("See what it takes")
        visitor.sees("10 posts with each")
        visitor.presses("Start the test")
        boxes = visitor.page.locator('input[name="posts"]')
        expect(boxes).to_have_count(40)
        for box in boxes.all():
            box.check()
        visitor.presses("Draw the lot")
        visitor.sees("Not enough data yet: 0 of 20 outcomes are known, 40 are awaited")
        visitor.examines()
        expect(visitor.page.get_by_text("did better")).to_have_count(0)

        with everywhere():
            test = Experiment.objects.select_related("account").get()
        weeks_pass(alices_official, test)

        expect(visitor.page.get_by_text(re.compile(r"^B did better\. B less A lies between \+"))).to_be_visible()
        visitor.examines()
        visitor.page.get_by_role("link", name="All tests").click()
        visitor.sees("B did better")
        visitor.examines()
