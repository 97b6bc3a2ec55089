"""Staff write down anew what a member is called and where mail reaches them."""

import json

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.models import User
from accounts.tests import mailbox
from adminpanel.models import AdminLog
from adminpanel.tests.control_room import do, inside
from instagrowth.testing import PASSWORD

pytestmark = pytest.mark.django_db


@pytest.fixture
def support(nobody_guessed: None) -> Client:
    return inside("sue", "Support")


def test_a_member_signs_in_by_the_new_address_and_the_former_one_is_told(support: Client, alice: User) -> None:
    EmailAddress.objects.get_or_create(user=alice, email=alice.email, defaults={"primary": True, "verified": True})

    given = {"name": "Alice Fern", "email": "Alice.Fern@example.com", "timezone": "Europe/Berlin"}
    assert do(support, alice, "edit", **given).status_code == 302

    alice.refresh_from_db()
    assert (alice.name, alice.email, alice.timezone) == ("Alice Fern", "alice.fern@example.com", "Europe/Berlin")
    assert list(EmailAddress.objects.filter(user=alice).values_list("email", "primary", "verified")) == [
        ("alice.fern@example.com", True, True)
    ]
    assert mailbox.subjects("alice@example.com") == ["Your main e-mail was changed"]
    former, new = (
        Client().post("/login", {"login": name, "password": PASSWORD}) for name in ("alice@example.com", alice.email)
    )
    assert (former.status_code, new.status_code) == (200, 302)
    entry = AdminLog.objects.get(action="users.edit")
    assert (entry.changes["name"], entry.reason) == (["Alice", "Alice Fern"], "asked by phone")
    assert "alice.fern@" not in json.dumps(entry.changes)


@pytest.mark.parametrize(
    "wrong", [{"email": "charlie@example.com"}, {"email": "nowhere"}, {"email": ""}, {"timezone": "Mars/Crater"}]
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    support: Client, alice: User, charlie: User, wrong: dict
) -> None:
    given = {"name": "Other", "email": "other@example.com", "timezone": "UTC"} | wrong

    assert do(support, alice, "edit", **given).status_code == 400

    now = User.objects.get(pk=alice.pk)
    assert (now.name, now.email) == (alice.name, "alice@example.com")
    assert not AdminLog.objects.filter(action="users.edit").exists()
