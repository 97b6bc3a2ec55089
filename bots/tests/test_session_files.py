"""What is taken from a session file, and everything else that somebody may send instead."""

import base64
import io
import json
import pickle
import random
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bots import session_files, session_pool
from bots.session_files import LARGEST, read
from errors import codes
from errors.exceptions import BotException

REAL = {
    "uuids": {"phone_id": "2194a89c-50c7-4a39-a96e-17a04922d9d5", "uuid": "fc573e17-da07-4d44-9b8e-dc18148f9822"},
    "mid": None,
    "ig_u_rur": None,
    "ig_www_claim": None,
    "authorization_data": {
        "ds_user_id": "7148451643",
        "sessionid": "7148451643%3A1%3AcanaryLoginToken%3A7",
        "should_use_header_over_cookies": True,
    },
    "cookies": {},
    "last_login": 1795263150.8269365,
    "device_settings": {"android_version": 34, "dpi": "480dpi", "model": "Pixel 8 Pro"},
    "user_agent": "Instagram 449.0.0.52.84 Android (34/14; 480dpi; 1344x2992; Google/google; Pixel 8 Pro)",
    "country_code": 1,
    "timezone_offset": -14400,
    "push_disabled": True,
    "usdid": {
        "usdid": "9345ea25",
        "private_key": ec.generate_private_key(ec.SECP256R1())
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode(),
        "registered": True,
    },
    "session_retry_total": 3,
    "tls_verify": True,
}
TOKEN = REAL["authorization_data"]["sessionid"]


def file(**changes):
    """The real one with these keys instead."""
    return json.dumps(REAL | changes).encode()


def refusal(raw, filename="x.json"):
    with pytest.raises(BotException) as refused:
        read(raw, filename)
    assert TOKEN not in str(refused.value) + repr(refused.value.meta)
    return refused.value.code


class Bomb:
    """Runs when somebody unpickles it."""

    executed = False

    def __reduce__(self):
        return setattr, (Bomb, "executed", True)


def test_a_dump_is_taken_without_what_says_how_requests_are_sent():
    found = read(file(), "anything.json")

    assert found.settings["authorization_data"]["sessionid"] == TOKEN
    assert found.settings["device_settings"] == REAL["device_settings"]
    assert {"session_retry_total", "tls_verify", "mid"}.isdisjoint(found.settings)
    assert TOKEN not in repr(found)


@pytest.mark.parametrize(
    ("said", "filename", "username"),
    [
        ({"username": "Alice.Clay"}, "other.json", "alice.clay"),
        ({"username": "@alice.clay"}, "", "alice.clay"),
        ({}, "alice.clay.json", "alice.clay"),
        ({}, "C:/Users/me/alice_clay.json", "alice_clay"),
        ({}, "session of alice.json", ""),
        ({}, "../../etc/passwd", "passwd"),
        ({}, "<script>alert(1)</script>.json", ""),
        ({}, "....json", ""),
        ({}, "", ""),
        ({}, "a" * 31 + ".json", ""),
        ({}, "alice\0.json", ""),
    ],
)
def test_the_username_is_the_files_own_else_the_stem_of_its_name(said, filename, username):
    assert read(file(**said), filename).username == username


def test_a_byte_order_mark_is_no_harm():
    assert read(b"\xef\xbb\xbf" + file()).settings["country_code"] == 1


def zipped(raw):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("session.json", raw)
    return archive.getvalue()


