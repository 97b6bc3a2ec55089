"""Roles, removing, leaving, handing over: an owner always remains, and everybody concerned is told."""

import uuid

import pytest
from django.test import Client

from accounts.models import Membership, User, Workspace
from accounts.tests.team import be, role_of, signed_in, words_to
from errors.models import ActivityLog
from instagrowth.testing import everywhere, workspace_of

TEAM = "/settings/team/"


def act(client: Client, path: str, **form: object) -> str:
    """Do a deed of the team's page; what is said."""
    return client.post(f"{TEAM}{path}", form, follow=True).content.decode()


def told(workspace: Workspace) -> list[str]:
    """What the log says."""
    with everywhere():
        return [row.action for row in ActivityLog.objects.filter(workspace_id=workspace.pk).order_by("id")]


def test_an_owner_changes_a_role(alice: User, bob: User, alices_workspace: Workspace) -> None:
    said = act(signed_in(alice), f"{bob.pk}/role/", role="viewer")

    assert "Bob is viewer now." in said
    assert role_of(bob, alices_workspace) == "viewer"
    assert "Alice changed your role in the workspace “Alice's workspace”: viewer." in words_to("bob@example.com")[-1]
    assert told(alices_workspace) == ["team_role"]


def test_the_new_role_counts_on_the_next_request(alice: User, bob: User) -> None:
    his = signed_in(bob)
    assert his.get("/instagram/connect/").status_code == 200

    act(signed_in(alice), f"{bob.pk}/role/", role="viewer")

    assert his.get("/instagram/connect/").status_code == 403


@pytest.mark.parametrize("role", ["manager", "viewer"])
@pytest.mark.parametrize("deed", ["role", "remove"])
def test_only_owners_decide_about_people(
    alice: User, bob: User, alices_workspace: Workspace, role: str, deed: str
) -> None:
    be(bob, role)
    for person in (alice, bob):
        assert signed_in(bob).post(f"{TEAM}{person.pk}/{deed}/", {"role": "owner"}).status_code == 403

    assert (role_of(alice, alices_workspace), role_of(bob, alices_workspace)) == ("owner", role)


@pytest.mark.parametrize("role", ["admin", "", "OWNER", "owner "])
def test_what_is_no_role_is_refused(alice: User, bob: User, alices_workspace: Workspace, role: str) -> None:
    act(signed_in(alice), f"{bob.pk}/role/", role=role)

    assert role_of(bob, alices_workspace) == "manager"


@pytest.mark.parametrize("deed", ["role", "remove"])
def test_people_of_other_workspaces_are_out_of_reach(alice: User, charlie: User, deed: str) -> None:
    for person in (charlie.pk, uuid.uuid4()):
        assert signed_in(alice).post(f"{TEAM}{person}/{deed}/", {"role": "viewer"}).status_code == 404
    assert signed_in(charlie).post(f"{TEAM}{alice.pk}/{deed}/", {"role": "viewer"}).status_code == 404

    assert role_of(charlie, workspace_of(charlie)) == role_of(alice, workspace_of(alice)) == "owner"


def test_an_owner_removes_somebody(alice: User, bob: User, alices_workspace: Workspace) -> None:
    client = signed_in(alice)
    assert "Remove Bob?" in client.get(f"{TEAM}{bob.pk}/remove/").content.decode()

    said = act(client, f"{bob.pk}/remove/")

    assert "Bob no longer belongs to Alice&#x27;s workspace." in said
    assert role_of(bob, alices_workspace) is None
    assert "You no longer belong to the workspace" in words_to("bob@example.com")[-1]
    assert told(alices_workspace) == ["team_remove"]


def test_who_was_removed_sees_nothing_from_the_next_request_on(alice: User, bob: User) -> None:
    his = signed_in(bob)
    assert his.get("/dashboard/").status_code == 200

    act(signed_in(alice), f"{bob.pk}/remove/")

    assert his.get("/dashboard/").headers["Location"] == "/workspace/new"
    assert his.post("/settings/workspace/", {"name": "Mine", "timezone": "UTC"}).status_code == 400


def test_somebody_leaves(alice: User, bob: User, alices_workspace: Workspace) -> None:
    his = signed_in(bob)
    assert "Leave Alice&#x27;s workspace?" in his.get(f"{TEAM}leave/").content.decode()

    said = act(his, "leave/")

    assert "You belong to no workspace" in said
    assert role_of(bob, alices_workspace) is None
    assert told(alices_workspace) == ["team_leave"]


def test_the_last_owner_neither_leaves_nor_is_demoted_nor_removed(
    alice: User, bob: User, alices_workspace: Workspace
) -> None:
    client = signed_in(alice)

    for path, form in (("leave/", {}), (f"{alice.pk}/role/", {"role": "viewer"}), (f"{alice.pk}/remove/", {})):
        assert "E-AUTH-E-0024" in act(client, path, **form)
    assert role_of(alice, alices_workspace) == "owner"


def test_one_of_two_owners_may_go(alice: User, bob: User, alices_workspace: Workspace) -> None:
    be(bob, "owner")

    act(signed_in(alice), "leave/")

    assert (role_of(alice, alices_workspace), role_of(bob, alices_workspace)) == (None, "owner")


def test_ownership_is_transferred(alice: User, bob: User, alices_workspace: Workspace) -> None:
    client = signed_in(alice)
    assert "Bob (bob@example.com)" in client.get(f"{TEAM}transfer/").content.decode()

    said = act(client, "transfer/", person=bob.pk)

    assert "Bob owns Alice&#x27;s workspace now. You are a manager." in said
    assert (role_of(alice, alices_workspace), role_of(bob, alices_workspace)) == ("manager", "owner")
    assert "You made Bob an owner of the workspace" in words_to("alice@example.com")[-1]
    assert "Alice made you an owner of the workspace" in words_to("bob@example.com")[-1]
    assert told(alices_workspace) == ["team_transfer"]


def test_ownership_goes_to_another_member_and_to_nobody_else(
    alice: User, bob: User, charlie: User, alices_workspace: Workspace
) -> None:
    client = signed_in(alice)
    for person in (alice.pk, charlie.pk, uuid.uuid4(), "nobody", ""):
        assert client.post(f"{TEAM}transfer/", {"person": person}).status_code == 404
    assert signed_in(bob).post(f"{TEAM}transfer/", {"person": bob.pk}).status_code == 403

    assert (role_of(alice, alices_workspace), role_of(bob, alices_workspace)) == ("owner", "manager")


def test_further_fields_change_nothing(alice: User, bob: User, charlie: User, alices_workspace: Workspace) -> None:
    theirs = workspace_of(charlie)
    act(signed_in(alice), f"{bob.pk}/role/", role="viewer", workspace=theirs.pk, user=charlie.pk, is_staff="1", id="1")

    with everywhere():
        place = Membership.objects.get(user=bob)
    assert (place.workspace_id, place.role) == (alices_workspace.pk, "viewer")
    bob.refresh_from_db()
    assert not bob.is_staff
