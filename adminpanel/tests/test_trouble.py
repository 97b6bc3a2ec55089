"""What staff see of errors, stories and alerts."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from accounts.models import Workspace
from adminpanel.models import AdminLog
from adminpanel.pages import trouble
from adminpanel.roles import Role
from adminpanel.tests.control_room import do, inside
from errors import codes, correlation
from errors.models import ErrorGroup
from errors.recording import log_activity, record
from instagrowth.testing import everywhere

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(nobody_guessed: None) -> Client:
    return inside("olga")


def test_one_id_tells_its_whole_story_in_order(owner: Client, alices_workspace: Workspace) -> None:
    with everywhere():
        story = correlation.begin()
        log_activity("bot_start", workspace=alices_workspace)
        log_activity("task", workspace=alices_workspace)
        record(codes.ACTION_BLOCKED, action="follow", workspace=alices_workspace)
        correlation.begin()
        log_activity("of_another_story", workspace=alices_workspace)

    page = owner.get(reverse("admin:story"), {"id": f" {story} "})

    assert [(line["deed"], line["status"]) for line in page.context["lines"]] == [
        ("bot_start", "ok"), ("task", "ok"), ("follow", page.context["lines"][2]["status"]),
    ]  # fmt: skip
    assert codes.ACTION_BLOCKED.id in page.content.decode()
    assert "Nothing in the log has this id" in owner.get(reverse("admin:story"), {"id": "c-0\0"}).content.decode()


def test_what_staff_did_is_part_of_the_story_for_those_who_see_their_log(owner: Client, alices_bot: object) -> None:
    row = ErrorGroup.objects.create(fingerprint="f1", code="E-API-E-9001", severity="E", action="a")
    do(owner, row, "handle")
    entry = AdminLog.objects.get(action="error_groups.handle")
    assert entry.correlation_id

    seen = owner.get(reverse("admin:story"), {"id": entry.correlation_id}).context["lines"]
    hidden = inside("sue", Role.SUPPORT).get(reverse("admin:story"), {"id": entry.correlation_id}).context["lines"]

    assert {line["status"] for line in seen} - {line["status"] for line in hidden} == {"staff"}
    assert [line["deed"] for line in hidden] == ["POST /admin/errors/errorgroup/<path:object_id>/change/"] or hidden


def test_a_story_that_is_cut_says_so(
    owner: Client, alices_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trouble, "IN_STORY", 2)
    with everywhere():
        story = correlation.begin()
        for _ in range(3):
            log_activity("task", workspace=alices_workspace)

    page = owner.get(reverse("admin:story"), {"id": story})

    assert len(page.context["lines"]) == 2
    assert "of each kind only the first 2" in page.content.decode()


def test_the_foot_of_a_staff_page_leads_to_its_story(owner: Client) -> None:
    page = owner.get(reverse("admin:index"))
    assert f'href="{reverse("admin:story")}?id={page["X-Correlation-ID"]}"' in page.content.decode()


def test_an_unforeseen_error_says_how_to_register_it_until_somebody_looked(
    owner: Client, django_capture_on_commit_callbacks: object
) -> None:
    with everywhere(), django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        record(ZeroDivisionError("of a test"), action="divide")
    where = reverse("admin:errors_errorgroup_changelist")
    (row,) = owner.get(where, {"kind": "unforeseen"}).context["cl"].result_list

    page = owner.get(reverse("admin:errors_errorgroup_change", args=[row.pk])).content.decode()
    assert "ZERO_DIVISION_ERROR = _code(" in page
    do(owner, row, "handle")
    assert list(owner.get(where, {"kind": "open"}).context["cl"].result_list) == []

    with everywhere(), django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        record(ZeroDivisionError("of a test"), action="divide")
    (again,) = owner.get(where, {"kind": "open"}).context["cl"].result_list
    assert (again.pk, again.times) == (row.pk, 2)


def test_the_test_of_the_alerts_is_sent_written_down_and_shown(owner: Client, settings: Settings) -> None:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_WEBHOOK_SECRET = "", ""

    answer = owner.post(reverse("admin:alerts"), follow=True)

    page = answer.content.decode()
    assert "A test was sent by: " in page
    assert "A test of the alerts, asked for by " in page
    assert AdminLog.objects.filter(action="alerts.test").count() == 1


def test_the_secret_in_the_webhooks_address_is_not_shown(owner: Client, settings: Settings) -> None:
    settings.ALERT_WEBHOOK_URL = "https://hooks.example.com/services/T0/secret-part"

    page = owner.get(reverse("admin:alerts")).content.decode()

    assert "hooks.example.com, not signed" in page
    assert "secret-part" not in page
