"""The keep list and the block list."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Membership, User, Workspace
from bots.models import ListedPerson
from instagrowth.testing import everywhere

PAGE = "/people/"


def names(which: str = "keep") -> list[str]:
    with everywhere():
        return list(ListedPerson.objects.filter(list=which).order_by("username").values_list("username", flat=True))


def test_people_are_put_on_a_list_once(client: Client, alice: User) -> None:
    client.force_login(alice)

    for _ in range(2):
        client.post(f"{PAGE}add/", {"list": "keep", "names": "@Mira.Clay, kiln_studio\npotter.7"})

    assert names() == ["kiln_studio", "mira.clay", "potter.7"]
    assert "@mira.clay" in client.get(f"{PAGE}?list=keep&q=@mira").content.decode()
    assert "kiln_studio" not in client.get(f"{PAGE}?list=keep&q=mira").content.decode()


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (b"mira.clay\nkiln.studio\n", ["kiln.studio", "mira.clay"]),
        (b"\xef\xbb\xbfnote;,username\nfriend,mira.clay\n\n,\n", ["mira.clay"]),
        (b'"username","note"\n"\'mira.clay","x"\n', ["mira.clay"]),
    ],
)
def test_a_file_is_read(client: Client, alice: User, data: bytes, kept: list[str]) -> None:
    client.force_login(alice)

    client.post(f"{PAGE}add/", {"list": "block", "file": SimpleUploadedFile("list.csv", data)})

    assert names("block") == kept


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff\xfe\x00", "This is no CSV file in UTF-8."),
        (b"two words\n", "“two words” is no Instagram username."),
        (b"a\n" * 200_000, "The file is larger than 256 KB."),
        (b"<script>alert(1)</script>", "“&lt;script&gt;alert(1)&lt;/script&gt;” is no Instagram username."),
        (b"username\n", "There is no username in it."),
    ],
)
def test_a_file_that_is_none_changes_nothing(client: Client, alice: User, data: bytes, sentence: str) -> None:
    client.force_login(alice)

    answer = client.post(f"{PAGE}add/", {"list": "block", "file": SimpleUploadedFile("x", data)})

    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert names("block") == []


def test_what_was_typed_stays_beside_what_is_wrong_with_it(client: Client, alice: User) -> None:
    client.force_login(alice)

    answer = client.post(f"{PAGE}add/", {"list": "keep", "names": "mira.clay, not!a!name", "note": "friends"})

    page = answer.content.decode()
    assert "“not!a!name” is no Instagram username." in page
    assert "mira.clay, not!a!name</textarea>" in page
    assert names() == []
    assert "Type a username, or choose a file." in client.post(f"{PAGE}add/", {"list": "keep"}).content.decode()


def test_it_says_how_many_are_new(client: Client, alice: User) -> None:
    client.force_login(alice)
    asked = {"list": "keep", "names": "mira.clay kiln_studio"}

    first, second = (client.post(f"{PAGE}add/", asked, follow=True).content.decode() for _ in range(2))

    assert "2 more people are on the keep list." in first
    assert "Nobody is new to the keep list." in second


def test_a_list_goes_out_and_comes_in_again(client: Client, alice: User) -> None:
    client.force_login(alice)
    client.post(f"{PAGE}add/", {"list": "keep", "names": "mira.clay", "note": "=HYPERLINK(1)"})

    csv = client.get(f"{PAGE}export.csv?list=keep").content

    assert b"'=HYPERLINK(1)" in csv
    client.post(f"{PAGE}add/", {"list": "block", "file": SimpleUploadedFile("keep-list.csv", csv)})
    assert names("block") == ["mira.clay"]


def test_somebody_is_taken_off(client: Client, alice: User, alices_workspace: Workspace) -> None:
    client.force_login(alice)
    client.post(f"{PAGE}add/", {"list": "keep", "names": "mira.clay"})
    with everywhere():
        listed = ListedPerson.objects.get()

    client.post(f"{PAGE}{listed.pk}/remove/")

    assert names() == []


def test_a_viewer_only_looks_and_a_stranger_sees_nothing(client: Client, alice: User, bob: User, charlie: User) -> None:
    client.force_login(alice)
    client.post(f"{PAGE}add/", {"list": "keep", "names": "alices.friend"})
    with everywhere():
        Membership.objects.filter(user=bob).update(role="viewer")
        listed = ListedPerson.objects.get()

    client.force_login(bob)
    assert "Take off" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}add/", {"list": "keep", "names": "x"}).status_code == 403
    client.force_login(charlie)
    assert "alices.friend" not in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}{listed.pk}/remove/").status_code == 404
    assert names() == ["alices.friend"]
