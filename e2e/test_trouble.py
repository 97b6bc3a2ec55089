"""What a person sees when something goes wrong on the way to Instagram: a sentence, a code, a next step."""

import time

import pytest
from playwright.sync_api import Browser, expect

from accounts import tenancy
from accounts.models import User
from bots import switch, tasking
from bots.models import Action, Bot, ConnectAttempt
from e2e.conftest import Stack
from e2e.visitor import Visitor, visit
from instagrowth.testing import INSTAGRAM_PASSWORD
from instagrowth.testing_processes import eventually

pytestmark = pytest.mark.browser


def sets_to_work(alice: User, bot: Bot, amount: int, **limits: int) -> None:
    """One action a second, so that a person can watch."""
    with tenancy.scope(bot.workspace):
        Bot.objects.update(cycle_delay=1, jitter=0, burst=1, own_limits=limits)
        bot.refresh_from_db(fields=["cycle_delay", "jitter", "burst", "own_limits"])
        switch.start(bot, alice)
        tasking.follow_hashtag(bot, "ceramics", amount, {}, alice)


def states(bot: Bot) -> list[str]:
    with tenancy.scope(bot.workspace):
        return list(Action.objects.order_by("created_at").values_list("state", flat=True))


def tries_to_connect(visitor: Visitor) -> None:
    visitor.goes_to("/instagram/connect/")
    visitor.page.locator("[name=accept_risk]").check()
    visitor.presses("Continue to login")
    visitor.types(username="anna.clay", password=INSTAGRAM_PASSWORD)
    visitor.presses("Log in")


@pytest.mark.parametrize(
    ("fault", "sentence", "code"),
    [
        ("reset", "The connection broke in the middle of the answer.", "E-NET-W-0004"),
        ("5xx", "The other side is in trouble and answered with a server error.", "E-NET-W-0008"),
        ("challenge", "Instagram wants to see that it is you.", "E-SESS-E-0004"),
    ],
)
def test_trouble_while_connecting_is_said_in_the_form(
    browser: Browser, stack: Stack, alice: User, fault: str, sentence: str, code: str
) -> None:
    stack.instagram.account("anna.clay", password=INSTAGRAM_PASSWORD)
    stack.instagram.fault(fault, times=None)
    with visit(browser, stack.site) as visitor:
        visitor.sign_in(alice)
        tries_to_connect(visitor)

        expect(visitor.page.locator("main").get_by_role("alert")).to_contain_text(sentence)
        visitor.examines()
        visitor.follows(code)
        visitor.sees("What to do")

        # When the trouble is over, the same form does it; after a challenge, once there was time to solve it.
        stack.instagram.clear_faults()
        with tenancy.platform("the rest is over"):
            ConnectAttempt.objects.update(rests_until=None)
        tries_to_connect(visitor)
        visitor.sees("@anna.clay is connected.")


def test_a_challenge_stops_everything_and_the_page_says_what_to_do(
    browser: Browser, stack: Stack, alice: User, alices_connected_bot: Bot
) -> None:
    stack.instagram.fault("challenge", account="alice.real", path="friendships/create", after=2, times=None)
    with visit(browser, stack.site) as visitor:
        visitor.sign_in(alice)
        visitor.goes_to("/automation/alice.real/")
        sets_to_work(alice, alices_connected_bot, 8)

        # It comes to the open page by itself.
        top = visitor.page.locator("main")
        expect(top).to_contain_text("Needs you", timeout=40_000)
        expect(top).to_contain_text("E-SESS-E-0004")
        expect(top.get_by_role("button", name="Start")).to_be_visible()
        sent = stack.instagram.ledger("alice.real").total_requests("alice.real")
        visitor.examines()
        visitor.follows("Show me the steps")
        visitor.sees("Open Instagram on your phone and confirm")
        visitor.examines()
        visitor.page.locator("main").get_by_role("link", name="E-SESS-E-0004").first.click()
        visitor.sees("CHALLENGE_REQUIRED")

        # Starting it is refused, and nothing was sent any more.
        visitor.goes_to("/automation/alice.real/")
        visitor.presses("Start")
        visitor.sees("E-SESS-E-0003")
        time.sleep(2)  # two ticks of the dispatcher
    ledger = stack.instagram.ledger("alice.real")
    assert ledger.total_requests("alice.real") == sent
    assert len(ledger.targets("follow")) == states(alices_connected_bot).count("confirmed") == 2


def test_at_a_limit_the_task_waits_and_the_page_says_why(
    browser: Browser, stack: Stack, alice: User, alices_connected_bot: Bot
) -> None:
    with visit(browser, stack.site) as visitor:
        visitor.sign_in(alice)
        visitor.goes_to("/automation/alice.real/")
        sets_to_work(alice, alices_connected_bot, 5, follow=2)

        tasks = visitor.page.locator("#tasks-part")
        expect(tasks).to_contain_text("Waits", timeout=40_000)
        expect(tasks).to_contain_text("2 of 5")
        expect(tasks).to_contain_text("E-FLW-W-0003")
        visitor.sees("Why 2 follows today")
        visitor.sees("Your setting")
        visitor.examines()
    eventually(lambda: states(alices_connected_bot) == ["confirmed", "confirmed"], why=stack.said)
    assert len(stack.instagram.ledger("alice.real").targets("follow")) == 2
