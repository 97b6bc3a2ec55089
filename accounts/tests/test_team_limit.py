"""The plan's team limit and the last owner: exact, whoever clicks at the same moment. Real threads, real PostgreSQL."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection

from accounts import approvals, invitations, teams, tenancy
from accounts.models import Invitation, Membership, Proposal, User, Workspace
from accounts.tests.team import link_to, plan, role_of, signed_in
from billing.models import Plan
from errors.exceptions import BotException
from instagrowth.testing import PASSWORD, everywhere, workspace_of


def together(deeds: list[Callable[[], object]]) -> Counter[str]:
    """Do these at the same moment, each with a connection of its own; how they ended."""
    start = Barrier(len(deeds))

    def one(deed: Callable[[], object]) -> str:
        try:
            start.wait(30)
            deed()
        except BotException as refused:
            return refused.code.name
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(deeds)) as threads:
        return Counter(threads.map(one, deeds))


def within(workspace: Workspace, deed: Callable[..., object], *args: Any, **named: Any) -> Callable[[], object]:
    """A deed as a request does it: in a transaction, with the view on one workspace."""

    def done() -> object:
        with tenancy.scope(workspace):
            return deed(workspace, *args, **named)

    return done


@pytest.fixture
def growth(committed: None, nobody_guessed: None) -> Any:
    """The plan, put back afterwards: committed tests share its row."""
    before = Plan.objects.filter(key="growth").values("team_limit", "white_label").get()
    yield
    Plan.objects.filter(key="growth").update(**before)


def test_the_limit_counts_people_and_open_invitations(alice: User, bob: User, alices_workspace: Workspace) -> None:
    plan(alices_workspace, team_limit=3)
    with everywhere():
        invitations.invite(alices_workspace, alice, "dora@example.com", "viewer")
        with pytest.raises(BotException) as refused:
            invitations.invite(alices_workspace, alice, "emil@example.com", "viewer")
        assert refused.value.code.name == "TEAM_FULL"

        Invitation.objects.update(expires_at="2020-01-01T00:00Z")
        invitations.invite(alices_workspace, alice, "emil@example.com", "viewer")
        with pytest.raises(BotException):
            invitations.resend(alices_workspace, alice, Invitation.objects.get(email="dora@example.com").pk)


def test_minus_one_is_without_limit(alice: User, alices_workspace: Workspace) -> None:
    plan(alices_workspace, team_limit=-1)
    with everywhere():
        for number in range(30):
            invitations.invite(alices_workspace, alice, f"d{number}@example.com", "viewer")
        assert teams.seats(alices_workspace) == teams.Seats(limit=-1, people=1, invited=30)


def test_fifty_invitations_at_once_into_three_seats(growth: None, alice: User) -> None:
    workspace = workspace_of(alice)
    plan(workspace, team_limit=1 + 3)

    ended = together(
        [within(workspace, invitations.invite, alice, f"d{number}@example.com", "viewer") for number in range(50)]
    )

    assert ended == {"done": 3, "TEAM_FULL": 47}
    with everywhere():
        assert Invitation.objects.count() == 3


def test_without_the_lock_the_same_test_finds_too_many(
    growth: None, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = workspace_of(alice)
    plan(workspace, team_limit=1 + 3)
    monkeypatch.setattr(teams, "hold", lambda workspace: Workspace.objects.get(pk=workspace.pk))
    counted, seats = Barrier(10), teams.seats

    def slowly(held: Workspace) -> teams.Seats:
        found = seats(held)
        counted.wait(30)  # everybody has counted before anybody writes
        return found

    monkeypatch.setattr(teams, "seats", slowly)

    together([within(workspace, invitations.invite, alice, f"d{number}@example.com", "viewer") for number in range(10)])

    with everywhere():
        assert Invitation.objects.count() == 10


def test_twenty_acceptances_at_once_into_two_seats(growth: None, alice: User) -> None:
    workspace = workspace_of(alice)
    plan(workspace, team_limit=-1)
    people = [User.objects.create(email=f"d{number}@example.com", password="!") for number in range(20)]
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in people
    )
    for user in people:
        within(workspace, invitations.invite, alice, user.email, "viewer")()
    plan(workspace, team_limit=1 + 2)

    def joins(user: User) -> Callable[[], object]:
        token = link_to(user.email or "").split("/")[2]
        return lambda: invitations.accept(token, user)

    ended = together([joins(user) for user in people])

    assert ended == {"done": 2, "TEAM_FULL": 18}
    with everywhere():
        assert Membership.objects.filter(workspace=workspace).count() == 3


def test_one_link_opens_once_for_ten_clicks_at_once(growth: None, alice: User, charlie: User) -> None:
    workspace = workspace_of(alice)
    within(workspace, invitations.invite, alice, "charlie@example.com", "viewer")()
    token = link_to("charlie@example.com").split("/")[2]

    ended = together([lambda: invitations.accept(token, charlie)] * 10)

    assert ended == {"done": 1, "INVITATION_INVALID": 9}
    assert role_of(charlie, workspace) == "viewer"


def test_two_owners_who_demote_each_other_at_once_leave_one(growth: None, alice: User, bob: User) -> None:
    workspace = workspace_of(alice)
    for _ in range(5):
        with everywhere():
            Membership.objects.filter(workspace=workspace).update(role="owner")

        ended = together(
            [
                within(workspace, teams.change_role, alice, bob.pk, "viewer"),
                within(workspace, teams.change_role, bob, alice.pk, "viewer"),
            ]
        )

        assert ended == {"done": 1, "NO_PERMISSION": 1}
        with everywhere():
            assert Membership.objects.filter(workspace=workspace, role="owner").count() == 1


def test_two_owners_who_leave_at_once_leave_one(growth: None, alice: User, bob: User) -> None:
    workspace = workspace_of(alice)
    with everywhere():
        Membership.objects.filter(workspace=workspace).update(role="owner")

    ended = together([within(workspace, teams.leave, alice), within(workspace, teams.leave, bob)])

    assert ended == {"done": 1, "LAST_OWNER": 1}


def test_a_proposal_that_ten_clicks_approve_is_done_once(growth: None, alice: User, bob: User) -> None:
    workspace = workspace_of(alice)
    done: list[object] = []
    approvals.register("counted", "Counting", lambda *told: done.append(told[-1]))
    try:
        with tenancy.scope(workspace):
            proposal = approvals.propose(workspace, bob, "counted", "Count", {"n": 1})

        ended = together([within(workspace, approvals.decide, alice, proposal.pk, approve=True)] * 10)
    finally:
        del approvals.DEEDS["counted"]

    assert ended == {"done": 1, "PROPOSAL_DECIDED": 9}
    assert done == [{"n": 1}]
    with everywhere():
        assert Proposal.objects.get().state == "approved"


def test_a_person_makes_five_workspaces_and_no_more_however_they_click(growth: None, alice: User) -> None:
    dora = User.objects.make(email="dora@example.com", password=PASSWORD)

    def made() -> object:
        with tenancy.person(dora):
            return teams.make_workspace(dora, "Another")

    assert together([made] * 12) == {"done": 5, "WORKSPACE_LIMIT": 7}
    with everywhere():
        assert Membership.objects.filter(user=dora, role="owner").count() == 5
    assert "E-AUTH-W-0037" in signed_in(dora).post("/workspace/new", {"name": "Sixth"}).content.decode()
