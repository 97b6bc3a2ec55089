"""Where the link of an invitation leads: the page, and the answers to it."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.utils import timezone

from accounts import invitations
from accounts.models import Invitation, Membership, User, Workspace
from accounts.tests.team import link_to, plan, role_of, signed_in, words_to
from errors.models import ActivityLog
from errors.redaction import redact_text
from instagrowth.testing import PASSWORD, everywhere, workspace_of


@pytest.fixture
def link(alice: User, alices_workspace: Workspace, charlie: User) -> str:
    """Charlie is invited by Alice as a manager."""
    with everywhere():
        invitations.invite(alices_workspace, alice, charlie.email or "", "manager")
    return link_to("charlie@example.com")


@pytest.fixture
def link_of_dora(alice: User, alices_workspace: Workspace) -> str:
    """Dora, who has no account, is invited by Alice as a viewer."""
    with everywhere():
        invitations.invite(alices_workspace, alice, "dora@example.com", "viewer")
    return link_to("dora@example.com")


def answer(client: Client, link: str, word: str) -> str:
    """Answer an invitation; what is said."""
    return client.post(link, {"answer": word}, follow=True).content.decode()


def test_a_stranger_with_the_link_reads_who_invites_to_what_as_what(link_of_dora: str) -> None:
    page = Client().get(link_of_dora)
    said = page.content.decode()

    assert page.status_code == 200
    assert "Join Alice&#x27;s workspace" in said
    assert "Alice invites dora@example.com as viewer" in said
    assert "no-store" in page["Cache-Control"]


def test_who_has_an_account_is_shown_the_way_in_and_back(link: str) -> None:
    said = Client().get(link).content.decode()

    assert f"/login?next={link.replace('/', '%2F')}" in said
    assert "Make an account" not in said.split("<main")[1]


def test_signing_in_leads_back_to_the_invitation(link: str) -> None:
    client = Client()
    form = {"login": "charlie@example.com", "password": PASSWORD, "next": link}

    assert client.post("/login", form).headers["Location"] == link
    assert "Accept" in client.get(link).content.decode()


def test_the_right_person_accepts(link: str, charlie: User, alice: User, alices_workspace: Workspace) -> None:
    client = signed_in(charlie)

    said = answer(client, link, "accept")

    assert "You work in Alice&#x27;s workspace as manager." in said
    assert client.session["workspace"] == str(alices_workspace.pk)
    assert role_of(charlie, alices_workspace) == "manager"
    assert "Charlie joined the workspace “Alice's workspace” as manager." in words_to("alice@example.com")[-1]
    with everywhere():
        actions = [row.action for row in ActivityLog.objects.filter(workspace_id=alices_workspace.pk).order_by("id")]
        assert actions == ["team_invite", "team_join"]
        assert not Invitation.objects.exists()
    assert role_of(charlie, workspace_of(charlie)) == "owner"  # what was his stays his


def test_the_link_opens_once(link: str, charlie: User) -> None:
    client = signed_in(charlie)
    answer(client, link, "accept")

    assert client.get(link).status_code == 400
    assert "E-AUTH-E-0021" in answer(client, link, "accept")
    with everywhere():
        assert Membership.objects.filter(user=charlie).count() == 2


def test_who_declines_joins_nothing_and_ends_the_link(link: str, charlie: User, alices_workspace: Workspace) -> None:
    client = signed_in(charlie)

    assert "You declined the invitation" in answer(client, link, "decline")
    assert role_of(charlie, alices_workspace) is None
    assert client.get(link).status_code == 400


def test_links_that_never_were_were_used_are_old_or_taken_back_look_alike(
    alice: User, alices_workspace: Workspace, charlie: User
) -> None:
    def invited(name: str) -> str:
        with everywhere():
            invitations.invite(alices_workspace, alice, f"{name}@example.com", "viewer")
        return link_to(f"{name}@example.com")

    plan(alices_workspace, team_limit=-1)
    used, old, taken_back = invited("charlie"), invited("old"), invited("taken")
    answer(signed_in(charlie), used, "accept")
    with everywhere():
        Invitation.objects.filter(email="old@example.com").update(expires_at=timezone.now() - timedelta(seconds=1))
        Invitation.objects.filter(email="taken@example.com").delete()

    pages = set()
    for path in (used, old, taken_back, "/invitations/never/", "/invitations/" + "a" * 43 + "/"):
        page = Client().get(path)
        pages.add((page.status_code, page.content.decode().replace(page["X-Correlation-ID"], "")))

    assert len(pages) == 1
    ((status, said),) = pages
    assert status == 400
    assert "E-AUTH-E-0021" in said


@pytest.mark.parametrize("token", ["a" * 4000, "%F0%9F%98%80", "%ff%fe", "..%2f..", "' OR 1=1 --"])
def test_odd_links_are_refused_alike(db: None, nobody_guessed: None, token: str) -> None:
    assert Client().get(f"/invitations/{token}/").status_code in (400, 404)


def test_a_foreign_person_is_told_so_and_cannot_answer(link: str, bob: User, charlie: User) -> None:
    client = signed_in(bob)

    page = client.get(link)
    assert page.status_code == 403
    assert "You are signed in as bob@example.com. The invitation is for charlie@example.com." in page.content.decode()
    assert "E-AUTH-E-0022" in page.content.decode()
    for word in ("accept", "decline"):
        assert client.post(link, {"answer": word}).status_code == 403
    with everywhere():
        assert Membership.objects.filter(user=bob).count() == 1
        assert Invitation.objects.exists()


def test_signing_out_leads_back_by_the_way_in(link: str, bob: User) -> None:
    client = signed_in(bob)
    next_path = f"/login?next={link.replace('/', '%2F')}"

    assert f'name="next" value="{next_path}"' in client.get(link).content.decode()
    assert client.post("/logout", {"next": next_path}).headers["Location"] == next_path


def test_an_address_that_is_not_confirmed_opens_nothing(link: str, charlie: User) -> None:
    EmailAddress.objects.filter(user=charlie).update(verified=False)

    assert signed_in(charlie).post(link, {"answer": "accept"}).status_code == 403


def test_a_second_address_that_is_confirmed_counts(
    link_of_dora: str, charlie: User, alices_workspace: Workspace
) -> None:
    EmailAddress.objects.create(user=charlie, email="dora@example.com", verified=True)

    answer(signed_in(charlie), link_of_dora, "accept")

    assert role_of(charlie, alices_workspace) == "viewer"


def test_who_is_in_already_is_told_so(link_of_dora: str, bob: User) -> None:
    EmailAddress.objects.create(user=bob, email="dora@example.com", verified=True)

    page = signed_in(bob).post(link_of_dora, {"answer": "accept"})

    assert (page.status_code, "E-AUTH-E-0025" in page.content.decode()) == (409, True)


def test_a_newcomer_signs_up_by_the_link_without_another_mail(link_of_dora: str, alices_workspace: Workspace) -> None:
    client = Client()
    way = client.post(link_of_dora, {"answer": "sign_up"}).headers["Location"]
    assert 'value="dora@example.com"' in client.get(way).content.decode()

    done = client.post(way, {"email": "dora@example.com", "password1": PASSWORD})

    assert done.headers["Location"] == link_of_dora
    assert len(words_to("dora@example.com")) == 1  # the invitation
    dora = User.objects.get(email="dora@example.com")
    assert EmailAddress.objects.get(user=dora).verified
    with everywhere():
        assert not Membership.objects.filter(user=dora).exists()  # a workspace of her own only if she asks for one
    answer(client, link_of_dora, "accept")
    assert role_of(dora, alices_workspace) == "viewer"


def test_another_address_must_be_confirmed_as_ever(link_of_dora: str) -> None:
    client = Client()
    way = client.post(link_of_dora, {"answer": "sign_up"}).headers["Location"]

    client.post(way, {"email": "eve@example.com", "password1": PASSWORD})

    eve = User.objects.get(email="eve@example.com")
    assert [(one.email, one.verified) for one in EmailAddress.objects.filter(user=eve)] == [("eve@example.com", False)]
    assert not EmailAddress.objects.filter(email="dora@example.com").exists()
    with everywhere():
        assert Membership.objects.filter(user=eve, role="owner").exists()


def test_who_has_an_account_cannot_make_a_second_one_by_the_link(link: str) -> None:
    client = Client()

    assert client.post(link, {"answer": "sign_up"}).headers["Location"] == link
    assert "account_verified_email" not in client.session


def test_answers_need_somebody_signed_in(link: str) -> None:
    for word in ("accept", "decline"):
        assert Client().post(link, {"answer": word}).headers["Location"].startswith("/login?next=%2Finvitations")
    with everywhere():
        assert Invitation.objects.exists()


def test_an_answer_that_is_none_is_refused(link: str, charlie: User) -> None:
    assert signed_in(charlie).post(link, {"answer": "maybe"}).status_code == 400


def test_answers_need_the_csrf_token(link: str, charlie: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(charlie)

    assert client.post(link, {"answer": "accept"}).status_code == 403
    with everywhere():
        assert Invitation.objects.exists()


def test_one_address_tries_thirty_links_an_hour(db: None, nobody_guessed: None) -> None:
    client = Client()
    for number in range(30):
        assert client.get(f"/invitations/{number:043}/").status_code == 400

    assert client.get("/invitations/" + "a" * 43 + "/").status_code == 429


def test_the_link_is_in_no_log(link: str, bob: User) -> None:
    signed_in(bob).post(link, {"answer": "accept"})
    token = link.split("/")[2]

    with everywhere():
        assert token not in str(list(ActivityLog.objects.values()))
    assert token not in redact_text(f"GET {link}")
    assert token not in redact_text(f"GET /login?next={link.replace('/', '%2F')}")


def test_after_a_smaller_plan_whoever_accepts_first_gets_what_is_left(
    alice: User, alices_workspace: Workspace, charlie: User
) -> None:
    dora = User.objects.make(email="dora@example.com", password=PASSWORD)
    EmailAddress.objects.create(user=dora, email="dora@example.com", verified=True, primary=True)
    with everywhere():
        for email in ("charlie@example.com", "dora@example.com"):
            invitations.invite(alices_workspace, alice, email, "viewer")
    plan(alices_workspace, team_limit=2)

    first = signed_in(charlie).post(link_to("charlie@example.com"), {"answer": "accept"})
    second = signed_in(dora).post(link_to("dora@example.com"), {"answer": "accept"})

    assert (first.status_code, second.status_code) == (302, 402)
    assert "E-AUTH-W-0023" in second.content.decode()
    assert (role_of(charlie, alices_workspace), role_of(dora, alices_workspace)) == ("viewer", None)


@pytest.mark.parametrize(
    "there",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "\t//evil.example",
    ],
)
def test_no_way_in_or_out_leads_off_this_site(charlie: User, there: str) -> None:
    form = {"login": "charlie@example.com", "password": PASSWORD, "next": there}

    for client, path in ((Client(), "/login"), (signed_in(charlie), "/logout")):
        assert client.post(path, form).headers["Location"].startswith(("/dashboard", "/accounts/login", "/login"))
