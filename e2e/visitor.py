"""A person in front of a browser, who notices what no page may do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Locator, Page, expect

from accounts.models import User

DESK, PHONE = (1280, 900), (390, 844)
expect.set_options(timeout=15_000)


class Visitor:
    """One window with its own cookies. `complaints` are errors of scripts and violations of the content policy."""

    def __init__(self, browser: Browser, site: str, size: tuple[int, int]) -> None:
        self.site = site
        width, height = size
        self.context = browser.new_context(
            base_url=site,
            viewport={"width": width, "height": height},
            has_touch=size == PHONE,
            reduced_motion="reduce",
            color_scheme="dark",
        )
        self.context.set_default_timeout(15_000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("console", self._overhear)

    def sign_in(self, user: User) -> None:
        """Carry the cookie of somebody who signed in before."""
        client = Client()
        client.force_login(user)
        cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": self.site}])

    def goes_to(self, path: str) -> None:
        self.page.goto(path)

    def sees(self, text: str) -> Locator:
        """Wait until a text can be seen."""
        found = self.page.get_by_text(text).filter(visible=True).first
        expect(found).to_be_visible()
        return found

    def types(self, **words: str) -> None:
        """Fill fields by their names."""
        for name, word in words.items():
            self.page.locator(f'main [name="{name}"]').fill(word)

    def presses(self, word: str) -> None:
        """Click the button that says so."""
        self.page.get_by_role("button", name=word, exact=True).filter(visible=True).first.click()

    def follows(self, word: str) -> None:
        """Click the link of the page, not of the menu round it, that says so."""
        self.page.locator("main").get_by_role("link", name=word, exact=True).filter(visible=True).first.click()

    def confirms(self, address: str) -> None:
        """Open the link of the newest mail to this address, and say that it is theirs."""
        self.opens_mail(address)
        self.page.locator("#words a").first.click()
        self.presses("Yes, it is mine")

    def opens_mail(self, address: str) -> None:
        """Open the newest mail to this address in the catcher."""
        self.goes_to("/mails/")
        self.page.locator("#mails li", has_text=address).get_by_role("link").first.click()
        self.sees("Sandbox: this mail was not sent.")

    def examines(self, themes: tuple[str, ...] = ("light", "dark")) -> None:
        """Read the page with axe, dark and light, and look whether it scrolls sideways."""
        self.page.wait_for_load_state()
        for theme in themes:
            self.page.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
            found = [violation for violation in Axe().run(self.page).response["violations"] if _is_grave(violation)]
            assert found == [], (self.page.url, theme, [(one["id"], _where(one)) for one in found])
        wide = self.page.evaluate("document.scrollingElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, f"{self.page.url} scrolls {wide} px sideways"

    def _overhear(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(f"{self.page.url}: {message.text}")


def _is_grave(violation: dict[str, Any]) -> bool:
    return violation["impact"] in ("serious", "critical")


def _where(violation: dict[str, Any]) -> list[str]:
    return [node["html"][:160] + " " + node.get("failureSummary", "")[:200] for node in violation["nodes"]]


@contextmanager
def visit(browser: Browser, site: str, size: tuple[int, int] = DESK) -> Iterator[Visitor]:
    """A visit, after which nothing may be complained about."""
    visitor = Visitor(browser, site, size)
    yield visitor
    visitor.context.close()
    assert visitor.complaints == [], visitor.complaints
