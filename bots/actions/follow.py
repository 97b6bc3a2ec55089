"""Follow people."""

from datetime import date

from bots.actions.people import search
from bots.instagram.private import Door, Outcome
from bots.models import Action, BotTask, Candidate, Source

SOURCES = (Source.HASHTAG, Source.FOLLOWERS, Source.LIKERS)
find = search


def once(task: BotTask, candidate: Candidate, today: date) -> str:
    """Nobody is followed twice, not even after an unfollow."""
    return ""


def perform(door: Door, action: Action, task: BotTask) -> Outcome:
    """Follow the person: one POST at most, none if the account follows them already."""
    return door.follow(str(action.target_pk))


def reconcile(door: Door, action: Action, task: BotTask | None) -> bool:
    """Whether the follow arrived after all: the account follows them, or has asked to."""
    relation = door.relation(str(action.target_pk))
    return relation.following or relation.requested
