"""News for people: at the bell, in a digest, to a webhook, as each of them chose."""

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from pytest_django import Settings

from accounts import notices, notifications, tenancy
from accounts.models import Membership, NoticeChoice, NoticeKind, Notification, User
from accounts.tasks import post_hook
from errors import codes, outbound
from errors.exceptions import BotException
from instagrowth import live
from instagrowth.models import LiveEvent
from instagrowth.testing import everywhere, workspace_of

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


def tell(alice: User, title: str = "A task is done", **more: Any) -> int:
    workspace = workspace_of(alice)
    with tenancy.scope(workspace):
        return notifications.notify(workspace, more.pop("kind", NoticeKind.TASKS), title, **more)


def choose(user: User, workspace_owner: User, **choice: Any) -> NoticeChoice:
    with everywhere():
        return NoticeChoice.objects.create(workspace=workspace_of(workspace_owner), user=user, **choice)


def titles(client: Client) -> list[str]:
    return [row.title for row in client.get("/notifications/").context["rows"]]


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    """Alice's browser."""
    client.force_login(alice)
    return client


def test_the_whole_team_is_told_and_nobody_else(client: Client, alice: User, bob: User, charlie: User) -> None:
    assert tell(alice) == 2

    for user, seen in ((alice, ["A task is done"]), (bob, ["A task is done"]), (charlie, [])):
        client.force_login(user)
        assert titles(client) == seen
    with everywhere():
        assert LiveEvent.objects.filter(name="notice").get().data == {"kind": "tasks"}


def test_what_only_owners_decide_is_told_to_owners(alice: User, bob: User) -> None:
    assert tell(alice, deed="decide") == 1
    assert tell(alice, to=[bob]) == 1
    with everywhere():
        assert Membership.objects.filter(user=bob).update(role=Membership.Role.VIEWER)
    assert tell(alice, deed="act") == 1


def test_the_bell_counts_and_pops_up_once(page: Client, alice: User) -> None:
    drawn = page.get("/dashboard/").content.decode()
    assert 'aria-label="Notifications"' in drawn
    tell(alice, tone="bad")

    bell = page.get("/notifications/bell/?after=0")

    assert "Notifications, 1 unread" in bell.content.decode()
    assert json.loads(bell["HX-Trigger"]) == {"toast": {"text": "A task is done", "tone": "bad"}}
    with everywhere():
        newest = Notification.objects.latest("pk").pk
    assert f"after={newest}" in bell.content.decode()
    assert "HX-Trigger" not in page.get(f"/notifications/bell/?after={newest}")


def test_opening_one_reads_it_and_leads_there(page: Client, alice: User, bob: User) -> None:
    tell(alice, path="/automation/")
    tell(alice, "Another")
    row = page.get("/notifications/").context["rows"][1]

    answer = page.post(f"/notifications/{row.pk}/open/")

    assert answer["Location"] == "/automation/"
    assert [row.title for row in page.get("/notifications/?show=unread").context["rows"]] == ["Another"]
    page.force_login(bob)  # it was hers alone to read
    assert page.post(f"/notifications/{row.pk}/open/").status_code == 404
    assert page.get("/notifications/").context["unread_here"] == 2


def test_all_are_read_at_once_and_pages_go_by_key(page: Client, alice: User) -> None:
    for n in range(31):
        tell(alice, f"News {n}")
    first = page.get("/notifications/")
    assert [row.title for row in page.get("/notifications/" + first.context["older"]).context["rows"]] == ["News 0"]

    page.post("/notifications/read/")

    assert page.get("/notifications/").context["unread_here"] == 0


def test_the_same_again_is_counted_on_one_row(page: Client, alice: User) -> None:
    for _ in range(3):
        tell(alice, about="health:1")

    assert [(row.title, row.times) for row in page.get("/notifications/").context["rows"]] == [("A task is done", 3)]
    page.post("/notifications/read/")
    tell(alice, about="health:1")
    assert len(titles(page)) == 2


def test_who_muted_a_kind_does_not_see_it(page: Client, alice: User) -> None:
    choose(alice, alice, muted=["tasks"])
    tell(alice)
    tell(alice, "Bob joined", kind=NoticeKind.TEAM)

    assert titles(page) == ["Bob joined"]


@pytest.mark.parametrize(
    ("begin", "end", "zone", "quiet"),
    [("11:00", "13:00", "UTC", True), ("22:00", "07:00", "UTC", False), ("22:00", "07:00", "Asia/Tokyo", False),
     ("20:00", "07:00", "Asia/Tokyo", True), ("12:00", "12:00", "UTC", False), (None, None, "UTC", False)],
)  # fmt: skip
def test_quiet_hours_go_by_the_persons_clock(
    alice: User, begin: str | None, end: str | None, zone: str, quiet: bool
) -> None:
    alice.timezone = zone
    choice = NoticeChoice(
        quiet_from=begin and datetime.strptime(begin, "%H:%M").time(),
        quiet_to=end and datetime.strptime(end, "%H:%M").time(),
    )

    assert notifications.is_quiet(choice, alice, NOON) is quiet


@pytest.mark.parametrize(
    ("moment", "quiet"), [("00:30", True), ("01:30", True), ("02:30", False)]  # 02:30 twice, then 03:30
)  # fmt: skip
def test_quiet_hours_go_by_the_wall_in_the_night_the_clock_goes_back(alice: User, moment: str, quiet: bool) -> None:
    alice.timezone = "Europe/Berlin"
    choice = NoticeChoice(quiet_from=datetime(1, 1, 1, 22).time(), quiet_to=datetime(1, 1, 1, 3).time())
    at = datetime.fromisoformat(f"2026-10-25T{moment}+00:00")

    assert notifications.is_quiet(choice, alice, at) is quiet


