"""Uploading session files: each is judged alone, sealed at once, and nothing of it is seen again."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from django.db import connection
from django.test.client import BOUNDARY, MULTIPART_CONTENT

from accounts import sign_in
from accounts.models import ApiToken
from adminpanel.tests.session_files import file, settings, token_of, upload, uploaded
from adminpanel.uploads import MOST, MOST_FILES
from bots import session_pool, sessions
from bots.models import Session
from bots.session_files import LARGEST
from bots.tests.test_session_files import WRONG, made_up
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth import bodies
from instagrowth.testing import everywhere
from instagrowth.testing_processes import Processes, ending, servers_of_the_tests


def test_a_file_becomes_an_unused_session_under_our_own_name(api, admin):
    dump = settings("alice.clay")

    answer = upload(api(admin), file(dump, "whatever it was.json"))

    body = answer.json()
    assert (answer.status_code, body["success"], body["accepted"], body["refused"]) == (200, True, 1, 0)
    (result,) = body["results"]
    assert (result["filename"], result["success"]) == ("whatever it was.json", True)
    assert result["session"]["filename"] == f"alice.clay-{result['id'].replace('-', '')[:12]}.json"
    with everywhere():
        session = Session.objects.get()
        assert str(session.pk) == result["id"]
        assert (session.status, session.valid, session.workspace_id, session.account_id) == (
            "unused",
            False,
            None,
            None,
        )
        kept = sessions.settings_of(session)
    assert kept["authorization_data"] == dump["authorization_data"]
    assert kept["uuids"]["phone_id"] == dump["uuids"]["phone_id"]


def test_what_the_file_lacks_of_a_device_is_made_once(api, admin):
    uploaded(api(admin), settings("alice.clay", uuids=None))

    with everywhere():
        first, second = (sessions.settings_of(Session.objects.get())["uuids"] for _ in range(2))
    assert first == second
    assert len(first["android_device_id"]) > 10


def test_each_file_is_judged_alone(api, admin):
    answer = upload(
        api(admin), file(settings("one")), file(b"[" * 1000), file(settings("two")), file(b" " * (LARGEST + 1))
    )

    body = answer.json()
    assert (answer.status_code, body["accepted"], body["refused"]) == (200, 2, 2)
    assert [result.get("error") for result in body["results"]] == [
        None,
        "SESSION_FILE_INVALID",
        None,
        "SESSION_FILE_TOO_LARGE",
    ]
    with everywhere():
        assert set(Session.objects.values_list("username", flat=True)) == {"one", "two"}


@pytest.mark.parametrize(
    ("raw", "status", "error"),
    [
        (b"[" * 30_000 + b"]" * 30_000, 400, "SESSION_FILE_INVALID"),
        (b"[" * 100_000 + b"]" * 100_000, 413, "SESSION_FILE_TOO_LARGE"),
        (b"x" * 1_000_000, 413, "SESSION_FILE_TOO_LARGE"),
        (b"", 400, "SESSION_FILE_INVALID"),
    ],
)
def test_where_no_file_is_taken_the_answer_is_the_first_refusal(api, admin, raw, status, error):
    answer = upload(api(admin), file(raw))

    assert (answer.status_code, answer.json()["success"], answer.json()["error"]) == (status, False, error)
    assert answer.json()["results"][0]["error"] == error


def test_wrong_files_of_every_kind_are_answered_with_their_code(api, admin):
    results = upload(api(admin), *(file(raw, f"{kind}.json") for kind, raw in WRONG.items())).json()["results"]

    assert [result["error"] for result in results] == ["SESSION_FILE_INVALID"] * len(WRONG)
    with everywhere():
        assert not Session.objects.exists()


NAMES = [
    "../../../etc/passwd",
    "..\\..\\boot.ini",
    "/dev/null",
    "con.json",
    "a\\0b.json",
    "<script>alert(1)</script>.json",
    '"><img src=x onerror=alert(1)>.json',
    "; rm -rf ~.json",
    "$(touch pwned).json",
    "\u202egnp.json",
    "sessionid=7%3Acanary%3A7.json",
    "é" * 60 + ".json",
    "a" * 400 + ".json",
    ".json",
    "link -> /etc/shadow",
]


def test_three_hundred_made_up_files_come_through_the_door_with_a_code_each(api, admin):
    chance, program = random.Random(5), api(admin)
    answers = [upload(program, *(file(made_up(chance)) for _ in range(100))) for _ in range(3)]

    results = [result for answer in answers for result in answer.json()["results"]]
    told = {result.get("error") for result in results}
    assert {answer.status_code for answer in answers} <= {200, 400, 409, 413}
    assert len(results) == 300
    assert told <= {None, "SESSION_FILE_INVALID", "SESSION_FILE_TOO_LARGE", "SESSION_DUPLICATE"}
    with everywhere():
        assert Session.objects.count() == sum(result["success"] for result in results) > 0


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_told_back_and_used_for_nothing(api, admin, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    answer = upload(api(admin), file(settings("alice.clay"), name))

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["results"][0]["session"]["filename"].startswith("alice.clay-")
    assert "canary" not in answer.content.decode()
    assert list(tmp_path.iterdir()) == []


def raw_upload(program, head, content=b"{}"):
    body = b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (BOUNDARY.encode(), head, content, BOUNDARY.encode())
    return program.generic("POST", "/api/admin/sessions/upload", body, content_type=MULTIPART_CONTENT)


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Disposition: form-data; name=files; filename*=nonsense''a%20b.json",
        b"Content-Disposition: form-data; name=files; filename*=utf-7''%2B2AA-.json",
        b"Content-Disposition: form-data; name=files; filename=\xff\xfe.json",
        b"Content-Disposition: form-data; name=files; filename=",
        b"Content-Disposition: form-data; name=\xff; filename=a.json",
        b"Content-Disposition: form-data; filename=a.json",
        b"Content-Disposition: form-data; name=files; filename=a.json\r\nContent-Transfer-Encoding: base64",
        b"Content-Disposition: form-data; name=files; filename=a.json\r\nContent-Type: text/plain; charset=nonsense",
        b"Content-Disposition: form-data; name=files",
        b"X: \0",
    ],
)
def test_odd_forms_are_refused_with_a_code(api, admin, head):
    answer = raw_upload(api(admin), head)

    assert answer.status_code == 400
    assert answer.json()["error"] in ("SESSION_FILE_INVALID", "VALIDATION_FAILED", "BAD_REQUEST")


@pytest.mark.parametrize(
    ("content_type", "status", "error"),
    [
        ("multipart/form-data", 400, "BAD_REQUEST"),
        ("multipart/form-data; boundary=\x01", 400, "BAD_REQUEST"),
        ("multipart/form-data; boundary=other", 400, "VALIDATION_FAILED"),
        ("application/json", 415, "UNSUPPORTED_MEDIA"),
        ("application/x-python-pickle", 415, "UNSUPPORTED_MEDIA"),
    ],
)
def test_only_a_form_with_files_is_read(api, admin, content_type, status, error):
    answer = api(admin).generic("POST", "/api/admin/sessions/upload", b'{"files": []}', content_type=content_type)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_files_may_come_under_any_field(api, admin):
    head = b'Content-Disposition: form-data; name="file"; filename="alice.clay.json"'

    answer = raw_upload(api(admin), head, json.dumps(settings()).encode())

    assert (answer.status_code, answer.json()["results"][0]["session"]["username"]) == (200, "alice.clay")


def test_a_hundred_files_are_the_most(api, admin):
    program = api(admin)
    files = [file(b"{}", f"{number}.json") for number in range(MOST_FILES + 1)]

    assert upload(program, *files[:-1]).json()["error"] == "SESSION_FILE_INVALID"
    answer = upload(program, *files)

    assert (answer.status_code, answer.json()["error"]) == (400, "BAD_REQUEST")
    assert "100 files" in answer.json()["message"]


def test_the_same_login_twice_is_one_session(api, admin):
    program = api(admin)
    dump = settings("alice.clay")
    uploaded(program, dump)

    again = upload(program, file({**dump, "user_agent": "Instagram 1"}, "a new name.json"))

    assert (again.status_code, again.json()["error"]) == (409, "SESSION_DUPLICATE")


def test_the_login_of_a_connected_account_is_no_new_session(api, admin, alices_account):
    with everywhere():
        login = sessions.settings_of(alices_account.session)["authorization_data"]

    answer = upload(api(admin), file(settings("alice.clay", authorization_data=login)))

    assert (answer.status_code, answer.json()["error"]) == (409, "SESSION_DUPLICATE")


def test_of_fifty_that_upload_the_same_login_at_once_one_does(committed, admin):
    raw = json.dumps(settings("alice.clay")).encode()

    def one(_):
        try:
            session_pool.add(session_pool.judge(raw, ""), admin)
        except BotException as refused:
            return refused.code.name
        finally:
            connection.close()
        return "taken"

    with ThreadPoolExecutor(16) as people:
        outcomes = list(people.map(one, range(50)))

    assert (outcomes.count("taken"), outcomes.count("SESSION_DUPLICATE")) == (1, 49)
    with everywhere():
        assert Session.objects.count() == 1


def test_the_pool_holds_a_thousand_unused_sessions(api, admin):
    with everywhere():
        Session.objects.bulk_create(
            Session(username="x", sealed=b"", fingerprint=f"{number:064}")
            for number in range(session_pool.MOST_UNUSED - 1)
        )
    program = api(admin)

    assert upload(program, file(settings("last"))).status_code == 200
    answer = upload(program, file(settings("too.many")))

    assert (answer.status_code, answer.json()["error"]) == (409, "SESSION_POOL_FULL")


def test_it_is_written_down_who_uploaded_what(api, admin):
    session = uploaded(api(admin), settings("alice.clay"))

    with everywhere():
        row = ActivityLog.objects.filter(action="session_uploaded").latest("id")
    assert (row.user_id, row.workspace_id) == (admin.pk, None)
    assert row.metadata == {"by": str(admin.pk), "session": session["filename"]}


def test_the_secret_is_found_nowhere(committed, api, admin, caplog, capfd):
    caplog.set_level("DEBUG")
    program = api(admin)
    good, broken = settings("alice.clay"), settings("alice.broken", cookies=["x"])
    answers = [
        upload(program, file(good), file(broken)),
        upload(program, file(good)),
        upload(program, file(broken)),
        program.get("/api/admin/sessions/list"),
    ]
    with everywhere():
        session = Session.objects.get()
        assert sessions.settings_of(session)["authorization_data"]["sessionid"] == token_of(good)

    said = "".join(answer.content.decode() for answer in answers) + caplog.text + "".join(capfd.readouterr())
    with everywhere(), connection.cursor() as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM \"{table}\" t")
            said += cursor.fetchone()[0]
    assert str(session.pk) in said
    for dump in (good, broken):
        assert token_of(dump) not in said
        assert dump["uuids"]["uuid"] not in said
        assert token_of(dump).encode().hex() not in said


def test_members_upload_nothing(api, visitor, alice):
    assert upload(api(alice), file(settings("a"))).json()["error"] == "TOKEN_INVALID"
    assert upload(visitor, file(settings("a"))).json()["error"] == "NOT_SIGNED_IN"


def test_a_body_that_is_too_long_is_refused_as_a_whole(api, admin):
    content = b"x" * (MOST + 1)

    answer = raw_upload(api(admin), b"Content-Disposition: form-data; name=files; filename=a.json", content)

    assert (answer.status_code, answer.json()["error"]) == (413, "BODY_TOO_LARGE")


def test_what_may_come_in_stays_in_memory(settings):
    """Django writes a longer body into a file before it asks any view, and there the login would be readable."""
    assert MOST < bodies.MOST <= settings.FILE_UPLOAD_MAX_MEMORY_SIZE


def test_ten_files_of_200_mb_are_refused_in_flat_memory(committed, admin, tmp_path):
    """The whole way in, with the real server."""
    token = sign_in.make_token(admin, ApiToken.Realm.ADMIN)
    with ending(Processes(tmp_path, servers_of_the_tests())) as processes:
        address = processes.web()
        web = processes.running[0].pid

        def send(_):
            headers = {"Authorization": f"Bearer {token}", "Content-Type": MULTIPART_CONTENT}
            return requests.post(f"{address}/api/admin/sessions/upload", data=long_form(), headers=headers, timeout=60)

        with ThreadPoolExecutor(2) as people:
            first = list(people.map(send, range(2)))  # brings in what is loaded only once
            before, highest = memory(web, "VmRSS"), memory(web, "VmHWM")
            answers = first + list(people.map(send, range(8)))

        assert [answer.status_code for answer in answers] == [413] * 10
        assert {answer.json()["error"] for answer in answers} == {"BODY_TOO_LARGE"}
        # Of 2 GB; a body that is held for a moment would be 200. Less than that is the allocator's own.
        assert memory(web, "VmRSS") - before < 60
        assert memory(web, "VmHWM") - highest < 60


def long_form():
    """200 MB, as a stream without a length."""
    yield b"--%b\r\nContent-Disposition: form-data; name=files; filename=a.json\r\n\r\n" % BOUNDARY.encode()
    for _ in range(200):
        yield b"x" * 2**20


def memory(pid, which):
    """What a process has in memory now (VmRSS) or had at the most (VmHWM), in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition(f"{which}:")[2].split()[0]) // 1024
