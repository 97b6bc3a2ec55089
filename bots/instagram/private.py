"""The private door: what an account can do at Instagram as its app does it. Nothing of instagrapi leaves this module.

Reads raise `BotException`. Writes answer with an `Outcome`, and raise `NoAnswer` when nobody knows whether they took
effect. Each write is at most one POST. After the first stop signal a door sends nothing more and repeats that signal.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any, Self
from uuid import UUID

from bots.instagram import reactions
from bots.instagram.answers import (
    Message,
    Person,
    Post,
    Relation,
    Story,
    author_of,
    media_id_of,
    media_path,
    medias_in,
    moment_of,
    name_path,
    number,
    person_of,
    post_of,
)
from bots.instagram.reactions import NoAnswer
from bots.instagram.safe_client import IDENTITY, LIBRARY_ERRORS, Client, Halted, TooLate, awake_clock
from errors import codes
from errors.codes import Code, Then
from errors.exceptions import BotException

__all__ = [
    "Door",
    "LoggedIn",
    "LoginRefused",
    "Message",
    "NeedsCode",
    "NoAnswer",
    "Outcome",
    "Person",
    "Post",
    "Relation",
    "State",
    "Story",
    "TooLate",
    "awake_clock",
    "dm_token",
    "enter",
    "login",
]

PINNED = 3  # posts at most that somebody keeps before all others


class State(StrEnum):
    """How a write ended, as far as Instagram said."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Outcome:
    """The end of a write. `code` says why it was refused or skipped, and what follows; `sent` whether a POST left."""

    state: State
    code: Code | None = None
    sent: bool = False
    meta: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class LoggedIn:
    """A fresh session to seal, and whose it is."""

    settings: dict[str, Any] = field(repr=False)
    person: Person


@dataclass(frozen=True)
class NeedsCode:
    """Instagram wants a code (`totp`, `sms`, `email`): `login` again with these settings, the password and the code."""

    settings: dict[str, Any] = field(repr=False)
    method: str


class LoginRefused(BotException):
    """No login. `settings` is the device to come back with; after a challenge it may hold a session to probe later."""

    settings: dict[str, Any]


def login(
    username: str, password: str, *, settings: dict[str, Any] | None = None, code: str = "", proxy: str = ""
) -> LoggedIn | NeedsCode:
    """Log in once, with a second factor or e-mail code if there is one. Raises LoginRefused.

    The password goes out once; twice only if Instagram itself sends the login on to its older endpoint. `settings` of
    an earlier try keep the device the same; a session in them is left aside.
    """
    client = _client({key: value for key, value in (settings or {}).items() if key in IDENTITY}, username, proxy)
    try:
        client.login(username, password, verification_code=code)
        return LoggedIn(client.stored(), person_of(client.private_request("accounts/current_user/?edit=true")["user"]))
    except (Halted, *LIBRARY_ERRORS) as error:
        # The library wraps some errors in vaguer ones: what the last request met is the cause.
        cause = error.cause if isinstance(error, Halted) else client.last_error or error
        refusal = reactions.translate(cause, writing=False, endpoint=client.last_endpoint)
        asked = refusal.code is codes.IG_CODE_REQUIRED or (client.wants_code and client.last_error is None)
        if asked and not code:
            return NeedsCode(client.stored(), client.wants_code or _second_factor(cause))
        if code and (asked or (refusal.code is codes.INSTAGRAM_UNCLASSIFIED and _checks_a_code(client.last_endpoint))):
            refusal = BotException(codes.IG_CODE_WRONG, "", **refusal.meta)
        refused = LoginRefused(refusal.code, "", **refusal.meta)
        refused.settings = client.stored()
        raise refused from None
    finally:
        client.password = None
        client.close()


def enter(settings: dict[str, Any], username: str, proxy: str = "") -> "Door":
    """A door on a stored session; nothing is sent yet, and never a password. Raises SESSION_FILE_INVALID."""
    client = _client(settings, username, proxy)
    if not client.user_id or not client.sessionid:
        client.close()
        raise BotException(codes.SESSION_FILE_INVALID)
    return Door(client)


