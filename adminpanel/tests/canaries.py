"""Secrets on their way through the whole product, and a search for them wherever something is kept or shown.

`Secrets` remembers what must be found nowhere; `everything_kept` gives what there is, place by place; `hits` searches
it raw, in base64 (at each of its three offsets), and in hexadecimal.
"""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.contrib.sessions.models import Session as BrowserSession
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django_redis import get_redis_connection

from accounts import mails
from accounts.models import Mail
from instagrowth.testing import everywhere

MOST_PAGES = 60
_LINK = re.compile(r'href="(/[^"#?]*)')
_AWAY = ("/static/", "/logout", "/media/", "/admin/logout", "/offline")
SHORT = re.compile(rb"\d{6,8}")  # a one-time code is sought as a number of its own: any longer one may contain it


@dataclass
class Secrets:
    """Named secrets, and where a person may see one all the same."""

    known: dict[str, bytes] = field(default_factory=dict)
    allowed: dict[str, frozenset[str]] = field(default_factory=dict)

    def add(self, name: str, secret: str, *, but: tuple[str, ...] = ()) -> str:
        """Remember one; `but` are the places where it belongs."""
        self.add_bytes(name, secret.encode(), but=but)
        return secret

    def add_bytes(self, name: str, secret: bytes, *, but: tuple[str, ...] = ()) -> None:
        """Remember one that is no text."""
        assert len(secret) >= 6, name
        self.known[name], self.allowed[name] = secret, frozenset(but)

    def word(self, name: str) -> str:
        """One that was remembered."""
        return self.known[name].decode()

    def hits(self, kept: dict[str, bytes]) -> list[tuple[str, str, str]]:
        """Say where which of them was found, and in what form."""
        return [
            (place, name, form)
            for place, said in kept.items()
            for name, secret in self.known.items()
            if place not in self.allowed[name]
            for form in forms_of(secret, said)
        ]


def forms_of(raw: bytes, said: bytes) -> Iterator[str]:
    """The forms in which a secret is found in what was said."""
    if SHORT.fullmatch(raw):
        if re.search(rb"(?<![0-9A-Za-z])" + raw + rb"(?![0-9A-Za-z])", said):
            yield "raw"
        return
    if raw in said:
        yield "raw"
    lowered = said.lower()
    if raw.hex().encode() in lowered:
        yield "hex"
    for shift in range(3):  # what base64 makes of it, wherever it begins, without the letters its neighbours share
        whole = base64.b64encode(bytes(shift) + raw)
        core = whole[(0, 2, 3)[shift] : len(whole) - (0, 3, 2)[(shift + len(raw)) % 3]]
        if core in said or core.translate(bytes.maketrans(b"+/", b"-_")) in said:
            yield "base64"
            return


def everything_kept() -> dict[str, bytes]:
    """What the database, Valkey, the outbox and the private files hold now."""
    return {"database": _database(), "valkey": _valkey(), "mails": _mails(), "files": _files()}


def _database() -> bytes:
    """Every row of every table as text, what is binary as it is, and what browsers' sessions say."""
    said: list[bytes] = []
    with everywhere(), connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT t::text, t.* FROM {connection.ops.quote_name(table)} t")
            for text, *columns in cursor.fetchall():
                said += [text.encode(), *(bytes(it) for it in columns if isinstance(it, bytes | memoryview))]
    said += [json.dumps(one.get_decoded(), default=str).encode() for one in BrowserSession.objects.all()]
    return b"\n".join(said)


def _valkey() -> bytes:
    """Every key with whatever hangs on it, and the bodies of waiting messages."""
    redis, said = get_redis_connection(), []
    read = {
        b"string": redis.get,
        b"hash": redis.hgetall,
        b"list": lambda key: redis.lrange(key, 0, -1),
        b"set": redis.smembers,
        b"zset": lambda key: redis.zrange(key, 0, -1, withscores=True),
        b"stream": redis.xrange,
    }
    for key in redis.scan_iter("*"):
        kind = redis.type(key)
        held = read[kind](key)
        said += [key, held if isinstance(held, bytes) else repr(held).encode()]
        for message in held if kind == b"list" else []:  # a queue
            said.append(base64.b64decode(json.loads(message)["body"]))
    return b"\n".join(said)


def _mails() -> bytes:
    with everywhere():
        return "\n".join(json.dumps(mails.words(mail)) for mail in Mail.objects.exclude(sealed=None)).encode()


def _files() -> bytes:
    """Give what was uploaded or made, and the logs beside it."""
    folders = {Path(default_storage.location), Path(settings.DATA_DIR) / "logs"}
    return b"\n".join(file.read_bytes() for folder in folders for file in folder.rglob("*") if file.is_file())


def pages_of(browser: Client, *first: str) -> dict[str, bytes]:
    """Walk through every page that leads on from the first ones, one of each kind of row."""
    seen: dict[str, bytes] = {}
    kinds: set[str] = set()
    waiting = list(first)
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.pop(0)
        kind = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+|E-[A-Z]+-[A-Z]-\d{4}", "*", path)
        if kind in kinds or path.startswith(_AWAY):
            continue
        kinds.add(kind)
        answer = browser.get(path)
        seen[path] = b"" if answer.streaming else answer.content  # a file of rows, which are searched themselves
        if answer.status_code == 200:
            waiting += _LINK.findall(seen[path].decode(errors="replace"))
    return seen
