"""The team's page: what each role is shown, and what it costs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import invitations
from accounts.models import Membership, User, Workspace
from accounts.tests.team import be, plan, signed_in
from errors import codes
from instagrowth.testing import everywhere

TEAM = "/settings/team/"


def test_an_owner_sees_people_invitations_and_what_is_left(alice: User, bob: User, alices_workspace: Workspace) -> None:
    with everywhere():
        invitations.invite(alices_workspace, alice, "dora@example.com", "manager")

    page = signed_in(alice).get(TEAM).content.decode()

    for words in ("bob@example.com", "dora@example.com", "Manager, by Alice, ends", "2 and 1 invited of 5 on Growth"):
        assert words in page
    for control in (
        "Send the invitation",
        "Send again",
        "Take back",
        "Role of Bob",
        "Remove Bob",
        "Transfer ownership",
    ):
        assert control in page


@pytest.mark.parametrize("role", ["manager", "viewer"])
def test_others_see_it_without_its_controls(alice: User, bob: User, alices_workspace: Workspace, role: str) -> None:
    with everywhere():
        invitations.invite(alices_workspace, alice, "dora@example.com", "viewer")
    be(bob, role)

    page = signed_in(bob).get(TEAM).content.decode()

    assert "dora@example.com" in page
    for control in ("Send the invitation", "Send again", "Take back", "Role of", "Remove", "Transfer", "<select"):
        assert control not in page.split("<main")[1], control
    assert "Leave the workspace" in page


def test_the_last_owner_is_offered_no_way_out(alice: User) -> None:
    page = signed_in(alice).get(TEAM).content.decode()

    assert "You are the only person here." in page
    assert 'data-open="leave"' not in page
    by_hand = signed_in(alice).get(f"{TEAM}leave/", follow=True)
    assert by_hand.redirect_chain == [(TEAM, 302)]
    assert codes.LAST_OWNER.id in by_hand.content.decode()


def test_a_full_team_says_so(alice: User, alices_workspace: Workspace) -> None:
    plan(alices_workspace, team_limit=1)

    assert "The plan has no room for another person." in signed_in(alice).get(TEAM).content.decode()


def test_it_costs_the_same_for_one_and_for_thirty_people(alice: User, alices_workspace: Workspace) -> None:
    plan(alices_workspace, team_limit=-1)
    client = signed_in(alice)

    def cost() -> int:
        client.get(TEAM)
        with CaptureQueriesContext(connection) as asked:
            client.get(TEAM)
        return len(asked)

    alone = cost()
    with everywhere():
        for number in range(30):
            user = User.objects.create(email=f"p{number}@example.com", password="!")
            Membership.objects.create(workspace=alices_workspace, user=user, role="viewer")
            invitations.invite(alices_workspace, alice, f"i{number}@example.com", "viewer")
    assert cost() == alone


def test_names_are_written_as_they_are_and_run_nowhere(alice: User, bob: User) -> None:
    User.objects.filter(pk=bob.pk).update(name="<script>alert(1)</script>")

    page = signed_in(alice).get(TEAM).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