class Door:
    """One account's open session. For one thread at a time: `clients.borrow` sees to that."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.pk = str(client.user_id)
        self.halted: Code | None = None  # the first stop signal; from then on nothing is sent

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def leaves_one(self, code: Code) -> bool:
        """Whether what was met says something about one person or post, so that the next one can be taken."""
        return code.then in (Then.SKIP, Then.ALERT) and self.halted is None

    def settings(self) -> dict[str, Any]:
        """The session as it is now, to be sealed again."""
        return self._client.stored()

    @contextmanager
    def sending_before(self, moment: float) -> Iterator[None]:
        """Send nothing after this moment of `awake_clock`: whoever was frozen beyond it raises TooLate."""
        self._client.send_before = moment
        try:
            yield
        finally:
            self._client.send_before = None

    def close(self) -> None:
        """Close the connections; the session at Instagram lives on."""
        self._client.close()

    def probe(self) -> Person:
        """Who the session belongs to: one read, which fails if the session is dead."""
        with self._reading():
            return person_of(self._client.private_request("accounts/current_user/?edit=true")["user"])

    def person(self, pk: str) -> Person:
        """A profile by its number, with counts and bio."""
        params = {
            "is_prefetch": "false",
            "entry_point": "profile",
            "from_module": "feed_timeline",
            "is_app_start": False,
        }
        with self._reading(missing=codes.IG_TARGET_GONE):
            return person_of(self._client.private_request(f"users/{number(pk)}/info/", params=params)["user"])

    def profile(self, username: str) -> Person:
        """A profile by its name, with counts and bio."""
        with self._reading(missing=codes.IG_TARGET_GONE):
            return person_of(self._client.private_request(f"users/{name_path(username)}/usernameinfo/")["user"])

    def relation(self, pk: str) -> Relation:
        """How the account and this person stand."""
        with self._reading(missing=codes.IG_TARGET_GONE):
            return self._relation(pk)

    def hashtag_people(self, tag: str, *, cursor: str = "") -> tuple[list[Person], str]:
        """Who posted under a hashtag lately, each once, and the cursor of the next page ("" at the end)."""
        with self._reading(missing=codes.HASHTAG_NOT_FOUND):
            form = {
                "tab": "recent",
                "media_recency_filter": "top_recent_posts",
                "_uuid": self._client.uuid,
                "include_persistent": "false",
                "rank_token": self._client.rank_token,
            }
            if cursor:
                form["max_id"], form["next_media_ids"] = json.loads(cursor)
            page = self._client.private_request(
                f"tags/{name_path(tag.lstrip('#'))}/sections/", data=form, with_signature=False
            )
            people = {person.pk: person for media in medias_in(page["sections"]) if (person := author_of(media))}
            more = page.get("more_available") and page.get("next_max_id")
            following = json.dumps([more, json.dumps(page.get("next_media_ids") or [])]) if more else ""
            return list(people.values()), following

    def followers(self, pk: str, *, cursor: str = "") -> tuple[list[Person], str]:
        """A page of up to 200 followers of a person, and the cursor of the next one ("" at the end)."""
        params = {
            "count": 200,
            "rank_token": self._client.rank_token,
            "search_surface": "follow_list_page",
            "query": "",
            "enable_groups": "true",
        }
        with self._reading(missing=codes.IG_TARGET_GONE):
            page = self._client.private_request(
                f"friendships/{number(pk)}/followers/", params=params | ({"max_id": cursor} if cursor else {})
            )
            return [person_of(user) for user in page["users"]], str(page.get("next_max_id") or "")

    def likers(self, media_id: str) -> list[Person]:
        """Who liked a post, as far as Instagram shows."""
        with self._reading(missing=codes.IG_TARGET_GONE):
            return [
                person_of(user)
                for user in self._client.private_request(f"media/{media_path(media_id)}/likers/")["users"]
            ]

    def stories(self, pk: str) -> tuple[list[Story], datetime | None]:
        """The stories of a person at this moment, and up to which of them (by time) the account has seen them."""
        with self._reading(missing=codes.IG_TARGET_GONE):
            reel = self._client.private_request(f"feed/user/{number(pk)}/story/").get("reel") or {}
            items = reel.get("items") or []
            return [Story(media_id_of(item, pk), moment_of(item.get("taken_at"))) for item in items], moment_of(
                reel.get("seen")
            )

    def posts(self, pk: str, *, most: int) -> list[Post]:
        """The newest posts of a person, the newest first, as many pages as it takes.

        Up to three pinned ones come before them, however old: those older than all others that were read go.
        """
        found: list[Post] = []
        cursor = ""
        with self._reading(missing=codes.IG_TARGET_GONE):
            while True:
                params = {"count": 33, "rank_token": self._client.rank_token, "ranked_content": "true"}
                params |= {"max_id": cursor} if cursor else {}
                page = self._client.private_request(f"feed/user/{number(pk)}/", params=params)
                found += [post for media in page["items"] if (post := post_of(media))]
                cursor = str(page.get("next_max_id") or "")
                whole = not cursor or not page.get("more_available")
                if whole or len(found) >= most:
                    break
        since = min((post.posted_at for post in found[PINNED:]), default=None)
        newest = [post for post in found if whole or since is None or post.posted_at >= since]
        return sorted(newest, key=attrgetter("posted_at"), reverse=True)[:most]

    def likes(self, media_id: str) -> bool:
        """Whether the account likes a post."""
        with self._reading(missing=codes.IG_TARGET_GONE):
            item = self._client.private_request(f"media/{media_path(media_id)}/info/")["items"][0]
            return bool(item.get("has_liked"))

    def messages_with(self, pk: str) -> list[Message]:
        """The newest messages of the conversation with a person, none if there is no conversation."""
        with self._reading(missing=codes.IG_TARGET_GONE):
            params = {"recipient_users": json.dumps([number(pk)]), "seq_id": 2580572, "limit": 20}
            thread = self._client.private_request("direct_v2/threads/get_by_participants/", params=params).get("thread")
            return [
                Message(
                    str(item.get("text") or (item.get("link") or {}).get("text") or ""),
                    str(item.get("user_id")) == self.pk,
                    datetime.fromtimestamp(int(item["timestamp"]) / 1_000_000, UTC),
                )
                for item in (thread or {}).get("items") or []
            ]

    def follow(self, pk: str) -> Outcome:
        """Follow a person, or ask to if the account is private: read the relation, then one POST at most.

        The library's own `user_follow` swallows a challenge of its first read and follows all the same.
        """

        def send() -> Outcome:
            relation = self._relation(pk)
            if relation.following or relation.requested:
                return Outcome(State.SKIPPED, codes.ALREADY_FOLLOWING)
            if relation.blocking:
                return Outcome(State.SKIPPED, codes.FILTERED_OUT)
            form = {
                "user_id": pk,
                "_uid": self.pk,
                "include_follow_friction_check": "1",
                "container_module": "profile",
            }
            status = self._post(f"friendships/create/{number(pk)}/", form)["friendship_status"]
            requested = bool(status.get("outgoing_request"))
            return _ended(bool(status["following"]) or requested, requested=requested)

        return self._writing(send, blocked=codes.FOLLOW_BLOCKED)

    def unfollow(self, pk: str, *, keep_mutual: bool = False) -> Outcome:
        """Stop following a person, or take the request back: read the relation, then one POST at most.

        `keep_mutual` spares who follows the account.
        """

        def send() -> Outcome:
            relation = self._relation(pk)
            if not relation.following and not relation.requested:
                return Outcome(State.SKIPPED, codes.NOT_FOLLOWING)
            if keep_mutual and relation.followed_by:
                return Outcome(State.SKIPPED, codes.FOLLOWS_BACK)
            form = {"user_id": pk, "_uid": self.pk, "container_module": "profile"}
            status = self._post(f"friendships/destroy/{number(pk)}/", form)["friendship_status"]
            return _ended(not status["following"])

        return self._writing(send, blocked=codes.UNFOLLOW_BLOCKED)

    def like(self, media_id: str) -> Outcome:
        """Like a post, named as `Person.media_id` names it."""
        return self._writing(lambda: _ended(self._client.media_like(media_id)), blocked=codes.LIKE_BLOCKED)

    def see_stories(self, stories: list[Story]) -> Outcome:
        """Mark stories as seen, all in one POST."""
        if not stories:
            return Outcome(State.SKIPPED, codes.NO_STORIES)
        ids = [story.id for story in stories]
        return self._writing(lambda: _ended(self._client.story_seen(ids)), blocked=codes.STORY_BLOCKED)

    def send_dm(self, pk: str, text: str, *, context: UUID) -> Outcome:
        """Send one message. `context`, such as the action's id, gives it the token by which it can be recognised."""

        def send() -> Outcome:
            self._client.mutation_token = dm_token(context)
            message = self._client.direct_send(text, user_ids=[number(pk)])
            return _ended(True, item_id=str(message.id), token=self._client.mutation_token)

        return self._writing(send, blocked=codes.DM_BLOCKED)

    def logout(self) -> None:
        """End the session at Instagram."""
        with self._reading():
            self._client.logout()

    def _relation(self, pk: str) -> Relation:
        params = {"is_external_deeplink_profile_view": "false"}
        status = self._client.private_request(f"friendships/show/{number(pk)}/", params=params)
        return Relation(
            following=bool(status["following"]),
            requested=bool(status.get("outgoing_request")),
            followed_by=bool(status.get("followed_by")),
            blocking=bool(status.get("blocking")),
        )

    def _post(self, endpoint: str, form: dict[str, str]) -> dict[str, Any]:
        return self._client.private_request(endpoint, self._client.with_action_data(form))

    @contextmanager
    def _reading(self, missing: Code | None = None) -> Iterator[None]:
        """Translate what goes wrong; a plain 404 means `missing`, not that Instagram is strange."""
        try:
            yield
        except (Halted, *LIBRARY_ERRORS) as error:
            raised = self._translate(error, writing=False)
            raise (BotException(missing, "", **raised.meta) if missing and _is_missing(raised) else raised) from None

    def _writing(self, send: Callable[[], Outcome], *, blocked: Code) -> Outcome:
        before = self._client.posts
        try:
            return send()
        except (Halted, *LIBRARY_ERRORS) as error:
            sent = self._client.posts > before
            raised = self._translate(error, writing=sent, blocked=blocked)
            if isinstance(raised, NoAnswer):
                raise raised from None
            return Outcome(
                State.REFUSED, codes.IG_TARGET_GONE if _is_missing(raised) else raised.code, sent, raised.meta
            )

    def _translate(self, error: BaseException, *, writing: bool, blocked: Code = codes.ACTION_BLOCKED) -> BotException:
        if self.halted:
            return BotException(self.halted, endpoint=self._client.last_endpoint)
        cause = error.cause if isinstance(error, Halted) else error
        raised = reactions.translate(cause, writing=writing, blocked=blocked, endpoint=self._client.last_endpoint)
        if self._client.halted:
            self.halted = raised.code
        return raised


