"""Like the post that led to a person."""

from datetime import date

from bots.actions.people import search
from bots.instagram.private import Door, Outcome
from bots.models import Action, BotTask, Candidate, Source

SOURCES = (Source.HASHTAG,)
find = search


def once(task: BotTask, candidate: Candidate, today: date) -> str:
    """The post."""
    return candidate.media_id


def perform(door: Door, action: Action, task: BotTask) -> Outcome:
    """Like the post: one POST."""
    return door.like(action.campaign)


def reconcile(door: Door, action: Action, task: BotTask | None) -> bool:
    """Whether the like arrived after all."""
    return door.likes(action.campaign)
