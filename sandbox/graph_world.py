"""What the stand-in for Meta's Graph API remembers: apps, tokens, containers, posts, comments, conversations.

Professional accounts are the sandbox's own accounts with `business` set. Their older posts are made up from a hash, the
same at every start; what is published here is kept in memory. Tokens are signed and not stored, like the sessions of
`sandbox.world`, so a restart of the sandbox does not disconnect anybody.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from sandbox.people import digest

FIRST_IG_ID = 17_841_400_000_000_000  # an Instagram professional account's id is this plus its key
FIRST_POST = 1_730_419_200  # 2024-11-01 00:00 UTC, when every account posted for the first time
POST_EACH = 30 * 3600  # seconds from post to post
KEY = b"local stand-in for Meta"
SHORT, LONG = 3600, 60 * 86400  # seconds that a token lasts
REFRESH_AFTER = 86400  # seconds before a token may be refreshed
CODE_SECONDS = 3600
DEMO_APP = "sandbox-meta-app"
DEMO_SECRET = "sandbox-meta-secret"
WORDS = ("glaze", "kiln", "handmade", "studio", "morning", "workshop", "ceramics", "clay", "slow", "craft")


@dataclass(slots=True, frozen=True)
class Token:
    """What an access token says: whose (an account's key, 0 for a Facebook person), which app, by which login."""

    app: str
    pk: int
    login: str  # instagram or facebook
    kind: str  # short, long or page
    issued: int
    expires: int  # 0: never
    scopes: tuple[str, ...] = ()
    granted: tuple[int, ...] = ()  # of a Facebook person: the accounts they chose
    generation: int = 0


@dataclass(slots=True)
class Container:
    """A post on its way. `polls` counts how often its status was read."""

    id: str
    pk: int
    fields: dict[str, Any]
    needs: int  # polls until it is finished
    status: str = "IN_PROGRESS"
    polls: int = 0
    media: str = ""


@dataclass(slots=True)
class Post:
    """A published post, reel or story."""

    id: str
    pk: int
    kind: str  # IMAGE, VIDEO or CAROUSEL_ALBUM
    product: str  # FEED, REELS or STORY
    caption: str
    at: int
    insights: dict[str, int] | None = None  # as set on order; without, they are made up


@dataclass(slots=True)
class Comment:
    """A comment, or a reply to one (`parent`)."""

    id: str
    media: str
    author: int
    text: str
    at: int
    parent: str = ""
    hidden: bool = False
    answered_privately: bool = False
    gone: bool = False


@dataclass(slots=True)
class Said:
    """One message between a professional account and a person, who is named by an IGSID: here, their key."""

    id: str
    sender: int
    text: str
    at: int


@dataclass(slots=True)
class Code:
    """A code on its way back from the consent page."""

    app: str
    redirect_uri: str
    login: str
    pks: tuple[int, ...]
    scopes: tuple[str, ...]
    ends: float


@dataclass(slots=True)
class Hook:
    """Where an app's webhooks go."""

    url: str
    verify_token: str


@dataclass(slots=True)
class GraphWorld:
    """Everything Meta knows, beside the accounts."""

    apps: dict[str, str] = field(default_factory=lambda: {DEMO_APP: DEMO_SECRET})
    codes: dict[str, Code] = field(default_factory=dict)
    generations: dict[tuple[str, int], int] = field(default_factory=dict)
    containers: dict[str, Container] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    comments: dict[str, Comment] = field(default_factory=dict)
    talks: dict[int, dict[int, list[Said]]] = field(default_factory=dict)  # account -> person -> messages
    subscribed: dict[int, set[str]] = field(default_factory=dict)  # account -> apps
    hooks: dict[str, Hook] = field(default_factory=dict)
    limit: int = 50  # posts in 24 hours (reference/content_publishing_limit)
    # Whether a container's picture is fetched, as Meta does: under `make run` it can be.
    fetches: bool = field(default_factory=lambda: bool(os.environ.get("SANDBOX_HOOKS")))
    count: int = 0

    def now(self) -> float:
        """The clock by which tokens end."""
        return time.time()

    def next(self, prefix: str, pk: int = 0) -> str:
        """A new id of digits."""
        self.count += 1
        return f"{prefix}{pk:011d}{self.count:05d}"

    # Tokens

    def issue(self, app: str, pk: int, login: str, kind: str, **more: Any) -> str:
        """A token of this kind, from now."""
        now = int(time.time())
        lasts = {"short": SHORT, "long": LONG, "page": 0}[kind]
        document = {
            "app": app,
            "pk": pk,
            "login": login,
            "kind": kind,
            "issued": more.pop("issued", now),
            "expires": more.pop("expires", now + lasts if lasts else 0),
            "generation": self.generations.get((app, pk), 0),
            "nonce": secrets.token_hex(4),
        } | more
        body = base64.urlsafe_b64encode(json.dumps(document).encode()).rstrip(b"=").decode()
        return f"{'IGAA' if login == 'instagram' else 'EAAB'}{body}.{_sign(body)}"

    def token(self, text: str) -> Token | None:
        """What a token says; None when we never signed it."""
        body, _, signature = text[4:].partition(".")
        if not hmac.compare_digest(_sign(body), signature):
            return None
        said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        said.pop("nonce")
        for name in ("scopes", "granted"):
            said[name] = tuple(said.get(name, ()))
        return Token(**said)

    def is_revoked(self, token: Token) -> bool:
        """Whether the person removed the app since."""
        return token.generation != self.generations.get((token.app, token.pk), 0)

    def revoke(self, app: str, pk: int) -> None:
        """The person removes the app: their tokens end."""
        self.generations[app, pk] = self.generations.get((app, pk), 0) + 1
        self.subscribed.get(pk, set()).discard(app)

    # Posts

    def old_posts(self, pk: int, count: int, now: float) -> list[Post]:
        """What an account posted before anybody looked, the newest first."""
        latest = int((now - FIRST_POST) // POST_EACH)
        return [old_post(pk, n) for n in range(latest, max(latest - count, -1), -1)]

    def own_posts(self, pk: int) -> list[Post]:
        """What was published here, the newest first."""
        return [post for post in reversed(self.posts.values()) if post.pk == pk]

    def post(self, media: str) -> Post | None:
        """A post by its id."""
        if media in self.posts:
            return self.posts[media]
        if media.startswith("179") and len(media) == 19 and media.isdigit():
            return old_post(int(media[3:14]), int(media[14:]))
        return None

    def published_since(self, pk: int, then: float) -> int:
        """How many posts an account published here since."""
        return sum(post.pk == pk and post.at >= then for post in self.posts.values())


def _sign(body: str) -> str:
    return hmac.new(KEY, body.encode(), hashlib.sha256).hexdigest()[:40]


def old_post(pk: int, n: int) -> Post:
    """The n-th post of an account since FIRST_POST."""
    roll = digest("graph post", pk, n)
    kind = ("IMAGE", "IMAGE", "CAROUSEL_ALBUM", "VIDEO")[roll % 4]
    tags = " ".join(f"#{WORDS[(roll >> (8 * k)) % len(WORDS)]}" for k in range(1, 4))
    caption = f"{WORDS[roll % 10].title()} notes, number {n}. {tags}"
    at = FIRST_POST + n * POST_EACH + roll % (10 * 3600)
    return Post(f"179{pk:011d}{n:05d}", pk, kind, "REELS" if kind == "VIDEO" else "FEED", caption, at)


def ig_id(pk: int) -> str:
    """The id of a professional account."""
    return str(FIRST_IG_ID + pk)


def pk_of(ig: str) -> int:
    """The key of the account with this id, 0 where it is no id."""
    return int(ig) - FIRST_IG_ID if ig.isdigit() and ig.startswith("178414") else 0
