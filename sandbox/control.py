"""The control interface: arrange the world, order faults, read the ledger. For this machine only.

| call | body or query | answer |
|---|---|---|
| `GET /_control/health` | | `{"status": "ok", "accounts", "writes", "faults"}` |
| `GET /_control/accounts` | `?username=` for one | accounts with password, current TOTP code, backup codes |
| `POST /_control/accounts` | `{username, ...}`, see ACCOUNT_FIELDS | the account with its `pk`; creates or changes |
| `GET`, `POST`, `DELETE /_control/faults` | see `sandbox.faults`; `?id=` deletes one | the orders |
| `GET /_control/ledger` | `?account=&kind=&since=` (a seq) | `{entries, duplicates, requests, last}` |
| `POST /_control/sessions/kill` | `{username}` | ends every session of the account |
| `POST /_control/sessions` | `{username}` | `{authorization}` of a new session, without signing in |
| `POST /_control/hashtags` | `{tag, count}` or `{tag, people: [usernames, accounts]}` | the tag |
| `POST /_control/relations` | `{follower, target, state: following, requested or none}` | the relation |
| `GET /_control/relations` | `?follower=&target=` | the relation |
| `POST /_control/messages` | `{sender, to, text}` | somebody writes to somebody |
| `GET /_control/people` | `?tag=&start=&count=` or `?username=` | people with all their fields |
| `GET`, `POST /_control/google/people` | `{email, sub, email_verified, name}` | Google's people, by `sub` |
| `POST /_control/graph/...` | | see `sandbox.graph_control` |
| `GET /_control/openai/requests` | | what the language model was asked, the oldest first |
| `GET`, `POST /_control/stripe` | see `sandbox.stripe_control` | clock, cards, webhooks |
| `POST /_control/reset` | | the world as it was at the start; every session ends |

A malformed request gets 400 with `{"error": "<one sentence>"}`; people are named by username or by key.
"""

import base64
import binascii
import ipaddress
import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

from sandbox import graph_control, graph_errors, stripe_control
from sandbox.faults import NAMES, compiled, known
from sandbox.instagram_reads import tag_name
from sandbox.people import Person
from sandbox.wire import Answer, BadRequest, Request, answer_json
from sandbox.world import Account, World

USERNAME = re.compile(r"[a-z0-9._]{1,30}")
COUNT, FLAG, TEXT = "a number of 0 or more, or null", "true or false", "a text, or null"
ACCOUNT_FIELDS = {
    "username": "letters, digits, dots and underscores, at most 30",
    "password": TEXT,
    "totp_secret": "base32, or null",
    "email_code": TEXT,
    "backup_codes": "a list of codes of eight digits",
    "full_name": "a text",
    "biography": TEXT,
    "category": TEXT,
    "external_url": TEXT,
    "followers": COUNT,
    "following": COUNT,
    "media": COUNT,
    "stories": "a number of 0 to 100",
    "pinned": "a number of 0 to 3",
    "legacy": FLAG,
    "private": FLAG,
    "verified": FLAG,
    "business": FLAG,
    "banned": FLAG,
    "picture": FLAG,
    "accepts_messages": FLAG,
}
FAULT_FIELDS = {"fault", "account", "path", "method", "times", "after", "apply", "seconds", "status"}
Handler = Callable[[World, Request], object]


def handle(world: World, request: Request) -> Answer:
    """Answer one control request."""
    if not is_loopback(request.peer):
        return answer_json({"error": "The control interface answers this machine only."}, 403)
    name = request.path.removeprefix("/_control/").rstrip("/")
    handler = HANDLERS.get((request.method, name))
    if request.method == "POST" and name in graph_control.CALLS:
        handler = partial(graph_control.handle, name=name, document=document)
    if handler is None:
        known_here = ", ".join(f"{method} {path}" for method, path in HANDLERS)
        return answer_json({"error": f"There is no {request.method} {name} here; there is {known_here}."}, 404)
    try:
        return answer_json(handler(world, request))
    except BadRequest as error:
        return answer_json({"error": str(error)}, 400)