def dm_token(context: UUID) -> str:
    """The message token for this context, always the same, in the app's own range of 19 digits."""
    return str(6_800_011_111_111_111_111 + context.int % 88_888_888_888_889)


def _is_missing(raised: BotException) -> bool:
    """A plain 404; the bare one that hides a challenge has its own code by now."""
    return raised.code is codes.INSTAGRAM_UNCLASSIFIED and raised.meta.get("status") == 404


def _client(settings: dict[str, Any], username: str, proxy: str) -> Client:
    try:
        return Client(settings, username, proxy)
    except LIBRARY_ERRORS as error:
        raise BotException(codes.SESSION_FILE_INVALID, exception=type(error).__name__) from None


def _ended(well: bool, **meta: object) -> Outcome:
    """Instagram answered: done, or politely not done."""
    return (
        Outcome(State.CONFIRMED, None, True, meta)
        if well
        else Outcome(State.REFUSED, codes.INSTAGRAM_UNCLASSIFIED, True, meta)
    )


def _second_factor(cause: BaseException) -> str:
    info = getattr(cause, "two_factor_info", None) or {}
    return "sms" if info.get("sms_two_factor_on") and not info.get("totp_two_factor_on") else "totp"


def _checks_a_code(endpoint: str) -> bool:
    return any(step in endpoint for step in ("verify_code", "code_entry_async", "two_factor_login"))
