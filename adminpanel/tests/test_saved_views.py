"""Named views of a list: one's own, or shared with the staff who may see the page."""

import pytest
from django.test import Client

from adminpanel import roles
from adminpanel.models import AdminLog, SavedView
from adminpanel.tests.control_room import inside
from adminpanel.tests.test_pages import owner as owner

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/user/"


def keep(client: Client, name: str, query: str = "q=spam&is_active__exact=0&after=abc", **more: str) -> str:
    answer = client.post(f"{LIST}views/", {"name": name, "query": query, **more})
    assert answer.status_code == 302
    return answer["Location"]


def test_a_view_is_kept_opened_and_deleted(owner: Client) -> None:
    assert "Keep as a view" in owner.get(f"{LIST}?q=spam").content.decode()
    there = keep(owner, "Spam wave")

    page = owner.get(there).content.decode()
    assert there == f"{LIST}?q=spam&is_active__exact=0"
    assert 'aria-current="page" title="Yours">Spam wave</a>' in page
    assert "Spam wave" not in owner.get("/admin/accounts/workspace/").content.decode()
    view = SavedView.objects.get()
    owner.post(f"{LIST}views/", {"delete": str(view.pk)})
    assert SavedView.objects.count() == 0
    assert [*AdminLog.objects.order_by("pk").values_list("action", flat=True)] == [
        "users.view_saved", "users.view_deleted",
    ]  # fmt: skip


def test_others_see_what_is_shared_and_delete_none_of_it(owner: Client) -> None:
    auditor = inside("ada", roles.Role.AUDITOR)
    keep(owner, "Mine")
    keep(owner, "Ours", "q=x", shared="on")
    page = auditor.get(LIST).content.decode()

    assert ("Ours (shared)" in page, "Mine" in page) == (True, False)
    for view in SavedView.objects.all():
        assert auditor.post(f"{LIST}views/", {"delete": str(view.pk)}).status_code == 403
    keep(auditor, "Theirs", "q=y", shared="on")
    theirs = SavedView.objects.get(name="Theirs")
    owner.post(f"{LIST}views/", {"delete": str(theirs.pk)})  # whoever shared it may have left
    assert not SavedView.objects.filter(pk=theirs.pk).exists()


@pytest.mark.parametrize("name", ["", " \0 ", "x" * 41])
def test_what_cannot_be_a_view_is_refused_with_a_sentence(owner: Client, name: str) -> None:
    keep(owner, name)
    assert SavedView.objects.count() == 0
    assert "Give the view a name" in owner.get(LIST).content.decode()


def test_names_are_text_and_unique_and_a_view_leads_nowhere_else(owner: Client) -> None:
    for _ in range(2):
        keep(owner, "<script>alert(1)</script>", "//evil.example/?next=x&q=a")
    page = owner.get(LIST).content.decode()

    assert (SavedView.objects.count(), "<script>alert(1)" in page) == (1, False)
    assert "already" in page
    assert owner.get(f"{LIST}views/").status_code == 405
    for wrong in ("x", "-1", "9" * 30, ""):
        assert owner.post(f"{LIST}views/", {"delete": wrong}).status_code == 403
