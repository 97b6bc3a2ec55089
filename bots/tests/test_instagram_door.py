"""The private door against the local stand-in, with the real instagrapi: logging in, looking around, and acting."""

import uuid

import pytest

from bots.instagram import private, safe_client
from bots.instagram.private import LoggedIn, LoginRefused, NeedsCode, NoAnswer, State
from errors import codes
from errors.exceptions import BotException
from sandbox.testing import clean, start_sandbox

PASSWORD = "canary-password-1"
TOTP_SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture(scope="module")
def running():
    with start_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running, settings):
    settings.INSTAGRAM_PRIVATE_URL = running.url
    with clean(running):
        running.control.account("alice", password=PASSWORD)
        yield running.control


@pytest.fixture
def door(sandbox):
    with private.enter(private.login("alice", PASSWORD).settings, "alice") as door:
        yield door


def refused(**given) -> LoginRefused:
    with pytest.raises(LoginRefused) as caught:
        private.login(**{"username": "alice", "password": PASSWORD} | given)
    return caught.value


def logins(sandbox) -> list[bool]:
    return [entry["applied"] for entry in sandbox.ledger(kind="login").entries]


def test_a_login_gives_a_session_and_whose_it_is(sandbox):
    result = private.login("alice", PASSWORD)

    assert isinstance(result, LoggedIn)
    assert (result.person.username, result.person.pk) == ("alice", str(sandbox.read_account("alice")["pk"]))
    with private.enter(result.settings, "alice") as door:
        assert door.probe() == result.person
    assert logins(sandbox) == [True]


def test_a_second_factor_is_asked_for_and_then_taken_on_the_same_device(sandbox):
    sandbox.account("alice", totp_secret=TOTP_SECRET)

    first = private.login("alice", PASSWORD)
    assert isinstance(first, NeedsCode)
    assert first.method == "totp"

    second = private.login("alice", PASSWORD, settings=first.settings, code=sandbox.read_account("alice")["totp_code"])
    assert isinstance(second, LoggedIn)
    assert second.settings["uuids"] == first.settings["uuids"]


def test_a_backup_code_is_as_good(sandbox):
    sandbox.account("alice", totp_secret=TOTP_SECRET, backup_codes=["12345678"])

    assert isinstance(private.login("alice", PASSWORD, code="1234 5678"), LoggedIn)


def test_a_code_by_email_is_asked_for_and_then_taken(sandbox):
    sandbox.account("alice", email_code="654321")

    first = private.login("alice", PASSWORD)
    assert isinstance(first, NeedsCode)
    assert first.method == "email"
    assert isinstance(private.login("alice", PASSWORD, settings=first.settings, code="654321"), LoggedIn)


@pytest.mark.parametrize(
    "how", [{"totp_secret": TOTP_SECRET}, {"email_code": "654321"}, {"totp_secret": TOTP_SECRET, "legacy": True}]
)
def test_a_wrong_code_is_said_to_be_wrong_and_sent_once(sandbox, how):
    sandbox.account("alice", **how)

    refusal = refused(code="000000")

    assert refusal.code == codes.IG_CODE_WRONG
    assert logins(sandbox) == [False]


def test_the_older_login_works_too(sandbox):
    sandbox.account("alice", legacy=True)

    assert isinstance(private.login("alice", PASSWORD), LoggedIn)


def test_the_older_login_asks_for_its_second_factor(sandbox):
    sandbox.account("alice", legacy=True, totp_secret=TOTP_SECRET)

    first = private.login("alice", PASSWORD)
    assert isinstance(first, NeedsCode)
    assert first.method == "totp"
    code = sandbox.read_account("alice")["totp_code"]
    assert isinstance(private.login("alice", PASSWORD, settings=first.settings, code=code), LoggedIn)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_wrong_password_is_submitted_once(sandbox, legacy):
    sandbox.account("alice", legacy=legacy)

    refusal = refused(password="wrong-password-1")

    assert refusal.code == codes.IG_BAD_PASSWORD
    assert logins(sandbox) == [False]


def test_the_older_login_costs_one_more_password_and_never_two(sandbox):
    """Instagram itself sends this login on to its older endpoint; the library would then try the first one again."""
    sandbox.account("alice", legacy=True)

    refused(password="wrong-password-1")

    assert sandbox.ledger().requests["alice"]["routes"] == {
        "POST bloks/async_action/com.bloks.www.bloks.caa.login.async.send_login_request": 1,
        "POST accounts/login": 1,
    }


