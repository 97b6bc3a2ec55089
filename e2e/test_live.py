"""Live events over WebSockets: told at once, told again after a break, told to nobody else."""

import contextlib
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4
from weakref import WeakKeyDictionary

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import Browser, expect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from accounts import tenancy
from accounts.models import User
from adminpanel import presence
from adminpanel.models import AllowedNetwork
from adminpanel.tests.control_room import inside
from bots import switch, tasking
from bots.models import Bot, InstagramAccount
from content import plan_review
from content.models import GrowthPlan
from e2e.conftest import Stack
from e2e.visitor import visit
from instagrowth import consumers, live
from instagrowth.testing import everywhere, workspace_of

_waiting: WeakKeyDictionary[ClientConnection, list[dict[str, Any]]] = WeakKeyDictionary()  # of frames with several


@contextmanager
def listening(
    stack: Stack, user: User | None = None, origin: str = "", **hello: int | None
) -> Iterator[ClientConnection]:
    """A socket with the person's cookie, open; `since=0` asks for all there is, `since=None` for the moment alone."""
    cookie = {}
    if user is not None:
        client = Client()
        client.force_login(user)
        session = client.session
        session["workspace"] = str(workspace_of(user).pk)  # a page has set it before its socket opens
        session.save()
        cookie = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={session.session_key}"}
    address = stack.site.replace("http", "ws", 1) + "/ws/workspace/"
    with connect(address, origin=origin or stack.site, additional_headers=cookie, proxy=None) as socket:
        if hello:
            socket.send(json.dumps(hello))
        yield socket


def heard(socket: ClientConnection, name: str, seconds: float = 20) -> dict[str, Any]:
    """Wait for the next event of this name."""
    waiting = _waiting.setdefault(socket, [])
    while True:
        if not waiting:
            said: dict[str, Any] = json.loads(socket.recv(timeout=seconds))
            waiting += said.get("events", [said])
        event = waiting.pop(0)
        if event.get("name") == name:
            return event


def closed_with(socket: ClientConnection) -> int | None:
    """Wait until the server closes the line; the code it gives."""
    with contextlib.suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=20)
    return socket.close_code


def test_an_action_is_told_while_the_page_is_open(stack: Stack, alice: User, alices_connected_bot: Bot) -> None:
    with listening(stack, alice) as socket:
        with tenancy.scope(alices_connected_bot.workspace):
            switch.start(alices_connected_bot, alice)
            tasking.follow_hashtag(alices_connected_bot, "ceramics", 1, {}, alice)

        assert heard(socket, "bot")["data"] == {"account": "alice.real", "action": "bot_start"}
        assert heard(socket, "task")["data"]["status"] == "queued"
        assert heard(socket, "action")["data"] == {"account": "alice.real", "kind": "follow", "outcome": "confirmed"}
        assert heard(socket, "task")["data"]["status"] == "done"
    assert len(stack.instagram.ledger("alice.real").targets("follow")) == 1


def test_a_part_that_comes_open_follows_and_what_was_typed_stays(
    stack: Stack, browser: Browser, alice: User, alices_account: InstagramAccount
) -> None:
    workspace = workspace_of(alice)
    with everywhere():
        today = plan_review.today(alices_account)
        known = {"niche": "n", "posts_a_week": 3, "hours_from": "none", "starts_on": today, "status": "accepted"}
        routine = {"title": "Answer", "how": "", "minutes": 5, "weekly": 4, "done": {}}
        plan = GrowthPlan(workspace=workspace, account=alices_account, goal="First goal", routines=[routine], **known)
        plan.save()

    def happens(goal: str) -> None:
        with tenancy.scope(workspace):
            GrowthPlan.objects.update(goal=goal)
            live.publish(workspace.pk, "ai", {"plan": str(plan.pk)})
            live.publish(workspace.pk, "notice", {"kind": "tasks"})  # the bell follows in the same breath

    fetched: list[str] = []
    with visit(browser, stack.site) as visitor:
        visitor.sign_in(alice)
        visitor.goes_to("/content/planner/")
        visitor.page.on("request", lambda asked: "hx-request" in asked.headers and fetched.append(asked.url))
        expect(visitor.page.locator("#review")).to_be_visible()
        happens("Second goal")
        visitor.sees("Second goal")
        times = visitor.page.locator("#did-1")
        times.fill("3")
        visitor.page.locator("h1").click()
        with visitor.page.expect_response(lambda answer: "/notifications/bell/" in answer.url):
            happens("Third goal")

        expect(times).to_have_value("3")
        before = sum("/content/planner/" in url for url in fetched)
        times.fill("")
        visitor.page.locator("h1").click()
        happens("Fourth goal")
        visitor.sees("Fourth goal")
    assert sum("/content/planner/" in url for url in fetched) == before + 1


