"""What can be read of an account on Instagram, and through which door: the official one where it is open, else ours.

A figure that Instagram did not tell is None, never zero. Reading is patient with a bot at work and takes the reaction
that a stop sign asks for.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from accounts import tenancy
from bots import sessions
from bots.instagram.graph import GraphDoor
from bots.instagram.private import Door
from bots.models import InstagramAccount, OfficialAccess
from bots.official import official_door
from errors import codes
from errors.exceptions import BotException

POSTS = 60  # of which two pages of the private door tell
TRIES, PAUSE = 8, 1.0  # while the bot is at work, in seconds
OFFICIAL, PRIVATE = "official", "private"
DOORS = {OFFICIAL: "Instagram’s official API", PRIVATE: "the account’s own session"}
_KINDS = {"IMAGE": "image", "VIDEO": "video", "CAROUSEL_ALBUM": "carousel"}
T = TypeVar("T")


@dataclass(frozen=True)
class Post:
    """One post as its account shows it. `kind` is image, reel, carousel or video."""

    id: str
    posted_at: datetime
    caption: str = ""
    kind: str = "image"
    likes: int | None = None
    comments: int | None = None


@dataclass(frozen=True)
class Reading:
    """A profile and its newest posts, the newest first."""

    door: str
    username: str
    full_name: str = ""
    bio: str = ""
    followers: int | None = None
    following: int | None = None
    posts_in_all: int | None = None
    posts: list[Post] = field(default_factory=list)


def door_of(account: InstagramAccount, username: str = "") -> str:
    """Through which door the account, or another one through it, is read: "" if none is open. Needs its view."""
    access = OfficialAccess.objects.filter(account=account, status=OfficialAccess.Status.ACTIVE).first()
    # Others are shown through Facebook Login alone.
    if access is not None and (not username or access.login == OfficialAccess.Login.FACEBOOK):
        return OFFICIAL
    return PRIVATE if sessions.is_usable(account) else ""


def read(account: InstagramAccount, username: str = "") -> Reading:
    """Read the account itself, or another one through it. Hold no transaction.

    Raises AI_NOTHING_TO_READ or, for another, OTHERS_NOT_OPEN without a door, SESSION_BUSY, IG_TARGET_GONE, and what
    Instagram's answer means.
    """
    with tenancy.scope(account.workspace_id):
        where = door_of(account, username)
        official = official_door(account) if where == OFFICIAL else None
    if official is not None:
        return _read_officially(official, username)
    if not where:
        raise BotException(codes.OTHERS_NOT_OPEN if username else codes.AI_NOTHING_TO_READ)
    return through(account, lambda door: _read_privately(door, account, username))


def through(account: InstagramAccount, look: Callable[[Door], T]) -> T:
    """Look through the account's own session when its bot lets it go. Raises what `sessions.visit` does."""
    for _ in range(TRIES - 1):
        try:
            with sessions.visit(account) as door:
                return look(door)
        except BotException as busy:
            if busy.code is not codes.SESSION_BUSY:
                raise
        time.sleep(PAUSE)
    with sessions.visit(account) as door:
        return look(door)


def _read_privately(door: Door, account: InstagramAccount, username: str) -> Reading:
    person = door.profile(username) if username else door.person(str(account.instagram_pk))
    posts = [] if person.private and username else door.posts(person.pk, most=POSTS)
    return Reading(
        PRIVATE,
        person.username,
        person.full_name or "",
        person.bio or "",
        person.followers,
        person.following,
        person.media_count,
        [Post(post.id, post.posted_at, post.caption, post.kind, post.likes, post.comments) for post in posts],
    )


def _read_officially(door: GraphDoor, username: str) -> Reading:
    person = door.discover(username, posts=50) if username else door.me()
    posts = person.get("media", {}).get("data", []) if username else door.media(limit=50)[0]
    return Reading(
        OFFICIAL,
        str(person.get("username", username)),
        str(person.get("name", "")),
        str(person.get("biography", "")),
        person.get("followers_count"),
        person.get("follows_count"),
        person.get("media_count"),
        [_official_post(post) for post in posts],
    )


def _official_post(post: dict[str, Any]) -> Post:
    kind = "reel" if post.get("media_product_type") == "REELS" else _KINDS.get(str(post.get("media_type")), "image")
    return Post(
        str(post["id"]),
        datetime.fromisoformat(str(post["timestamp"]).replace("+0000", "+00:00")),
        str(post.get("caption", "")),
        kind,
        post.get("like_count"),
        post.get("comments_count"),
    )
