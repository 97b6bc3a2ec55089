"""The activity of all workspaces: whole, but for the search for a deed, which says how far it looked."""

import pytest
from django.test import Client

from accounts.models import Workspace
from adminpanel.pages import happened
from adminpanel.tests.control_room import inside
from errors.recording import log_activity
from instagrowth.testing import everywhere, read

pytestmark = pytest.mark.django_db
LIST = "/admin/errors/activitylog/"


@pytest.fixture
def owner(nobody_guessed: None, monkeypatch: pytest.MonkeyPatch, alices_workspace: Workspace) -> Client:
    """Over one rare deed and four newer ones, where a deed is looked for among three."""
    monkeypatch.setattr(happened, "LOOKED_THROUGH", 3)
    with everywhere():
        for action in ("plan_change", "follow", "follow", "follow", "like"):
            log_activity(action, workspace=alices_workspace.pk)
    return inside("olga")


def exported(owner: Client, query: str) -> tuple[str, int]:
    answer = owner.get(f"{LIST}export/{query}")
    return answer["Content-Disposition"].partition("filename=")[2].strip('"'), read(answer).count(b"plan_change")


def test_the_list_and_its_file_are_whole(owner: Client) -> None:
    page = owner.get(LIST)

    assert "plan_change" in [row.action for row in page.context["cl"].result_list]
    assert "newest 3 rows" not in page.content.decode()
    assert exported(owner, "") == ("activity.csv", 1)


def test_a_deed_is_looked_for_in_the_newest_rows_and_both_say_so(owner: Client) -> None:
    page = owner.get(LIST, {"q": "plan_change"}).content.decode()

    assert "A deed is looked for in the newest 3 rows alone" in page
    assert "Export as CSV (newest 3)" in page
    assert exported(owner, "?q=plan_change") == ("activity-newest-3-rows.csv", 0)
