"""A browser that was left open makes and does nothing grave: without a fresh code each such address asks for one."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from django.urls import reverse

from adminpanel import presence, roles
from adminpanel.models import StaffMember
from adminpanel.pages.base import Page
from adminpanel.site import site
from adminpanel.tests.control_room import inside, key_of
from adminpanel.tests.test_roles import rows as rows  # a row of each table

pytestmark = pytest.mark.django_db

# What may be done without one: it hands nobody's way in to anybody, can be turned back on the same page, and asks for
# a reason. Whatever is not named here asks, a deed that somebody adds tomorrow too.
NEEDS_NONE = {
    "users.add", "users.change_plan", "users.sign_out", "users.block", "users.unblock", "workspaces.change_plan",
    "memberships.remove", "accounts.test_session", "accounts.take_proxy", "sessions.verify", "sessions.release",
    "sessions.freeze", "sessions.ban", "api_pairs.add", "api_pairs.pause", "api_pairs.resume", "bots.add", "bots.start",
    "bots.stop", "bots.give_pair", "bots.take_pair", "tasks.stop", "limits.add", "limits.delete", "plans.add",
    "plans.activate", "plans.deactivate", "subscriptions.change_plan", "subscriptions.extend", "subscriptions.cancel",
    "subscriptions.resume", "drifts.repair", "announcements.add", "announcements.end", "error_groups.handle",
    "staff.sign_out", "bulk_jobs.stop",
}  # fmt: skip


@pytest.fixture
def left_open(nobody_guessed: None) -> Client:
    """An owner's browser, ten minutes after the last code."""
    client = inside("olga")
    session = SessionStore(key_of(client))
    session[presence.MARK] |= {"proved": 0}
    session.save()
    return client


def doors(page: Page, row: Any) -> Iterator[tuple[str, str]]:
    """What can be made or done on a page: its name in the table of roles, and where."""
    name = f"admin:{page.model._meta.app_label}_{page.model._meta.model_name}"
    if "add" in roles.MAY[page.page]:
        yield f"{page.page}.add", reverse(f"{name}_add")
    for deed in page.deeds:
        yield f"{page.page}.{deed.name}", page.address(row, deed.name)


def test_all_that_is_grave_asks_for_a_fresh_code(left_open: Client, rows: dict[type, Any]) -> None:
    asks, asks_none = set(), set()
    for model, page in site._registry.items():
        for deed, where in doors(page, rows[model]):
            for method in (left_open.get,) if deed in NEEDS_NONE else (left_open.get, left_open.post):
                sent = method(where).headers.get("Location", "").startswith("/admin/prove/?next=")
                (asks if sent else asks_none).add(deed)

    assert asks_none == NEEDS_NONE
    assert asks & asks_none == set()
    assert {"staff.add", "networks.add", "sessions.add", "users.reset_password", "memberships.give_role"} <= asks


def test_whoever_sits_down_at_an_open_browser_makes_no_owner(left_open: Client) -> None:
    where = reverse("admin:adminpanel_staffmember_add")
    asked = {"email": "thief@example.com", "role": roles.Role.OWNER}

    assert left_open.post(where, asked)["Location"].startswith("/admin/prove/")
    assert not StaffMember.objects.filter(email="thief@example.com").exists()
