"""What the tests of teams share: mails that left, links in them, places."""

import re
from typing import Any

from django.core import mail
from django.test import Client

from accounts.models import Membership, User, Workspace
from billing import entitlements
from instagrowth.testing import everywhere


def words_to(address: str) -> list[str]:
    """The texts of the mails to an address, oldest first."""
    return [str(message.body) for message in mail.outbox if message.to == [address]]


def link_to(address: str) -> str:
    """The path of the newest invitation that was mailed to an address."""
    found = re.findall(r"https?://[^\s/]+(/invitations/[\w-]+/)", words_to(address)[-1])
    assert found, words_to(address)[-1]
    return str(found[0])


def role_of(user: User, workspace: Workspace) -> str | None:
    """What a person is in a workspace; None is nobody."""
    with everywhere():
        return Membership.objects.filter(user=user, workspace=workspace).values_list("role", flat=True).first()


def be(user: User, role: str) -> None:
    """Give a person this role wherever they are."""
    with everywhere():
        Membership.objects.filter(user=user).update(role=role)


def plan(workspace: Workspace, **fields: Any) -> None:
    """Put a workspace on a plan with these fields."""
    with everywhere():
        subscribed = entitlements.subscribe(workspace, "growth")
        type(subscribed.plan).objects.filter(key="growth").update(**fields)


def signed_in(user: User) -> Client:
    """A browser of a person's own."""
    client = Client()
    client.force_login(user)
    return client
