"""A workspace's colour and an API token, as the browser has them."""

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import ApiToken
from e2e.conftest import Stack
from e2e.visitor import PHONE, visit
from instagrowth.testing import PASSWORD, member

pytestmark = pytest.mark.browser
RED = "rgb(225, 29, 72)"


def test_the_pages_wear_the_colour_that_was_chosen(browser: Browser, stack: Stack) -> None:
    with visit(browser, stack.site) as alice:
        alice.sign_in(member("alice", plan="enterprise"))
        alice.goes_to("/settings/workspace/")
        example = alice.page.locator(".brand-example .btn-main").first
        expect(example).not_to_have_css("background-color", RED)
        alice.types(accent="#E11D48")
        expect(example).to_have_css("background-color", RED)
        save = alice.page.get_by_role("button", name="Save the brand")
        expect(save).not_to_have_css("background-color", RED)

        save.click()

        alice.sees("Your brand is kept.")
        expect(save).to_have_css("background-color", RED)
        expect(alice.page).to_have_title("Workspace · Alice's workspace")
        alice.examines()


def test_a_token_is_copied_and_revoked(browser: Browser, stack: Stack) -> None:
    with visit(browser, stack.site, PHONE) as alice:
        alice.context.grant_permissions(["clipboard-read", "clipboard-write"])
        alice.sign_in(member("alice"))
        alice.goes_to("/settings/tokens/")
        alice.examines()
        alice.follows("New token")
        alice.types(password=PASSWORD)
        alice.presses("Continue")
        alice.examines()
        alice.types(name="Nightly report")
        alice.presses("Make the token")
        alice.sees("Copy it now")
        alice.examines()
        alice.page.get_by_role("button", name="Copy").first.click()
        alice.sees("Copied.")
        copied = alice.page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith(ApiToken.objects.get().token_key)
        assert len(copied) == 64

        alice.follows("I have it")
        alice.examines()
        alice.presses("Revoke Nightly report")
        alice.presses("Revoke")

        alice.sees("The token Nightly report opens nothing any more.")
        assert not ApiToken.objects.exists()
