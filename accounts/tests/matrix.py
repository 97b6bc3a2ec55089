"""The policy of every address, in one table, and the machine that tries all of them as all kinds of people.

A new address needs one line in DOORS: who may look at it, who may write through it, and a body that is a valid write.
Everything of Alice's workspace is called "kestrel", everything of Alice alone "plover": whoever else gets to read these
words found a leak.
"""

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from http.cookies import SimpleCookie
from typing import Any

from asgiref.sync import async_to_sync
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from drf_spectacular.generators import SchemaGenerator

from accounts import tenancy
from instagrowth.testing import undone

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
SAFE = ("GET", "HEAD", "OPTIONS")
FEW = frozenset({"anonymous", "foreign", "owner"})  # stand for all where a method should lead nowhere
# Who is who: Charlie owns another workspace; "forger" is Charlie who names Alice's; "promoted" was a member of Alice's
# workspace before becoming staff; "staff" and "new staff" hold tokens of the admin API, the latter's to be changed.
TEAM = frozenset({"viewer", "manager", "owner"})
OUTSIDERS = frozenset({"anonymous", "foreign", "forger", "must change", "half", "promoted", "staff", "new staff"})
EVERYBODY = TEAM | OUTSIDERS
SIGNED_IN = TEAM | {"foreign", "forger"}
WORKERS = frozenset({"manager", "owner"})
OWNER = frozenset({"owner"})
STRANGERS = frozenset({"foreign", "forger"})  # owners of a workspace of their own
STAFF = frozenset({"staff"})
NOBODY: frozenset[str] = frozenset()
_IDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
HER_LOG = "the log of her workspace"  # where her team leaves traces by looking, and others must not


@dataclass(frozen=True)
class Door:
    """Who may look, who may write, and with what body a write is valid."""

    looks: frozenset[str]
    writes: frozenset[str]
    body: dict[str, object] = field(default_factory=dict)
    own: bool = False  # who writes here changes nothing but what is their own
    tells: frozenset[str] = NOBODY  # who besides Alice's team may be told of it here


def public(**body: object) -> Door:
    """Open to all; of Alice's it tells nobody else anything."""
    return Door(EVERYBODY, EVERYBODY, body, own=True)


def own(**body: object) -> Door:
    """One's own things, for anybody who has signed in completely."""
    return Door(SIGNED_IN, SIGNED_IN, body, own=True)


def way_out(**body: object) -> Door:
    """One's own, and open to a person who must change the password."""
    them = SIGNED_IN | {"must change"}
    return Door(them, them, body, own=True, tells=frozenset({"must change"}))


def look() -> Door:
    """For every member to look at."""
    return Door(TEAM, NOBODY)


def act(**body: object) -> Door:
    """For those who work here."""
    return Door(WORKERS, WORKERS, body)


def look_act(**body: object) -> Door:
    """Every member looks, those who work here write."""
    return Door(TEAM, WORKERS, body)


def decide(**body: object) -> Door:
    """For owners."""
    return Door(OWNER, OWNER, body)


def look_decide(**body: object) -> Door:
    """Every member looks, owners write."""
    return Door(TEAM, OWNER, body)


def staff(**body: object) -> Door:
    """For administrators' programs."""
    return Door(STAFF, STAFF, body, tells=STAFF)


def shown(**body: object) -> Door:
    """Open to whoever holds the address, which is a secret of its own, or to everybody on a developer's machine."""
    return Door(EVERYBODY, EVERYBODY, body, own=True, tells=EVERYBODY)


@dataclass(frozen=True)
class Address:
    """One URL pattern: its name with namespaces (its route where it has none), and a path to it."""

    name: str
    path: str
    hers: bool  # it names something of Alice's
    methods: dict[str, dict[str, object]] = field(default_factory=dict)  # those it has, with an example of a body

    @property
    def is_api(self) -> bool:
        """Tell whether programs come here."""
        return self.path.startswith("/api/")


