"""Inviting somebody: who may, what leaves by mail, what is kept."""

import hashlib
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Membership, User, Workspace
from accounts.tests.team import be, link_to, plan, signed_in, words_to
from errors.models import ActivityLog
from instagrowth.testing import everywhere

TEAM = "/settings/team/"


def invite(client: Client, email: str = "dora@example.com", role: str = "viewer", **more: str) -> str:
    """Invite by the page; what it says."""
    return client.post(f"{TEAM}invite/", {"email": email, "role": role, **more}, follow=True).content.decode()


def test_an_owner_invites_by_mail(alice: User, alices_workspace: Workspace) -> None:
    page = invite(signed_in(alice), " Dora@Example.com ")

    assert "dora@example.com has an invitation by mail." in page
    (mail,) = words_to("dora@example.com")
    assert "Alice (alice@example.com) invites you to the workspace" in mail
    assert "as viewer" in mail
    with everywhere():
        invitation = Invitation.objects.get()
        assert [row.action for row in ActivityLog.objects.filter(workspace_id=alices_workspace.pk)] == ["team_invite"]
    assert timedelta(hours=71) < invitation.expires_at - timezone.now() <= timedelta(hours=72)


def test_only_a_hash_of_the_link_is_kept(alice: User) -> None:
    invite(signed_in(alice))

    token = link_to("dora@example.com").split("/")[2]
    with everywhere():
        assert Invitation.objects.get().token_hash == hashlib.sha256(token.encode()).hexdigest()
        assert token not in str(list(ActivityLog.objects.values()))
    assert len(token) == 43  # 256 bits


def test_the_link_leads_to_the_address_of_this_site_whatever_host_was_asked(alice: User) -> None:
    client = signed_in(alice)
    client.post(f"{TEAM}invite/", {"email": "dora@example.com", "role": "viewer"}, headers={"Host": "127.0.0.1"})

    assert "http://localhost:8000/invitations/" in words_to("dora@example.com")[0]


@pytest.mark.parametrize("role", ["manager", "viewer"])
def test_only_owners_invite(bob: User, role: str) -> None:
    be(bob, role)

    answer = signed_in(bob).post(f"{TEAM}invite/", {"email": "dora@example.com", "role": "viewer"}, follow=True)

    assert "E-AUTH-E-0008" in answer.content.decode()
    assert words_to("dora@example.com") == []
    with everywhere():
        assert not Invitation.objects.exists()


def test_who_is_here_is_not_invited(alice: User, bob: User) -> None:
    page = invite(signed_in(alice), "BOB@example.com")

    assert "E-AUTH-E-0025" in page
    assert words_to("bob@example.com") == []


@pytest.mark.parametrize(
    "email",
    ["", "dora", "dora@", "a@b@example.com", "dora@example.com\nBcc: eve@example.com", "d" * 250 + "@example.com"],
)
def test_what_is_no_address_is_refused(alice: User, email: str) -> None:
    answer = signed_in(alice).post(f"{TEAM}invite/", {"email": email, "role": "viewer"})

    assert answer.status_code == 400
    with everywhere():
        assert not Invitation.objects.exists()


def test_what_is_no_role_is_refused(alice: User) -> None:
    assert signed_in(alice).post(f"{TEAM}invite/", {"email": "d@example.com", "role": "admin"}).status_code == 400


def test_further_fields_change_nothing(alice: User, charlie: User, alices_workspace: Workspace) -> None:
    more = {
        "workspace": str(charlie.pk),
        "token_hash": "0" * 64,
        "expires_at": "2099-01-01",
        "invited_by": str(charlie.pk),
    }
    invite(signed_in(alice), **more)

    with everywhere():
        invitation = Invitation.objects.get()
    assert (invitation.workspace_id, invitation.invited_by_id) == (alices_workspace.pk, alice.pk)
    assert invitation.token_hash != "0" * 64
    assert invitation.expires_at.year < 2099


def test_inviting_an_address_once_more_replaces_the_first_invitation(alice: User) -> None:
    client = signed_in(alice)
    invite(client)
    first = link_to("dora@example.com")

    invite(client, role="manager")

    with everywhere():
        assert Invitation.objects.get().role == "manager"
    assert Client().get(first).status_code == 400
    assert Client().get(link_to("dora@example.com")).status_code == 200


def test_a_link_that_is_sent_again_kills_the_old_one(alice: User) -> None:
    client = signed_in(alice)
    invite(client)
    first = link_to("dora@example.com")
    with everywhere():
        key = Invitation.objects.get().pk

    client.post(f"{TEAM}invitations/{key}/resend/")

    assert Client().get(first).status_code == 400
    assert Client().get(link_to("dora@example.com")).status_code == 200


def test_an_invitation_is_taken_back(alice: User) -> None:
    client = signed_in(alice)
    invite(client)
    with everywhere():
        key = Invitation.objects.get().pk

    client.post(f"{TEAM}invitations/{key}/take-back/")

    assert Client().get(link_to("dora@example.com")).status_code == 400
    with everywhere():
        assert not Invitation.objects.exists()


@pytest.mark.parametrize("deed", ["resend", "take-back"])
def test_an_invitation_of_another_workspace_is_out_of_reach(alice: User, charlie: User, deed: str) -> None:
    invite(signed_in(alice))
    with everywhere():
        key = Invitation.objects.get().pk

    page = signed_in(charlie).post(f"{TEAM}invitations/{key}/{deed}/", follow=True).content.decode()

    assert "There is nothing at this address" in page
    assert len(words_to("dora@example.com")) == 1
    with everywhere():
        assert Invitation.objects.filter(pk=key).exists()


def test_a_workspace_sends_fifty_a_day(alice: User, alices_workspace: Workspace) -> None:
    plan(alices_workspace, team_limit=-1)
    client = signed_in(alice)
    for _ in range(50):
        invite(client)

    assert "E-AUTH-W-0005" in invite(client)
    assert len(words_to("dora@example.com")) == 50


def test_a_mail_wears_the_label_of_the_workspace(alice: User, alices_workspace: Workspace) -> None:
    plan(alices_workspace, white_label=True)
    with everywhere():
        Workspace.objects.filter(pk=alices_workspace.pk).update(name="Clay & Co", reply_to="team@clay.example")

    invite(signed_in(alice))

    assert "Clay & Co on Clay & Co" in words_to("dora@example.com")[0]


def test_a_workspace_that_is_about_to_go_invites_nobody(alice: User, alices_workspace: Workspace) -> None:
    with everywhere():
        Workspace.objects.filter(pk=alices_workspace.pk).update(delete_at=timezone.now() + timedelta(days=14))

    assert "E-AUTH-W-0034" in invite(signed_in(alice))
    with everywhere():
        assert not Invitation.objects.exists()
        assert Membership.objects.filter(workspace=alices_workspace).count() == 1
