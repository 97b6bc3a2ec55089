"""Every error that the private door can meet has a code of ours."""

import inspect
import pathlib
import subprocess
import sys

import curl_cffi.requests.exceptions
import instagrapi.exceptions
import pydantic
import pytest
import requests

from bots.instagram import reactions
from errors import codes
from errors.codes import Then

CLASSES = [
    cls
    for _, cls in inspect.getmembers(instagrapi.exceptions, inspect.isclass)
    if issubclass(cls, BaseException) and cls.__module__ == instagrapi.exceptions.__name__
]


def test_every_class_of_the_library_is_in_the_table():
    assert sorted(cls.__name__ for cls in CLASSES if cls.__name__ not in reactions.TABLE) == []
    assert len(CLASSES) == 92


def test_no_class_is_in_the_table_twice():
    names = [name for names in reactions._BY_CODE.values() for name in names.split()]

    assert len(names) == len(set(names))


def test_the_table_names_no_class_that_does_not_exist():
    outside = {
        *vars(requests.exceptions),
        *("Unreachable", "OSError", "AssertionError", "Exception"),
    }

    assert sorted(set(reactions.TABLE) - {cls.__name__ for cls in CLASSES} - outside) == []


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_class_translates_without_saying_what_the_answer_held(cls):
    error = cls("canary-body")

    raised = reactions.translate(error, writing=False)
    assert raised.code is reactions.TABLE[cls.__name__]
    assert "canary-body" not in f"{raised!r} {raised.meta}"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (requests.exceptions.ReadTimeout(), codes.NET_TIMEOUT),
        (requests.exceptions.ConnectTimeout(), codes.NET_TIMEOUT),
        (requests.exceptions.ProxyError(), codes.NET_RESET),
        (requests.exceptions.SSLError(), codes.NET_RESET),
        (requests.exceptions.ChunkedEncodingError(), codes.NET_RESET),
        (requests.exceptions.ContentDecodingError(), codes.NET_NO_ANSWER),
        (requests.exceptions.TooManyRedirects(), codes.INSTAGRAM_NOT_JSON),
        (curl_cffi.requests.exceptions.Timeout("late"), codes.NET_TIMEOUT),
        (curl_cffi.requests.exceptions.RequestException("broken"), codes.NET_NO_ANSWER),
        (pydantic.ValidationError("x", []), codes.INSTAGRAM_DRIFT),
        (AssertionError(), codes.INSTAGRAM_DRIFT),
        (KeyError("user"), codes.INSTAGRAM_DRIFT),
        (ArithmeticError(), codes.INSTAGRAM_DRIFT),
    ],
    ids=lambda value: type(value).__name__,
)
def test_errors_of_the_transport_and_of_reading_translate_too(error, code):
    assert reactions.code_for(error) is code


def test_only_a_write_can_be_left_without_an_answer():
    late = requests.exceptions.ReadTimeout()

    assert type(reactions.translate(late, writing=True)) is reactions.NoAnswer
    assert type(reactions.translate(late, writing=False)) is not reactions.NoAnswer


def test_the_reactions_are_those_that_the_engine_promises():
    then = {name: code.then for name, code in reactions.TABLE.items()}

    assert {name for name, reaction in then.items() if reaction is Then.BAN} == {"AccountSuspended"}
    assert {name for name, reaction in then.items() if reaction is Then.COOL_24H} == {"PleaseWaitFewMinutes"}
    assert {name for name, reaction in then.items() if reaction is Then.BLOCK_KIND} == {
        "FeedbackRequired",
        "SignupSpamError",
    }
    assert {"ChallengeRequired", "SentryBlock", "LegacyForceSetNewPasswordForm"} <= {
        name for name, reaction in then.items() if reaction is Then.FREEZE
    }


def test_one_module_alone_imports_the_library():
    root = pathlib.Path(reactions.__file__).parents[2]
    rooms = [root / name for name in ("accounts", "billing", "bots", "content", "adminpanel", "errors", "instagrowth")]
    importers = {
        path.relative_to(root).as_posix()
        for room in rooms
        for path in room.rglob("*.py")
        if "tests" not in path.parts
        and any(line.startswith(("import instagrapi", "from instagrapi")) for line in path.read_text().splitlines())
    }

    assert importers == {"bots/instagram/safe_client.py"}


def test_the_reactions_need_no_library():
    checked = subprocess.run(
        [sys.executable, "-c", "import sys, bots.instagram.reactions; print('instagrapi' in sys.modules)"],
        capture_output=True,
        text=True,
        cwd=pathlib.Path(reactions.__file__).parents[2],
        check=True,
    )

    assert checked.stdout == "False\n"
