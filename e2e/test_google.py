"""Google in a browser: from the sign-in page by its chooser to the dashboard, out and in again, linked and unlinked."""

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User
from e2e.conftest import Stack
from e2e.visitor import DESK, Visitor, visit
from instagrowth.testing import PASSWORD, member

pytestmark = pytest.mark.browser
SMALL = (360, 740)


def signs_out(person: Visitor) -> None:
    """The menu's way out, pressed by what the page itself has for it."""
    person.page.locator('form[action="/logout"] button').first.evaluate("button => button.form.requestSubmit(button)")
    is_at(person, "/accounts/login/")


def is_at(person: Visitor, path: str) -> None:
    expect(person.page).to_have_url(f"{person.site}{path}")


@pytest.mark.parametrize("size", [DESK, SMALL], ids=["desk", "360"])
def test_from_the_sign_in_page_to_the_dashboard_and_again(
    browser: Browser, stack: Stack, size: tuple[int, int]
) -> None:
    stack.instagram.google_person("nora.new@example.com", name="Nora New")
    with visit(browser, stack.site, size) as nora:
        for _ in range(2):  # the first time she signs up, the second time she is known
            nora.goes_to("/login")
            nora.examines()
            nora.presses("Continue with Google")
            nora.sees("Choose an account")
            nora.page.get_by_role("button", name="Nora New").click()
            is_at(nora, "/dashboard/")
            nora.sees("No Instagram account is connected yet, so nothing has happened.")
            signs_out(nora)

        # She turns back at Google, and is where she can begin again.
        nora.presses("Continue with Google")
        nora.presses("Cancel")
        nora.sees("You turned back at Google. Nothing was changed.")
        nora.examines()

    assert [(user.email, user.name) for user in User.objects.all()] == [("nora.new@example.com", "Nora New")]


@pytest.mark.parametrize("size", [DESK, SMALL], ids=["desk", "360"])
def test_linked_in_the_settings_it_signs_in_unlinked_it_does_not(
    browser: Browser, stack: Stack, size: tuple[int, int]
) -> None:
    alice = member("alice")
    stack.instagram.google_person("alice.private@gmail.example", name="Alice Private")
    with visit(browser, stack.site, size) as visitor:
        visitor.sign_in(alice)
        visitor.goes_to("/accounts/3rdparty/")
        visitor.examines()
        visitor.presses("Link Google")
        visitor.sees("Confirm that it is you")
        visitor.types(password=PASSWORD)
        visitor.presses("Continue")
        visitor.page.get_by_role("button", name="Alice Private").click()
        visitor.sees("Google is linked. It opens your account from now on.")
        visitor.sees("alice.private@gmail.example")
        visitor.examines()

        signs_out(visitor)
        visitor.presses("Continue with Google")
        visitor.page.get_by_role("button", name="Alice Private").click()
        is_at(visitor, "/dashboard/")

        visitor.goes_to("/accounts/3rdparty/")
        visitor.presses("Unlink")
        visitor.sees("Confirm that it is you")
        visitor.types(password=PASSWORD)
        visitor.presses("Continue")
        visitor.sees("Google is unlinked.")

    assert (User.objects.count(), alice.google_id) == (1, None)