def is_loopback(peer: str) -> bool:
    """Tell whether a peer is on this machine."""
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False


# Reading what was sent


def document(request: Request, allowed: set[str], required: set[str]) -> dict[str, Any]:
    """The JSON object in the body, with known fields only."""
    try:
        fields = json.loads(request.body or b"{}")
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    return checked_object(fields, allowed, required)


def checked_object(fields: object, allowed: set[str], required: set[str]) -> dict[str, Any]:
    """Check that these fields are an object with all that is required and nothing unknown."""
    if not isinstance(fields, dict):
        raise BadRequest("The body must be a JSON object.")
    if unknown := sorted(set(fields) - allowed):
        raise BadRequest(f"Unknown field {unknown[0]}; known are {', '.join(sorted(allowed))}.")
    if missing := sorted(required - set(fields)):
        raise BadRequest(f"The field {missing[0]} is missing.")
    return fields


def is_count(value: object) -> bool:
    """Tell whether this is a whole number of 0 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def fits(name: str, value: object) -> bool:
    """Whether a value can be this field of an account."""
    rule = ACCOUNT_FIELDS[name]
    if name == "username":
        return isinstance(value, str) and USERNAME.fullmatch(value) is not None
    if name == "backup_codes":
        return isinstance(value, list) and all(isinstance(code, str) and re.fullmatch(r"\d{8}", code) for code in value)
    if rule is FLAG:
        return isinstance(value, bool)
    if value is None:
        return name not in ("stories", "pinned", "full_name")
    if name in ("stories", "pinned"):
        return is_count(value) and int(str(value)) <= (100 if name == "stories" else 3)
    if rule is COUNT:
        return is_count(value)
    return isinstance(value, str) and (name != "totp_secret" or is_base32(value))


def is_base32(secret: str) -> bool:
    """Tell whether this can be a TOTP secret."""
    plain = secret.replace(" ", "").upper()
    try:
        return bool(base64.b32decode(plain + "=" * (-len(plain) % 8)))
    except binascii.Error:
        return False


def the_person(world: World, name: object) -> Person:
    """Somebody by key or username."""
    text = str(name)
    person = world.person(int(text)) if text.isdigit() else world.named(text)
    if person is None:
        raise BadRequest(f"There is nobody called {text}.")
    return person


def the_account(world: World, name: object) -> Account:
    """Find an account by username or say that there is none."""
    account = world.accounts.get(str(name).lower())
    if account is None:
        raise BadRequest(f"There is no account {name}.")
    return account


# What can be asked


def health(world: World, request: Request) -> object:
    """Say that we are here."""
    return {
        "status": "ok",
        "accounts": len(world.accounts),
        "writes": len(world.ledger.entries),
        "faults": len(world.faults.orders),
    }


def shown(world: World, account: Account) -> dict[str, object]:
    """An account with all that signing in needs; nothing here is a real secret."""
    code = account.totp().generate(int(time.time())).decode() if account.totp_secret else None
    return asdict(account) | {
        "totp_code": code,
        "follower_count": world.follower_count(account),
        "following_count": world.following_count(account),
    }


def list_accounts(world: World, request: Request) -> object:
    """Show all accounts, or one."""
    if username := request.query.get("username"):
        return shown(world, the_account(world, username))
    return {"accounts": [shown(world, account) for account in world.accounts.values()]}


def put_account(world: World, request: Request) -> object:
    """Create or change an account."""
    return shown(world, put(world, document(request, set(ACCOUNT_FIELDS), {"username"})))


def put(world: World, fields: object) -> Account:
    """Check and store an account."""
    checked = checked_object(fields, set(ACCOUNT_FIELDS), {"username"})
    for name, value in checked.items():
        if not fits(name, value):
            raise BadRequest(f"{name} must be {ACCOUNT_FIELDS[name]}.")
    old = world.accounts.get(checked["username"])
    after = {name: checked.get(name, getattr(old, name, None)) for name in ("totp_secret", "email_code", "legacy")}
    if after["email_code"] and (after["totp_secret"] or after["legacy"]):
        raise BadRequest("An account with email_code can have neither totp_secret nor legacy.")
    return world.put_account(**checked)


def list_faults(world: World, request: Request) -> object:
    """Show the faults on order."""
    return {"faults": world.faults.report()}


def order_faults(world: World, request: Request) -> object:
    """Put one fault or several on order; none if one of them is wrong."""
    try:
        sent = json.loads(request.body or b"{}")
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    if sent == []:
        raise BadRequest("Give at least one fault.")
    orders = [checked_fault(world, order) for order in (sent if isinstance(sent, list) else [sent])]
    return {"faults": [asdict(world.faults.order(**order)) for order in orders]}


def checked_fault(world: World, sent: object) -> dict[str, Any]:
    """Check one order of faults."""
    order = checked_object(sent, FAULT_FIELDS, {"fault"})
    rules: dict[str, tuple[Callable[[Any], bool], str]] = {
        "fault": (lambda v: v in NAMES or graph_errors.known(v), f"one of {known()}, graph_<code>_<subcode>"),
        "account": (lambda v: v is None or v in world.accounts, "the username of an account"),
        "path": (lambda v: isinstance(v, str), "a regular expression"),
        "method": (lambda v: v in (None, "GET", "POST", "DELETE"), "GET, POST or DELETE"),
        "times": (lambda v: v is None or (is_count(v) and v > 0), "a number of 1 or more, or null for always"),
        "after": (is_count, "a number of 0 or more"),
        "apply": (lambda v: isinstance(v, bool), "true or false"),
        "seconds": (lambda v: isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v <= 3600, "0 to 3600"),
        "status": (lambda v: is_count(v) and 500 <= v <= 599, "500 to 599"),
    }
    for name, value in order.items():
        accepts, rule = rules[name]
        try:
            good = accepts(value)
        except TypeError:
            good = False
        if not good:
            raise BadRequest(f"{name} must be {rule}.")
    return order | {"path": compiled(order.get("path", ""))}


def delete_faults(world: World, request: Request) -> object:
    """Take faults off order."""
    number = request.query.get("id")
    if number is not None and not number.isdigit():
        raise BadRequest("id must be the number of a fault.")
    return {"deleted": world.faults.clear(int(number) if number else None)}


def read_ledger(world: World, request: Request) -> object:
    """Show the writes."""
    since = request.query.get("since", "0")
    if not since.isdigit():
        raise BadRequest("since must be the seq of an entry.")
    return world.ledger.report(request.query.get("account"), request.query.get("kind"), int(since))


def kill_sessions(world: World, request: Request) -> object:
    """End every session of an account."""
    account = the_account(world, document(request, {"username"}, {"username"})["username"])
    account.generation += 1
    return {"username": account.username, "killed": True}


def open_session(world: World, request: Request) -> object:
    """Open a session without a sign-in."""
    account = the_account(world, document(request, {"username"}, {"username"})["username"])
    return {"username": account.username, "authorization": world.authorization(account)}


def put_hashtag(world: World, request: Request) -> object:
    """Say who posts under a tag."""
    fields = document(request, {"tag", "count", "people"}, {"tag"})
    tag = tag_name(str(fields["tag"]).removeprefix("#"))
    if ("count" in fields) == ("people" in fields):
        raise BadRequest("Give either count or people.")
    members = None
    if "people" in fields:
        if not isinstance(fields["people"], list):
            raise BadRequest("people must be a list of usernames or accounts.")
        members = [
            (put(world, entry) if isinstance(entry, dict) else the_person(world, entry)).pk
            for entry in fields["people"]
        ]
    elif not is_count(fields["count"]) or fields["count"] > 100_000:
        raise BadRequest("count must be 0 to 100000.")
    chosen = world.put_hashtag(tag, fields.get("count", 0), members)
    return {"tag": tag, "count": chosen.size}


def put_relation(world: World, request: Request) -> object:
    """Set how one person stands to another."""
    names = {"follower", "target", "state"}
    fields = document(request, names, names)
    follower, target = (the_person(world, fields["follower"]), the_person(world, fields["target"]))
    if fields["state"] not in ("following", "requested", "none"):
        raise BadRequest("state must be following, requested or none.")
    world.relate(follower.pk, target.pk, fields["state"])
    return {"follower": follower.pk, "target": target.pk, "state": world.relation(follower.pk, target.pk)}


def read_relation(world: World, request: Request) -> object:
    """Tell how one person stands to another."""
    follower, target = (the_person(world, request.query.get(name, "")) for name in ("follower", "target"))
    return {"follower": follower.pk, "target": target.pk, "state": world.relation(follower.pk, target.pk)}


def put_message(world: World, request: Request) -> object:
    """Let somebody write to somebody."""
    names = {"sender", "to", "text"}
    fields = document(request, names, names)
    sender, to = the_person(world, fields["sender"]), the_person(world, fields["to"])
    if not isinstance(fields["text"], str) or not fields["text"].strip():
        raise BadRequest("text must not be empty.")
    talk = world.thread_between((sender.pk, to.pk))
    item = world.say(talk, sender.pk, fields["text"], link="http" in fields["text"])
    return {"thread_id": str(talk.id), "item_id": str(item.id)}


def list_people(world: World, request: Request) -> object:
    """Show the people of a tag, or one person."""
    if username := request.query.get("username"):
        return {"people": [asdict(the_person(world, username))]}
    start, count = request.query.get("start", "0"), request.query.get("count", "30")
    if not start.isdigit() or not count.isdigit() or int(count) > 5000:
        raise BadRequest("start and count must be numbers, count at most 5000.")
    tag = world.hashtag(tag_name(request.query.get("tag", "")))
    keys = tag.slice(int(start), int(start) + int(count))
    return {"tag": tag.name, "count": tag.size, "people": [asdict(the_person(world, key)) for key in keys]}


def list_google_people(world: World, request: Request) -> object:
    """Show who has a Google account."""
    return {"people": [asdict(person) for person in world.google.people.values()]}


def put_google_person(world: World, request: Request) -> object:
    """Create or change somebody's Google account; an `email` of null is an account without one."""
    fields = document(request, {"email", "sub", "email_verified", "name"}, {"email"})
    for name, value in fields.items():
        good = isinstance(value, bool) if name == "email_verified" else isinstance(value, str)
        if not good and not (name == "email" and value is None and fields.get("sub")):
            raise BadRequest(f"{name} must be {FLAG if name == 'email_verified' else 'a text'}.")
    return asdict(world.google.put(fields.pop("email"), **fields))


def list_openai_requests(world: World, request: Request) -> object:
    """Show what the language model was asked since the world began."""
    return {"requests": list(world.openai_requests)}


def reset(world: World, request: Request) -> object:
    """Make the world as new."""
    world.reset()
    return {"status": "ok"}


HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "health"): health,
    ("GET", "accounts"): list_accounts,
    ("POST", "accounts"): put_account,
    ("GET", "faults"): list_faults,
    ("POST", "faults"): order_faults,
    ("DELETE", "faults"): delete_faults,
    ("GET", "ledger"): read_ledger,
    ("POST", "sessions"): open_session,
    ("POST", "sessions/kill"): kill_sessions,
    ("POST", "hashtags"): put_hashtag,
    ("GET", "relations"): read_relation,
    ("POST", "relations"): put_relation,
    ("POST", "messages"): put_message,
    ("GET", "people"): list_people,
    ("GET", "google/people"): list_google_people,
    ("POST", "google/people"): put_google_person,
    ("GET", "openai/requests"): list_openai_requests,
    ("POST", "reset"): reset,
    **stripe_control.HANDLERS,
}
