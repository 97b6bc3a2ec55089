"""Unfollow people whom the bot followed some days ago; never anybody else, never the keep list."""

from datetime import date, timedelta

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from accounts import tenancy
from bots.actions.people import END, Page
from bots.instagram.private import Door, Outcome, Person
from bots.models import Action, BotTask, Candidate, Kind, Source

SOURCES = (Source.FOLLOWED, Source.CHOSEN)
AFTER_DAYS = 7  # unless the task says otherwise
PAGE = 50


def find(door: Door, task: BotTask) -> Page:
    """The longest followed first, from our own journal; the cursor is the last one's time."""
    with tenancy.scope(task.workspace_id):
        mine = Action.objects.filter(account=task.bot.account_id)
        gone = mine.filter(kind=Kind.UNFOLLOW, target_pk=OuterRef("target_pk"))
        days = timedelta(days=int(task.options.get("after_days", AFTER_DAYS)))
        followed = mine.filter(
            ~Exists(gone), kind=Kind.FOLLOW, state=Action.State.CONFIRMED, ended_at__lte=Now() - days
        )
        if task.cursor:
            followed = followed.filter(ended_at__gt=task.cursor)
        found = list(followed.order_by("ended_at")[:PAGE])
    people = [Person(pk=str(action.target_pk), username=action.target_username) for action in found]
    last = found[-1].ended_at if len(found) == PAGE else None
    return Page(people, last.isoformat() if last else END)


def once(task: BotTask, candidate: Candidate, today: date) -> str:
    """Nobody is unfollowed twice, because nobody is followed twice."""
    return ""


def perform(door: Door, action: Action, task: BotTask) -> Outcome:
    """Unfollow the person: one POST at most."""
    return door.unfollow(str(action.target_pk), keep_mutual=bool(task.options.get("keep_mutual")))


def reconcile(door: Door, action: Action, task: BotTask | None) -> bool:
    """Whether the unfollow arrived after all."""
    relation = door.relation(str(action.target_pk))
    return not (relation.following or relation.requested)
