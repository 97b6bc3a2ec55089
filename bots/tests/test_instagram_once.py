"""One intent is one POST, whatever happens to it; and after the first stop signal nothing is sent at all.

The real instagrapi and the real curl transport against a server that counts what it received.
"""

import json
import re
import socket
import socketserver
import struct
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import pytest

from bots import targeting
from bots.instagram import private, safe_client
from bots.instagram.private import NoAnswer, State
from errors import codes
from errors.codes import Then
from errors.exceptions import BotException

SESSION = {
    "authorization_data": {"ds_user_id": "1", "sessionid": "1%3Acanarysession%3A9"},
    "uuids": {"uuid": str(uuid.UUID(int=1))},
}
STRANGER = {"following": False, "outgoing_request": False, "followed_by": True, "blocking": False, "status": "ok"}
FOLLOWED = {"friendship_status": {"following": True}, "status": "ok"}
WRITES = {
    "follow": lambda door: door.follow("2"),
    "unfollow": lambda door: door.unfollow("3"),
    "like": lambda door: door.like("5_2"),
    "see stories": lambda door: door.see_stories([private.Story("7_2", None)]),
    "send a message": lambda door: door.send_dm("2", "Hello", context=uuid.UUID(int=9)),
}


@pytest.fixture
def instagram(settings, monkeypatch):
    """A server whose `answers` (by the start of method and path) are (status, body) or a function of its handler."""
    seen: list[str] = []
    answers: dict[str, object] = {
        "GET /api/v1/friendships/show/2/": (200, STRANGER),
        "GET /api/v1/friendships/show/3/": (200, STRANGER | {"following": True}),
        "POST /api/v1/friendships/create/": (200, FOLLOWED),
        "POST /api/v1/friendships/destroy/": (200, {"friendship_status": {"following": False}}),
        "POST /api/v1/direct_v2/": (
            200,
            {"payload": {"item_id": "5", "timestamp": "1700000000000000"}, "status": "ok"},
        ),
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        log_message = staticmethod(lambda *_: None)

        def handle_one(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            line = f"{self.command} {self.path}"
            seen.append(line)
            status, body = 200, {"status": "ok", "user": {"pk": "1", "username": "alice"}}
            for start, answer in answers.items():
                if line.startswith(start):
                    if callable(answer):
                        answer(self)
                        return
                    status, body = answer
            self.reply(status, body if isinstance(body, bytes) else json.dumps(body).encode())

        def reply(self, status, body, missing=0, headers=()):
            self.send_response(status)
            for name, value in (*headers, ("Content-Length", len(body) + missing)):
                self.send_header(name, str(value))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        do_GET = do_POST = handle_one  # noqa: N815 - the names http.server looks for

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False
        handle_error = staticmethod(lambda *_: None)  # connections that we broke on purpose

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        settings.INSTAGRAM_PRIVATE_URL = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setattr(safe_client, "TIMEOUT", (0.5, 0.3))
        yield SimpleNamespace(
            seen=seen, answers=answers, posts=lambda: [line.split("?")[0] for line in seen if line.startswith("POST")]
        )
        server.shutdown()


@pytest.fixture
def door(instagram):
    with private.enter(SESSION, "alice") as door:
        door.probe()  # warm: the connection is a reused one from here
        instagram.seen.clear()
        yield door


def hang(handler):
    time.sleep(1.5)
    handler.close_connection = True


def reset(handler):
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.rfile.close()
    handler.wfile.close()
    handler.connection.close()


def hang_up(handler):
    handler.close_connection = True


def short_read(handler):
    handler.reply(200, b'{"status":', missing=50)
    handler.close_connection = True


def drip(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    for _ in range(15):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            break
        time.sleep(0.1)
    handler.close_connection = True


def redirect(handler):
    handler.reply(307, b"", headers=[("Location", "https://i.instagram.com/elsewhere/")])


UNKNOWN = {
    "timeout": (hang, codes.NET_TIMEOUT),
    "drip": (drip, codes.NET_TIMEOUT),
    "reset": (reset, codes.NET_RESET),
    "hang up": (hang_up, codes.NET_RESET),
    "short read": (short_read, codes.NET_RESET),
    "408": ((408, {"status": "fail"}), codes.NET_TIMEOUT),
    "500": ((500, {"status": "fail"}), codes.NET_BAD_ANSWER),
    "503 page": ((503, b"<html>Sorry</html>"), codes.NET_BAD_ANSWER),
    "307": (redirect, codes.INSTAGRAM_NOT_JSON),
    "web page": ((200, b"<html>Is it you?</html>"), codes.INSTAGRAM_NOT_JSON),
    "other shape": ((200, {"status": "ok", "payload": None, "friendship_status": None}), codes.INSTAGRAM_DRIFT),
}
REFUSED = {
    "429": ((429, {"message": "rate limited", "status": "fail"}), codes.INSTAGRAM_THROTTLED),
    "feedback": (
        (400, {"message": "feedback_required", "feedback_message": "Try again later", "status": "fail"}),
        codes.FOLLOW_BLOCKED,
    ),
    "unknown words": ((400, {"message": "No", "status": "fail"}), codes.INSTAGRAM_UNCLASSIFIED),
}


@pytest.mark.parametrize("failure", UNKNOWN)
def test_a_write_without_a_clear_answer_is_one_post_and_unknown(instagram, door, failure):
    instagram.answers["POST /api/v1/friendships/create/"], code = UNKNOWN[failure]

    started = time.monotonic()
    with pytest.raises(NoAnswer) as caught:
        door.follow("2")

    assert (instagram.posts(), caught.value.code) == (["POST /api/v1/friendships/create/2/"], code)
    assert time.monotonic() - started < 1.4


@pytest.mark.parametrize("failure", REFUSED)
def test_a_refused_write_is_one_post_and_refused(instagram, door, failure):
    instagram.answers["POST /api/v1/friendships/create/"], code = REFUSED[failure]

    outcome = door.follow("2")

    assert (instagram.posts(), outcome.state, outcome.code, outcome.sent) == (
        ["POST /api/v1/friendships/create/2/"],
        State.REFUSED,
        code,
        True,
    )


@pytest.mark.parametrize("failure", ["timeout", "reset", "hang up", "short read", "408", "500", "307"])
@pytest.mark.parametrize("write", WRITES)
def test_every_kind_of_write_goes_out_once(instagram, door, write, failure):
    instagram.answers["POST "] = UNKNOWN[failure][0]

    with pytest.raises(NoAnswer):
        WRITES[write](door)

    assert len(instagram.posts()) == 1


@pytest.mark.parametrize("write", WRITES)
def test_a_write_that_is_answered_is_confirmed(instagram, door, write, steps_here):
    outcome = WRITES[write](door)

    assert (outcome.state, outcome.sent, len(instagram.posts())) == (State.CONFIRMED, True, 1)
    (step,) = (step for step in steps_here if step.name.startswith("POST "))
    assert (step.name.split("/")[0], step.outcome) == ("POST i.instagram.com", "200")
    assert not re.search(r"/\d", step.name)


def test_the_library_alone_would_send_a_post_twice_on_a_broken_connection(instagram, door, monkeypatch):
    """The negative control of `Wire.send`: without its own connection for each POST, libcurl repeats it."""
    instagram.answers["POST "] = hang_up
    real = safe_client.Wire.__mro__[1].send

    def reusing(self, request, **kw):
        self.client.curl_options[safe_client.CurlOpt.FRESH_CONNECT] = 0
        return real(self, request, **kw)

    monkeypatch.setattr(safe_client._CurlH2Adapter, "send", reusing)
    with pytest.raises(NoAnswer):
        door.follow("2")

    assert len(instagram.posts()) == 2


@pytest.mark.parametrize("known", [{"following": True}, {"outgoing_request": True}, {"blocking": True}])
def test_a_person_already_dealt_with_is_skipped_without_a_post(instagram, door, known):
    instagram.answers["GET /api/v1/friendships/show/2/"] = 200, STRANGER | known

    outcome = door.follow("2")

    assert (outcome.state, outcome.sent, instagram.posts()) == (State.SKIPPED, False, [])


def test_a_follow_that_became_a_request_says_so(instagram, door):
    status = {"following": False, "outgoing_request": True}
    instagram.answers["POST /api/v1/friendships/create/"] = 200, {"friendship_status": status, "status": "ok"}

    assert door.follow("2").meta == {"requested": True}


@pytest.mark.parametrize("failure", ["timeout", "reset", "500", "other shape"])
def test_a_relation_that_cannot_be_read_means_no_post(instagram, door, failure):
    instagram.answers["GET /api/v1/friendships/show/2/"], code = UNKNOWN[failure]

    outcome = door.follow("2")

    assert (outcome.state, outcome.code, outcome.sent, instagram.posts()) == (State.REFUSED, code, False, [])


def test_a_write_that_could_not_connect_was_not_sent(settings):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.INSTAGRAM_PRIVATE_URL = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with private.enter(SESSION, "alice") as door:
            outcome = door.like("5_2")

    assert (outcome.state, outcome.code, outcome.sent) == (State.REFUSED, codes.NET_REFUSED, False)


def test_a_message_carries_the_same_token_each_time_its_context_is_the_same():
    first, other = uuid.uuid4(), uuid.uuid4()

    assert private.dm_token(first) == private.dm_token(first) != private.dm_token(other)
    assert len(private.dm_token(first)) == 19


STOPS = {
    "challenge": (400, {"message": "challenge_required", "challenge": {"url": "https://i.instagram.com/challenge/1/"}}),
    "challenge masked as 404": (404, b"Not Found"),
    "challenge with 403": (403, {"message": "challenge_required"}),
    "challenge with 200": (200, {"message": "challenge_required", "status": "fail"}),
    "checkpoint": (400, {"message": "checkpoint_required"}),
    "suspended": (
        400,
        {"message": "challenge_required", "challenge": {"url": "https://i.instagram.com/suspended/?x=1"}},
    ),
    "suspended with 200": (
        200,
        {"message": "challenge_required", "challenge": {"url": "/suspended/"}, "status": "fail"},
    ),
    "logged out": (403, {"message": "login_required", "logout_reason": 8}),
    "unauthorized": (401, {"message": "Unauthorized"}),
    "throttled": (429, {}),
    "rate limit": (400, {"message": "slow", "error_type": "rate_limit_error"}),
    "wait": (400, {"message": "Please wait a few minutes before you try again."}),
    "wait with 429": (429, {"message": "Please wait a few minutes before you try again."}),
    "feedback": (400, {"message": "feedback_required", "feedback_message": "We limit how often."}),
    "sentry": (400, {"message": "Sorry", "error_type": "sentry_block"}),
    "web page": (200, b"<html>Is it you?</html>"),
    "app too old": (400, {"message": "Update", "error_type": "needs_upgrade"}),
}
EXPECTED = {
    "challenge": codes.CHALLENGE_REQUIRED,
    "challenge masked as 404": codes.CHALLENGE_REQUIRED,
    "challenge with 403": codes.CHALLENGE_REQUIRED,
    "challenge with 200": codes.CHALLENGE_REQUIRED,
    "checkpoint": codes.CHALLENGE_REQUIRED,
    "suspended": codes.ACCOUNT_SUSPENDED,
    "suspended with 200": codes.ACCOUNT_SUSPENDED,
    "logged out": codes.SESSION_NEEDS_LOGIN,
    "unauthorized": codes.SESSION_NEEDS_LOGIN,
    "throttled": codes.INSTAGRAM_THROTTLED,
    "rate limit": codes.INSTAGRAM_THROTTLED,
    "wait": codes.INSTAGRAM_PLEASE_WAIT,
    "wait with 429": codes.INSTAGRAM_PLEASE_WAIT,
    "feedback": codes.FOLLOW_BLOCKED,
    "sentry": codes.INSTAGRAM_SENTRY_BLOCK,
    "web page": codes.INSTAGRAM_NOT_JSON,
    "app too old": codes.INSTAGRAM_APP_OUTDATED,
}
READS = {
    "probe": lambda door: door.probe(),
    "person": lambda door: door.person("2"),
    "profile": lambda door: door.profile("bob"),
    "relation": lambda door: door.relation("2"),
    "hashtag": lambda door: door.hashtag_people("pottery"),
    "followers": lambda door: door.followers("2"),
    "likers": lambda door: door.likers("5_2"),
    "stories": lambda door: door.stories("2"),
    "logout": lambda door: door.logout(),
}


@pytest.mark.parametrize("stop", STOPS)
def test_nothing_is_sent_after_the_first_stop_signal(instagram, door, stop):
    instagram.answers["GET /api/v1/friendships/show/2/"] = STOPS[stop]

    outcome = door.follow("2")  # the library's own follow would swallow this and post
    assert (outcome.code, outcome.sent, len(instagram.seen)) == (EXPECTED[stop], False, 1)

    for write in WRITES.values():
        assert write(door) == private.Outcome(State.REFUSED, EXPECTED[stop], False, {"endpoint": "friendships/show/2/"})
    for read in READS.values():
        with pytest.raises(BotException) as caught:
            read(door)
        assert caught.value.code == EXPECTED[stop]
    assert (len(instagram.seen), door.halted) == (1, EXPECTED[stop])


@pytest.mark.parametrize(
    "fallback",
    [
        lambda client: client.user_info_by_username("bob"),
        lambda client: client.user_followers("2", amount=5),
        lambda client: client.user_stories("2"),
        lambda client: client.user_follow("2"),
    ],
)
def test_the_librarys_ways_round_a_challenge_are_closed(instagram, door, fallback):
    """Left alone it would ask the public web, three times each, or go on to post."""
    instagram.answers["GET "] = STOPS["challenge"]

    with pytest.raises(safe_client.Halted):
        fallback(door._client)

    assert len(instagram.seen) == 1


def test_the_stop_never_leaves_the_door_as_it_is(instagram, door):
    """`Halted` is no Exception, so nothing that catches exceptions would hold it."""
    instagram.answers["GET "] = STOPS["challenge"]

    for read in READS.values():
        with pytest.raises(BotException):
            read(door)


@pytest.mark.parametrize("stop", ["web page", "challenge", "throttled"])
def test_a_stop_signal_in_answer_to_a_write_also_latches(instagram, door, stop):
    instagram.answers["POST "] = STOPS[stop]

    if stop == "web page":
        with pytest.raises(NoAnswer):
            door.like("5_2")
    else:
        assert door.like("5_2").sent
    assert door.follow("2").sent is False
    assert len(instagram.seen) == 1


def test_every_stop_has_a_reaction_that_stops():
    assert {code.then for code in EXPECTED.values()} == {
        Then.FREEZE,
        Then.BAN,
        Then.NEEDS_LOGIN,
        Then.COOL_1H,
        Then.COOL_24H,
        Then.BLOCK_KIND,
        Then.ALERT,
    }


def test_what_instagram_said_about_a_block_is_kept(instagram, door):
    instagram.answers["POST "] = STOPS["feedback"]

    assert door.like("5_2").meta == {
        "exception": "FeedbackRequired",
        "endpoint": "media/5_2/like/",
        "feedback_message": "We limit how often.",
    }


def test_a_target_that_is_gone_stops_nothing(instagram, door):
    instagram.answers["GET /api/v1/users/2/"] = 404, {"message": "User not found", "status": "fail"}

    with pytest.raises(BotException) as caught:
        door.person("2")
    assert (caught.value.code, door.halted) == (codes.IG_TARGET_GONE, None)
    assert door.follow("2").state is State.CONFIRMED


def test_an_uploaded_session_cannot_change_how_we_send(instagram):
    hostile = {"private_transport": "requests", "session_retry_total": 9, "request_timeout": 60, "tls_verify": False}
    with private.enter(SESSION | hostile, "alice") as door:
        client = door._client
        assert (client.private.verify, client.request_timeout, client.session_retry_total) == (True, 0, 0)
        assert {type(client.private.get_adapter(f"https://{host}/")) for host in safe_client.HOSTS} == {
            safe_client.Wire
        }
        assert not set(hostile) & set(door.settings())


@pytest.mark.parametrize(
    "bad", [{}, {"uuids": 5}, {"authorization_data": []}, {"cookies": "x"}, {"device_settings": [1]}]
)
def test_a_session_that_cannot_be_read_opens_no_door(instagram, bad):
    with pytest.raises(BotException) as caught:
        private.enter(bad, "alice")
    assert (caught.value.code, instagram.seen) == (codes.SESSION_FILE_INVALID, [])


def test_settings_come_back_as_they_were(instagram, door):
    with private.enter(door.settings(), "alice") as again:
        assert again.settings() == door.settings()
        assert again.settings()["authorization_data"] == SESSION["authorization_data"]


def test_no_secret_reaches_a_log_or_an_error(instagram, door, caplog):
    caplog.set_level("DEBUG")
    told = []
    for failure in (*UNKNOWN.values(), *REFUSED.values()):
        instagram.answers["POST "] = failure[0]
        with private.enter(SESSION, "alice") as once:
            try:
                told.append(once.like("5_2"))
            except NoAnswer as unknown:
                told.append((repr(unknown), unknown.meta))

    assert "canarysession" not in caplog.text + str(told)
    assert "alice" not in caplog.text
    assert "<html>" not in caplog.text + str(told)


def test_a_soft_time_limit_is_not_taken_for_an_answer(instagram, door, monkeypatch):
    class SoftTimeLimitError(Exception):
        """As Celery raises its own, in the middle of anything."""

    def interrupted(*_, **__):
        raise SoftTimeLimitError

    monkeypatch.setattr(safe_client.Wire, "send", interrupted)
    with pytest.raises(SoftTimeLimitError):
        door.like("5_2")


def test_what_has_another_shape_than_it_should_is_unknown_and_weighed_so(instagram, door):
    """Else it would fail where it is weighed, far from the wire, in each turn anew."""
    strange = {"follower_count": "1,234", "following_count": -1, "media_count": 2**40, "biography": ["x"], "pk": "2"}
    instagram.answers["GET /api/v1/users/2/"] = 200, {"user": strange | {"username": "bob", "is_private": None}}

    bob = door.person("2")

    assert (bob.followers, bob.following, bob.media_count, bob.bio, bob.private) == (None,) * 5
    assert targeting.judge(targeting.facts_of(bob), {"min_followers": 1, "bio_words": ["x"]}).unknown == (
        "followers",
        "bio",
    )


@pytest.mark.parametrize("pk", ["-5", str(2**63), "1e5", "2/../1", None])
def test_what_is_no_number_of_a_person_stops_nothing(instagram, door, pk):
    instagram.answers["GET /api/v1/users/2/"] = 200, {"user": {"pk": pk, "username": "bob"}}

    with pytest.raises(BotException) as caught:
        door.person("2")
    assert (caught.value.code, door.halted) == (codes.INSTAGRAM_DRIFT, None)
