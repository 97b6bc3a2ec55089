"""Staff see the product as a member: they only look, for a quarter of an hour, and both sides' logs tell it."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, Notification, User, Workspace
from accounts.tests.matrix import HER_LOG, SAFE, Matrix, Person, addresses
from accounts.tests.test_matrix import DOORS, quiet, things
from adminpanel import presence, roles, staff, visits
from adminpanel.consumers import MemberConsumer
from adminpanel.models import AdminLog, Visit
from adminpanel.tests.control_room import do, inside, key_of, staff_person
from errors.models import ActivityLog
from instagrowth.testing import everywhere, workspace_of

__all__ = ["quiet", "things"]  # fixtures
pytestmark = pytest.mark.django_db


@pytest.fixture
def sue(nobody_guessed: None) -> Client:
    return inside("sue", roles.Role.SUPPORT)


def look_in(client: Client, member: User, workspace: Workspace | None = None) -> Any:
    """Confirm the deed; the browser then has the visit's cookie beside staff's."""
    home = workspace or workspace_of(member)
    return do(client, member, "visit", workspace=home.pk, reason="ticket 4711")


def of_log(action: str = "staff_visit") -> list[ActivityLog]:
    with everywhere():
        return list(ActivityLog.objects.filter(action=action).order_by("id"))


def test_staff_see_the_members_page_and_both_logs_say_why(sue: Client, alice: User, alices_bot: Any) -> None:
    answer = look_in(sue, alice)

    assert (answer.status_code, answer["Location"]) == (302, "/dashboard/")
    page = sue.get("/dashboard/").content.decode()
    assert ("alice.clay" in page, "You see this as Alice does." in page) == (True, True)
    began = AdminLog.objects.get(action="users.visit")
    assert (began.target_id, began.reason) == (str(alice.pk), "ticket 4711")
    assert "ticket 4711" in sue.get("/activity/").content.decode()
    stopped = sue.post("/visit/stop/")
    assert stopped["Location"] == reverse("admin:accounts_user_change", args=[alice.pk])
    assert AdminLog.objects.get(action="users.visit_end").changes["how"] == [None, "stopped"]
    assert [entry.metadata["ended"] for entry in of_log()] == ["looks only", "ended"]
    assert sue.get("/dashboard/").status_code == 302
    assert sue.get(stopped["Location"]).status_code == 200


def test_the_member_reads_it_in_the_activity_log(sue: Client, alice: User) -> None:
    look_in(sue, alice)
    browser = Client()
    browser.force_login(alice)

    page = browser.get("/activity/").content.decode()

    assert ("Support looked in" in page, "ticket 4711" in page) == (True, True)
    assert "You see this as" not in page


def test_nothing_is_written_at_any_address_by_any_method(
    things: dict[str, object], quiet: None, sue: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rest_framework.throttling.SimpleRateThrottle.allow_request", lambda *_: True)
    alice = User.objects.get(pk=things["user_id"])
    things |= {"person": alice.pk, "mate": alice.pk}
    secret = "canary-recovery"
    Authenticator.objects.create(user=alice, type=Authenticator.Type.RECOVERY_CODES, data={"seed": secret})
    look_in(sue, alice, Workspace(pk=things["workspace"]))
    visitor = Person("visitor", alice.pk, {name: cookie.value for name, cookie in sue.cookies.items()})
    places = [place for place in addresses(things) if not place.path.startswith(("/admin/", visits.STOP))]
    matrix = Matrix(DOORS, things, things["workspace"])

    wrong, told, faults, cells = [], [], [], 0
    for place in places:
        for method in {"GET", "POST"} | set(place.methods):
            body = matrix.body_of(place, method)
            answer, text = matrix.ask(visitor, method, place, body)
            cells += 1
            public = place.path.startswith(("/healthz", "/readyz", "/metrics", "/offline", "/sw.js", "/brand/"))
            if method not in SAFE and not public and answer.status_code != 403:
                wrong.append(f"{method} {place.path} answered {answer.status_code}")
            if answer.status_code == 500:
                faults.append(f"{method} {place.path}")
            if secret in text or ("plover" in text and place.name != "accounts:notifications"):
                told.append(f"{method} {place.path}")
    changed = matrix.changed() - {HER_LOG}  # what fails while they look is an error like any other
    print(f"cells={cells} unsafe_let_in={len(wrong)} changed={len(changed)} secrets={len(told)} faults={len(faults)}")
    assert (wrong, changed, told, faults) == ([], set(), [], [])

    # The control: without the refusal, and with what is looked at kept, the same requests do change something.
    monkeypatch.setattr(visits, "check", lambda *_: None)
    monkeypatch.setattr("adminpanel.middleware.transaction.set_rollback", lambda _: None)
    for place in places:
        if place.name in ("accounts:save_person", "bots:settings"):
            matrix.ask(visitor, "POST", place, matrix.body_of(place, "POST"))
    assert matrix.changed() - {HER_LOG}


def test_a_page_that_writes_by_being_looked_at_leaves_nothing(sue: Client, alice: User) -> None:
    with everywhere():
        news = Notification.objects.create(workspace=workspace_of(alice), user=alice, kind="team", title="news")
    look_in(sue, alice)

    sue.get("/notifications/")
    sue.get(f"/notifications/{news.pk}/open/")

    with everywhere():
        news.refresh_from_db()
    assert news.read_at is None


@pytest.mark.parametrize("whom", ["staff", "blocked", "must change", "elsewhere"])
def test_whom_nobody_looks_in_on(sue: Client, alice: User, charlie: User, whom: str) -> None:
    member, place = {"staff": staff_person("victim")}.get(whom, alice), workspace_of(alice)
    if whom == "blocked":
        User.objects.filter(pk=alice.pk).update(is_active=False)
    if whom == "must change":
        User.objects.filter(pk=alice.pk).update(must_change_password=True)
    answer = look_in(sue, member, workspace_of(charlie) if whom == "elsewhere" else place)

    assert answer.status_code == {"staff": 404, "elsewhere": 400}.get(whom, 302)
    assert (settings.VISIT_COOKIE_NAME in sue.cookies, Visit.objects.count()) == (False, 0)


def test_only_some_roles_look_in_and_only_with_a_fresh_code(alice: User) -> None:
    let_in = {role for role in roles.Role.values if look_in(inside(role.lower(), role), alice).status_code == 302}
    assert let_in == roles.MAY["users"]["visit"] == {"Owner", "Operations", "Support"}
    late = inside("late", roles.Role.SUPPORT)
    session = presence.import_module(settings.SESSION_ENGINE).SessionStore(key_of(late))
    session[presence.MARK] = {**session[presence.MARK], "proved": 0}
    session.save()
    assert look_in(late, alice)["Location"].startswith("/admin/prove/")


def ended(_: Client, visit: Visit, alice: User) -> None:
    Visit.objects.filter(pk=visit.pk).update(until=timezone.now())


def staff_signed_out(client: Client, *_: Any) -> None:
    client.post("/admin/logout/")


def staff_blocked(client: Client, visit: Visit, alice: User) -> None:
    staff.sign_out(User.objects.get(pk=visit.admin_id))


def role_taken(client: Client, visit: Visit, alice: User) -> None:
    roles.give(User.objects.get(pk=visit.admin_id), roles.Role.BILLING)


def member_signed_out(client: Client, visit: Visit, alice: User) -> None:
    staff.sign_out(alice)


def member_left(client: Client, visit: Visit, alice: User) -> None:
    with everywhere():
        Membership.objects.filter(user=alice).delete()


@pytest.mark.parametrize("why", [ended, staff_signed_out, staff_blocked, role_taken, member_signed_out, member_left])
def test_it_ends_with_its_time_and_with_whoever_it_rests_on(sue: Client, alice: User, why: Any) -> None:
    look_in(sue, alice)
    assert sue.get("/dashboard/").status_code == 200

    why(sue, Visit.objects.get(), alice)

    assert sue.get("/dashboard/")["Location"] == "/admin/"
    assert Visit.objects.get().ended_at is not None
    assert AdminLog.objects.filter(action="users.visit_end").count() == 1
    assert not sue.cookies[settings.VISIT_COOKIE_NAME].value


def test_its_cookie_alone_opens_nothing_and_in_a_members_cookie_it_still_only_looks(sue: Client, alice: User) -> None:
    look_in(sue, alice)
    key = sue.cookies[settings.VISIT_COOKIE_NAME].value
    sue.cookies[settings.SESSION_COOKIE_NAME] = key
    del sue.cookies[settings.VISIT_COOKIE_NAME]
    assert "You see this as" in sue.get("/settings/").content.decode()
    assert sue.post("/settings/person/", {"name": "Eve"}).status_code == 403
    assert sue.get("/api/auth/me").status_code == 403
    assert sue.get("/api/bots/").status_code == 200

    thief = Client()
    thief.cookies[settings.VISIT_COOKIE_NAME] = key
    assert thief.get("/dashboard/").status_code == 302
    assert thief.get("/admin/").status_code == 302


def test_what_nobody_closes_is_closed_by_the_clock(sue: Client, alice: User) -> None:
    look_in(sue, alice)
    assert visits.end_due() == 0
    Visit.objects.update(until=timezone.now() - timedelta(seconds=1))

    assert [visits.end_due(), visits.end_due()] == [1, 0]
    assert AdminLog.objects.filter(action="users.visit_end").count() == 1


def test_another_visit_ends_the_first(sue: Client, alice: User, charlie: User) -> None:
    look_in(sue, alice)
    look_in(sue, charlie)

    assert "You see this as Charlie" in sue.get("/dashboard/").content.decode()
    assert [visit.ended_at is None for visit in Visit.objects.order_by("created_at")] == [False, True]


@pytest.fixture
def line(sue: Client, alice: User) -> MemberConsumer:
    """The socket of a page that is looked at."""
    look_in(sue, alice)
    session = presence.import_module(settings.SESSION_ENGINE).SessionStore(
        sue.cookies[settings.VISIT_COOKIE_NAME].value
    )
    cookies = "; ".join(f"{name}={cookie.value}" for name, cookie in sue.cookies.items())
    line = MemberConsumer()
    headers = [(b"cookie", cookies.encode())]
    line.scope = {"user": alice, "session": session, "headers": headers, "client": ("127.0.0.1", 1)}
    return line


def test_the_live_line_is_open_as_long_as_the_visit(line: MemberConsumer, alice: User) -> None:
    assert line.admit()
    assert MemberConsumer.heard_by([line]) == [line]
    visits.end(Visit.objects.get(), "stopped")
    assert MemberConsumer.heard_by([line]) == []
    assert not line.admit()


def test_without_its_staff_session_the_live_line_is_shut(line: MemberConsumer, alice: User) -> None:
    line.scope["headers"] = []
    assert not line.admit()
