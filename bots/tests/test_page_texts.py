"""The texts of welcomes."""

import re

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import Membership, User, Workspace
from bots.models import MessageTemplate
from instagrowth.testing import everywhere

PAGE = "/texts/"


def text() -> MessageTemplate:
    with everywhere():
        return MessageTemplate.objects.get()


def shown_on(page: HttpResponse) -> str:
    """What the page's form says of the words that wait for an owner."""
    return re.search(r'name="shown" value="(\w+)"', page.content.decode())[1]


def test_an_owners_words_are_approved(client: Client, alice: User) -> None:
    client.force_login(alice)

    page = client.post(PAGE, {"name": "Spring", "text": "Hello {username}, thanks!"}, follow=True).content.decode()

    assert text().approved_by == alice
    assert "Hello @mira.clay, thanks!" in page


@pytest.mark.parametrize(
    ("name", "words"), [("Spring", "Hi {name}"), ("Spring", " "), ("", "Hi"), ("x" * 41, "Hi"), ("Spring", "x" * 1001)]
)
def test_words_that_cannot_be_sent_are_refused(client: Client, alice: User, name: str, words: str) -> None:
    client.force_login(alice)

    assert client.post(PAGE, {"name": name, "text": words}).status_code == 400
    with everywhere():
        assert not MessageTemplate.objects.exists()


def test_what_was_typed_stays_beside_what_is_wrong_with_it(client: Client, alice: User) -> None:
    client.force_login(alice)

    page = client.post(PAGE, {"name": "Spring", "text": "Hi {name}"}).content.decode()

    assert "{name} is no placeholder." in page
    assert "Hi {name}</textarea>" in page


def test_lines_end_as_instagram_gives_them_back(client: Client, alice: User) -> None:
    client.force_login(alice)

    client.post(PAGE, {"name": "Spring", "text": "Hi\r\nthere"})

    assert text().text == "Hi\nthere"


def test_what_waits_for_an_owner_stands_first(client: Client, alice: User, alices_workspace: Workspace) -> None:
    client.force_login(alice)
    for name in ("B", "A", "C"):
        client.post(PAGE, {"name": name, "text": "Hi"})
    with everywhere():
        MessageTemplate.objects.filter(name="C").update(approved_at=None)

    assert client.get(PAGE).context["texts"][0].name == "C"


def test_a_managers_words_wait_for_an_owner(
    client: Client, alice: User, bob: User, alices_workspace: Workspace
) -> None:
    with everywhere():
        Workspace.objects.update(wants_approval=True)
    client.force_login(bob)
    client.post(PAGE, {"name": "Spring", "text": "Hi"})
    assert text().approved_at is None
    assert client.post(f"{PAGE}{text().pk}/approve/").status_code == 403

    client.force_login(alice)
    client.post(f"{PAGE}{text().pk}/approve/", {"shown": shown_on(client.get(PAGE))})
    assert text().approved_by == alice

    client.force_login(bob)
    client.post(f"{PAGE}?change={text().pk}", {"name": "Spring", "text": "Buy now"})
    assert text().approved_at is None


def test_an_owner_approves_the_words_they_saw_and_no_others(client: Client, alice: User) -> None:
    client.force_login(alice)
    client.post(PAGE, {"name": "Spring", "text": "Hello"})
    with everywhere():
        MessageTemplate.objects.update(approved_at=None, approved_by=None)
    shown = shown_on(client.get(PAGE))
    with everywhere():
        MessageTemplate.objects.update(text="Buy now")

    for seen in (shown, ""):
        page = client.post(f"{PAGE}{text().pk}/approve/", {"shown": seen}, follow=True).content.decode()
        assert "E-API-E-0032" in page
        assert "Buy now" in page
        assert text().approved_at is None


def test_a_viewer_only_looks_and_a_stranger_sees_nothing(client: Client, alice: User, bob: User, charlie: User) -> None:
    client.force_login(alice)
    client.post(PAGE, {"name": "Spring", "text": "Hi"})
    with everywhere():
        Membership.objects.filter(user=bob).update(role="viewer")

    client.force_login(bob)
    assert "Throw away" not in client.get(PAGE).content.decode()
    assert client.post(PAGE, {"name": "x", "text": "x"}).status_code == 403
    client.force_login(charlie)
    assert "Spring" not in client.get(PAGE).content.decode()
    for deed in ("approve", "throw-away"):
        assert client.post(f"{PAGE}{text().pk}/{deed}/").status_code == 404


def test_it_is_thrown_away(client: Client, alice: User) -> None:
    client.force_login(alice)
    client.post(PAGE, {"name": "Spring", "text": "Hi"})

    asked = client.get(f"{PAGE}{text().pk}/throw-away/")
    assert "It cannot be brought back" in asked.content.decode()
    assert text()
    client.post(f"{PAGE}{text().pk}/throw-away/")

    with everywhere():
        assert not MessageTemplate.objects.exists()
