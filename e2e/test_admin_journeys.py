"""Journeys through the control room in a browser: from the first sign-in to bots that move, and every page there is."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.urls import get_resolver, resolve
from playwright.sync_api import Browser, Page, expect

from accounts.models import Announcement, User
from adminpanel import roles, staff
from adminpanel.models import AllowedNetwork, BulkJob
from adminpanel.site import site
from adminpanel.tests import session_files
from adminpanel.tests.control_room import code_for, inside
from adminpanel.tests.test_roles import rows as rows  # a row of each table
from billing.models import Drift, Invoice, Plan
from bots.models import Bot, Session
from e2e.conftest import Stack
from e2e.visitor import DESK, Visitor, visit
from instagrowth.testing import everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.browser
NARROW = (360, 780)
OWN = "a sentence of my own 7"
# What no link leads to: the doors before one is inside, what only a form sends, and the deed to a limit that is a
# workspace's own (the first on the list is everybody's).
NOT_CLICKED = {
    "bots_dailylimit_do",
    "login",
    "enrol",
    "logout",
    "prove",
    "password_change_done",
    "jsi18n",
    "app_list",
    "search",
    "view_on_site",
}


@contextmanager
def on_duty(browser: Browser, stack: Stack, size: tuple[int, int] = DESK) -> Iterator[Visitor]:
    """An owner of the control room, signed in a moment ago."""
    cookie = inside(User.objects.filter(email="olga@staff.example.com").first() or "olga").cookies
    with visit(browser, stack.site, size) as olga:
        value = cookie[settings.STAFF_COOKIE_NAME].value
        olga.context.add_cookies([{"name": settings.STAFF_COOKIE_NAME, "value": value, "url": stack.site}])
        yield olga


def opens(olga: Visitor, name: str) -> None:
    """From the index, by its link."""
    olga.goes_to("/admin/")
    olga.page.get_by_role("link", name=name, exact=True).first.click()


def fills(page: Page, **words: str) -> None:
    for name, word in words.items():
        page.locator(f'[name="{name}"]').fill(word)


def chooses(page: Page, name: str, *words: str) -> None:
    page.locator(f'[name="{name}"]').select_option(list(words))


def test_the_first_sign_in_sets_up_an_authenticator_and_a_password(browser: Browser, stack: Stack) -> None:
    handed = staff.invite("nora@staff.example.com", roles.Role.OPERATIONS)
    with visit(browser, stack.site, NARROW) as nora:
        nora.goes_to("/admin/")
        fills(nora.page, email="nora@staff.example.com", password=handed.password)
        nora.presses("Sign in")
        nora.sees("Scan this picture")
        nora.examines()
        nora.sees("No camera?").click()
        secret = re.search(r"secret=([A-Z2-7]+)", nora.page.locator("code").inner_text())
        assert secret
        key = base64.b32decode(secret[1])
        fills(nora.page, code=code_for(key), new_password=OWN, again=OWN)
        nora.presses("Finish")
        expect(nora.page).to_have_url(f"{stack.site}/admin/")
        nora.sees("bots run")

    with visit(browser, stack.site) as again:
        again.goes_to("/admin/")
        fills(again.page, email="nora@staff.example.com", password=handed.password, code=code_for(key, 1))
        again.presses("Sign in")
        again.sees("E-AUTH-E-0001")
        again.complaints.clear()  # the browser's own word about an answer with 400
        fills(again.page, password=OWN, code=code_for(key, 1))
        again.presses("Sign in")
        again.sees("bots run")


def makes(olga: Visitor, name: str, plan: str) -> dict[str, str]:
    """A member without an e-mail; what is shown once."""
    opens(olga, "Users")
    olga.page.locator("a[href$='/admin/accounts/user/add/']").first.click()
    fills(olga.page, name=name)
    chooses(olga.page, "plan", plan)
    olga.presses("Make it")
    olga.sees("Hand this over")
    names, values = (olga.page.locator(part).all_inner_texts() for part in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


def moves(olga: Visitor, name: str, zone: str) -> None:
    """Edit a member over the list, after a zone that there is not; the list stays."""
    opens(olga, "Users")
    olga.page.get_by_role("link", name=f"What can be done with {name}").click()
    olga.page.get_by_role("dialog").get_by_role("link", name="Edit").click()
    fills(olga.page, timezone="Nowhere/Else", reason="They moved")
    olga.presses("Edit")
    olga.sees("Nowhere/Else is not a time zone we know")
    olga.examines()
    olga.complaints.clear()  # the browser's own word about an answer with 400
    fills(olga.page, timezone=zone)
    olga.presses("Edit")
    olga.sees(f"{name} is changed.")
    assert urlsplit(olga.page.url).path == "/admin/accounts/user/"


def signs_in_first(ada: Visitor, told: dict[str, str]) -> None:
    """By the access code in small letters, and with a password of one's own in place of the first."""
    ada.goes_to("/login")
    ada.types(login=told["Access code"].lower(), password=told["One-time password"])
    ada.presses("Sign in")
    ada.types(oldpassword=told["One-time password"], password1=OWN, password2=OWN)
    ada.page.locator("main form button[type=submit]").first.click()


