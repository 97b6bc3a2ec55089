"""See people's stories."""

from datetime import date

from bots.actions.people import search
from bots.instagram.private import Door, Outcome
from bots.models import Action, BotTask, Candidate, Source

SOURCES = (Source.HASHTAG, Source.FOLLOWERS, Source.LIKERS)
find = search


def once(task: BotTask, candidate: Candidate, today: date) -> str:
    """The account's local date: whoever has stories every day is seen once a day."""
    return today.isoformat()


def perform(door: Door, action: Action, task: BotTask) -> Outcome:
    """See all stories of the person, in one POST; none if there is no story, or all are seen."""
    stories, seen = door.stories(str(action.target_pk))
    return door.see_stories([story for story in stories if seen is None or not story.taken_at or story.taken_at > seen])


def reconcile(door: Door, action: Action, task: BotTask | None) -> bool:
    """Whether the view arrived after all: the newest story of that moment counts as seen."""
    stories, seen = door.stories(str(action.target_pk))
    then = [story.taken_at for story in stories if story.taken_at and story.taken_at <= action.created_at]
    return bool(then) and seen is not None and seen >= max(then)
