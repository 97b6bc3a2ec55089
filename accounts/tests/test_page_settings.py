import pytest
from django.test import Client

from accounts.models import Membership, User, Workspace
from instagrowth.testing import everywhere

PAGE = "/settings/"


def test_a_person_keeps_a_name_and_a_zone(client: Client, alice: User) -> None:
    client.force_login(alice)

    page = client.post(f"{PAGE}person/", {"name": "Alice Clay", "timezone": "Europe/Oslo"}, follow=True)

    alice.refresh_from_db()
    assert (alice.name, alice.timezone) == ("Alice Clay", "Europe/Oslo")
    assert "Your name and time zone are kept." in page.content.decode()


def test_a_zone_that_is_none_is_refused(client: Client, alice: User) -> None:
    client.force_login(alice)

    answer = client.post(f"{PAGE}person/", {"name": "Alice", "timezone": "Mars/Base"})

    assert answer.status_code == 400
    assert "Select a valid choice." in answer.content.decode()


def test_an_owner_renames_the_workspace(client: Client, alice: User, alices_workspace: Workspace) -> None:
    client.force_login(alice)

    client.post(f"{PAGE}workspace/", {"name": "Clay & Co", "timezone": "Europe/Oslo"})

    with everywhere():
        alices_workspace.refresh_from_db()
    assert (alices_workspace.name, alices_workspace.timezone) == ("Clay & Co", "Europe/Oslo")


@pytest.mark.parametrize("role", [Membership.Role.MANAGER, Membership.Role.VIEWER])
def test_only_an_owner_does(client: Client, bob: User, role: str) -> None:
    with everywhere():
        Membership.objects.filter(user=bob).update(role=role)
    client.force_login(bob)

    page = client.get(f"{PAGE}workspace/").content.decode()
    answer = client.post(f"{PAGE}workspace/", {"name": "Bob's", "timezone": "UTC"})

    assert "Only an owner changes these." in page
    assert answer.status_code == 403


def test_a_stranger_is_sent_to_the_door(client: Client, db: None) -> None:
    assert client.get(PAGE).headers["Location"].startswith("/accounts/login/")