def sees_of_her_plan(ada: Visitor, words: str) -> None:
    ada.goes_to("/billing/")
    ada.sees(words)


def test_a_member_without_an_email_signs_in_and_sees_what_staff_change(browser: Browser, stack: Stack) -> None:
    with on_duty(browser, stack) as olga, visit(browser, stack.site, NARROW) as ada:
        told = makes(olga, "Ada Fern", "growth")
        moves(olga, "Ada Fern", "Europe/Lisbon")
        olga.page.get_by_role("link", name="Ada Fern", exact=True).click()
        olga.sees(told["Access code"])
        expect(olga.page.get_by_text(told["One-time password"])).to_have_count(0)
        signs_in_first(ada, told)
        sees_of_her_plan(ada, "Growth")

        # Another plan, and what the person sees of it. A button from before her first sign-in does nothing.
        olga.page.get_by_role("link", name="Change plan").click()
        olga.sees("while you had it open")
        olga.page.get_by_role("link", name="Change plan").click()
        chooses(olga.page, "plan", "starter")
        fills(olga.page, reason="Asked for a smaller one")
        olga.presses("Change plan")
        olga.sees("is on the plan starter")
        sees_of_her_plan(ada, "Starter")

        # The plan itself is changed: everybody on it has what it says now.
        opens(olga, "Plans")
        olga.page.get_by_role("link", name="Starter", exact=True).click()
        fills(olga.page, account_limit="17")
        olga.page.locator("[name=_save]").click()
        olga.sees("was changed successfully")
        sees_of_her_plan(ada, "/ 17")
        ada.examines()
    Plan.objects.filter(key="starter").update(account_limit=3)


def drop(page: Page, files: list[tuple[str, str]]) -> None:
    """Let files fall on the page, as from a folder."""
    held = page.evaluate_handle(
        "files => { const held = new DataTransfer(); for (const [name, text] of files)"
        " held.items.add(new File([text], name, {type: 'application/json'})); return held; }",
        [list(file) for file in files],
    )
    page.dispatch_event("[data-drop]", "drop", {"dataTransfer": held})


def test_from_dropped_files_to_a_bot_whose_session_moves(
    browser: Browser, stack: Stack, alice: User, instagram: Control
) -> None:
    first, second, third = (
        json.dumps(session_files.real_settings(instagram, name)) for name in ("ada.one", "ada.two", "ada.three")
    )
    with on_duty(browser, stack) as olga:
        opens(olga, "Sessions")
        olga.page.locator("a[href$='/admin/bots/session/add/']").first.click()
        drop(
            olga.page,
            [
                ("one.json", first),
                ("two.json", second),
                ("again.json", first),
                ("bad.json", "{no"),
                ("big.json", " " * 70_000),
            ],
        )
        olga.presses("Upload")
        olga.sees("2 of 5 taken into the pool.")
        for name, word in {
            "one.json": "taken",
            "again.json": "refused",
            "bad.json": "refused",
            "big.json": "refused",
        }.items():
            expect(olga.page.locator("li", has_text=name).first).to_contain_text(word)
        olga.examines()

        olga.page.get_by_role("link", name="taken").first.click()
        olga.page.get_by_role("link", name="Verify").click()
        fills(olga.page, reason="Before it is used")
        olga.presses("Verify")
        olga.sees("ada.one")

        opens(olga, "API pairs")
        olga.page.locator("a[href$='/admin/bots/apipair/add/']").first.click()
        fills(olga.page, app_id="778899", app_secret="0123456789abcdef0123456789abcdef", capacity="5")
        olga.presses("Make it")
        olga.sees("778899")

        # A second window watches the pool while bots are made: nobody loads it again.
        watching = olga.context.new_page()
        watching.goto("/admin/bots/session/")
        status = watching.locator("td[data-label=Status]")
        expect(status.filter(has_text="unused")).to_have_count(2)
        opens(olga, "Bots")
        olga.page.locator("a[href$='/admin/bots/bot/add/']").first.click()
        fills(olga.page, user="alice@example.com", display_name="Kiln")
        drop(olga.page, [("three.json", third)])
        with everywhere():
            wanted = str(Session.objects.get(username="ada.one").pk)
        chooses(olga.page, "sessions", wanted)
        olga.presses("Make it")
        expect(olga.page.get_by_text("is made").first).to_be_visible()
        expect(status.filter(has_text="assigned")).to_have_count(1, timeout=20_000)
    with everywhere():
        assert Bot.objects.count() == 2
        assert set(Bot.objects.values_list("api_pair__app_id", flat=True)) == {"778899"}


@pytest.fixture
def _swept(stack: Stack) -> Iterator[None]:
    """What belongs to no workspace and to nobody goes again."""
    yield
    with everywhere():
        for model in (AllowedNetwork, Announcement, BulkJob, Drift, Invoice):
            model.objects.all().delete()