@dataclass
class Person:
    """How one kind of person shows who they are."""

    name: str
    user: object = None  # whose id
    cookies: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    api_only: bool = False


@dataclass
class Found:
    """What the tries showed."""

    cells: int = 0
    leaks: list[str] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    opened: dict[str, set[str]] = field(default_factory=dict)  # by person: addresses that answered 2xx
    written: set[str] = field(default_factory=set)  # addresses through which somebody who may did write

    def __str__(self) -> str:
        return (
            f"cells={self.cells} leaks={len(self.leaks)} writes={len(self.writes)} faults={len(self.faults)}"
            f" written={len(self.written)}"
        )


def addresses(things: dict[str, object]) -> list[Address]:
    """Give every URL of the house, with Alice's things in it. Raises KeyError for a parameter nothing stands for."""
    told = SchemaGenerator().get_schema(public=True)["paths"]
    places = list(_walk(get_resolver(), "", "", {}, things))
    return [
        replace(place, methods=_documented(place, told) if place.is_api else {"GET": {}, "POST": {}})
        for place in places
    ]


def reversed_names(namespace: str) -> list[str]:
    """Every name under a namespace."""
    (_, resolver) = get_resolver().namespace_dict[namespace]
    return [f"{namespace}:{name}" for name in resolver.reverse_dict if isinstance(name, str)]


def _documented(place: Address, paths: dict[str, Any]) -> dict[str, dict[str, object]]:
    """Give the methods that the documentation tells of; a path without any is told of nowhere."""
    fits = [path for path in paths if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), place.path)]
    if not fits:
        return {}
    told = paths[min(fits, key=lambda path: path.count("{"))]
    return {method.upper(): _example(told[method]) for method in told if method.upper() in METHODS}


def _example(operation: dict[str, Any]) -> dict[str, object]:
    examples = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("examples", {})
    return next((dict(example["value"]) for example in examples.values()), {})


def _walk(
    resolver: URLResolver, route: str, space: str, parts: dict[str, int], things: dict[str, object]
) -> Iterator[Address]:
    for pattern in resolver.url_patterns:
        there = route + str(pattern.pattern)
        named = parts | dict(pattern.pattern.regex.groupindex)
        if isinstance(pattern, URLResolver):
            yield from _walk(
                pattern, there, f"{space}{pattern.namespace}:" if pattern.namespace else space, named, things
            )
        elif isinstance(pattern, URLPattern):
            name = space + pattern.name if pattern.name else f"/{there}"
            yield Address(name, _path(name, named, things) if pattern.name else f"/{there}", bool(named))


def _path(name: str, parts: dict[str, int], things: dict[str, object]) -> str:
    return reverse(name, kwargs={part: things.get(f"{name} {part}") or things[part] for part in parts})


