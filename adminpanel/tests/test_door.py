"""Staff's way in: password and code in one form, own cookie, limits of time, first sign-in, a fresh code for danger."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import StaffDevice, User
from adminpanel import presence, roles, staff
from adminpanel.models import AdminLog, StaffMember
from adminpanel.tests.control_room import code_for, code_of, do, inside, key_of, sign_in, staff_person
from instagrowth.testing import PASSWORD

pytestmark = pytest.mark.django_db
NEW = "staple horse battery 11"


@pytest.fixture
def olga(nobody_guessed: None) -> User:
    return staff_person("olga")


def test_password_and_code_open_the_control_room_and_the_log_says_so(olga: User) -> None:
    client = sign_in(olga)

    assert client.get("/admin/").status_code == 200
    entry = AdminLog.objects.latest("id")
    assert (entry.action, entry.admin_id, entry.address) == ("staff.sign_in", olga.pk, "127.0.0.1")


@pytest.mark.parametrize("wrong", ["email", "password", "code"])
def test_whatever_is_wrong_the_refusal_looks_the_same(olga: User, wrong: str) -> None:
    given = {"email": olga.email, "password": PASSWORD, "code": code_of(olga)}
    given[wrong] = {"email": "nobody@example.com", "password": "wrong password 1", "code": "000000"}[wrong]

    answer = Client().post("/admin/login/", given)

    assert answer.status_code == 400
    assert "E-AUTH-E-0001" in answer.content.decode()


def test_without_a_code_nobody_with_an_authenticator_comes_in(olga: User) -> None:
    answer = Client().post("/admin/login/", {"email": olga.email, "password": PASSWORD, "code": ""})

    assert (answer.status_code, "E-AUTH-E-0001" in answer.content.decode()) == (400, True)


def test_a_code_works_once(olga: User) -> None:
    given = {"email": olga.email, "password": PASSWORD, "code": code_of(olga)}

    assert [Client().post("/admin/login/", given).status_code for _ in range(3)] == [302, 400, 400]


def test_a_member_does_not_come_in_and_staff_do_not_come_in_at_the_members_door(olga: User, alice: User) -> None:
    staff.enrol(alice)
    given = {"email": alice.email, "password": PASSWORD, "code": code_of(alice)}

    assert Client().post("/admin/login/", given).status_code == 400
    assert Client().post("/login", {"login": olga.email, "password": PASSWORD}).status_code == 200  # shown again


def test_neither_cookie_opens_the_other_side(olga: User, alice: User) -> None:
    staffs, members = sign_in(olga), Client()
    members.force_login(alice)
    keys = {"staff": key_of(staffs), "member": members.cookies[settings.SESSION_COOKIE_NAME].value}
    crossings, tried = [], 0
    for whose, key in keys.items():
        for name in (settings.SESSION_COOKIE_NAME, settings.STAFF_COOKIE_NAME):
            for path in ("/admin/", reverse("admin:adminpanel_staffmember_changelist"), "/dashboard/", "/settings/"):
                client = Client()
                client.cookies[name] = key
                may = (whose, name, path.startswith("/admin/")) in {
                    ("staff", settings.STAFF_COOKIE_NAME, True),
                    ("member", settings.SESSION_COOKIE_NAME, False),
                }
                opened = client.get(path).status_code == 200
                tried += 1
                crossings += [(whose, name, path)] if opened != may else []
    print(f"cookies=2 tried={tried} crossings={len(crossings)}")
    assert crossings == []


def test_sixty_wrong_tries_at_once_are_five(nobody_guessed: None, committed: None, monkeypatch: Any) -> None:
    staff_person("olga")
    looked_at = []
    really = User.check_password
    monkeypatch.setattr(User, "check_password", lambda user, word: looked_at.append(1) or really(user, word))

    def guess(number: int) -> int:
        try:
            given = {"email": "Olga@staff.example.com ", "password": f"wrong password {number}", "code": "123456"}
            return Client().post("/admin/login/", given).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as many:
        answers = list(many.map(guess, range(60)))
    print(f"tries=60 processed={len(looked_at)}")
    assert (len(looked_at), answers) == (5, [400] * 60)


def _aged(client: Client, **ages: timedelta) -> None:
    session = SessionStore(key_of(client))
    mark = session[presence.MARK]
    for name, age in ages.items():
        mark[name] = (timezone.now() - age).timestamp()
    session[presence.MARK] = mark
    session.save()


@pytest.mark.parametrize(
    ("ages", "open_"),
    [
        ({"seen": timedelta(minutes=14)}, True),
        ({"seen": timedelta(minutes=16)}, False),
        ({"since": timedelta(hours=7, minutes=59)}, True),
        ({"since": timedelta(hours=8, minutes=1)}, False),
    ],
)
def test_a_session_ends_after_15_idle_minutes_and_after_8_hours(olga: User, ages: dict, open_: bool) -> None:
    client = sign_in(olga)
    _aged(client, **ages)

    assert (client.get("/admin/").status_code == 200) is open_
    assert (client.get("/admin/").status_code == 200) is open_


@pytest.mark.parametrize("event", ["block", "sign_out", "role", "password"])
def test_a_session_dies_with_its_persons_access(olga: User, event: str) -> None:
    client, zoe = sign_in(olga), inside("zoe")
    assert zoe.get("/admin/").status_code == 200
    if event == "block":
        staff.block(olga)
    elif event == "sign_out":
        staff.sign_out(olga)
    elif event == "role":
        User.objects.filter(pk=olga.pk).update(role="user")
    else:
        olga.set_password(NEW)
        olga.save()

    assert client.get("/admin/").status_code == 302


def test_the_key_changes_at_sign_in_and_with_the_password(olga: User) -> None:
    client = Client()
    client.get("/admin/login/")
    session = SessionStore()
    session.create()
    client.cookies[settings.STAFF_COOKIE_NAME] = planted = session.session_key
    sign_in(olga, client)
    first = key_of(client)
    client.post("/admin/password/", {"old_password": PASSWORD, "new_password": NEW, "again": NEW})

    assert len({planted, first, key_of(client)}) == 3
    assert client.get("/admin/").status_code == 200
    stale = Client()
    stale.cookies[settings.STAFF_COOKIE_NAME] = first
    assert stale.get("/admin/").status_code == 302


def test_a_password_set_by_somebody_else_opens_nothing_but_its_change(olga: User) -> None:
    User.objects.filter(pk=olga.pk).update(must_change_password=True)
    client = sign_in(olga)
    found = [client.get(reverse(f"admin:{name}")) for name in ("index", "prove", "adminpanel_adminlog_changelist")]
    assert [answer["Location"] for answer in found] == [reverse("admin:password_change")] * 3

    client.post("/admin/password/", {"old_password": PASSWORD, "new_password": NEW, "again": NEW})
    assert client.get("/admin/").status_code == 200


def test_the_first_sign_in_sets_up_an_authenticator_and_a_password(olga: User) -> None:
    handed = staff.invite("new@staff.example.com", roles.Role.SUPPORT)
    client = Client()
    start = client.post("/admin/login/", {"email": handed.user.email, "password": handed.password, "code": ""})
    assert start["Location"] == "/admin/enrol/"
    assert client.get("/admin/").status_code == 302, "half a sign-in opens nothing"
    page = client.get("/admin/enrol/").content.decode()
    assert "<svg" in page
    secret = re.search(r"secret=([A-Z2-7]+)", page)
    import base64

    key = base64.b32decode(secret[1])  # type: ignore[index]
    wrong = client.post("/admin/enrol/", {"code": "000000", "new_password": NEW, "again": NEW})
    assert (wrong.status_code, StaffDevice.objects.filter(user=handed.user).count()) == (400, 0)
    weak = client.post("/admin/enrol/", {"code": code_for(key), "new_password": "short", "again": "short"})
    assert weak.status_code == 400

    code = code_for(key)
    done = client.post("/admin/enrol/", {"code": code, "new_password": NEW, "again": NEW})

    assert (done.status_code, client.get("/admin/").status_code) == (302, 200)
    again = client.post("/admin/login/", {"email": handed.user.email, "password": handed.password, "code": ""})
    assert again.status_code == 302  # they are in; from elsewhere the one-time password is gone:
    other = Client().post("/admin/login/", {"email": handed.user.email, "password": handed.password, "code": ""})
    assert other.status_code == 400
    replay = {"email": handed.user.email, "password": NEW, "code": code}
    assert Client().post("/admin/login/", replay).status_code == 400


def test_the_one_time_password_ends_after_a_day(olga: User) -> None:
    handed = staff.invite("late@staff.example.com", roles.Role.SUPPORT)
    User.objects.filter(pk=handed.user.pk).update(password_expires_at=timezone.now() - timedelta(seconds=1))

    answer = Client().post("/admin/login/", {"email": handed.user.email, "password": handed.password, "code": ""})

    assert answer.status_code == 400


def test_a_secret_that_waits_is_not_readable_in_the_session(olga: User) -> None:
    handed = staff.invite("new@staff.example.com", roles.Role.SUPPORT)
    client = Client()
    client.post("/admin/login/", {"email": handed.user.email, "password": handed.password, "code": ""})
    page = client.get("/admin/enrol/").content.decode()
    secret = re.search(r"secret=([A-Z2-7]+)", page)[1]  # type: ignore[index]

    assert secret not in str(SessionStore(key_of(client)).load())


def test_danger_wants_a_fresh_code_and_five_minutes_later_once_more(olga: User) -> None:
    client, victim = sign_in(olga), staff_person("victim")
    block = reverse("admin:adminpanel_staffmember_do", kwargs={"object_id": victim.pk, "deed": "block"})
    _aged(client, proved=timedelta(minutes=6))

    for method in (client.get, client.post):
        sent = method(block, {"reason": "left us"})
        assert sent["Location"].startswith("/admin/prove/?next=")
    assert User.objects.get(pk=victim.pk).is_active

    assert client.post("/admin/prove/", {"code": "000000"}).status_code == 400
    assert client.post("/admin/prove/", {"code": code_of(olga), "next": block})["Location"] == block
    assert do(client, StaffMember.objects.get(pk=victim.pk), "block", reason="left us").status_code == 302
    assert not User.objects.get(pk=victim.pk).is_active
    entry = AdminLog.objects.first()
    assert entry is not None
    assert (entry.action, entry.reason, entry.changes["is_active"]) == ("staff.block", "left us", [True, False])


@pytest.mark.parametrize(
    "onward", ["https://evil.example/", "//evil.example", "/dashboard/", "javascript:alert(1)", "/\\e"]
)
def test_signing_in_leads_to_pages_of_staff_only(olga: User, onward: str) -> None:
    given = {"email": olga.email, "password": PASSWORD, "code": code_of(olga), "next": onward}

    assert Client().post("/admin/login/", given)["Location"] == "/admin/"


def test_signing_out_ends_the_session(olga: User) -> None:
    client = sign_in(olga)
    key = key_of(client)
    client.post("/admin/logout/")
    stale = Client()
    stale.cookies[settings.STAFF_COOKIE_NAME] = key

    assert stale.get("/admin/").status_code == 302
    assert AdminLog.objects.filter(action="staff.sign_out").count() == 1


def test_the_strict_policy_of_members_pages_stays(olga: User) -> None:
    page, members = sign_in(olga).get("/admin/"), Client().get("/login")

    assert "unsafe-eval" in page["Content-Security-Policy"]
    assert "unsafe" not in members["Content-Security-Policy"]


def test_the_last_owner_stays_whatever_two_do_at_once(committed: None, nobody_guessed: None) -> None:
    pair = [staff_person("one"), staff_person("two")]

    def demote(user: User) -> bool:
        from django.db import transaction

        from errors.exceptions import BotException

        try:
            with transaction.atomic():
                roles.give(user, roles.Role.SUPPORT)
        except BotException:
            return False
        else:
            return True
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as many:
        done = list(many.map(demote, pair))
    remaining = User.objects.filter(groups__name=roles.Role.OWNER, is_active=True).count()
    print(f"parallel=2 demoted={sum(done)} remaining={remaining}")
    assert (sum(done), remaining) == (1, 1)


@pytest.mark.parametrize("deed", ["block", "give_role"])
def test_the_last_owner_is_told_so(olga: User, deed: str) -> None:
    answer = do(sign_in(olga), StaffMember.objects.get(pk=olga.pk), deed, role=roles.Role.AUDITOR)

    assert (answer.status_code, "E-AUTH-E-0050" in answer.content.decode()) == (400, True)
    assert roles.of(User.objects.get(pk=olga.pk)) == roles.Role.OWNER
