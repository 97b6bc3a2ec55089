"""Follow people."""

from bots.instagram.private import Door, Outcome, Person
from bots.models import Action, BotTask


def find(door: Door, task: BotTask) -> tuple[list[Person], str]:
    """A page of people who posted under the task's hashtag, and the cursor of the next page ("" at the end)."""
    return door.hashtag_people(task.value, cursor=task.cursor or "")


def perform(door: Door, action: Action) -> Outcome:
    """Follow the person: one POST at most, none if the account follows them already."""
    return door.follow(str(action.target_pk))


def reconcile(door: Door, action: Action) -> bool:
    """Whether the follow arrived after all: the account follows them, or has asked to."""
    relation = door.relation(str(action.target_pk))
    return relation.following or relation.requested
