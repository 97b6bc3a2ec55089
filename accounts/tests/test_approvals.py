"""Where a workspace wants approval, managers propose and owners decide."""

import pytest
from django.test import Client

from accounts.models import Invitation, Proposal, User, Workspace
from accounts.tests.team import be, plan, signed_in, words_to
from errors.models import ActivityLog
from instagrowth.testing import everywhere, workspace_of

PAGE = "/settings/approvals/"


@pytest.fixture
def wanted(alices_workspace: Workspace, alice: User) -> Workspace:
    """Alice's workspace wants approval."""
    signed_in(alice).post(f"{PAGE}want/", {"wants_approval": "on"})
    with everywhere():
        alices_workspace.refresh_from_db()
    assert alices_workspace.wants_approval
    return alices_workspace


@pytest.fixture
def proposal(wanted: Workspace, bob: User) -> Proposal:
    """Bob, a manager, proposes to invite Dora."""
    propose(signed_in(bob))
    with everywhere():
        return Proposal.objects.get()


def propose(client: Client, role: str = "viewer") -> str:
    """Ask for an invitation as a manager does; what is said."""
    form = {"email": "Dora@example.com", "role": role}
    return client.post("/settings/team/invite/", form, follow=True).content.decode()


def decide(client: Client, proposal: Proposal, answer: str) -> str:
    """Decide about it; what is said."""
    return client.post(f"{PAGE}{proposal.pk}/decide/", {"answer": answer}, follow=True).content.decode()


def state_of(proposal: Proposal) -> str:
    with everywhere():
        proposal.refresh_from_db()
    return proposal.state


def test_a_manager_proposes_and_the_owners_are_told(wanted: Workspace, alice: User, bob: User) -> None:
    said = propose(signed_in(bob))

    assert "Proposed: invite dora@example.com. An owner decides." in said
    assert words_to("dora@example.com") == []
    told = words_to("alice@example.com")[-1]
    assert "Bob proposes in the workspace “Alice's workspace”: Invite dora@example.com as viewer." in told
    page = signed_in(alice).get(PAGE).content.decode()
    assert "Invite dora@example.com as viewer" in page
    assert "Invitation by Bob" in page


def test_the_same_proposal_waits_once(wanted: Workspace, alice: User, bob: User) -> None:
    propose(signed_in(bob))
    propose(signed_in(bob))

    with everywhere():
        assert Proposal.objects.count() == 1
    assert len(words_to(alice.email or "")) == 1


def test_an_owner_approves_and_it_is_done(proposal: Proposal, alice: User, bob: User) -> None:
    said = decide(signed_in(alice), proposal, "approve")

    assert "Approved, and done." in said
    assert state_of(proposal) == "approved"
    assert len(words_to("dora@example.com")) == 1
    assert "Alice approved, in the workspace" in words_to(bob.email or "")[-1]
    with everywhere():
        assert Invitation.objects.get().role == "viewer"
        actions = list(ActivityLog.objects.filter(workspace_id=proposal.workspace_id).values_list("action", flat=True))
    assert sorted(actions) == ["approvals_on", "proposal", "propose", "team_invite"]


def test_an_owner_refuses_and_nothing_is_done(proposal: Proposal, alice: User, bob: User) -> None:
    assert "Refused." in decide(signed_in(alice), proposal, "refuse")

    assert state_of(proposal) == "refused"
    assert words_to("dora@example.com") == []
    assert "Alice refused, in the workspace" in words_to(bob.email or "")[-1]


def test_what_is_decided_is_decided(proposal: Proposal, alice: User) -> None:
    decide(signed_in(alice), proposal, "refuse")

    assert "E-AUTH-E-0027" in decide(signed_in(alice), proposal, "approve")
    assert state_of(proposal) == "refused"
    assert words_to("dora@example.com") == []


def test_what_cannot_be_done_now_stays_undecided(proposal: Proposal, alice: User) -> None:
    plan(workspace_of(alice), team_limit=2)  # Alice and Bob

    assert "E-AUTH-W-0023" in decide(signed_in(alice), proposal, "approve")
    assert state_of(proposal) == "waiting"


def test_whoever_proposed_it_withdraws_it(proposal: Proposal, bob: User) -> None:
    said = signed_in(bob).post(f"{PAGE}{proposal.pk}/withdraw/", follow=True).content.decode()

    assert "Withdrawn." in said
    assert state_of(proposal) == "withdrawn"


def test_nobody_withdraws_what_another_proposed(proposal: Proposal, alice: User) -> None:
    signed_in(alice).post(f"{PAGE}{proposal.pk}/withdraw/")

    assert state_of(proposal) == "waiting"


@pytest.mark.parametrize("role", ["manager", "viewer"])
def test_only_owners_decide(proposal: Proposal, bob: User, role: str) -> None:
    be(bob, role)
    client = signed_in(bob)

    assert client.post(f"{PAGE}{proposal.pk}/decide/", {"answer": "approve"}).status_code == 403
    assert client.post(f"{PAGE}want/", {}).status_code == 403
    assert state_of(proposal) == "waiting"
    page = client.get(PAGE).content.decode()
    assert "Approve</button>" not in page
    assert ("Withdraw</button>" in page) == (role == "manager")


def test_a_viewer_proposes_nothing(wanted: Workspace, bob: User) -> None:
    be(bob, "viewer")
    client = signed_in(bob)

    assert client.post("/settings/team/invite/", {"email": "d@example.com", "role": "viewer"}).status_code == 403
    assert "Propose somebody" not in client.get("/settings/team/").content.decode()


def test_a_manager_proposes_nobody_above_themselves(wanted: Workspace, bob: User) -> None:
    client = signed_in(bob)

    assert client.post("/settings/team/invite/", {"email": "d@example.com", "role": "owner"}).status_code == 400
    with everywhere():
        assert not Proposal.objects.exists()


def test_an_owner_needs_no_approval(wanted: Workspace, alice: User) -> None:
    signed_in(alice).post("/settings/team/invite/", {"email": "dora@example.com", "role": "owner"})

    assert len(words_to("dora@example.com")) == 1


def test_other_workspaces_see_and_decide_nothing(proposal: Proposal, charlie: User) -> None:
    client = signed_in(charlie)

    assert "dora@example.com" not in client.get(PAGE).content.decode()
    decide(client, proposal, "approve")
    assert state_of(proposal) == "waiting"
    assert workspace_of(charlie).pk != proposal.workspace_id


def test_an_answer_that_is_none_is_refused(proposal: Proposal, alice: User) -> None:
    assert signed_in(alice).post(f"{PAGE}{proposal.pk}/decide/", {"answer": "maybe"}).status_code == 400


def test_switching_off_lets_what_waits_be_decided(proposal: Proposal, alice: User) -> None:
    client = signed_in(alice)
    client.post(f"{PAGE}want/", {})

    assert "Approved, and done." in decide(client, proposal, "approve")
