"""Files of sessions, as instagrapi's `dump_settings` writes them: what we take from one, and what we refuse.

Whoever uploads may send anything. Nothing here trusts the file's name, builds a deep structure, or runs what it reads.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, NoReturn

from bots.instagram.safe_client import IDENTITY, LOGIN
from errors import codes
from errors.exceptions import BotException

LARGEST = 64 * 1024  # bytes; a real one has about 2 KB
DEEPEST = 8  # brackets within brackets; a real one has 2
LONGEST = 4096  # characters of one value
USERNAME = re.compile(r"(?=.*[a-z0-9_])[a-z0-9._]{1,30}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")  # Instagram's number of a person, which a database column can hold
_SESSIONID = re.compile(r"[\x21-\x7e]{8,512}")  # it goes into a header


@dataclass(frozen=True)
class SessionFile:
    """The settings to seal, without what says how requests are sent, and whose session it is ("" if nobody says)."""

    settings: dict[str, Any] = field(repr=False)
    username: str


def read(raw: bytes, filename: str = "") -> SessionFile:
    """Judge one file. `filename` only ever gives a username where the file has none.

    Raises SESSION_FILE_TOO_LARGE, or SESSION_FILE_INVALID with what is wrong in a sentence that quotes no value.
    """
    if len(raw) > LARGEST:
        raise BotException(codes.SESSION_FILE_TOO_LARGE)
    content = _parse(raw)
    if not isinstance(content, dict):
        _refuse("It is JSON, but not one object.")
    settings = {key: content[key] for key in (*IDENTITY, *LOGIN) if content.get(key) is not None}
    for key, value in settings.items():
        if not _FITS[key](value):
            _refuse(f"The value of “{key}” is not what instagrapi writes.")
    settings["authorization_data"] = _login(settings)
    return SessionFile(settings, _username(content, filename))


def _parse(raw: bytes) -> object:
    try:
        text = raw.decode("utf-8-sig")
        if _depth(text) > DEEPEST:
            _refuse("It is nested more deeply than any session.")
        return json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_number, parse_int=_whole, parse_float=_decimal
        )
    except (ValueError, RecursionError):
        _refuse("It is not JSON in UTF-8.")


def _depth(text: str) -> int:
    """How deeply brackets are nested, outside of strings: found without building anything."""
    depth = deepest = 0
    inside = escaped = False
    for character in text:
        if inside:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == '"':
                inside = False
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose keys are each there once: of two, readers disagree which one counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON")


def _whole(text: str) -> int:
    if len(text) > 20:
        raise ValueError("a number too long")
    return int(text)


def _decimal(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("a number too large")
    return value


def _login(settings: dict[str, Any]) -> dict[str, Any]:
    """Whose login it is and by which token; what the cookies say beside it must not be somebody else's."""
    said = settings.get("authorization_data") or {}
    person, token = said.get("ds_user_id"), said.get("sessionid")
    person = str(person) if isinstance(person, int) and not isinstance(person, bool) else person
    if not isinstance(person, str) or not _NUMBER.fullmatch(person):
        _refuse("It holds no login: `authorization_data.ds_user_id` is not a number.")
    if not isinstance(token, str) or not _SESSIONID.fullmatch(token):
        _refuse("It holds no login: `authorization_data.sessionid` is missing.")
    cookies = settings.get("cookies") or {}
    if cookies.get("ds_user_id", person) != person or cookies.get("sessionid", token) != token:
        _refuse("Its cookies and its `authorization_data` are of two logins.")
    return {**said, "ds_user_id": person, "sessionid": token}


def _username(content: dict[str, object], filename: str) -> str:
    said = content.get("username")
    if said is not None:
        found = said.strip().lower().removeprefix("@") if isinstance(said, str) else ""
        if not USERNAME.fullmatch(found):
            _refuse("Its “username” is not an Instagram username.")
        return found
    stem = PurePath(filename).stem.strip().lower().removeprefix("@")
    return stem if USERNAME.fullmatch(stem) else ""


def _refuse(sentence: str) -> NoReturn:
    raise BotException(codes.SESSION_FILE_INVALID, f"{codes.SESSION_FILE_INVALID.what} {sentence}") from None


# ── What instagrapi writes under each key ───────────────────────────────────────────────────────────────────────────


def _is_text(value: object) -> bool:
    """A line that can go into a header: no control characters, nothing that UTF-8 cannot hold."""
    return isinstance(value, str) and len(value) <= LONGEST and value.isprintable() and value.isascii()


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**12


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_lines(value: object) -> bool:
    """Text of several lines, as a private key is."""
    return isinstance(value, str) and _is_text(value.replace("\n", ""))


def _holds(*kinds: Callable[[object], bool]) -> Callable[[object], bool]:
    """An object of plain values, each of one of these kinds or null."""

    def fits(value: object) -> bool:
        return (
            isinstance(value, dict)
            and len(value) <= 64
            and all(_is_text(name) for name in value)
            and all(item is None or any(is_kind(item) for is_kind in kinds) for item in value.values())
        )

    return fits


_FITS: dict[str, Callable[[object], bool]] = {
    "uuids": _holds(_is_text),
    "usdid": _holds(_is_lines, _is_flag),
    "mid": _is_text,
    "device_settings": _holds(_is_text, _is_number),
    "user_agent": _is_text,
    "country": _is_text,
    "country_code": _is_number,
    "locale": _is_text,
    "timezone_offset": _is_number,
    "timezone_name": _is_text,
    "push_disabled": _is_flag,
    "authorization_data": _holds(_is_text, _is_number, _is_flag),
    "cookies": _holds(_is_text),
    "ig_u_rur": _is_text,
    "ig_www_claim": _is_text,
    "last_login": _is_number,
}
