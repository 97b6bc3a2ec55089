"""The content tools in a browser: audit, idea, draft, plan, a welcome that is really sent; an A/B test to its end."""

import re
from datetime import timedelta

import pytest
from django.utils.timezone import now
from playwright.sync_api import Browser, expect

from accounts.models import User
from bots.models import Bot, InstagramAccount, MessageTemplate
from content import experiments, measuring
from content.models import Audit, Competitor, Experiment, GrowthPlan, Piece, Post, PostInsight, Trial
from e2e.conftest import Stack
from e2e.visitor import Visitor, visit
from instagrowth.testing import everywhere
from instagrowth.testing_processes import eventually

pytestmark = pytest.mark.browser
PHONE = (360, 780)
TEXT = "Good to have you here, {first_name}."


def audits(alice: Visitor) -> None:
    """The account is read once; what the audit finds leads on."""
    alice.goes_to("/content/")
    alice.page.get_by_role("link", name="Audit", exact=True).click()
    alice.presses("Audit @alice.real")
    alice.sees("What to do first")
    alice.sees("are not in this audit")
    alice.examines()
    with everywhere():
        assert Audit.objects.get().facts["posts_read"] > 0


def writes(alice: Visitor) -> None:
    """An idea becomes captions, one of them a draft."""
    alice.goes_to("/content/studio/")
    alice.page.locator("main [name=feature]").select_option("ideas")
    alice.types(about="Kiln opening on Thursday")
    alice.presses("Write")
    alice.page.get_by_role("link", name="Write it").first.click()
    expect(alice.page.locator("main [name=feature]")).to_have_value("captions")
    alice.presses("Write")
    alice.page.get_by_role("button", name="To the calendar").first.click()
    alice.sees("It is in the calendar as a draft.")
    alice.examines()
    with everywhere():
        caption = Piece.objects.get(post__isnull=False).caption
        assert [post.caption for post in Post.objects.all()] == [caption]


def plans(alice: Visitor) -> None:
    """A week is written, accepted, and its posts are in the calendar."""
    alice.page.get_by_role("link", name="Planner").click()
    alice.sees("No plan yet")
    alice.page.locator("main form [name=account]").select_option("alice.real")
    alice.page.locator("main [name=days]").select_option("7")
    alice.types(goal="Sell out the kiln", niche="Ceramics", posts_a_week="4")
    alice.presses("Write the plan")
    alice.sees("Accept: put it in the calendar")
    alice.examines()
    alice.presses("Accept: put it in the calendar")
    alice.sees("Nothing is published until you schedule it there.")
    alice.presses("Give them to the bot")
    alice.sees("The bot has these limits from its next turn.")
    with everywhere():
        plan = GrowthPlan.objects.get()
        assert Bot.objects.get().own_limits == plan.limits
        title = plan.posts.select_related("post").first().title  # type: ignore[union-attr]
        assert Post.objects.count() == 1 + plan.posts.count() == 5
    alice.follows("See it in the calendar")
    expect(alice.page.get_by_text(title).first).to_be_attached()


def welcomes(alice: Visitor, stack: Stack) -> None:
    """A draft is taken over and approved; then, and not before, the bot sends its words."""
    alice.goes_to("/content/messages/")
    alice.types(about="Stoneware for every day")
    alice.presses("Write 3 drafts")
    alice.sees("As people would get it:")
    draft = alice.page.locator("article").first
    draft.locator("[name=name]").fill("Hello")
    draft.locator("[name=text]").fill(TEXT)
    draft.get_by_role("button", name="Take it over").click()
    alice.sees("It is a text for welcomes now.")
    with everywhere():
        waits = MessageTemplate.objects.get(name="Hello").approved_at is None
    if waits:
        alice.page.get_by_role("button", name="Approve Hello").click()
    expect(alice.page.locator("li", has_text="Hello")).to_contain_text("Approved")
    alice.goes_to("/automation/alice.real/new/welcome/")
    alice.types(amount="1")
    alice.page.locator("main [name=only_new]").uncheck()
    alice.presses("Add the task")
    alice.presses("Start")
    eventually(lambda: len(stack.instagram.ledger(kind="dm").targets("dm")) == 1, why=stack.said)


def test_from_an_audit_to_a_welcome(browser: Browser, stack: Stack, alice: User, alices_connected_bot: Bot) -> None:
    stack.instagram.account("alice.real", media=40, biography="Stoneware from Oslo")
    with everywhere():
        Bot.objects.update(cycle_delay=1)
    with visit(browser, stack.site, PHONE) as visitor:
        visitor.sign_in(alice)
        audits(visitor)
        writes(visitor)
        plans(visitor)
        welcomes(visitor, stack)


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
        expect(visitor.page.locator(".tabs [aria-current]")).to_be_in_viewport(ratio=1)
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

        with everywhere():
            Competitor.objects.create(
                workspace_id=alices_official.workspace_id, account=alices_official, username="kiln.studio"
            )
        visitor.page.get_by_role("link", name="Competitors").click()
        visitor.sees("@kiln.studio")
        visitor.examines()
