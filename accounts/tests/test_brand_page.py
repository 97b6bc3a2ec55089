"""White label: who may set it, where it shows, and that it goes with the plan."""

import io
import re
from email.utils import parseaddr
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.mail import EmailMessage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from accounts import brand, mails
from accounts.models import Membership, User, Workspace
from accounts.shades import contrast, shades_of
from billing import entitlements
from instagrowth.testing import everywhere, workspace_of

SETTINGS, SAVE = "/settings/workspace/", "/settings/workspace/brand/"


def picture() -> SimpleUploadedFile:
    file = io.BytesIO()
    Image.new("RGB", (300, 90), (10, 127, 131)).save(file, "PNG")
    return SimpleUploadedFile("logo.png", file.getvalue())


def plan(workspace: Workspace, key: str) -> None:
    with everywhere():
        entitlements.subscribe(workspace, key)


@pytest.fixture
def owner(client: Client, alice: User, alices_workspace: Workspace) -> Client:
    """Alice, whose plan has white label."""
    plan(alices_workspace, "enterprise")
    client.force_login(alice)
    return client


@pytest.fixture
def branded(owner: Client, alices_workspace: Workspace) -> Client:
    """Her workspace wears its brand."""
    answer = owner.post(SAVE, {"accent": "#7C3AED", "reply_to": "hello@clay.example", "logo": picture()})
    assert answer.status_code == 302, answer.content
    return owner


def kept(workspace: Workspace) -> tuple[str, str, bool]:
    with everywhere():
        workspace.refresh_from_db()
    return workspace.accent, workspace.reply_to, bool(workspace.logo_at)


def test_her_pages_wear_it(branded: Client, alices_workspace: Workspace) -> None:
    page = branded.get("/dashboard/").content.decode()

    key = alices_workspace.pk
    assert kept(alices_workspace) == ("#7c3aed", "hello@clay.example", True)
    assert re.search(rf'<link rel="stylesheet" href="/brand/{key}\.css\?v=[0-9a-f]{{12}}">', page)
    assert re.search(rf'<img class="brand-logo" src="/brand/{key}/logo\.png\?v=\d+" alt="">', page)
    assert "Alice&#x27;s workspace</title>" in page
    assert "InstaGrowth OS</span>" not in page
    assert "style=" not in page


def test_without_a_colour_no_style_sheet_is_asked_for(owner: Client) -> None:
    page = owner.get("/dashboard/").content.decode()

    assert "/brand/" not in page
    assert "Alice&#x27;s workspace</title>" in page


def test_a_smaller_plan_takes_it_off_at_once_and_a_larger_one_brings_it_back(
    branded: Client, alices_workspace: Workspace
) -> None:
    addresses = [f"/brand/{alices_workspace.pk}.css", f"/brand/{alices_workspace.pk}/logo.png"]
    assert [Client().get(address).status_code for address in addresses] == [200, 200]

    plan(alices_workspace, "growth")

    page = branded.get("/dashboard/").content.decode()
    assert "/brand/" not in page
    assert "InstaGrowth OS</title>" in page
    assert [Client().get(address).status_code for address in addresses] == [404, 404]
    assert branded.post(SAVE, {"accent": "#000000"}).status_code == 402
    plan(alices_workspace, "enterprise")
    assert "/brand/" in branded.get("/dashboard/").content.decode()


def test_without_it_the_card_says_which_plan_has_it(client: Client, alice: User) -> None:
    client.force_login(alice)

    page = client.get(SETTINGS).content.decode()

    assert "With white label your workspace wears its own name, logo and colour" in page
    assert "Enterprise" in page
    assert 'name="accent"' not in page


@pytest.mark.parametrize("role", [Membership.Role.MANAGER, Membership.Role.VIEWER])
def test_only_an_owner_decides(bob: User, owner: Client, alices_workspace: Workspace, role: str) -> None:
    with everywhere():
        Membership.objects.filter(user=bob).update(role=role)
    browser = Client()
    browser.force_login(bob)

    assert 'name="accent"' not in browser.get(SETTINGS).content.decode()
    assert browser.post(SAVE, {"accent": "#000000", "logo": picture()}).status_code == 403
    assert browser.post(f"{SAVE}remove-logo/").status_code == 403
    assert kept(alices_workspace) == ("", "", False)