def test_an_unknown_name_is_said_to_be_unknown_or_mistrusted(sandbox):
    assert refused(username="nobody.at.all").code == codes.IG_UNKNOWN_USER_OR_NETWORK


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("challenge", codes.CHALLENGE_REQUIRED),
        ("suspended", codes.ACCOUNT_SUSPENDED),
        ("429", codes.INSTAGRAM_THROTTLED),
        ("please_wait", codes.INSTAGRAM_PLEASE_WAIT),
        ("sentry_block", codes.INSTAGRAM_SENTRY_BLOCK),
        ("needs_upgrade", codes.INSTAGRAM_APP_OUTDATED),
        ("500", codes.NET_BAD_ANSWER),
        ("reset", codes.NET_RESET),
        ("not_json", codes.INSTAGRAM_NOT_JSON),
    ],
)
def test_trouble_at_the_password_is_named_and_the_device_kept(sandbox, fault, code):
    sandbox.fault(fault, path=".*send_login_request", times=None)

    refusal = refused()

    assert refusal.code == code
    assert refusal.settings["uuids"]
    assert sandbox.faults()[0]["hits"] == 1


def test_a_challenge_right_after_the_login_keeps_the_session_for_a_later_probe(sandbox):
    sandbox.fault("challenge", path="feed/reels_tray")

    refusal = refused()

    assert refusal.code == codes.CHALLENGE_REQUIRED
    with private.enter(refusal.settings, "alice") as door:
        assert door.probe().username == "alice"
    assert logins(sandbox) == [True]


def test_a_slow_feed_after_the_login_costs_no_second_password(sandbox):
    sandbox.fault("500", path="feed/timeline")

    assert isinstance(private.login("alice", PASSWORD), LoggedIn)
    assert logins(sandbox) == [True]


def test_a_dead_session_in_the_settings_is_left_aside(sandbox):
    before = private.login("alice", PASSWORD).settings
    sandbox.kill_sessions("alice")

    after = private.login("alice", PASSWORD, settings=before).settings

    assert after["uuids"] == before["uuids"]
    assert after["authorization_data"] != before["authorization_data"]


def test_a_dead_session_is_never_logged_in_again_by_itself(sandbox, door):
    sandbox.kill_sessions("alice")

    with pytest.raises(BotException) as caught:
        door.probe()

    assert caught.value.code == codes.SESSION_NEEDS_LOGIN
    assert logins(sandbox) == [True]


def test_an_instagram_that_hangs_is_given_up(sandbox, door, monkeypatch):
    monkeypatch.setattr(safe_client, "TIMEOUT", (0.2, 0.3))
    sandbox.fault("hang", path="accounts/current_user", seconds=5)

    with pytest.raises(BotException) as caught:
        door.probe()

    assert caught.value.code == codes.NET_TIMEOUT
    assert door.halted is None


def test_an_instagram_that_is_down_is_said_to_be_down(sandbox, door, settings):
    settings.INSTAGRAM_PRIVATE_URL = "http://127.0.0.1:9"

    refusal = refused()

    assert refusal.code == codes.NET_REFUSED


def test_a_hashtag_gives_hundreds_of_people_page_by_page(sandbox, door):
    sandbox.hashtag("pottery", count=300)
    found, cursor, pages = {}, "", 0
    while pages == 0 or cursor:
        people, cursor = door.hashtag_people("#pottery", cursor=cursor)
        found.update({person.pk: person for person in people})
        pages += 1

    assert len(found) == 300
    assert pages > 1
    assert all(person.media_id.endswith(f"_{person.pk}") and person.posted_at for person in found.values())


def test_what_instagram_leaves_out_is_unknown(sandbox, door):
    sandbox.account("bob", followers=None, biography=None)

    bob = door.profile("bob")

    assert (bob.followers, bob.bio, bob.language, bob.private) == (None, None, None, False)


def test_a_list_that_leaves_out_who_is_private_leaves_it_unknown(sandbox, door):
    sandbox.hashtag("pottery", count=300)
    people, cursor = door.hashtag_people("pottery")
    while cursor:
        page, cursor = door.hashtag_people("pottery", cursor=cursor)
        people += page

    assert {person.private for person in people} == {True, False, None}
    assert {person.followers for person in people} == {None}


def test_a_profile_tells_counts_and_bio(sandbox, door):
    sandbox.account(
        "bob", followers=321, following=12, media=5, biography="Pots", private=True, verified=True, business=False
    )

    bob = door.profile("bob")

    assert (bob.followers, bob.following, bob.media_count, bob.bio) == (321, 12, 5, "Pots")
    assert (bob.private, bob.verified, bob.business) == (True, True, False)
    assert door.person(bob.pk) == bob