@pytest.mark.usefixtures("_swept")
def test_an_allow_list_that_would_lock_its_maker_out_is_not_kept(browser: Browser, stack: Stack) -> None:
    with on_duty(browser, stack) as olga:
        opens(olga, "Allow-list")
        here = olga.sees("You come from").inner_text().partition("You come from ")[2].split()[0].rstrip(".")
        olga.page.locator("a[href$='/allowednetwork/add/']").first.click()
        fills(olga.page, network="203.0.113.0/24", note="The office")
        olga.presses("Make it")
        olga.sees("E-SEC-E-0020")
        olga.complaints.clear()  # the browser's own word about an answer with 400
        fills(olga.page, network=here)
        olga.presses("Make it")
        olga.sees("is made")
        assert here in stack.command("allowlist", "list")

        # Somebody else's hand closes it; the server itself opens it again.
        AllowedNetwork.objects.update(network="203.0.113.0/24")
        assert olga.page.goto("/admin/").status == 403  # type: ignore[union-attr]
        stack.command("allowlist", "remove", "203.0.113.0/24")
        assert olga.page.goto("/admin/").status == 200  # type: ignore[union-attr]
        olga.complaints.clear()


def names(pattern: Any, inside_admin: bool = False) -> Iterator[str]:
    """The names of all addresses of the control room."""
    for one in pattern.url_patterns:
        here = inside_admin or str(one.pattern) == "admin/"
        if hasattr(one, "url_patterns"):
            yield from names(one, here) if here else ()
        elif here and one.name and not str(one.pattern).startswith("api/"):
            yield one.name


def unoffered() -> Iterator[str]:
    """Addresses of tables that no link leads to: a form sends them, or the table of roles gives them to nobody."""
    for model, page in site._registry.items():
        offers = {
            "add": "add" in roles.MAY[page.page],
            "export": "export" in roles.MAY[page.page],
            "do": bool(page.deeds),
            "all": any(deed.bulk for deed in page.deeds),
            "views": False,
        }
        for what, is_offered in offers.items():
            if not is_offered:
                yield f"{model._meta.app_label}_{model._meta.model_name}_{what}"


def walk(olga: Visitor, site: str) -> Iterator[tuple[str, str]]:
    """Click from page to page, the first of each kind; its name and address."""
    waiting, seen = ["/admin/"], set()
    while waiting:
        path = waiting.pop(0)
        found = resolve(urlsplit(path).path)
        kind = f"{found.url_name} {found.kwargs.get('deed', '')}".strip()
        if kind in seen:
            continue
        seen.add(kind)
        if kind.endswith("_export"):  # a file, not a page
            assert olga.context.request.get(path).status == 200, path
            yield kind, path
            continue
        answer = olga.page.goto(path)
        assert answer is not None, path
        assert answer.status == 200, (path, answer.status)
        links = olga.page.locator("a[href]").evaluate_all("all => all.map(one => one.href)")
        waiting += [link.removeprefix(site) for link in links if link.startswith(f"{site}/admin/") and "#" not in link]
        yield kind, path


def sideways(olga: Visitor) -> int:
    """How far a page scrolls sideways, in pixels."""
    wide: int = olga.page.evaluate("document.scrollingElement.scrollWidth - document.documentElement.clientWidth")
    return wide


@contextmanager
def as_on_a_phone(olga: Visitor) -> Iterator[None]:
    """The same page, as narrow as a phone and light."""
    width, height = NARROW
    olga.page.set_viewport_size({"width": width, "height": height})
    olga.page.wait_for_function(f"innerWidth === {width}")
    olga.page.emulate_media(color_scheme="light")
    yield
    olga.page.emulate_media(color_scheme="dark")
    olga.page.set_viewport_size({"width": DESK[0], "height": DESK[1]})


@pytest.mark.usefixtures("_swept")
def test_every_page_is_reached_by_clicking_and_is_whole(browser: Browser, stack: Stack, rows: dict[type, Any]) -> None:
    """On a dark desk, and on a light phone: one walk, each page as wide as both."""
    reached, at_the_desk, on_a_phone = set(), set[str](), set[str]()
    with on_duty(browser, stack) as olga:
        for kind, path in walk(olga, stack.site):
            name, _, deed = kind.partition(" ")
            reached.add(name)
            if name.endswith("_export"):
                continue
            assert (sideways(olga), path) == (0, path)
            # At the desk each table's list and row are read by axe, on the phone one list and one row.
            alike = name.rpartition("_")[2]
            looks = alike if deed or not name.endswith(("_changelist", "_change")) else name
            if looks not in at_the_desk:
                at_the_desk.add(looks)
                olga.examines(("dark",))
            with as_on_a_phone(olga):
                if alike not in on_a_phone:
                    on_a_phone.add(alike)
                    olga.page.reload()  # what a script decides by the width
                    olga.examines(("light",))
                assert (sideways(olga), path) == (0, path)
        with as_on_a_phone(olga):  # the control
            olga.page.evaluate("document.body.style.minWidth = '400px'")
            assert sideways(olga) == 40
    assert set(names(get_resolver())) - reached - NOT_CLICKED - set(unoffered()) == set()
