"""The state of the stand-in: accounts, sessions, who follows whom, messages. All in the memory of one process.

Keys come from hashes of names, so the same account has the same key after a restart. A session is signed rather than
stored, so it survives a restart of the sandbox too, as long as its account exists again (the demo people always do).
"""

import base64
import hashlib
import hmac
import json
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from sandbox import google_people, people, stripe_world
from sandbox.faults import Faults
from sandbox.graph_world import GraphWorld
from sandbox.ledger import Ledger
from sandbox.people import Person

Relation = Literal["following", "requested", "none"]
# It protects nothing: it lets one run of a stand-in recognise the sessions of the run before.
SESSION_KEY = b"local stand-in for Instagram"
FIRST_ACCOUNT_PK = 5_000_000_000
TAG_PEOPLE = 600


@dataclass(slots=True)
class Account(Person):
    """A person whom a test or a newcomer can be: with a password and, maybe, a second step at sign-in."""

    password: str | None = None
    totp_secret: str | None = None
    email_code: str | None = None
    legacy: bool = False
    banned: bool = False
    backup_codes: list[str] = field(default_factory=list)
    generation: int = 0
    logins: int = 0

    def totp(self) -> TOTP:
        """The RFC 6238 generator of this account's secret (base32, six digits, 30 seconds)."""
        secret = (self.totp_secret or "").replace(" ", "").upper()
        return TOTP(base64.b32decode(secret + "=" * (-len(secret) % 8)), 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303 - RFC 6238's own hash

    def accepts(self, code: str) -> bool:
        """Check a second-step code: the current one, its neighbours by 30 s, or a backup code, which is used up."""
        code = code.replace(" ", "").replace("-", "")
        if code in self.backup_codes:
            self.backup_codes.remove(code)
            return True
        return any(_matches(self.totp(), code, time.time() + drift) for drift in (0, -30, 30))


def _matches(totp: TOTP, code: str, at: float) -> bool:
    try:
        totp.verify(code.encode(), int(at))
    except InvalidToken:
        return False
    return True


@dataclass(slots=True)
class Message:
    """One direct message."""

    id: int
    sender: int
    text: str
    link: bool
    microseconds: int


@dataclass(slots=True)
class Thread:
    """A conversation."""

    id: int
    members: tuple[int, ...]
    messages: list[Message] = field(default_factory=list)


@dataclass(slots=True)
class Hashtag:
    """Who posts under a tag: `count` people of the crowd, or exactly these."""

    name: str
    count: int = TAG_PEOPLE
    members: list[int] | None = None

    @property
    def size(self) -> int:
        """How many people post under it."""
        return self.count if self.members is None else len(self.members)

    def slice(self, start: int, end: int) -> list[int]:
        """The keys of the people from position start to end."""
        if self.members is not None:
            return self.members[start:end]
        run = people.run_start("tag", self.name)
        return [people.run_member(run, position) for position in range(start, min(end, self.count))]


class World:
    """Everything there is. `reset` makes it as new."""

    def __init__(self) -> None:
        self.epoch = -1
        self.reset()

    def reset(self) -> None:
        """Forget everything but the demo people; every session ends."""
        self.epoch += 1
        self.started = int(time.time())
        self.accounts: dict[str, Account] = {}
        self.by_pk: dict[int, Account] = {}
        self.revoked: set[str] = set()
        self.contexts: dict[str, str] = {}
        self.relations: dict[int, dict[int, Relation]] = defaultdict(dict)
        self.followers: dict[int, dict[int, None]] = defaultdict(dict)
        self.seen: dict[int, dict[int, int]] = defaultdict(dict)  # up to when a viewer saw somebody's stories
        self.liked: dict[int, set[int]] = defaultdict(set)
        self.hashtags: dict[str, Hashtag] = {}
        self.threads: dict[int, Thread] = {}
        self.threads_of: dict[int, dict[int, Thread]] = defaultdict(dict)
        self.ledger = Ledger()
        self.faults = Faults()
        self.google = google_people.demo()
        self.graph = GraphWorld()
        self.openai_requests: deque[dict[str, Any]] = deque(maxlen=500)
        self.stripe = stripe_world.fresh()
        for person in DEMO_PEOPLE:
            self.put_account(**person)

    # People

    def put_account(self, username: str, **fields: Any) -> Account:
        """Create an account or change one; a new password ends its sessions."""
        account = self.accounts.get(username)
        if account is None:
            pk = people.pk_of(username) or FIRST_ACCOUNT_PK + people.digest("account", username) % 4_000_000_000
            account = Account(pk, username, full_name=username.replace(".", " ").replace("_", " ").title())
            self.accounts[username] = self.by_pk[pk] = account
        elif "password" in fields and fields["password"] != account.password:
            account.generation += 1
        for name, value in fields.items():
            setattr(account, name, value)
        if account.totp_secret and not account.backup_codes and "backup_codes" not in fields:
            account.backup_codes = [f"{people.digest('backup', username, n) % 10**8:08}" for n in range(4)]
        return account

    def person(self, pk: int) -> Person | None:
        """Whoever has this key."""
        return self.by_pk.get(pk) or (people.generated(pk) if people.is_generated(pk) else None)

    def named(self, username: str) -> Person | None:
        """Whoever has this username."""
        username = username.lower()
        if account := self.accounts.get(username):
            return account
        pk = people.pk_of(username)
        return None if pk is None else self.person(pk)

    def hashtag(self, name: str) -> Hashtag:
        """Any tag exists: nobody has to make it first."""
        name = name.lower()
        return self.hashtags[name] if name in self.hashtags else Hashtag(name)

    def put_hashtag(self, name: str, count: int, members: list[int] | None) -> Hashtag:
        """Make a tag larger or smaller, or give it exactly these people."""
        self.hashtags[name] = Hashtag(name, count, members)
        return self.hashtags[name]

    # Sessions

    def open_session(self, account: Account) -> str:
        """A new session id, the way Instagram writes them: the key first, colons percent-encoded."""
        account.logins += 1
        return self._session_id(account, account.logins)

    def session_account(self, session_id: str) -> Account | None:
        """Who is signed in with this session; None when it is unknown, signed out or killed."""
        pk, _, rest = session_id.partition("%3A")
        account = self.by_pk.get(int(pk)) if pk.isdigit() else None
        number = rest.partition("%3A")[0]
        if account is None or session_id in self.revoked or not number.isdigit():
            return None
        return account if hmac.compare_digest(session_id, self._session_id(account, int(number))) else None

    def _session_id(self, account: Account, number: int) -> str:
        words = f"{account.pk}:{number}:{account.generation}:{self.epoch}".encode()
        signature = base64.urlsafe_b64encode(hmac.digest(SESSION_KEY, words, hashlib.sha256))[:32].decode()
        return f"{account.pk}%3A{number}%3A{signature}"

    def authorization(self, account: Account) -> str:
        """The `Bearer IGT:2:` header of a new session."""
        document = {
            "ds_user_id": str(account.pk),
            "sessionid": self.open_session(account),
            "should_use_header_over_cookies": True,
        }
        return "Bearer IGT:2:" + base64.b64encode(json.dumps(document, separators=(",", ":")).encode()).decode()

    def remember(self, kind: str, account: Account) -> str:
        """A token that leads back to this account in the next step of a sign-in."""
        token = f"{kind}.{people.digest(kind, account.pk, account.logins, len(self.contexts)):032x}"
        self.contexts[token] = account.username
        return token

    def recall(self, kind: str, token: object) -> Account | None:
        """The account of a sign-in token of this kind."""
        if not isinstance(token, str) or not token.startswith(f"{kind}."):
            return None
        return self.accounts.get(self.contexts.get(token, ""))

    # Who follows whom

    def relation(self, follower: int, target: int) -> Relation:
        """How one person stands to another."""
        if known := self.relations[follower].get(target):
            return known
        return "following" if self._in_crowd(follower, target) else "none"

    def relate(self, follower: int, target: int, relation: Relation) -> None:
        """Set how one person stands to another."""
        self.relations[follower][target] = relation
        if relation == "following":
            self.followers[target][follower] = None
        else:
            self.followers[target].pop(follower, None)

    def _in_crowd(self, follower: int, target: int) -> bool:
        """Whether the crowd that was there from the start has this pair."""
        return (
            people.run_position(people.run_start("followers", target), follower) < self._base(target, "followers")
            if people.is_generated(follower)
            else people.is_generated(target)
            and people.run_position(people.run_start("following", follower), target) < self._base(follower, "following")
        )

    def _base(self, pk: int, side: Literal["followers", "following"]) -> int:
        person = self.person(pk)
        return (getattr(person, side) or 0) if person else 0

    def follower_count(self, person: Person) -> int | None:
        """Followers now: the crowd, changed by what happened since."""
        return None if person.followers is None else person.followers + len(self.followers[person.pk])

    def following_count(self, person: Person) -> int | None:
        """How many this person follows now."""
        if person.following is None:
            return None
        changed = self.relations[person.pk]
        left = sum(relation != "following" and self._in_crowd(person.pk, pk) for pk, relation in changed.items())
        return person.following + sum(r == "following" for r in changed.values()) - left

    def follower_keys(self, pk: int) -> Iterator[int]:
        """Followers, the newest first, then the crowd."""
        yield from reversed(self.followers[pk])
        run = people.run_start("followers", pk)
        for position in range(self._base(pk, "followers")):
            member = people.run_member(run, position)
            if pk not in self.relations.get(member, {}):
                yield member

    def following_keys(self, pk: int) -> Iterator[int]:
        """Whom this person follows, the newest first, then those from before."""
        changed = self.relations[pk]
        yield from (target for target in reversed(changed) if changed[target] == "following")
        run = people.run_start("following", pk)
        for position in range(self._base(pk, "following")):
            member = people.run_member(run, position)
            if member not in changed:
                yield member

    # Messages

    def thread_between(self, members: tuple[int, ...]) -> Thread:
        """The one conversation of these people, made when it is first needed."""
        members = tuple(sorted(set(members)))
        number = 340_282_366_841_710_300_949_128_000_000_000_000_000 + people.digest("thread", *members) % 10**20
        if number not in self.threads:
            self.threads[number] = Thread(number, members)
        thread = self.threads[number]
        for member in members:
            self.threads_of[member].setdefault(number, thread)
        return thread

    def say(self, thread: Thread, sender: int, text: str, *, link: bool) -> Message:
        """Add a message to a conversation."""
        number = (
            31_000_000_000_000_000_000_000_000_000_000 + people.digest("item", thread.id, len(thread.messages)) % 10**24
        )
        message = Message(number, sender, text, link, time.time_ns() // 1000)
        thread.messages.append(message)
        for member in thread.members:
            self.threads_of[member][thread.id] = self.threads_of[member].pop(thread.id)
        return message


DEMO_PEOPLE: tuple[dict[str, Any], ...] = (
    {
        "username": "demo.ceramics",
        "password": "demo-password-1",
        "full_name": "Demo Ceramics",
        "biography": "Bowls, mugs and glazes. A demo account of the local stand-in.",
        "followers": 1240,
        "following": 310,
        "media": 86,
        "business": True,
        "category": "Artist",
    },
    {
        "username": "demo.bakery",
        "password": "demo-password-2",
        "totp_secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
        "full_name": "Demo Bakery",
        "biography": "Bread with a second factor. A demo account of the local stand-in.",
        "followers": 5320,
        "following": 480,
        "media": 214,
        "business": True,
        "category": "Bakery",
    },
    {
        "username": "demo.kayak",
        "password": "demo-password-3",
        "email_code": "246810",
        "full_name": "Demo Kayak",
        "biography": "Rivers, by e-mail code. A demo account of the local stand-in.",
        "followers": 415,
        "following": 122,
        "media": 40,
    },
)