def test_what_is_not_a_form_field_changes_nothing(owner: Client, alices_workspace: Workspace, charlie: User) -> None:
    more = {
        "name": "Stolen", "id": "x", "workspace": str(workspace_of(charlie).pk), "plan": "free", "white_label": "1",
        "logo_at": "2020-01-01", "wants_approval": "on", "delete_at": "2020-01-01", "created_at": "2020-01-01",
        "timezone": "Asia/Tokyo", "role": "admin", "is_staff": "1",
    }  # fmt: skip
    with everywhere():
        before = dict(Workspace.objects.filter(pk=alices_workspace.pk).values().get().items())

    owner.post(SAVE, {"accent": "#123456"} | more)

    with everywhere():
        after = dict(Workspace.objects.filter(pk=alices_workspace.pk).values().get().items())
    changed = {name for name in before if before[name] != after[name]}
    print(f"changed={len(changed - {'accent'})}")
    assert changed == {"accent"}


@pytest.mark.parametrize(
    "colour",
    ["red", "#fff", "#12345", "#1234567", "#12345g", "123", "#١٢٣٤٥٦", "}*{x", "#0a7f83;", "#0a7f83\n", "rgb(1,2,3)"],
)
def test_a_colour_that_is_none_is_refused(owner: Client, alices_workspace: Workspace, colour: str) -> None:
    answer = owner.post(SAVE, {"accent": colour})

    if colour.strip() != colour:  # a line end round it is dropped
        assert kept(alices_workspace)[0] == colour.strip()
        return
    assert answer.status_code == 400
    assert kept(alices_workspace) == ("", "", False)


@pytest.mark.parametrize(
    "address", ["nobody", "a@b", "a@example.com\nBcc: x@example.com", "a@example.com, b@example.com"]
)
def test_a_reply_to_that_is_no_address_is_refused(owner: Client, alices_workspace: Workspace, address: str) -> None:
    assert owner.post(SAVE, {"reply_to": address}).status_code == 400
    assert kept(alices_workspace)[1] == ""


def test_picture_and_style_sheet_are_the_same_for_everybody_for_a_year(
    branded: Client, alices_workspace: Workspace
) -> None:
    with everywhere():
        alices_workspace = Workspace.objects.select_related("subscription__plan").get(pk=alices_workspace.pk)
        label = brand.label_of(alices_workspace)
    for address, kind in ((label.css, "text/css; charset=utf-8"), (label.logo, "image/png")):
        for asks in (Client(), branded):
            answer = asks.get(address)
            assert answer.status_code == 200
            assert answer["Content-Type"] == kind
            assert answer["Cache-Control"] == "public, max-age=31536000, immutable"
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert not answer.cookies
            assert "Cookie" not in answer.get("Vary", "")
        assert Client().get(f"{address}0")["Cache-Control"] == "public, max-age=300"
        assert Client().post(address).status_code == 405