def test_nothing_pops_up_in_quiet_hours(page: Client, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifications, "is_quiet", lambda *_: True)
    tell(alice)

    bell = page.get("/notifications/bell/?after=0")

    assert "1 unread" in bell.content.decode()
    assert "HX-Trigger" not in bell


def test_news_that_come_while_a_digest_is_written_wait_for_the_next(alice: User) -> None:
    choose(alice, alice, digest="hourly", mailed=["tasks"])
    tell(alice, "First")
    late = iter(["Second"])

    def meanwhile(execute: Any, query: str, *rest: Any) -> Any:
        found = execute(query, *rest)
        if query.startswith("SELECT") and '"mail_waits"' in query and "DISTINCT" not in query:
            for title in late:
                tell(alice, title)
        return found

    with connection.execute_wrapper(meanwhile):
        assert notifications.send_digests(datetime(2026, 11, 26, 9, tzinfo=UTC)) == 1
    with everywhere():
        assert [row.title for row in Notification.objects.filter(user=alice, mail_waits=True)] == ["Second"]


def test_a_digest_gathers_what_is_unread_once_after_the_quiet_hours(
    alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    choose(
        alice, alice, digest="daily", mailed=["tasks"], quiet_from=datetime(1, 1, 1, 7).time(),
        quiet_to=datetime(1, 1, 1, 9).time(),
    )  # fmt: skip
    tell(alice, "First", body="3 of 3", code=codes.NO_PEOPLE_FOUND)
    tell(alice, "Second")
    tell(alice, "Somebody joined", kind=NoticeKind.TEAM)

    hours = (6, 8, 9, 10)  # before the morning, quiet, due, done
    with django_capture_on_commit_callbacks(execute=True):
        sent = [notifications.send_digests(datetime(2026, 11, 26, hour, tzinfo=UTC)) for hour in hours]

    assert sent == [0, 0, 1, 0]
    (message,) = mail.outbox
    assert message.subject == f"2 news from {workspace_of(alice)}"
    words = ("First", "Second", codes.NO_PEOPLE_FOUND.id, "Somebody joined")
    assert [word in message.body for word in words] == [True, True, True, False]


def test_a_hook_gets_signed_json_and_a_broken_one_is_tried_again(
    page: Client, alice: User, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    posted: list[tuple[str, bytes, Any]] = []
    answers: list[int | Exception] = [500, BotException(codes.NET_TIMEOUT), 204]

    def post(url: str, body: bytes, headers: Any) -> int:
        posted.append((url, body, headers))
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(outbound, "post", post)
    kept = page.post(
        "/settings/notifications/save/",
        {"digest": "off", "hooked": ["tasks"], "shown": NoticeKind.values, "hook": "https://hooks.example.com/s3cret"},
    )
    assert kept.status_code == 302
    secret = page.get("/settings/notifications/").context["secret"]
    tell(alice)

    tries = []
    for _ in range(4):
        tries.append([post_hook.run(*due) or key for due in notifications.due_hooks() for key in due[1:]])
        with everywhere():
            Notification.objects.filter(hook_due_at__isnull=False).update(hook_due_at=NOON - timedelta(days=900))

    assert [len(due) for due in tries] == [1, 1, 1, 0]
    (url, body, headers) = posted[-1]
    at, told = (part.split("=")[1] for part in headers["X-InstaGrowth-Signature"].split(","))
    assert (url, json.loads(body)["title"]) == ("https://hooks.example.com/s3cret", "A task is done")
    assert told == hmac.new(secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest()
    with everywhere():
        assert b"s3cret" not in bytes(NoticeChoice.objects.get().sealed_hook)


def test_a_hook_to_a_private_address_is_refused_where_it_is_typed(page: Client) -> None:
    answer = page.post("/settings/notifications/save/", {"digest": "off", "hook": "https://169.254.169.254/"})

    assert answer.status_code == 400
    assert codes.ADDRESS_NOT_PUBLIC.id in answer.content.decode()


def test_news_go_to_everybody_as_they_chose(page: Client, alice: User, bob: User, charlie: User) -> None:
    choose(bob, alice, muted=["news"])
    with everywhere():
        # Alice, Bob (for the mails only, if he wanted them) and Charlie.
        assert notifications.announce("We rest on Sunday", "From 2 to 3.", "/help/errors/") == 3

    seen = []
    for user in (alice, bob, charlie):
        page.force_login(user)
        seen.append(titles(page))
    assert seen == [["We rest on Sunday"], [], ["We rest on Sunday"]]


def test_a_mail_about_the_team_stands_at_the_bell_too(page: Client, alice: User) -> None:
    workspace = workspace_of(alice)
    with tenancy.scope(workspace):
        notices.notify(alice, "joined", label_of=workspace, workspace=workspace, who="Bob", role="viewer")
        notices.notify(alice, "new_device")

    assert titles(page) == ["Somebody joined your team"]


def test_old_ones_go(page: Client, alice: User) -> None:
    tell(alice)
    tell(alice, "New")
    with everywhere():
        Notification.objects.filter(title="A task is done").update(created_at=NOON - timedelta(days=91))

    notifications.forget_old()

    assert titles(page) == ["New"]


def test_the_moment_of_the_page_is_told(page: Client, alice: User) -> None:
    assert page.get("/notifications/").context["live_since"] <= live.latest(workspace_of(alice).pk)
