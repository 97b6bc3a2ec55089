"""Several workspaces: seeing them, going to another, making one, belonging to none."""

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import teams, tenancy
from accounts.models import Membership, User, Workspace
from accounts.tests.team import signed_in
from billing import entitlements
from instagrowth import system
from instagrowth.testing import everywhere, workspace_of

HTMX = {"HX-Request": "true"}


def second_of(user: User, name: str = "Second") -> Workspace:
    """Another workspace of a person."""
    with tenancy.person(user):
        return teams.make_workspace(user, name)


def test_a_person_goes_to_another_workspace(alice: User) -> None:
    client, second = signed_in(alice), second_of(alice)

    said = client.post("/workspace/switch", {"workspace": second.pk}, follow=True).content.decode()

    assert "You work in Second now." in said
    assert client.session["workspace"] == str(second.pk)
    assert "Second" in client.get("/settings/workspace/").content.decode()


@pytest.mark.parametrize("wanted", ["charlies", "nobodys", "nothing", ""])
def test_no_workspace_but_ones_own(alice: User, charlie: User, wanted: str) -> None:
    client = signed_in(alice)
    client.get("/dashboard/")
    before = client.session["workspace"]
    key = {"charlies": workspace_of(charlie).pk, "nobodys": uuid.uuid4(), "nothing": "x", "": ""}[wanted]

    answer = client.post("/workspace/switch", {"workspace": key})

    assert answer.status_code == 404
    assert "E-AUTH-E-0013" in answer.content.decode()
    assert client.session["workspace"] == before


def test_going_needs_a_post_and_the_csrf_token(alice: User) -> None:
    second = second_of(alice)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(alice)

    assert signed_in(alice).get("/workspace/switch").status_code == 405
    assert strict.post("/workspace/switch", {"workspace": second.pk}).status_code == 403


def test_the_menu_lists_ones_own_workspaces(alice: User, bob: User, charlie: User) -> None:
    second_of(alice)
    client = signed_in(alice)

    menu = client.get("/workspace/mine", headers=HTMX).content.decode()
    page = client.get("/workspace/mine").content.decode()

    for said in (menu, page):
        assert "Second" in said
        assert "Alice&#x27;s workspace" in said
        assert "Charlie" not in said
        assert "csrfmiddlewaretoken" in said
    assert "<html" in page
    assert "<html" not in menu


@pytest.mark.parametrize("count", [1, 3])
def test_ordinary_pages_pay_nothing_for_several_workspaces(alice: User, count: int) -> None:
    for number in range(count - 1):
        second_of(alice, f"Number {number}")
    client = signed_in(alice)
    client.get("/settings/")

    with CaptureQueriesContext(connection) as asked:
        client.get("/settings/")

    scoped = [
        query["sql"] for query in asked if "accounts_membership" in query["sql"] or "accounts_workspace" in query["sql"]
    ]
    assert len(scoped) == 1


def test_the_list_costs_the_same_for_one_and_for_three(alice: User) -> None:
    client = signed_in(alice)
    client.get("/workspace/mine", headers=HTMX)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            client.get("/workspace/mine", headers=HTMX)
        counts.append(len(asked))
        second_of(alice), second_of(alice)

    assert counts[0] == counts[1]


def test_who_belongs_nowhere_is_shown_how_to_make_a_workspace(db: None, nobody_guessed: None) -> None:
    dora = User.objects.make(email="dora@example.com", password="correct horse battery 9")
    client = signed_in(dora)

    for path in ("/dashboard/", "/instagram/", "/activity/", "/settings/team/"):
        assert client.get(path).headers["Location"] == "/workspace/new"
    said = client.get("/workspace/new").content.decode()
    assert "You belong to no workspace" in said
    assert 'value="dora&#x27;s workspace"' in said
    assert client.get("/settings/").status_code == 200

    client.post("/workspace/new", {"name": "Dora & Co"})

    assert client.get("/dashboard/").status_code == 200
    with everywhere():
        workspace = Workspace.objects.get(memberships__user=dora)
        assert (workspace.name, entitlements.plan_of(workspace).key) == ("Dora & Co", "free")
        assert Membership.objects.get(user=dora).role == "owner"


def test_a_program_of_somebody_who_belongs_nowhere_is_told_so(api, db: None) -> None:
    dora = User.objects.make(email="dora@example.com", password="correct horse battery 9")
    program = api(dora)

    assert program.get("/api/workspaces/").json()["workspaces"] == []
    assert program.get("/api/auth/me").json()["workspace"] is None
    assert program.get("/api/bots/").json()["error"] == "WORKSPACE_REQUIRED"
    assert program.post("/api/auth/logout").status_code == 200


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_workspace_needs_a_name(alice: User, name: str) -> None:
    assert signed_in(alice).post("/workspace/new", {"name": name}).status_code == 400


def test_paid_workspaces_do_not_count_against_the_free_ones(alice: User) -> None:
    for number in range(system.FREE_WORKSPACES.now()):
        second_of(alice, f"Free {number}")  # her first one is on "growth"
    client = signed_in(alice)

    assert "E-AUTH-W-0037" in client.post("/workspace/new", {"name": "One more"}).content.decode()
    with everywhere():
        entitlements.subscribe(Workspace.objects.get(name="Free 0"), "starter")
    assert client.post("/workspace/new", {"name": "One more"}).status_code == 302


def test_who_was_removed_from_where_they_were_lands_where_they_still_belong(alice: User, charlie: User) -> None:
    with everywhere():
        Membership.objects.create(workspace=workspace_of(alice), user=charlie, role="viewer")
    client = signed_in(charlie)
    client.post("/workspace/switch", {"workspace": workspace_of(alice).pk})
    with everywhere():
        Membership.objects.filter(user=charlie, role="viewer").delete()

    assert client.get("/dashboard/").status_code == 200
    assert client.session["workspace"] == str(workspace_of(charlie).pk)
