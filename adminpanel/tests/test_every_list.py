"""What each list of the control room has, and what can be done from it without leaving it."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from accounts.models import User
from adminpanel import bulk, navigation, roles
from adminpanel.models import AdminLog, SystemSetting
from adminpanel.pages.base import Page
from adminpanel.site import site
from adminpanel.tests.control_room import inside, staff_person
from adminpanel.tests.test_roles import rows as rows  # a row of each table
from bots.models import Bot
from errors.recording import log_activity
from instagrowth.testing import everywhere, read

pytestmark = pytest.mark.django_db
UNFILTERED = {"networks"}  # a few rows


@pytest.fixture
def owner(nobody_guessed: None) -> Client:
    return inside("olga")


def listed(client: Client, page: Page, **asked: str) -> Any:
    return client.get(page.list_address(), asked).context["cl"]


def test_each_list_can_be_searched_filtered_sorted_exported_and_says_what_fills_it() -> None:
    for page in site._registry.values():
        assert page.get_search_fields(None), page.page
        assert page.search_help_text, page.page
        assert page.list_filter or page.page in UNFILTERED, page.page
        assert page.sortable_by or page.sortable_by is None, page.page
        assert "export" in roles.MAY[page.page], page.page
        assert page.called == navigation.NAMES[page.page]


def test_each_ready_view_is_a_filter_that_is_there_and_is_shown_as_the_open_one(owner: Client) -> None:
    opened = 0
    for page in site._registry.values():
        for name, query in page.ready_views:
            answer = owner.get(f"{page.list_address()}?{query}")
            assert (answer.status_code, answer.context["cl"].has_active_filters) == (200, True), (page.page, name)
            assert [one for one, _, is_open in answer.context["ready"] if is_open] == [name]
            opened += 1
    assert opened > 30


def test_no_list_is_filtered_by_what_it_has_no_filter_for_so_that_nobody_spells_out_a_hash() -> None:
    olga, opened, count = staff_person("olga"), [], 0
    for model, page in site._registry.items():
        for field in model._meta.get_fields():
            for name in (f"{field.name}__startswith", f"{field.name}__password__startswith", f"{field.name}__lt"):
                count += 1
                try:
                    bulk.matching(page, olga, f"{name}=1")
                    opened.append((page.page, name))
                except DisallowedModelAdminLookup:
                    pass
    client, users = inside(olga), site._registry[User].list_address()
    asked = [
        client.get(f"{users}{door}?{guess}").status_code
        for door in ("", "export/", "all/block/")
        for guess in ("password__startswith=argon2", "is_active__exact=perhaps")
    ]

    assert (opened, count > 500, asked) == ([], True, [400] * 6)


def test_each_row_tells_what_hangs_on_it_or_what_staff_did(owner: Client, rows: dict[type, Any]) -> None:
    bare = set()
    for model, page in site._registry.items():
        context = owner.get(page.address(rows[model])).context
        if not (context["beside"] or context["log"]):
            bare.add(page.page)
    assert bare <= {"settings", "networks", "admin_log"}  # their history is the admin log alone, here of nothing yet


def test_the_rows_that_are_ticked_are_exported_and_no_others(
    owner: Client, alice: User, bob: User, charlie: User
) -> None:
    given = {"action": "export_ticked", "_selected_action": [str(alice.pk), str(charlie.pk)]}
    answer = owner.post(reverse("admin:accounts_user_changelist"), given)

    told = list(csv.DictReader(io.StringIO(read(answer).decode())))
    assert {row["email"] for row in told} == {"alice@example.com", "charlie@example.com"}
    assert AdminLog.objects.filter(action="users.export").count() == 1
    assert inside("sue", "Support").post(reverse("admin:accounts_user_changelist"), given).status_code != 200


def test_a_dialog_is_told_where_to_go_and_a_page_is_sent_there(owner: Client, alice: User) -> None:
    page = site._registry[User]
    where = page.address(alice, "sign_out")
    given = {"reason": "asked", "version": page.marks([alice])[str(alice.pk)]}

    refused = owner.post(where, given | {"reason": ""}, headers={"X-Room-Dialog": "1"})
    assert (refused.status_code, b"data-dialog" in refused.content) == (400, True)
    done = owner.post(where, given, headers={"X-Room-Dialog": "1"})
    assert (done.status_code, done["X-Room-Go"], "Location" in done) == (204, page.address(alice), False)
    late = owner.post(where, given)  # the row is not what it was: it has been signed out since
    assert (late.status_code, late["Location"]) == (302, page.address(alice))


def test_the_longest_wait_leads_to_the_bots_that_wait(owner: Client, alices_bot: Bot) -> None:
    page, now = site._registry[Bot], timezone.now()
    with everywhere():
        for due_at, count in ((now - timedelta(minutes=1), 1), (now + timedelta(hours=1), 0)):
            Bot.objects.update(status=Bot.Status.RUNNING, next_run_at=due_at)
            assert len(listed(owner, page, due="yes").result_list) == count


def test_a_setting_is_found_by_what_it_does(owner: Client) -> None:
    page = site._registry[SystemSetting]

    assert [row.key for row in listed(owner, page, q="only people with an INVITATION").result_list] == ["sign_up_open"]
    assert listed(owner, page, q="no such words").result_list == []
    SystemSetting.objects.filter(key="sign_up_open").update(value=False)
    assert [row.key for row in listed(owner, page, changed="yes").result_list] == ["sign_up_open"]


def test_the_log_of_all_names_the_workspace(owner: Client, alices_bot: Bot) -> None:
    with everywhere():
        workspace = alices_bot.workspace
        log_activity("follow", workspace=workspace, account=alices_bot.account_id)

    page = owner.get(reverse("admin:errors_activitylog_changelist")).content.decode()

    assert f'data-label="Workspace">{escape(workspace.name)}' in page
