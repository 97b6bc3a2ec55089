"""Where a request came from, as limits, allow-list, session list and the API's throttles see it."""

import random
from ipaddress import IPv4Address

import pytest
from allauth.account.adapter import get_adapter
from rest_framework.request import Request

from accounts import limits
from accounts.api_auth import PersonThrottle, VisitorThrottle
from errors.exceptions import BotException


def seen(rf, peer="10.0.0.1", forwarded=None):
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    request = rf.get("/", REMOTE_ADDR=peer, **headers)
    found = limits.client_address(request)
    assert get_adapter().get_client_ip(request) == found
    for throttle in (PersonThrottle(), VisitorThrottle()):
        assert throttle.get_ident(Request(request)) == limits.counted_as(found)
    return found


def some_addresses(seed):
    dice = random.Random(seed)
    return [str(IPv4Address(dice.getrandbits(32))) for _ in range(100)]


def test_without_proxies_nobody_chooses_where_they_come_from(rf):
    distinct = {seen(rf, "198.51.100.7", written) for written in some_addresses(1)}

    print(f"distinct_clients={len(distinct)}")
    assert distinct == {"198.51.100.7"}


@pytest.mark.parametrize(("proxies", "added"), [(1, "{}"), (2, "{}, 10.0.0.2")])
def test_behind_proxies_what_they_saw_counts_and_nothing_further_left(rf, settings, proxies, added):
    settings.TRUSTED_PROXY_COUNT = proxies
    written, real = some_addresses(2), some_addresses(3)

    assert [seen(rf, forwarded=f"{a}, {added.format(b)}") for a, b in zip(written, real, strict=True)] == real


@pytest.mark.parametrize("proxies", [1, 2])
@pytest.mark.parametrize("forwarded", [None, "", ",", " , ", "unknown", "_hidden, _hidden", "1.2.3, 1.2.3", "[y], [x]"])
def test_what_the_proxies_did_not_tell_nobody_knows(rf, settings, proxies, forwarded):
    settings.TRUSTED_PROXY_COUNT = proxies

    assert seen(rf, forwarded=forwarded) == limits.UNKNOWN


def test_fewer_words_than_proxies_are_not_believed(rf, settings):
    settings.TRUSTED_PROXY_COUNT = 2

    assert seen(rf, forwarded="203.0.113.7") == limits.UNKNOWN


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7:49152 ", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:443", "203.0.113.7"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:49152", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", limits.UNKNOWN),  # a socket in a folder
        ("203.0.113.7.evil.example", limits.UNKNOWN),
        ("1" * 10_000, limits.UNKNOWN),
        ("\u202e203.0.113.7", limits.UNKNOWN),
    ],
)
def test_an_address_has_one_form(rf, settings, told, found):
    assert seen(rf, peer=told) == found
    settings.TRUSTED_PROXY_COUNT = 1
    assert seen(rf, forwarded=f"192.0.2.1, {told}") == found


def test_a_household_with_ipv6_counts_as_one(nobody_guessed):
    for last in range(limits.RESET_FROM.amount):
        limits.take(limits.RESET_FROM, f"2001:db8:1:2::{last:x}")

    with pytest.raises(BotException):
        limits.take(limits.RESET_FROM, "2001:db8:1:2:ffff::1")
    assert limits.take(limits.RESET_FROM, "2001:db8:1:3::1") == limits.RESET_FROM.amount - 1


@pytest.mark.django_db
@pytest.mark.parametrize("forwarded", [None, "203.0.113.7", "nonsense, ,"])
def test_a_short_header_is_no_fault_of_ours(client, alice, visitor, settings, forwarded):
    settings.TRUSTED_PROXY_COUNT = 2
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    client.force_login(alice)

    assert client.get("/dashboard/", **headers).status_code == 200
    assert client.get("/api/bots/", **headers).status_code == 200
    assert (
        visitor.post("/api/auth/login", {"login": "a@example.com", "password": "wrong"}, **headers).status_code == 401
    )


@pytest.mark.django_db
def test_the_apis_visitors_are_counted_by_where_they_come_from(visitor):
    answers = [
        visitor.post("/api/auth/login", {}, REMOTE_ADDR="198.51.100.9", HTTP_X_FORWARDED_FOR=written).status_code
        for written in some_addresses(4)
    ]

    assert (answers.count(400), answers.count(429)) == (60, 40)
