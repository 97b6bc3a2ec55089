"""The whole way in a browser: sign up, connect Instagram, start the bot, watch it follow, stop it."""

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User, Workspace
from bots.models import Action, Bot
from e2e.conftest import Stack
from e2e.visitor import PHONE, Visitor, visit
from errors.models import ActivityLog
from instagrowth.testing import everywhere

pytestmark = pytest.mark.browser
SEED = "JBSWY3DPEHPK3PXP"


def connects_instagram(anna: Visitor, stack: Stack) -> None:
    """The steps: risk, login, code."""
    stack.instagram.account("anna.clay", password="clay-and-glaze-9", totp_secret=SEED)
    anna.follows("Connect an account")
    anna.examines()
    anna.presses("Continue to login")
    anna.sees("Without it we do not connect an account.")
    anna.page.locator("[name=accept_risk]").check()
    anna.presses("Continue to login")
    anna.examines()
    anna.types(username="@Anna.Clay", password="clay-and-glaze-9")
    anna.presses("Log in")
    anna.sees("Open your authenticator app")
    anna.examines()
    right = stack.instagram.read_account("anna.clay")["totp_code"]
    anna.types(code=f"{(int(right) + 1) % 10**6:06}")
    anna.presses("Continue")
    anna.sees("E-IG-E-0004")
    anna.types(code=right)
    anna.presses("Continue")
    anna.sees("@anna.clay is connected.")
    anna.examines()


def test_from_signing_up_to_a_bot_that_follows(browser: Browser, stack: Stack) -> None:
    with visit(browser, stack.site) as anna:
        # She signs up. There is nothing to start yet, and the pages say what comes first.
        anna.goes_to("/signup")
        anna.examines()
        anna.types(email="anna@example.com", password1="correct horse battery 9")
        anna.presses("Make my account")
        anna.sees("Look at your mail")
        anna.examines()
        anna.confirms("anna@example.com")
        anna.sees("No Instagram account is connected yet, so nothing has happened.")
        anna.examines()
        anna.goes_to("/automation/")
        anna.sees("A bot belongs to an account, and no account is connected yet.")
        anna.examines()

        connects_instagram(anna, stack)
        anna.presses("Test session")
        anna.sees("The session of @anna.clay is valid.")

        # One action a second, so that she sees them come.
        anna.follows("Settings")
        anna.examines()
        anna.types(cycle_delay="1", jitter="0", burst="1")
        anna.presses("Save")
        anna.sees("The settings of @anna.clay are kept.")
        anna.presses("Start")
        anna.sees("The bot of @anna.clay runs.")
        anna.follows("Follow people of a hashtag")
        anna.examines()
        anna.types(hashtag="#ceramics", amount="5")
        anna.presses("Show what would happen")
        anna.sees("Nothing was sent.")
        anna.examines()
        anna.presses("Add the task")
        anna.sees("Task taken: Follow 5 from #ceramics.")

        # The actions appear on the page she has open: it is never loaded again.
        anna.page.evaluate("window.stayed = true")
        actions = anna.page.locator("#actions-part li", has_text="Confirmed")
        seen_at_first = actions.count()
        expect(actions).to_have_count(5, timeout=40_000)
        assert seen_at_first < 5
        assert anna.page.evaluate("window.stayed"), "the page was loaded again"
        expect(anna.page.locator("#tasks-part")).to_contain_text("5 of 5")
        anna.examines()

        # The log has them, and what was refused before with its code.
        anna.goes_to("/activity/?action=follow")
        expect(anna.page.locator("main ol.rows > li")).to_have_count(5)
        anna.goes_to("/activity/")
        anna.sees("E-IG-E-0004")
        anna.examines()
        anna.goes_to("/instagram/")
        anna.examines()
        anna.goes_to("/dashboard/")
        anna.sees("5 of 5 actions are confirmed")
        anna.examines()

        # She stops the bot and logs out at Instagram; without a session it does not start.
        anna.goes_to("/automation/anna.clay/")
        anna.presses("Stop")
        anna.sees("The bot of @anna.clay is stopped.")
        anna.follows("Disconnect")
        anna.page.get_by_role("dialog").get_by_role("button", name="Disconnect").click()
        anna.sees("@anna.clay is disconnected.")
        anna.goes_to("/automation/anna.clay/")
        anna.presses("Start")
        anna.sees("E-SESS-E-0001")
        anna.page.locator("#toasts").get_by_role("link", name="E-SESS-E-0001").click()
        anna.sees("SESSION_INVALID")
        anna.examines()

    ledger = stack.instagram.ledger("anna.clay")
    with everywhere():
        journal = [str(pk) for pk in Action.objects.filter(state="confirmed").values_list("target_pk", flat=True)]
        assert Action.objects.count() == len(journal) == 5
        rows = ActivityLog.objects.filter(workspace_id=Workspace.objects.get().pk).order_by("id")
        told = list(rows.values_list("action", "status", "error_code"))
    assert (sorted(ledger.targets("follow")), ledger.duplicates) == (sorted(journal), [])
    assert told == [
        ("user_created", "ok", ""),
        ("connect", "info", "E-IG-I-0003"),
        ("connect", "warning", "E-IG-E-0004"),
        ("connect", "ok", ""),
        ("test_session", "ok", ""),
        ("bot_settings", "ok", ""),
        ("bot_start", "ok", ""),
        ("preview", "ok", ""),
        ("task", "ok", ""),
        *[("follow", "ok", "")] * 5,
        ("task", "ok", ""),
        ("bot_stop", "ok", ""),
        ("disconnect", "ok", ""),
        ("bot_start", "error", "E-SESS-E-0001"),
    ]


def test_on_a_phone_everything_is_in_reach(browser: Browser, stack: Stack, alice: User, alices_bot: Bot) -> None:
    with visit(browser, stack.site, PHONE) as visitor:
        visitor.goes_to("/login")
        visitor.examines()
        visitor.types(login="alice@example.com", password="correct horse battery 9")
        visitor.presses("Sign in")
        visitor.sees("Today")
        visitor.examines()
        for word in ("Instagram", "Automation", "Activity"):
            visitor.presses("Open menu")
            visitor.page.get_by_role("navigation", name="Main").get_by_role("link", name=word).click()
            expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
            expect(visitor.page.get_by_role("navigation", name="Main")).to_be_hidden()
            visitor.examines()
