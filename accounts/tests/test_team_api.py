"""The team through the API."""

import uuid
from collections.abc import Callable

import pytest
from django.test import RequestFactory

from accounts import tokens
from accounts.models import Invitation, Proposal, User, Workspace
from accounts.tests.team import be, role_of, words_to
from instagrowth.testing import Program, everywhere, workspace_of

Api = Callable[[User], Program]
DORA = {"email": "dora@example.com", "role": "viewer"}


def test_a_person_lists_their_workspaces(api: Api, alice: User, bob: User) -> None:
    answer = api(bob).get("/api/workspaces/").json()

    assert answer["workspaces"] == [
        {"id": str(workspace_of(alice).pk), "name": "Alice's workspace", "timezone": "UTC", "role": "manager"}
    ]


@pytest.mark.parametrize("role", ["owner", "manager", "viewer"])
def test_everybody_of_the_team_sees_the_team(api: Api, alice: User, bob: User, role: str) -> None:
    api(alice).post("/api/team/invitations", DORA)
    be(bob, role)

    answer = api(bob).get("/api/team/").json()

    assert [(one["id"], one["email"]) for one in answer["people"]] == [
        (str(alice.pk), "alice@example.com"),
        (str(bob.pk), "bob@example.com"),
    ]
    assert [(one["email"], one["role"]) for one in answer["invitations"]] == [("dora@example.com", "viewer")]
    assert answer["seats"] == {"limit": 5, "people": 2, "invited": 1}
    assert "token" not in str(answer)


def test_an_owner_invites_and_takes_back(api: Api, alice: User) -> None:
    sent = api(alice).post("/api/team/invitations", DORA)

    assert (sent.status_code, sent.json()["invitation"]["email"]) == (201, "dora@example.com")
    assert len(words_to("dora@example.com")) == 1
    key = sent.json()["invitation"]["id"]
    assert api(alice).delete(f"/api/team/invitations/{key}").json()["success"] is True
    assert api(alice).delete(f"/api/team/invitations/{key}").status_code == 404


@pytest.mark.parametrize("role", ["manager", "viewer"])
def test_others_only_look(api: Api, alice: User, bob: User, alices_workspace: Workspace, role: str) -> None:
    sent = api(alice).post("/api/team/invitations", DORA).json()["invitation"]
    be(bob, role)
    program = api(bob)

    for answer in (
        program.post("/api/team/invitations", {"email": "e@example.com", "role": "viewer"}),
        program.delete(f"/api/team/invitations/{sent['id']}"),
        program.patch(f"/api/team/{alice.pk}", {"role": "viewer"}),
        program.patch(f"/api/team/{bob.pk}", {"role": "owner"}),
        program.delete(f"/api/team/{alice.pk}"),
    ):
        assert (answer.status_code, answer.json()["error"]) == (403, "NO_PERMISSION")
    assert (role_of(alice, alices_workspace), role_of(bob, alices_workspace)) == ("owner", role)
    with everywhere():
        assert Invitation.objects.count() == 1


def test_a_managers_invitation_becomes_a_proposal_where_that_is_wanted(
    api: Api, alice: User, bob: User, alices_workspace: Workspace
) -> None:
    with everywhere():
        Workspace.objects.filter(pk=alices_workspace.pk).update(wants_approval=True)

    answer = api(bob).post("/api/team/invitations", DORA)

    assert (answer.status_code, answer.json()["error"]) == (202, "APPROVAL_NEEDED")
    with everywhere():
        assert str(Proposal.objects.get().pk) == answer.json()["proposal"]
        assert not Invitation.objects.exists()
    be(bob, "viewer")
    assert api(bob).post("/api/team/invitations", DORA).status_code == 403


def test_a_role_is_changed_and_somebody_removed(api: Api, alice: User, bob: User, alices_workspace: Workspace) -> None:
    changed = api(alice).patch(f"/api/team/{bob.pk}", {"role": "viewer", "user": str(alice.pk), "workspace": "x"})

    assert changed.json()["person"]["role"] == role_of(bob, alices_workspace) == "viewer"
    assert api(alice).delete(f"/api/team/{bob.pk}").status_code == 200
    assert role_of(bob, alices_workspace) is None


def test_anybody_may_leave_but_the_last_owner(api: Api, alice: User, bob: User, alices_workspace: Workspace) -> None:
    assert api(bob).delete(f"/api/team/{bob.pk}").status_code == 200
    refused = api(alice).delete(f"/api/team/{alice.pk}")

    assert (refused.status_code, refused.json()["error"]) == (409, "LAST_OWNER")
    assert (role_of(alice, alices_workspace), role_of(bob, alices_workspace)) == ("owner", None)


def test_strangers_and_nobodys_ids_are_not_found(api: Api, alice: User, charlie: User) -> None:
    sent = api(alice).post("/api/team/invitations", DORA).json()["invitation"]

    for person in (alice.pk, uuid.uuid4()):
        assert api(charlie).patch(f"/api/team/{person}", {"role": "viewer"}).status_code == 404
        assert api(charlie).delete(f"/api/team/{person}").status_code == 404
    assert api(charlie).delete(f"/api/team/invitations/{sent['id']}").status_code == 404
    with everywhere():
        assert Invitation.objects.count() == 1


@pytest.mark.parametrize("body", [{}, {"email": "dora"}, {"email": "d@example.com", "role": "admin"}, [], "x"])
def test_what_makes_no_sense_is_refused(api: Api, alice: User, body: object) -> None:
    assert api(alice).post("/api/team/invitations", body).status_code == 400


def test_to_decide_a_token_needs_that_scope(
    alice: User, bob: User, alices_workspace: Workspace, rf: RequestFactory
) -> None:
    def with_scopes(*scopes: str) -> Program:
        _, words = tokens.make(alice, name="CI", scopes=list(scopes), days=7, request=rf.get("/"))
        return Program(headers={"Authorization": f"Bearer {words}"})

    weak, strong = with_scopes("look", "act"), with_scopes("look", "decide")

    assert weak.get("/api/team/").status_code == 200
    for answer in (
        weak.post("/api/team/invitations", DORA),
        weak.patch(f"/api/team/{bob.pk}", {"role": "viewer"}),
        weak.delete(f"/api/team/{bob.pk}"),
        strong.delete(f"/api/team/{alice.pk}"),  # to leave is nothing for a program
    ):
        assert (answer.status_code, answer.json()["error"]) == (403, "TOKEN_SCOPE_MISSING")
    assert strong.patch(f"/api/team/{bob.pk}", {"role": "viewer"}).status_code == 200
    assert role_of(bob, alices_workspace) == "viewer"
