"""The open line of staff tells each what their role may look at, now and of what they missed."""

import json
from typing import Any

import pytest
from django.conf import settings

from adminpanel import roles
from adminpanel.consumers import StaffConsumer
from adminpanel.tests.control_room import inside, key_of, staff_person
from instagrowth import live
from instagrowth.consumers import LiveConsumer
from instagrowth.testing import everywhere

pytestmark = pytest.mark.django_db
BOTH = ["alert", "user_registered"]
HEARS = dict.fromkeys(roles.Role.values, BOTH) | {"Billing": ["user_registered"], "": []}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, nobody_guessed: None) -> list[str]:
    """The names of what goes out on a line, after three things happened."""
    names: list[str] = []

    def go_out(_: Any, text: str, count: int) -> None:
        heard = json.loads(text)
        names.extend(event["name"] for event in heard.get("events", [heard]))

    monkeypatch.setattr(LiveConsumer, "tell", go_out)
    with everywhere():
        for name in (*BOTH, "invented"):
            live.publish(live.STAFF, name, {"text": "x"})
    return names


def line(role: str) -> StaffConsumer:
    found = StaffConsumer()
    found.role, found.audience = role, live.STAFF
    return found


def test_each_role_hears_what_its_pages_show(told: list[str]) -> None:
    for role, names in HEARS.items():
        told.clear()
        line(role).tell(json.dumps({"events": [{"name": name} for name in (*BOTH, "invented")]}), 3)
        line(role).tell(json.dumps({"name": "alert"}), 1)
        missed, _ = line(role)._missed(0)

        assert told == names + (["alert"] if "alert" in names else []), role
        assert [event["name"] for event in missed or []] == names, role


def test_another_role_counts_on_the_line_that_is_open(told: list[str]) -> None:
    bea, mine = staff_person("bea", roles.Role.SUPPORT), line("Support")
    cookie = f"{settings.STAFF_COOKIE_NAME}={key_of(inside(bea))}".encode()
    mine.scope = {"headers": [(b"cookie", cookie)], "client": ("127.0.0.1", 1)}
    roles.give(bea, roles.Role.BILLING)

    assert StaffConsumer.heard_by([mine]) == [mine]
    mine.tell(json.dumps({"name": "alert"}), 1)
    assert told == []
