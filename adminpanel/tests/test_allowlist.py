"""From where staff may come: the page, the environment, programs, sockets, and the way back in from the server."""

from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminpanel import allowlist, presence
from adminpanel.models import AdminLog, AllowedNetwork
from adminpanel.tests.control_room import do, inside, key_of, staff_person

pytestmark = pytest.mark.django_db
ADD = "admin:adminpanel_allowednetwork_add"
IN = [
    "203.0.113.0",
    "203.0.113.7",
    "203.0.113.255",
    "::ffff:203.0.113.9",
    "2001:db8:5::1",
    "2001:db8:5:ffff::2",
    "198.51.100.4",
]
OUT = [
    "203.0.114.0", "203.0.112.255", "::ffff:203.0.114.9", "2001:db8:6::1", "198.51.100.5", "127.0.0.1", "::1",
    "10.0.0.1",
    "0.0.0.0", "255.255.255.255", "not an address", "", "203.0.113.7 ", "203.0.113", "203.0.113.7.1", "::203.0.113.7",
    "64:ff9b::203.0.113.7", "1.2.3.4", "192.168.0.1", "172.16.0.1", "2001:db8::1", "fe80::1", "ff02::1",
    "203.0.113.256",    "0xcb.0.113.7", "3405803783", "203.0.113.7/24", "localhost", "2001:db8:5", "198.51.100.04",
    "203.0.113.7,1",
    "203.0.113.7\n",
]  # fmt: skip


@pytest.fixture
def listed(settings: Any) -> None:
    settings.ADMIN_ALLOWED_NETWORKS = ["203.0.113.0/24"]
    AllowedNetwork.objects.create(network="2001:db8:5::/48")
    AllowedNetwork.objects.create(network="198.51.100.4/32")


def test_only_listed_networks_are_let_in_pages_programs_and_sockets(listed: None, nobody_guessed: None) -> None:
    client, wrong = inside("olga"), []
    cookie = [(b"cookie", f"{settings.STAFF_COOKIE_NAME}={key_of(client)}".encode())]
    for address in IN + OUT:
        may = address in IN
        page = client.get("/admin/", REMOTE_ADDR=address).status_code
        door = Client().get("/admin/login/", REMOTE_ADDR=address).status_code
        socket = presence.whose_socket(cookie, address)
        program = Client().post("/api/admin/login", {}, "application/json", REMOTE_ADDR=address).status_code
        if address.strip() == address and (page == 200, door == 200, socket is not None, program != 403) != (may,) * 4:
            wrong.append((address, page, door, socket, program))
        elif not may and socket is not None:
            wrong.append((address, socket))
    print(f"addresses={len(IN + OUT)} wrong={len(wrong)}")
    assert wrong == []


def test_an_empty_list_lets_in_all(nobody_guessed: None) -> None:
    assert inside("olga").get("/admin/", REMOTE_ADDR="8.8.8.8").status_code == 200


def test_a_list_that_would_shut_you_out_cannot_be_saved(nobody_guessed: None) -> None:
    client = inside("olga")

    refused = client.post(reverse(ADD), {"network": "203.0.113.0/24"})
    saved = AllowedNetwork.objects.count()
    assert ("E-SEC-E-0020" in refused.content.decode(), saved) == (True, 0)

    client.post(reverse(ADD), {"network": "127.0.0.0/8", "note": "here"})
    client.post(reverse(ADD), {"network": "203.0.113.9"})
    assert [row.network for row in allowlist.rows()] == ["127.0.0.0/8", "203.0.113.9/32"]
    mine = AllowedNetwork.objects.get(network="127.0.0.0/8")
    assert do(client, mine, "delete").status_code == 400
    other = AllowedNetwork.objects.get(network="203.0.113.9/32")
    assert do(client, other, "delete").status_code == 302
    assert list(AdminLog.objects.values_list("action", flat=True)[:2]) == ["networks.delete", "networks.add"]


@pytest.mark.parametrize("network", ["nonsense", "203.0.113.0/33", "", "<script>", "1.2.3.4/-1"])
def test_what_is_no_network_is_refused(nobody_guessed: None, network: str) -> None:
    inside("olga").post(reverse(ADD), {"network": network})

    assert not AllowedNetwork.objects.exists()


def test_the_server_itself_is_the_way_back_in(nobody_guessed: None) -> None:
    said = StringIO()
    call_command("allowlist", "add", "203.0.113.0/24", stdout=said)
    client = inside("olga")
    assert client.get("/admin/").status_code == 403

    call_command("allowlist", "remove", "203.0.113.0/24", stdout=said)
    with pytest.raises(CommandError):
        call_command("allowlist", "remove", "203.0.113.0/24", stdout=said)

    cli_ok = client.get("/admin/").status_code == 200
    print(f"saved=0 cli_ok={int(cli_ok)}")
    assert cli_ok
    assert "everywhere" in said.getvalue()
    assert AdminLog.objects.filter(door="manage.py").count() == 2


def test_whoever_must_change_the_password_has_no_socket(nobody_guessed: None) -> None:
    olga = staff_person("olga")
    cookie = [(b"cookie", f"a=b; {settings.STAFF_COOKIE_NAME}={key_of(inside(olga))}".encode())]
    assert presence.whose_socket(cookie, "127.0.0.1") == olga
    User.objects.filter(pk=olga.pk).update(must_change_password=True)
    assert presence.whose_socket(cookie, "127.0.0.1") is None
    assert presence.whose_socket([], "127.0.0.1") is None