WRONG = {
    "nothing": b"",
    "no json": b"sessionid=abc",
    "half": file()[:-1],
    "something after it": file() + b"{}",
    "a list": b"[" + file() + b"]",
    "a text": json.dumps(file().decode()).encode(),
    "null": b"null",
    "empty": b"{}",
    "100,000 brackets": (b"[" * 30_000 + b"]" * 30_000),
    "100,000 brackets that never close": b"[" * 60_000,
    "objects in objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep under a key": file(cookies={"a": [[[[[[[[[1]]]]]]]]]}),
    "a pickle": pickle.dumps(Bomb()),
    "a pickle with a json name": pickle.dumps(REAL),
    "a zip": zipped(file()),
    "a link": b"/etc/passwd",
    "utf-16": file().decode().encode("utf-16"),
    "latin-1": b'{"username": "\xe9"}',
    "NUL bytes": b"\0" + file(),
    "a NUL in a value": file(user_agent="Instagram\0"),
    "half a character": file(user_agent="\ud800"),
    "a line break for a header": file(user_agent="Instagram\r\nX-Evil: 1"),
    "a key twice": file()[:-1] + b', "mid": "a", "mid": "b"}',
    "a login twice": file()[:-1] + b', "authorization_data": {"ds_user_id": "1", "sessionid": "12345678"}}',
    "NaN": file(last_login=float("nan")),
    "Infinity": file(last_login=float("inf")),
    "a float too large": file()[:-1] + b', "last_login": 1e999}',
    "a number of 5,000 digits": file()[:-1] + b', "country_code": ' + b"9" * 5000 + b"}",
    "a number of 30 digits": file()[:-1] + b', "country_code": ' + b"9" * 30 + b"}",
    "cookies in a list": file(cookies=["sessionid"]),
    "cookies of numbers": file(cookies={"sessionid": 1}),
    "cookies of somebody else": file(cookies={"ds_user_id": "1"}),
    "another token in the cookies": file(cookies={"sessionid": "another%3Atoken"}),
    "uuids in a text": file(uuids="fc573e17"),
    "uuids in uuids": file(uuids={"uuid": {"uuid": "1"}}),
    "a thousand cookies": file(cookies={f"c{number}": "1" for number in range(1000)}),
    "a user agent of numbers": file(user_agent=1),
    "a user agent that never ends": file(user_agent="I" * 5000),
    "a flag that is a word": file(push_disabled="yes"),
    "a flag where a number is": file(country_code=True),
    "no login": file(authorization_data={}),
    "a login in a text": file(authorization_data="Bearer IGT:2:abc"),
    "no number": file(authorization_data={"sessionid": TOKEN}),
    "no token": file(authorization_data={"ds_user_id": "1"}),
    "an empty token": file(authorization_data={"ds_user_id": "1", "sessionid": ""}),
    "a token with spaces": file(authorization_data={"ds_user_id": "1", "sessionid": "a b c d e f"}),
    "a number that is a flag": file(authorization_data={"ds_user_id": True, "sessionid": TOKEN}),
    "a number below zero": file(authorization_data={"ds_user_id": "-1", "sessionid": TOKEN}),
    "a number in Arabic": file(authorization_data={"ds_user_id": "\u0661\u0662", "sessionid": TOKEN}),
    "a number no column holds": file(authorization_data={"ds_user_id": "9" * 19, "sessionid": TOKEN}),
    "a path for a number": file(authorization_data={"ds_user_id": "1/../2", "sessionid": TOKEN}),
    "a script for a username": file(username="<script>alert(1)</script>"),
    "a path for a username": file(username="../../etc/passwd"),
    "a number for a username": file(username=1),
    "a username too long": file(username="a" * 31),
    "base64": base64.b64encode(file()),
}


@pytest.mark.parametrize("raw", WRONG.values(), ids=WRONG)
def test_what_is_no_session_is_refused(raw):
    assert refusal(raw) is codes.SESSION_FILE_INVALID
    assert Bomb.executed is False


def test_64_kb_are_the_most():
    padding = " " * (LARGEST - len(file()))

    assert read(file() + padding.encode()).username == ""
    assert refusal(file() + padding.encode() + b" ") is codes.SESSION_FILE_TOO_LARGE


def test_a_bracket_in_a_text_is_only_a_character():
    name = "[" * 100 + '\\"{' * 100

    assert read(file(device_settings={"model": name})).settings["device_settings"]["model"] == name


def test_20_000_made_up_files_are_taken_or_refused_with_a_code():
    chance = random.Random(4)
    # Instagrapi takes 5 ms to read one, so a tenth of them goes on to it.
    outcomes = [judged(made_up(chance), read if number % 10 else session_pool.judge) for number in range(20_000)]

    assert outcomes.count("taken") > 500
    assert outcomes.count("SESSION_FILE_INVALID") > 5000
    assert set(outcomes) == {"taken", "SESSION_FILE_INVALID", "SESSION_FILE_TOO_LARGE"}


def judged(raw, judge):
    """How it ended; whatever is no BotException comes up and fails the test."""
    try:
        found = judge(raw, "made.up.json")
    except BotException as refused:
        return refused.code.name
    json.dumps(found.settings).encode("ascii")
    assert session_files.USERNAME.fullmatch(found.username)
    return "taken"


def made_up(chance):
    """A file that is nearly a session, or not at all."""
    kind = chance.randrange(6)
    if kind == 0:
        return chance.randbytes(chance.randrange(300))
    if kind == 1:
        return json.dumps(value(chance, 0)).encode("utf-8", "surrogatepass")
    changed = dict(REAL)
    for key in chance.sample([*REAL, "username", "ig_did"], chance.randrange(3)):
        inner = changed.get(key)
        if isinstance(inner, dict) and inner and chance.random() < 0.5:
            changed[key] = {**inner, chance.choice([*inner, "more"]): value(chance, 2)}
        else:
            changed[key] = value(chance, 1)
    raw = bytearray(json.dumps(changed, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass"))
    if kind == 2:
        for _ in range(chance.randrange(1, 4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
    elif kind == 3:
        at = chance.randrange(len(raw))
        raw[at:at] = chance.choice([b"\0", b'"', b"[" * 9, b"{" * 5000, b"\\u0000", b"\\ud800", b"1e999", b"," * 3])
    elif kind == 4 and chance.random() < 0.1:
        raw += b" " * LARGEST
    return bytes(raw)


def value(chance, depth):
    """Any JSON value, and some that JSON should not have."""
    plain = [
        None, True, 0, -1, 1, 10**17, 10**40, -0.0, 1e308, float("nan"), float("inf"), "", "a", "\0", "\ud800",
        "\u202e", "é", "1" * 18, "x" * 5000, "<script>", "../../x", "alice.clay", "7148451643", TOKEN,
    ]  # fmt: skip
    if depth > 4 or chance.random() < 0.6:
        return chance.choice(plain)
    if chance.random() < 0.5:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return {str(value(chance, 9)): value(chance, depth + 1) for _ in range(chance.randrange(4))}
