"""The second factor in a browser: an authenticator app, recovery codes, and a passkey on a virtual device."""

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User
from accounts.tests.factor import code_of
from e2e.conftest import Stack
from e2e.visitor import DESK, Visitor, visit
from instagrowth.testing import PASSWORD
from instagrowth.testing_processes import eventually

pytestmark = pytest.mark.browser
NARROW = (360, 780)
SIZES = pytest.mark.parametrize("size", [DESK, NARROW], ids=["desk", "360"])


def signs_in(visitor: Visitor) -> None:
    visitor.goes_to("/login")
    visitor.types(login="alice@example.com", password=PASSWORD)
    visitor.presses("Sign in")


def signs_out(visitor: Visitor) -> None:
    visitor.goes_to("/logout")
    visitor.page.locator("main").get_by_role("button").first.click()
    visitor.sees("Forgot password")


def proves_the_password(visitor: Visitor) -> None:
    visitor.sees("Confirm that it is you")
    visitor.examines()
    visitor.types(password=PASSWORD)
    visitor.presses("Continue")


@SIZES
def test_an_app_is_turned_on_and_asked_for_at_the_next_sign_in(
    browser: Browser, stack: Stack, alice: User, size: tuple[int, int]
) -> None:
    with visit(browser, stack.site, size) as visitor:
        signs_in(visitor)
        visitor.goes_to("/accounts/2fa/")
        visitor.examines()
        visitor.follows("Turn on")
        proves_the_password(visitor)
        expect(visitor.page.locator(".qr svg")).to_be_visible()
        visitor.examines()
        secret = visitor.page.locator("#authenticator_secret").inner_text().split()[0]
        used = code_of(secret)
        visitor.types(code=used)
        visitor.presses("Turn on")
        visitor.sees("10 of 10 left")
        visitor.examines()
        spares = visitor.page.locator("#recovery_codes pre").inner_text().split()
        assert len(spares) == 10

        signs_out(visitor)
        signs_in(visitor)
        visitor.sees("Second step")
        visitor.examines()
        visitor.types(code=used)
        visitor.presses("Continue")
        visitor.sees("E-AUTH-E-0003")
        visitor.examines()
        visitor.types(code=_a_newer_code(secret, used))
        visitor.presses("Continue")
        visitor.sees("Today")

        # A recovery code opens the account once; the second factor goes only with another code.
        signs_out(visitor)
        signs_in(visitor)
        visitor.types(code=spares[0])
        visitor.presses("Continue")
        visitor.sees("Today")
        visitor.goes_to("/accounts/2fa/")
        visitor.sees("9 of 10 left")
        visitor.examines()
        visitor.follows("Turn off")
        visitor.sees("Confirm that it is you")
        visitor.examines()
        visitor.types(code=spares[1])
        visitor.presses("Continue")
        visitor.sees("Turn off the authenticator app?")
        visitor.examines()
        visitor.presses("Turn off")
        visitor.sees("The authenticator app is off.")
    assert not alice.is_two_factor_enabled


def _a_newer_code(secret: str, used: str) -> str:
    """The next code: it is taken up to 30 seconds early."""
    eventually(lambda: code_of(secret, later=1) != used)
    return code_of(secret, later=1)


@SIZES
def test_a_passkey_signs_in_after_the_password_and_alone(
    browser: Browser, stack: Stack, alice: User, size: tuple[int, int]
) -> None:
    with visit(browser, stack.site, size) as visitor:
        device = with_virtual_device(visitor)
        signs_in(visitor)
        visitor.goes_to("/accounts/2fa/webauthn/")
        visitor.sees("No passkey yet")
        visitor.examines()
        visitor.follows("Add a passkey")
        proves_the_password(visitor)
        visitor.sees("Sign in with it alone")
        visitor.examines()
        visitor.types(name="My phone")
        visitor.page.locator("[name=passwordless]").check()
        visitor.presses("Continue on your device")
        visitor.sees("10 of 10 left")
        visitor.goes_to("/accounts/2fa/webauthn/")
        visitor.sees("Signs in alone")
        visitor.examines()

        signs_out(visitor)
        visitor.examines()
        visitor.presses("Sign in with a passkey")
        visitor.sees("Today")

        signs_out(visitor)
        signs_in(visitor)
        visitor.sees("Second step")
        visitor.examines()
        visitor.presses("Use a passkey")
        visitor.sees("Today")

        # A device that does not know its owner is told of in words, and nothing happens.
        signs_out(visitor)
        device("WebAuthn.setUserVerified", isUserVerified=False)
        visitor.presses("Sign in with a passkey")
        visitor.sees("Your device did not confirm the passkey.")
        visitor.examines()
        device("WebAuthn.setUserVerified", isUserVerified=True)
        visitor.presses("Sign in with a passkey")
        visitor.sees("Today")

        visitor.goes_to("/accounts/2fa/webauthn/")
        visitor.page.locator("main").get_by_role("link", name="Rename My phone").click()
        visitor.sees("Confirm that it is you")
        visitor.follows("Use a passkey")
        visitor.examines()
        visitor.presses("Use a passkey")
        visitor.sees("Rename this passkey")
        visitor.examines()
        visitor.types(name="Old phone")
        visitor.presses("Save")
        visitor.page.locator("main").get_by_role("link", name="Remove Old phone").click()
        visitor.sees("Remove “Old phone”?")
        visitor.examines()
        visitor.presses("Remove")
        visitor.sees("No passkey yet")
    assert not alice.is_two_factor_enabled


def with_virtual_device(visitor: Visitor) -> Any:
    """Give the browser a device that keeps passkeys and knows its owner; a way to speak to it."""
    line = visitor.context.new_cdp_session(visitor.page)
    line.send("WebAuthn.enable")
    made = line.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return lambda word, **how: line.send(word, {"authenticatorId": made["authenticatorId"], **how})
