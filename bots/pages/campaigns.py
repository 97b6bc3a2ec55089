"""What each task of an account came to, and its memory: everybody it found, and why they were kept or skipped."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from asgiref.sync import sync_to_async
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from accounts import tenancy
from accounts.models import Workspace
from accounts.requests import MemberRequest
from accounts.roles import members
from bots.models import Action, BotTask, Candidate, FollowBack, Kind
from bots.pages.activity import CSV_ROWS, lines
from bots.pages.doors import bot_of

TASKS = 25
PEOPLE = 50
COLUMNS = ("place", "username", "id", "state", "reason", "post", "what was known")
WORDS = {"waiting": "Waits", "used": "Contacted", "skipped": "Skipped", "held": "Left alone"}


@dataclass(frozen=True)
class Campaign:
    """A task with what became of the people it found."""

    task: BotTask
    people: dict[str, int]  # by state
    asked: int = 0  # of those it followed, how many were asked a week later
    back: int = 0  # and follow back

    @property
    def found(self) -> int:
        """How many people the search told of so far."""
        return sum(self.people.values())


@require_safe
@members("look")
def campaigns(request: MemberRequest, username: str) -> HttpResponse:
    """Answer the account's tasks, newest first, each with what it came to."""
    bot = bot_of(request, username)
    before = parse_datetime(request.GET.get("older", "")[:40]) if request.GET.get("older") else None
    tasks = BotTask.objects.filter(bot=bot, **({"created_at__lt": before} if before else {})).order_by("-created_at")
    found = list(tasks[: TASKS + 1])
    context = {
        "account": bot.account,
        "campaigns": told(found[:TASKS]),
        "older": "?" + urlencode({"older": found[TASKS - 1].created_at.isoformat()}) if len(found) > TASKS else "",
        "newest": "?" if before else "",
    }
    return render(request, "bots/campaigns.html", context)


@require_safe
@members("look")
def campaign(request: MemberRequest, username: str, task_id: UUID) -> HttpResponse:
    """Answer one task's people in the order in which they were found."""
    bot = bot_of(request, username)
    task = get_object_or_404(BotTask, bot=bot, pk=task_id)
    state = request.GET.get("state", "")
    state = state if state in Candidate.State.values else ""
    after = request.GET.get("after", "")
    found = list(_people(task, state, int(after) if after.isdecimal() and len(after) < 10 else -1)[: PEOPLE + 1])
    chosen = {"state": state} if state else {}
    context = {
        "account": bot.account,
        "task": task,
        "campaign": told([task])[0],
        "people": found[:PEOPLE],
        "words": WORDS,
        "state": state,
        "first": "?" + urlencode(chosen) if after else "",
        "next": "?" + urlencode(chosen | {"after": found[PEOPLE - 1].place}) if len(found) > PEOPLE else "",
        "export": "?" + urlencode(chosen) if chosen else "",
    }
    return render(request, "bots/campaign.html", context)


@require_safe
@members("look")
def export(request: MemberRequest, username: str, task_id: UUID) -> StreamingHttpResponse:
    """Answer a task's people as CSV, flowing while it is read."""
    bot = bot_of(request, username)
    task = get_object_or_404(BotTask, bot=bot, pk=task_id)
    state = request.GET.get("state", "")
    answer = StreamingHttpResponse(
        _csv(request.workspace, task, state if state in Candidate.State.values else ""),
        content_type="text/csv; charset=utf-8",
    )
    name = f"{bot.account.username}-campaign-{task.created_at:%Y-%m-%d}-{task.pk.hex[:6]}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


def told(tasks: list[BotTask]) -> list[Campaign]:
    """Give these tasks with what became of their people, in two questions whatever their number."""
    people: dict[UUID, dict[str, int]] = {task.pk: dict.fromkeys(Candidate.State.values, 0) for task in tasks}
    for task, state, count in (
        Candidate.objects.filter(task__in=people).values_list("task", "state").annotate(n=Count("pk")).order_by()
    ):
        people[task][state] = count
    mine = FollowBack.objects.filter(
        account=OuterRef("account"), target_pk=OuterRef("target_pk"), group=FollowBack.Group.CONTACTED
    )
    follows = Action.objects.filter(task__in=people, kind=Kind.FOLLOW, state=Action.State.CONFIRMED)
    asked = Exists(mine.filter(follows__isnull=False))
    backs = {
        task: (known, back)
        for task, known, back in follows.values_list("task")
        .annotate(known=Count("pk", Q(asked)), back=Count("pk", Q(Exists(mine.filter(follows=True)))))
        .order_by()
    }
    return [Campaign(task, people[task.pk], *backs.get(task.pk, (0, 0))) for task in tasks]


def _people(task: BotTask, state: str, after: int) -> QuerySet[Candidate]:
    chosen = {"state": state} if state else {}
    return Candidate.objects.filter(task=task, place__gt=after, **chosen).order_by("place", "id")


async def _csv(workspace: Workspace, task: BotTask, state: str) -> AsyncIterator[str]:
    yield lines([list(COLUMNS)])
    after = -1
    while True:
        found = await sync_to_async(_chunk)(workspace, task, state, after)
        yield lines([_cells(person) for person in found])
        if len(found) < CSV_ROWS:
            return
        after = found[-1].place


def _chunk(workspace: Workspace, task: BotTask, state: str, after: int) -> list[Candidate]:
    with tenancy.scope(workspace):
        return list(_people(task, state, after)[:CSV_ROWS])


def _cells(person: Candidate) -> list[str]:
    known = "; ".join(f"{name}: {value}" for name, value in sorted(person.facts.items()))
    return [
        str(person.place),
        person.username,
        str(person.target_pk),
        WORDS[person.state],
        person.reason,
        person.media_id,
        known,
    ]
