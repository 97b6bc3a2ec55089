"""Where people are found: one function a source, each giving a page and the cursor of the next one."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from bots.instagram.private import Door, Person
from bots.models import BotTask, Source

END = ""  # the cursor after the last page


@dataclass(frozen=True)
class Page:
    """People found, and where the search goes on; `later`: there is no more now, but there may be in an hour."""

    people: list[Person]
    cursor: str = END
    later: bool = False


def search(door: Door, task: BotTask) -> Page:
    """Ask Instagram for the next page of the task's source."""
    return _SEARCHES[task.source](door, task)


def _hashtag(door: Door, task: BotTask) -> Page:
    return Page(*door.hashtag_people(task.value, cursor=task.cursor or END))


def _followers(door: Door, task: BotTask) -> Page:
    """The cursor carries the account's number, so that its name is looked up once."""
    pk, cursor = json.loads(task.cursor) if task.cursor else (door.profile(task.value).pk, END)
    people, cursor = door.followers(pk, cursor=cursor)
    return Page(people, json.dumps([pk, cursor]) if cursor else END)


def _likers(door: Door, task: BotTask) -> Page:
    return Page(door.likers(media_pk(task.value)))


def _own_followers(door: Door, task: BotTask) -> Page:
    """The newest first; after the last page it begins anew in an hour, for who came in the meantime.

    With `only_new` the people of a page are where the next look ends. Who unfollowed since is not among them any more;
    if none of them is there, old and new cannot be told apart, and nobody is taken.
    """
    known, cursor = json.loads(task.cursor) if task.cursor else (None, END)
    people, cursor = door.followers(door.pk, cursor=cursor)
    if not task.options.get("only_new"):
        return Page(people, json.dumps([None, cursor]), later=not cursor)
    keys = [person.pk for person in people]
    seen_before = (place for place, key in enumerate(keys) if isinstance(known, list) and key in known)
    return Page(people[: next(seen_before, 0)], json.dumps([keys or known, END]), later=True)


_SEARCHES: dict[str, Callable[[Door, BotTask], Page]] = {
    Source.HASHTAG: _hashtag,
    Source.FOLLOWERS: _followers,
    Source.LIKERS: _likers,
    Source.OWN_FOLLOWERS: _own_followers,
}

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def media_pk(shortcode: str) -> str:
    """A post's number from the code in its address (base 64, Instagram's own alphabet)."""
    number = 0
    for letter in shortcode[:11]:  # longer codes of private posts carry a secret behind the first 11
        number = number * 64 + _ALPHABET.index(letter)
    return str(number)