class Matrix:
    """Tries addresses as people. Each try happens in a savepoint and is undone."""

    # What may change by merely coming by: the session itself and the log.
    NOISE = ("django_session", "usersessions_usersession", "activity_logs", "error_codes", "story_steps")

    def __init__(self, doors: dict[str, Door], things: dict[str, object], workspace: object) -> None:
        """Remember how all rows are now: `workspace` is Alice's."""
        self.doors, self.things, self.workspace = doors, things, workspace
        self.factory, self.handler = RequestFactory(), BaseHandler()
        self.handler.load_middleware()
        tables = [name for name in connection.introspection.table_names() if not name.startswith(self.NOISE)]
        self.tables = [*tables, HER_LOG]
        self.columns = self._columns()
        self.before, self.touched = self.rows(self.tables), self.touches()

    def run(self, people: list[Person], places: list[Address]) -> Found:
        """Try every address as everybody, by the methods it has, and as a few by those it should not have.

        The owner comes first: what she is told the address does not have at all (405), the others need not ask for.
        """
        found = Found()
        people = sorted(people, key=lambda person: person.name != "owner")
        for place in places:
            door, lacking = self.doors[place.name], set[str]()
            for person in people:
                if person.api_only and not place.is_api:
                    continue
                for method in METHODS:
                    if method in place.methods or (person.name in FEW and method not in lacking):
                        status = self.cell(found, place, door, person, method)
                        lacking |= {method} if (person.name, status) == ("owner", 405) else set()
        return found

    def body_of(self, place: Address, method: str) -> dict[str, object]:
        """Give a valid body: the schema's example, with what the table says; `<mate>` stands for that thing's id."""
        body = place.methods.get(method, {}) | self.doors[place.name].body
        things = {f"<{name}>": thing for name, thing in self.things.items()}
        return {name: things.get(said, said) if isinstance(said, str) else said for name, said in body.items()}

    def cell(self, found: Found, place: Address, door: Door, person: Person, method: str) -> int:
        """One try, and what it showed; the status it was answered with."""
        body = self.body_of(place, method)
        here = f"{person.name}: {method} {place.path} ({place.name})"
        allowed = door.looks if method in SAFE else door.writes
        may = person.name in allowed or (person.name in STRANGERS and "owner" in allowed and not place.hers)
        with undone():
            answer, text = self.ask(person, method, place, body)
            changed = self.changed() - ({HER_LOG} if person.name in TEAM | {"must change"} else set())
            others = self.rows(changed, but=person.user) if may and (door.own or person.name in STRANGERS) else {}
        found.cells += 1
        if 200 <= answer.status_code < 300 and method != "OPTIONS":
            found.opened.setdefault(person.name, set()).add(place.name)
            if not may:
                found.leaks.append(f"{here} answered {answer.status_code}")
        found.leaks += [f"{here} told {told}" for told in _secrets(person, door, text, f"{place.path} {body}".lower())]
        if may and method not in SAFE:
            found.written |= {place.name} if changed else set()
            changed = {name for name, mark in self.rows(list(others), but=person.user).items() if others[name] != mark}
        if changed:
            found.writes.append(f"{here} changed {changed}")
        if answer.status_code == 500:
            found.faults.append(f"{here} answered 500")
        return answer.status_code

    def ask(self, person: Person, method: str, place: Address, body: dict[str, object]) -> tuple[HttpResponse, str]:
        """Send one request through all middlewares; the answer, and all it says."""
        if place.is_api:
            data, kind = json.dumps(body, default=str).encode(), "application/json"
        else:
            data, kind = encode_multipart(BOUNDARY, body), MULTIPART_CONTENT
        self.factory.cookies = SimpleCookie(person.cookies)
        request = self.factory.generic(
            method, place.path, b"" if method in SAFE else data, kind, headers=person.headers
        )
        request._dont_enforce_csrf_checks = True
        tenancy.look_at()
        answer = self.handler.get_response(request)
        return answer, f"{answer.headers.get('Location', '')} {_read(answer)}"

    # Columns that say whose a row is, and what somebody may do; ids are new with each row.
    GUARDED = (
        "role", "plan_id", "workspace_id", "user_id", "is_superuser", "is_active", "must_change_password", "realm",
        "session_generation", "fence", "email",
    )  # fmt: skip

    def guarded(self, person: Person, method: str, place: Address, body: dict[str, object]) -> set[str]:
        """What a request, which is then undone, takes from and adds to the guarded columns of all rows."""
        with undone():
            self.ask(person, method, place, body)
            written = self.written()
            now = self._guarded(written)
        before = {text for text in self.guarded_before if text.partition(":")[0] in written}
        return {_IDS.sub(lambda key: key[0] if key[0] in self.ids else "new", text) for text in now ^ before}

    @cached_property
    def guarded_before(self) -> set[str]:
        """The guarded columns of all rows before any request."""
        return self._guarded(self.tables)

    @cached_property
    def ids(self) -> set[str]:
        """Ids of before: others are new with each row."""
        return set(_IDS.findall(str(self.guarded_before)))

    def _guarded(self, tables: Collection[str]) -> set[str]:
        queries = [
            f"SELECT '{table}: ' || concat_ws(' ', {', '.join(columns)}) || ' x' || count(*) FROM {table}"
            f" GROUP BY {', '.join(columns)}"
            for table in tables
            if table != HER_LOG and (columns := [name for name in self.GUARDED if name in self.columns[table]])
        ]
        if not queries:
            return set()
        with tenancy.platform("a test looks at everything"), connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(queries))
            return {text for (text,) in cursor.fetchall()}

    def written(self) -> set[str]:
        """Name the tables that were written to since this was last asked."""
        before, self.touched = self.touched, self.touches()
        return {name for name, rows in self.touched.items() if rows != before.get(name)}

    def changed(self) -> set[str]:
        """Name the tables that differ from how they were: of those that were written to, the cheap question."""
        now = self.rows(self.written())
        return {name for name in now if now[name] != self.before[name]}

    def _columns(self) -> dict[str, set[str]]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT table_name, array_agg(column_name::text) FROM information_schema.columns GROUP BY 1")
            return {table: set(names) for table, names in cursor.fetchall()}

    def touches(self) -> dict[str, int]:
        """Count by table the rows that this transaction has written so far, undone ones too."""
        counts: dict[str, int] = {}
        with connection.cursor() as cursor:
            cursor.execute(self._counting)
            for table, count in cursor.fetchall():
                name = HER_LOG if table.startswith("activity_logs") else table
                counts[name] = counts.get(name, 0) + int(count)
        return {name: count for name, count in counts.items() if count and name in self.tables}

    @cached_property
    def _counting(self) -> str:
        """What pg_stat_xact_user_tables says, eight times as quickly: the tables are looked up once."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT string_agg(format('(%s::oid, %L)', oid, relname), ', ') FROM pg_class"
                " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
            ((known,),) = cursor.fetchall()
        return (
            "SELECT name, pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)"
            f" + pg_stat_get_xact_tuples_deleted(oid) FROM (VALUES {known}) AS told (oid, name)"
        )

    def rows(self, tables: Collection[str], but: object = None) -> dict[str, tuple[int, int]]:
        """Count and hash the rows of tables; with `but`, those that are neither this person's nor their workspace's."""
        if not tables:
            return {}
        hashed = "count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)"
        queries = [f"SELECT '{name}', {hashed} FROM {self._of(name, but)}" for name in tables]
        with tenancy.platform("a test looks at everything"), connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(queries))
            return {name: (count, int(mark)) for name, count, mark in cursor.fetchall()}

    def _of(self, table: str, but: object) -> str:
        if table == HER_LOG:
            return f"activity_logs t WHERE workspace_id = '{self.workspace}'"
        whose = {"users": "id", "accounts_workspace": "id"}.get(table)
        whose = whose or next((name for name in ("user_id", "workspace_id") if name in self.columns[table]), None)
        if but is None or whose is None:
            return f"{table} t" if but is None else f"{table} t WHERE false"
        if whose == "workspace_id" or table == "accounts_workspace":
            mine = f"SELECT workspace_id FROM accounts_membership WHERE user_id = '{but}'"
            return f"{table} t WHERE {whose} NOT IN ({mine})"
        return f"{table} t WHERE {whose} <> '{but}'"


def _secrets(person: Person, door: Door, text: str, sent: str) -> list[set[str]]:
    """Give the words of Alice's that somebody was told who must not know them, beyond those they said themselves."""
    told = []
    for secret, known_by in (("kestrel", TEAM | door.tells), ("plover", OWNER | door.tells)):
        words = set() if person.name in known_by else set(re.findall(rf"{secret}[\w.@-]*", text.lower()))
        told += [words] if (words := {word for word in words if word not in sent}) else []
    return told


def _read(answer: Any) -> str:
    if not isinstance(answer, StreamingHttpResponse):
        return answer.content.decode(errors="replace")
    if not answer.is_async:
        return b"".join(answer.streaming_content).decode(errors="replace")

    async def read() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(read)().decode(errors="replace")
