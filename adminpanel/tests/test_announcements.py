"""Staff say something to members, as a banner over their pages, and see what was told to whom."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts import announcements, notifications
from accounts.models import Announcement, Notification, User, Workspace
from accounts.tasks import refresh_announcements
from adminpanel.models import AdminLog
from adminpanel.roles import Role
from adminpanel.tests.control_room import do, inside
from instagrowth.testing import everywhere

pytestmark = pytest.mark.django_db
LIST, ADD = "admin:accounts_announcement_changelist", "admin:accounts_announcement_add"


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Nothing is said before, and nothing after."""
    cache.delete("announcements")
    announcements.forget()
    yield
    cache.delete("announcements")
    announcements.forget()


def say(client: Client, run: DjangoCaptureOnCommitCallbacks, **words: Any) -> Any:
    begins = timezone.now() - timedelta(minutes=1)
    form = {
        "title": "Maintenance tonight", "body": "Bots rest at 22:00.", "tone": "warn", "may_put_away": "on",
        "starts_at_0": begins.strftime("%Y-%m-%d"), "starts_at_1": begins.strftime("%H:%M:%S"), **words,
    }  # fmt: skip
    with run(execute=True):
        return client.post(reverse(ADD), form)


def seen_by(user: User, client: Client | None = None) -> str:
    member = client or Client()
    member.force_login(user)
    return member.get("/settings/").content.decode()


def test_a_banner_is_seen_by_members_until_it_is_put_away_or_ended(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    owner, browser = inside("olga"), Client()
    assert say(owner, django_capture_on_commit_callbacks, title="<b>Tonight</b>").status_code == 302
    assert "&lt;b&gt;Tonight&lt;/b&gt;" in seen_by(alice, browser)
    row = Announcement.objects.get()
    assert AdminLog.objects.filter(action="announcements.add", target_id=str(row.pk)).exists()

    there = browser.post(f"/announcements/{row.pk}/put-away/", {"next": "/settings/"})
    assert (there.status_code, there["Location"]) == (302, "/settings/")
    assert "Tonight" not in browser.get("/settings/").content.decode()
    assert "Tonight" in seen_by(alice)  # another browser

    with django_capture_on_commit_callbacks(execute=True):
        do(owner, row, "end")
    assert "Tonight" not in seen_by(alice)


def test_it_is_said_to_the_plans_and_roles_that_were_chosen(
    alice: User, bob: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    owner = inside("olga")
    say(owner, django_capture_on_commit_callbacks, title="For Starter", plans=["starter"])
    say(owner, django_capture_on_commit_callbacks, title="For owners of Growth", plans=["growth"], roles=["owner"])
    tomorrow = timezone.now() + timedelta(days=1)
    say(owner, django_capture_on_commit_callbacks, title="For tomorrow", starts_at_0=tomorrow.strftime("%Y-%m-%d"))

    hers, his = seen_by(alice), seen_by(bob)

    assert [title in hers for title in ("For Starter", "For owners of Growth", "For tomorrow")] == [False, True, False]
    assert "For owners of Growth" not in his


def test_what_makes_no_sense_is_refused(
    alice: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    owner = inside("olga")
    for wrong in ({"path": "https://evil.example/"}, {"path": "//evil.example/"}, {"path": "/\\evil.example"},
                  {"plans": ["no such plan"]}, {"roles": ["admin"]}, {"title": ""}, {"tone": "loud"},
                  {"ends_at_0": "2020-01-01", "ends_at_1": "10:00"}):  # fmt: skip
        assert say(owner, django_capture_on_commit_callbacks, **wrong).status_code == 200
    assert not Announcement.objects.exists()
    assert say(inside("ben", Role.BILLING), django_capture_on_commit_callbacks).status_code == 403
    member = Client()
    member.force_login(alice)
    there = member.post("/announcements/1/put-away/", {"next": "https://evil.example/"})
    assert there["Location"] == "/dashboard/"


def test_a_flushed_cache_learns_it_again_and_pages_ask_the_database_nothing(
    alice: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    django_assert_num_queries: Any,
) -> None:
    say(inside("olga"), django_capture_on_commit_callbacks)
    cache.delete("announcements")
    announcements.forget()
    assert "Maintenance" not in seen_by(alice)
    refresh_announcements()
    with django_assert_num_queries(0):
        assert [one["title"] for one in announcements.told(lambda: "growth", "owner", "x.-1.99999999999999999999")] == [
            "Maintenance tonight"
        ]


def test_every_bell_rings_once_and_staff_see_what_each_person_was_told(
    alice: User, alices_workspace: Workspace, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    owner = inside("olga")
    say(owner, django_capture_on_commit_callbacks)
    row = Announcement.objects.get()
    for _ in range(2):
        do(owner, row, "ring")
    with everywhere():
        assert Notification.objects.filter(user=alice, title="Maintenance tonight").count() == 1
        notifications.notify(alices_workspace, "team", "Bob is here")
    listed = owner.get(reverse("admin:accounts_notification_changelist")).content.decode()

    assert "Maintenance tonight" in listed
    assert "Bob is here" in listed
    assert inside("ben", Role.BILLING).get(reverse("admin:accounts_notification_changelist")).status_code == 403