def test_a_profile_that_does_not_exist_is_gone(sandbox, door):
    with pytest.raises(BotException) as caught:
        door.profile("no/such?person")

    assert caught.value.code == codes.IG_TARGET_GONE
    assert door.halted is None


def test_a_follow_is_confirmed_once_and_then_skipped(sandbox, door):
    bob = str(sandbox.account("bob")["pk"])

    first, second = door.follow(bob), door.follow(bob)

    assert (first.state, second.state, second.code) == (State.CONFIRMED, State.SKIPPED, codes.ALREADY_FOLLOWING)
    assert sandbox.ledger("alice", kind="follow").targets("follow") == [bob]
    assert door.relation(bob).following


def test_following_a_private_person_asks_them(sandbox, door):
    bob = str(sandbox.account("bob", private=True)["pk"])

    assert door.follow(bob).meta == {"requested": True}
    assert (door.relation(bob).following, door.relation(bob).requested) == (False, True)


def test_an_unfollow_is_confirmed_once_and_then_skipped(sandbox, door):
    bob = str(sandbox.account("bob")["pk"])
    sandbox.relate("alice", "bob", "following")

    first, second = door.unfollow(bob), door.unfollow(bob)

    assert (first.state, second.state, second.code) == (State.CONFIRMED, State.SKIPPED, codes.NOT_FOLLOWING)
    assert len(sandbox.ledger("alice", kind="unfollow").entries) == 1


def test_a_follow_that_was_applied_before_the_connection_broke_is_found_by_reading(sandbox, door):
    bob = str(sandbox.account("bob")["pk"])
    sandbox.fault("reset_after_apply", account="alice", path="friendships/create")

    with pytest.raises(NoAnswer) as caught:
        door.follow(bob)

    assert caught.value.code == codes.NET_RESET
    assert door.relation(bob).following
    assert sandbox.ledger("alice", kind="follow").targets("follow") == [bob]


def test_posts_are_liked_and_stories_are_seen(sandbox, door):
    bob = str(sandbox.account("bob", stories=2)["pk"])
    sandbox.hashtag("pottery", people=["bob"])
    (person,), _ = door.hashtag_people("pottery")
    stories, _ = door.stories(bob)

    assert door.like(person.media_id).state is State.CONFIRMED
    assert len(stories) == 2
    assert door.see_stories(stories).state is State.CONFIRMED
    assert door.see_stories([]).code is codes.NO_STORIES
    assert [person.username for person in door.likers(person.media_id)].count("alice") <= 1


def test_a_message_is_sent_and_can_be_recognised(sandbox, door):
    bob = str(sandbox.account("bob")["pk"])
    context = uuid.uuid4()

    outcome = door.send_dm(bob, "Hello https://example.com/", context=context)

    assert outcome.state is State.CONFIRMED
    assert outcome.meta["token"] == private.dm_token(context)
    assert len(sandbox.ledger("alice").targets("dm")) == 1


def test_a_person_who_takes_no_messages_is_refused_and_stops_nothing(sandbox, door):
    bob = str(sandbox.account("bob", accepts_messages=False)["pk"])

    outcome = door.send_dm(bob, "Hello", context=uuid.uuid4())

    assert (outcome.state, outcome.code, door.halted) == (State.REFUSED, codes.DM_NOT_POSSIBLE, None)


def test_followers_come_page_by_page(sandbox, door):
    sandbox.account("bob", followers=450)
    bob, seen, cursor = door.profile("bob"), set(), ""
    for _ in range(10):
        page, cursor = door.followers(bob.pk, cursor=cursor)
        seen |= {person.pk for person in page}
        if not cursor:
            break

    assert len(seen) == 450


def test_after_a_logout_the_session_is_dead(sandbox, door):
    stored = door.settings()
    door.logout()

    with private.enter(stored, "alice") as again, pytest.raises(BotException) as caught:
        again.probe()
    assert caught.value.code == codes.SESSION_NEEDS_LOGIN


def test_no_secret_of_a_login_reaches_a_log_or_a_terminal(sandbox, caplog, capfd):
    caplog.set_level("DEBUG")
    sandbox.account("alice", email_code="654321")
    first = private.login("alice", PASSWORD)
    result = private.login("alice", PASSWORD, settings=first.settings, code="654321")
    wrong = refused(password="wrong-canary-1")
    with private.enter(result.settings, "alice") as door:
        door.probe()

    out, err = capfd.readouterr()
    everything = caplog.text + out + err + repr((first, result, wrong, wrong.meta))
    session = result.settings["authorization_data"]["sessionid"]
    for secret in (PASSWORD, "wrong-canary-1", "654321", session, result.settings["usdid"]["private_key"]):
        assert secret not in everything