def test_who_comes_back_is_told_what_was_missed_in_order(stack: Stack, alice: User) -> None:
    workspace = workspace_of(alice)
    with tenancy.scope(workspace):
        live.publish(workspace.pk, "bell", {"n": 1})
    with listening(stack, alice, since=None) as socket:
        moment = json.loads(socket.recv(timeout=10))["since"]
    with tenancy.scope(workspace):
        for n in (2, 3, 4):
            live.publish(workspace.pk, "bell", {"n": n})

    with listening(stack, alice, since=moment) as socket:
        missed = [heard(socket, "bell")["data"]["n"]]
        while missed[-1] != 4:
            missed.append(heard(socket, "bell")["data"]["n"])

    # What was told while some transaction was open, anywhere on the server, is told again: the browser knows it.
    assert missed[-3:] == [2, 3, 4]
    assert missed[:-3] in ([], [1])


def test_a_burst_reaches_every_line_whole_in_order_and_in_few_frames(stack: Stack, alice: User) -> None:
    """The long one, with figures, is `make bench ARGS=live`."""
    workspace, amount = workspace_of(alice), 200
    with ExitStack() as lines:
        sockets = [lines.enter_context(listening(stack, alice, since=None)) for _ in range(3)]
        for socket in sockets:
            assert list(json.loads(socket.recv(timeout=10))) == ["since"]
        with tenancy.scope(workspace):  # told one after the other, when it commits
            for n in range(amount):
                live.publish(workspace.pk, "burst", {"n": n})

        for socket in sockets:
            frames: list[list[int]] = []
            while sum(map(len, frames)) < amount:
                said = json.loads(socket.recv(timeout=20))
                frames.append([event["data"]["n"] for event in said.get("events", [said])])
            assert [n for frame in frames for n in frame] == list(range(amount))
            assert len(frames) < amount / 2


# Whoever still sends when the line is shut may see it break before hearing why: 1006.
@pytest.mark.parametrize(("flood", "codes"), [(["{}"] * 50, [1008]), (["x" * 20_000_000], [1009, 1006])])
def test_a_line_says_so_much_and_no_more(stack: Stack, alice: User, flood: list[str], codes: list[int]) -> None:
    with listening(stack, alice) as socket:
        with contextlib.suppress(ConnectionClosed):
            for words in flood:
                socket.send(words)
        assert closed_with(socket) in codes


def test_a_person_has_so_many_lines_and_no_more(stack: Stack, alice: User) -> None:
    workspace = workspace_of(alice)
    with ExitStack() as held:
        sockets = [held.enter_context(listening(stack, alice, since=None)) for _ in range(consumers.LINES + 2)]
        assert [closed_with(socket) for socket in sockets[:2]] == [consumers.TOO_MANY_LINES] * 2
        with tenancy.scope(workspace):
            live.publish(workspace.pk, "bell", {"n": 1})
        assert [heard(socket, "bell")["data"] for socket in sockets[2:]] == [{"n": 1}] * consumers.LINES


def test_a_member_of_another_workspace_is_told_nothing(stack: Stack, alice: User, charlie: User) -> None:
    workspace = workspace_of(alice)
    with tenancy.scope(workspace):
        live.publish(workspace.pk, "bell", {"n": 1})
    with listening(stack, charlie, since=0) as socket:
        assert list(json.loads(socket.recv(timeout=10))) == ["since"]
        with tenancy.scope(workspace):
            live.publish(workspace.pk, "bell", {"n": 2})
        with pytest.raises(TimeoutError):
            socket.recv(timeout=1)


def test_nobody_unknown_may_listen(stack: Stack) -> None:
    with listening(stack) as socket:
        assert closed_with(socket) == consumers.SIGNED_OUT


def test_a_page_of_another_site_may_not_listen(stack: Stack, alice: User) -> None:
    with pytest.raises(InvalidStatus) as refused, listening(stack, alice, origin="https://elsewhere.example"):
        pass
    assert refused.value.response.status_code == 403
    staff = inside("olga").cookies[settings.STAFF_COOKIE_NAME].value
    with pytest.raises(InvalidStatus) as refused, staff_line(stack, staff, origin="https://elsewhere.example"):
        pass
    assert refused.value.response.status_code == 403


def test_who_must_change_the_password_may_not_listen(stack: Stack, alice: User) -> None:
    with everywhere():
        User.objects.filter(pk=alice.pk).update(must_change_password=True)
    with listening(stack, alice) as socket:
        assert closed_with(socket) == consumers.SIGNED_OUT


def test_staff_see_who_registers_without_loading_the_page_again(browser: Browser, stack: Stack) -> None:
    staff = inside("olga").cookies[settings.STAFF_COOKIE_NAME].value
    with visit(browser, stack.site) as olga, visit(browser, stack.site) as anna:
        olga.context.add_cookies([{"name": settings.STAFF_COOKIE_NAME, "value": staff, "url": stack.site}])
        frames: list[object] = []
        olga.page.on("websocket", lambda line: line.on("framereceived", lambda frame: frames.append(frame)))
        olga.goes_to("/admin/")
        while not frames:  # until she listens
            olga.page.wait_for_timeout(50)
        anna.goes_to("/signup")
        anna.types(email="anna@example.com", password1="correct horse battery 9")
        anna.presses("Make my account")

        olga.sees("anna@example.com has registered")


