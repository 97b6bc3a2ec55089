"""An error nobody registered still has a code, always the same one."""

import pytest
from django.db import InterfaceError, OperationalError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from errors import causes, codes
from errors.causes import code_of, generate_error_code, place
from errors.exceptions import BotException


def _divide() -> Exception:
    try:
        1 / 0  # noqa: B018  (raised on purpose)
    except ZeroDivisionError as exc:
        return exc
    raise AssertionError


def _convert(text: str = "x") -> Exception:
    try:
        int(text)
    except ValueError as exc:
        return exc
    raise AssertionError


def test_the_same_place_and_type_give_the_same_code() -> None:
    assert generate_error_code("SCH", "E", _divide()) == generate_error_code("SCH", "E", _divide())
    assert generate_error_code("SCH", "E", _convert("a")) == generate_error_code("SCH", "E", _convert("b"))


def test_another_place_or_type_gives_another_code() -> None:
    assert generate_error_code("SCH", "E", _divide()) != generate_error_code("SCH", "E", _convert())


def test_a_sentence_serves_as_well_and_does_not_change_between_processes() -> None:
    assert generate_error_code("API", "W", "the moon is full") == "E-API-W-9978"


def test_generated_numbers_stay_in_their_range() -> None:
    numbers = [int(generate_error_code("API", "E", str(number))[-4:]) for number in range(2000)]

    assert min(numbers) >= 9000
    assert max(numbers) <= 9999
    assert len(set(numbers)) > 800


def test_the_place_is_the_deepest_line_of_our_own_code() -> None:
    found = place(_convert())

    assert (found.file, found.function) == ("errors/tests/test_generate_error_code.py", "_convert")
    assert place(ValueError("never raised")).file == ""


def test_what_nobody_foresaw_is_an_internal_error_under_its_own_id() -> None:
    code = code_of(_divide())

    assert (code.name, code.http, code.then) == ("INTERNAL_ERROR", 500, codes.Then.ALERT)
    assert code.id == generate_error_code("API", "E", _divide())


@pytest.mark.parametrize(
    ("exc", "code"),
    [
        (BotException(codes.CHALLENGE_REQUIRED), codes.CHALLENGE_REQUIRED),
        (OperationalError("gone"), codes.DATABASE_UNAVAILABLE),
        (InterfaceError("connection already closed"), codes.DATABASE_UNAVAILABLE),
        (RedisConnectionError(), codes.QUEUE_UNAVAILABLE),
        (RedisTimeoutError(), codes.QUEUE_UNAVAILABLE),
    ],
)
def test_the_parts_of_the_house_have_codes_for_when_they_are_gone(exc: Exception, code: codes.Code) -> None:
    assert code_of(exc) is code


def test_what_was_promoted_has_its_own_code_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    def fall() -> str:
        with pytest.raises(ZeroDivisionError) as fallen:
            1 / 0  # noqa: B018
        return causes.code_of(fallen.value).id

    before = fall()
    monkeypatch.setattr(causes, "_FORESEEN", [*causes._FORESEEN, ((ZeroDivisionError,), codes.BAD_REQUEST)])

    assert (before[-4], fall()) == ("9", codes.BAD_REQUEST.id)
