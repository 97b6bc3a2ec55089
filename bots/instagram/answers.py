"""What Instagram tells, as our own nouns, and how they are read out of its answers and put into its paths.

A missing fact is None: unknown, never zero or no. Whatever has another shape than it should raises one of
`safe_client.LIBRARY_ERRORS`, which the doors translate.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from errors import codes
from errors.exceptions import BotException


@dataclass(frozen=True)
class Person:
    """What is known of somebody on Instagram; None is unknown, never zero or no."""

    pk: str
    username: str
    full_name: str | None = None
    private: bool | None = None
    verified: bool | None = None
    business: bool | None = None
    followers: int | None = None
    following: int | None = None
    media_count: int | None = None
    bio: str | None = None
    language: str | None = None  # Instagram does not say
    media_id: str | None = None  # the post that led us to the person, ready for `like`
    posted_at: datetime | None = None


@dataclass(frozen=True)
class Relation:
    """How the account and a person stand. `requested`: the account asked to follow and waits."""

    following: bool
    requested: bool
    followed_by: bool
    blocking: bool


@dataclass(frozen=True)
class Message:
    """One message of a conversation; `own` if the account wrote it."""

    text: str
    own: bool
    sent_at: datetime


@dataclass(frozen=True)
class Post:
    """One post of a profile. `kind` is image, carousel, reel or video; a count that is not told is None."""

    id: str
    posted_at: datetime
    caption: str
    kind: str
    likes: int | None
    comments: int | None


@dataclass(frozen=True)
class Story:
    """One story of a person; `id` is ready for `see_stories`."""

    id: str
    taken_at: datetime | None


def person_of(user: dict[str, Any], media: dict[str, Any] | None = None) -> Person:
    """A person, as far as this answer tells; `media` is the post that led to them."""

    def yes_or_no(key: str) -> bool | None:
        return None if user.get(key) is None else bool(user[key])

    return Person(
        pk=str(number(user.get("pk") or user["pk_id"])),
        username=str(user.get("username") or ""),
        full_name=_text(user.get("full_name")),
        private=yes_or_no("is_private"),
        verified=yes_or_no("is_verified"),
        business=yes_or_no("is_business"),
        followers=_count(user.get("follower_count")),
        following=_count(user.get("following_count")),
        media_count=_count(user.get("media_count")),
        bio=_text(user.get("biography")),
        media_id=media_id_of(media, user.get("pk")) if media else None,
        posted_at=moment_of(media.get("taken_at")) if media else None,
    )


def post_of(media: dict[str, Any]) -> Post | None:
    """A post of a feed; None when it is cut short."""
    at = moment_of(media.get("taken_at"))
    if not media.get("pk") or at is None:
        return None
    kind = {8: "carousel", 2: "reel" if media.get("product_type") == "clips" else "video"}.get(
        media.get("media_type", 1)
    )
    return Post(
        id=str(media["pk"]),
        posted_at=at,
        caption=str((media.get("caption") or {}).get("text") or ""),
        kind=kind or "image",
        likes=None if media.get("like_and_view_counts_disabled") else _count(media.get("like_count")),
        comments=_count(media.get("comment_count")),
    )


def _count(told: object) -> int | None:
    """A count; None for another shape, and for the -1 that Instagram tells where the owner hides it."""
    return told if isinstance(told, int) and not isinstance(told, bool) and 0 <= told < 2**31 else None


def _text(told: object) -> str | None:
    return told if isinstance(told, str) else None


def author_of(media: dict[str, Any]) -> Person | None:
    """Who posted this; None when the post is cut short, which one page in a while has."""
    user = media.get("user") or {}
    return person_of(user, media) if user.get("pk") and media.get("pk") else None


def medias_in(node: Any) -> Iterator[dict[str, Any]]:
    """Every post in the sections of a hashtag page, however they are laid out this month."""
    if isinstance(node, dict):
        if isinstance(node.get("media"), dict):
            yield node["media"]
        else:
            for child in node.values():
                yield from medias_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from medias_in(child)


def media_id_of(media: dict[str, Any], owner: object) -> str:
    """`pk_owner`: with less the library would look the post up first."""
    return f"{media['pk']}_{owner}"


def moment_of(seconds: object) -> datetime | None:
    """A moment of unix seconds; None for nothing and for 0."""
    return datetime.fromtimestamp(int(seconds), UTC) if isinstance(seconds, int | float | str) and seconds else None


def number(pk: object) -> int:
    """Instagram's numbers go into paths and columns, so nothing but digits may. Raises ValueError."""
    if not 0 <= (found := int(str(pk))) < 2**63:
        raise ValueError("no number of Instagram's")
    return found


def media_path(media_id: str) -> str:
    """`pk` or `pk_owner`, and nothing else, because it goes into a path."""
    return "_".join(str(number(part)) for part in media_id.split("_"))


def name_path(name: str) -> str:
    """A username or hashtag as exactly one part of a path."""
    if not name.strip("."):
        raise BotException(codes.IG_TARGET_GONE)
    return quote(name, safe="")
