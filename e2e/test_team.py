"""A team in a browser: Alice invites somebody who only looks, and they look."""

import re

import pytest
from playwright.sync_api import Browser, expect

from accounts import mails
from accounts.models import Mail, Membership, User
from bots.models import Bot
from e2e.conftest import Stack
from e2e.visitor import DESK, PHONE, Visitor, visit
from instagrowth.testing import PASSWORD, everywhere
from instagrowth.testing_processes import eventually

pytestmark = pytest.mark.browser
SMALL = (360, 740)
BOT = "/automation/alice.clay/"
PAGES = ("/dashboard/", "/instagram/", BOT, "/activity/", "/settings/workspace/", "/settings/team/")
DEEDS = ("Start", "Stop", "Test session", "Add the task", "Disconnect", "Send the invitation", "Save")


def link_in_mail(address: str) -> str:
    """The path of the invitation that waits in the mail catcher."""
    with everywhere():
        eventually(lambda: Mail.objects.filter(to=address).exists())
        message = mails.words(Mail.objects.filter(to=address).latest("created_at"))
    found = re.search(r"(/invitations/[\w-]{43}/)", str(message["body"]))
    assert found
    return found[1]


def sees_only(dora: Visitor) -> None:
    """Every page opens, none has a control, and what a control would send is refused."""
    for path in PAGES:
        dora.goes_to(path)
        expect(dora.page.get_by_role("heading", level=1)).to_be_visible()
        for word in DEEDS:
            buttons = dora.page.locator("main").get_by_role("button", name=word, exact=True)
            expect(buttons.filter(visible=True)).to_have_count(0)
        dora.examines()
    for path in (f"{BOT}start/", "/settings/team/invite/", "/settings/workspace/"):
        answer = dora.page.evaluate(
            """path => fetch(path, {method: "POST", headers: {
                "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content}}).then(got => got.status)""",
            path,
        )
        assert answer == 403, path
    dora.complaints = [said for said in dora.complaints if "403" not in said]  # the browser notes what was refused


@pytest.mark.parametrize("size", [DESK, SMALL], ids=["desk", "phone"])
def test_a_teammate_is_invited_and_looks(
    browser: Browser, stack: Stack, alice: User, alices_bot: Bot, size: tuple[int, int]
) -> None:
    with visit(browser, stack.site, size) as hers:
        hers.sign_in(alice)
        hers.goes_to("/settings/team/")
        hers.examines()
        hers.types(email="dora@example.com")
        hers.page.locator("main select[name=role]").first.select_option("viewer")
        hers.presses("Send the invitation")
        hers.sees("dora@example.com has an invitation by mail.")
        hers.examines()

    with visit(browser, stack.site, size) as dora:
        dora.goes_to(link_in_mail("dora@example.com"))
        dora.sees("Alice invites dora@example.com as viewer.")
        dora.examines()
        dora.presses("Make an account")
        expect(dora.page.locator("main [name=email]")).to_have_value("dora@example.com")
        dora.types(password1=PASSWORD)
        dora.presses("Make my account")
        dora.sees("You are signed in as dora@example.com.")
        dora.examines()
        dora.presses("Accept")
        dora.sees("You work in Alice's workspace as viewer.")
        sees_only(dora)

    with everywhere():
        assert Membership.objects.get(user__email="dora@example.com").role == "viewer"
        alices_bot.refresh_from_db()
    assert alices_bot.status == Bot.Status.STOPPED


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_the_switcher_opens_with_the_keyboard_and_leads_to_another_workspace(
    browser: Browser, stack: Stack, alice: User, size: tuple[int, int]
) -> None:
    with visit(browser, stack.site, size) as hers:
        hers.sign_in(alice)
        hers.goes_to("/workspace/new")
        hers.examines()
        hers.types(name="Second studio")
        hers.presses("Make a workspace")
        hers.sees("Second studio is made, and you own it.")
        hers.page.wait_for_load_state()  # the list comes by htmx
        if size == PHONE:
            hers.presses("Open menu")
        menu = hers.page.locator("#sidebar details.menu").first
        menu.locator("summary").focus()
        hers.page.keyboard.press("Enter")
        expect(menu.get_by_role("button")).to_have_count(2)
        hers.examines()
        hers.page.keyboard.press("Tab")
        hers.page.keyboard.press("Enter")  # the first by name
        hers.sees("You work in Alice's workspace now.")
        hers.goes_to("/workspace/mine")
        hers.examines()