@pytest.mark.parametrize("end", [".css", "/logo.png"])
def test_a_workspace_without_it_cannot_be_told_from_none(alices_workspace: Workspace, end: str) -> None:
    plan(alices_workspace, "enterprise")  # the plan, but neither colour nor picture
    answers = [
        Client().get(f"/brand/{key}{end}") for key in (alices_workspace.pk, "00000000-0000-4000-8000-000000000000")
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    bodies = [re.sub(r"c-[0-9a-f]+|[0-9a-f-]{36}", "", answer.content.decode()) for answer in answers]
    assert bodies[0] == bodies[1]


def test_another_workspace_does_not_wear_it(branded: Client, charlie: User) -> None:
    plan(workspace_of(charlie), "enterprise")
    browser = Client()
    browser.force_login(charlie)

    assert "/brand/" not in browser.get("/dashboard/").content.decode()


def test_it_costs_an_ordinary_page_nothing(owner: Client, alices_workspace: Workspace) -> None:
    owner.get("/activity/")
    with CaptureQueriesContext(connection) as plain:
        owner.get("/activity/")
    without = len(plain)
    owner.post(SAVE, {"accent": "#7c3aed", "logo": picture()})
    owner.get("/activity/")

    with CaptureQueriesContext(connection) as dressed:
        owner.get("/activity/")
    assert len(dressed) == without


def test_the_example_has_the_colour_that_is_chosen_and_no_other(client: Client, db: None) -> None:
    answer = client.get("/brand/preview.css?accent=E11D48")

    assert ".brand-example{--color-accent:light-dark(" in answer.content.decode()
    assert client.get("/brand/preview.css?accent=red;}").status_code == 404
    assert client.get("/brand/preview.css").status_code == 404


def test_mails_carry_name_picture_colour_and_reply_to(
    branded: Client, alices_workspace: Workspace, mailoutbox: list[EmailMessage]
) -> None:
    with everywhere():
        place = Workspace.objects.get(pk=alices_workspace.pk)
        mails.write("mail/notice", "bob@example.com", {"subject": "Hi", "sentence": "Hello"}, workspace=place)

    mail: Any = mailoutbox[0]
    html = mail.alternatives[0].content
    assert parseaddr(mail.from_email)[0] == "Alice's workspace"
    assert mail.reply_to == ["hello@clay.example"]
    assert f"http://localhost:8000/brand/{alices_workspace.pk}/logo.png?v=" in html
    assert f"background: {shades_of('#7c3aed').body}" in html
    assert "Sent by Alice&#x27;s workspace" in html
    assert "InstaGrowth" not in mail.body + html


@pytest.mark.parametrize(
    "name", ["A\r\nBcc: x@example.com", 'A" <x@example.com>, "B', "<script>alert(1)</script>", "Ç 陶器 🏺"]
)
def test_a_name_breaks_neither_mail_nor_page(
    branded: Client, alices_workspace: Workspace, mailoutbox: list[EmailMessage], name: str
) -> None:
    with everywhere():
        Workspace.objects.filter(pk=alices_workspace.pk).update(name=name)
        place = Workspace.objects.get(pk=alices_workspace.pk)
        mails.write("mail/notice", "bob@example.com", {"subject": "Hi", "sentence": "Hello"}, workspace=place)

    message = mailoutbox[0].message()
    assert message.get_all("From") == [message["From"]]
    assert message["Bcc"] is None
    assert parseaddr(str(mailoutbox[0].from_email))[1] == "noreply@localhost"
    assert "<script>alert" not in branded.get("/dashboard/").content.decode()


def test_every_colour_gives_shades_that_can_be_read() -> None:
    """1,331 colours: each with 4.5 for words, 3 for a button's edge, 4.5 for the words on it."""
    steps = [f"{value:02x}" for value in (0, 26, 51, 77, 102, 128, 153, 179, 204, 230, 255)]
    light, dark = ("#ffffff", "#f7fafa"), ("#0a0e0f", "#101516")  # card and canvas
    worst = 21.0
    for colour in (f"#{red}{green}{blue}" for red in steps for green in steps for blue in steps):
        shades = shades_of(colour)
        for at, grounds in enumerate((light, dark)):
            on_grounds = min(contrast(shades.words[at], ground) for ground in (*grounds, shades.soft[at]))
            worst = min(worst, on_grounds, contrast(shades.on_words[at], shades.words[at]))
            assert min(contrast(shades.edge[at], ground) for ground in grounds) >= 3, colour
        assert contrast(shades.on_body, shades.body) >= 4.5, colour
    print(f"colours={len(steps) ** 3} worst_contrast={worst:.2f}")
    assert worst >= 4.5


@pytest.mark.parametrize("colour", ["#7c3aed", "#0a7f83", "#e11d48"])
def test_a_colour_that_can_be_read_stays_what_it_is(colour: str) -> None:
    assert (shades_of(colour).body, shades_of(colour).edge[0]) == (colour, colour)