@pytest.fixture
def _any_address(stack: Stack) -> Iterator[None]:
    """The allow-list is empty again afterwards."""
    yield
    AllowedNetwork.objects.all().delete()


@pytest.mark.usefixtures("_any_address")
@pytest.mark.parametrize(
    "kind",
    [
        "nobody",
        "a member",
        "an address that is not allowed",
        "a password to be changed",
        "no second factor",
    ],
)
def test_the_staffs_line_is_for_staff(stack: Stack, alice: User, kind: str) -> None:
    browser = inside("olga")
    cookie = browser.cookies[settings.STAFF_COOKIE_NAME].value
    if kind == "a member":
        member = Client()
        member.force_login(alice)
        cookie = member.cookies[settings.SESSION_COOKIE_NAME].value
    elif kind == "nobody":
        cookie = "wrong"
    elif kind == "no second factor":  # the mark is made where password and code were right, and nowhere else
        session = SessionStore(cookie)
        del session[presence.MARK]
        session.save()
    elif kind == "a password to be changed":
        User.objects.filter(name="olga").update(must_change_password=True)
    else:
        AllowedNetwork.objects.create(network="203.0.113.0/24")
    with staff_line(stack, cookie) as socket:
        assert closed_with(socket) == consumers.SIGNED_OUT


@pytest.mark.usefixtures("_any_address")
@pytest.mark.parametrize("event", ["signed out", "address taken off"])
def test_the_staffs_line_ends_with_what_it_rested_on(stack: Stack, event: str) -> None:
    browser = inside("olga")
    with staff_line(stack, browser.cookies[settings.STAFF_COOKIE_NAME].value) as socket:
        assert list(json.loads(socket.recv(timeout=10))) == ["since"]
        if event == "signed out":
            Session.objects.all().delete()
        else:
            AllowedNetwork.objects.create(network="203.0.113.0/24")
        assert closed_with(socket) == consumers.SIGNED_OUT


@contextmanager
def staff_line(stack: Stack, cookie: str, origin: str = "") -> Iterator[ClientConnection]:
    """The control room's socket with this session."""
    address = stack.site.replace("http", "ws", 1) + "/ws/admin/"
    headers = {"Cookie": f"{settings.STAFF_COOKIE_NAME}={cookie}"}
    with connect(address, origin=origin or stack.site, additional_headers=headers, proxy=None) as socket:
        with contextlib.suppress(ConnectionClosed):
            socket.send('{"since": null}')
        yield socket


@pytest.mark.usefixtures("_any_address")
def test_a_row_on_staffs_screen_follows_what_happens(stack: Stack, browser: Browser) -> None:
    staff = inside("olga")
    person = User.objects.create(email=f"row{uuid4().hex[:8]}@example.com", name="Before")
    with browser.new_context(base_url=stack.site) as context:
        cookie = staff.cookies[settings.STAFF_COOKIE_NAME].value
        context.add_cookies([{"name": settings.STAFF_COOKIE_NAME, "value": cookie, "url": stack.site}])
        page = context.new_page()
        page.goto(f"/admin/accounts/user/?q={person.email}")
        expect(page.get_by_role("link", name="Before", exact=True)).to_be_visible()
        User.objects.filter(pk=person.pk).update(name="Afterwards")
        expect(page.get_by_role("link", name="Afterwards", exact=True)).to_be_visible(timeout=15000)

        # The server does not answer once: the next change is followed all the same.
        with page.expect_event("requestfailed"):
            page.route("**/admin/accounts/user/*", lambda route: route.abort())
            User.objects.filter(pk=person.pk).update(name="Unseen")
        page.unroute("**/admin/accounts/user/*")
        User.objects.filter(pk=person.pk).update(name="Seen again")
        expect(page.get_by_role("link", name="Seen again", exact=True)).to_be_visible(timeout=15000)

        # What comes between two pages is told by the second one, and once.
        page.wait_for_function("JSON.parse(sessionStorage.getItem('room-heard'))?.since")
        page.goto("about:blank")
        live.publish(live.STAFF, "alert", {"text": "Between two pages", "error_code": ""})
        page.goto("/admin/accounts/user/")
        expect(page.get_by_text("Between two pages")).to_be_visible()
        page.goto(f"/admin/accounts/user/?q={person.email}")
        page.wait_for_function("JSON.parse(sessionStorage.getItem('room-heard'))?.known.length > 0")
        expect(page.get_by_text("Between two pages")).to_have_count(0)
