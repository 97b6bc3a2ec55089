"""Whom a task meets next: found a page at a time, remembered, and weighed one by one.

Nothing is sent here, but each page and each profile is a read that Instagram counts as well: so both are few in a turn,
and a task that asks about people in vain comes to an end.
"""

from datetime import timedelta

from django.db.models import F, Max

from accounts import tenancy
from bots import growth, lists, targeting, tasking
from bots.actions import MODULES
from bots.instagram.private import Door, Person
from bots.models import Action, BotTask, Candidate, Kind
from bots.turns import Run
from errors import codes
from errors.codes import Then
from errors.exceptions import BotException
from errors.recording import record

PAGES_A_TURN = 3  # searches at most, so that a poor hashtag does not become a burst of reads
LOOK_AGAIN = timedelta(hours=1)  # a source that may have new people by then
IN_VAIN = 100  # people asked about, of whom fewer than one in
POOR = 20  # could be used, end a task
KNOWN = "contacted before"


def waiting(run: Run, task: BotTask) -> list[Candidate]:
    """The next people a task found, as many as a burst may need."""
    mine = Candidate.objects.filter(task=task, state=Candidate.State.WAITING)
    return list(mine.order_by("place")[: run.bot.burst])


def next_candidate(run: Run, door: Door, task: BotTask) -> Candidate | None:
    """The next person to weigh; searches on when the last page is used up, and ends the task when there is no more."""
    in_hand = run.waiting.setdefault(task.pk, [])
    while not in_hand:
        with tenancy.scope(run.workspace):
            in_hand += waiting(run, task)
        if in_hand:
            break
        if task.cursor == "" or run.pages >= PAGES_A_TURN or not run.has_time:
            if task.cursor == "":
                _exhaust(run, task)
            return None
        run.pages += 1
        try:
            page = MODULES[task.kind].find(door, task)
        except BotException as nowhere:
            _give_up_search(run, door, task, nowhere)
            return None
        with tenancy.scope(run.workspace):
            found = _remember(task, [person for person in page.people if person.pk != door.pk])
            task.cursor = page.cursor
            task.save(update_fields=["cursor"])
            if page.later and not found:
                tasking.wait(task, run.now + LOOK_AGAIN, "")
                return None
    return in_hand.pop(0)


def _give_up_search(run: Run, door: Door, task: BotTask, nowhere: BotException) -> None:
    """End a task whose source is not there; one whose answer we cannot read rests, so that the others go on.

    Raises `nowhere` again if it is about the account.
    """
    with tenancy.scope(run.workspace):
        if nowhere.code.then in (Then.SKIP, Then.TELL):
            tasking.close(task, run.bot, BotTask.Status.FAILED, nowhere.code)
        elif door.leaves_one(nowhere.code):
            record(nowhere, action=task.kind, workspace=run.workspace, account=run.bot.account_id, task=str(task.pk))
            tasking.wait(task, run.now + LOOK_AGAIN, nowhere.code.id)
        else:
            raise nowhere


def _remember(task: BotTask, people: list[Person]) -> int:
    """Keep who is new to this task; how many are. Who is found must not be the account itself."""
    keys = [int(person.pk) for person in people]
    mine = Candidate.objects.filter(task=task, target_pk__in=keys)
    known = set(mine.values_list("target_pk", flat=True))
    contacted = Action.objects.filter(account=task.bot.account_id, target_pk__in=keys)
    before = set(contacted.values_list("target_pk", flat=True))
    people = [person for person in people if int(person.pk) not in known]
    place = (Candidate.objects.filter(task=task).aggregate(last=Max("place"))["last"] or 0) + 1
    Candidate.objects.bulk_create(
        [
            Candidate(
                workspace_id=task.workspace_id,
                task=task,
                target_pk=int(person.pk),
                username=person.username[:30],
                place=place + i,
                facts=targeting.kept(targeting.facts_of(person)) | {"contacted": int(person.pk) in before},
                media_id=person.media_id or "",
            )
            for i, person in enumerate(people)
        ],
        ignore_conflicts=True,
    )
    return len(people)


def _exhaust(run: Run, task: BotTask) -> None:
    """The search has come to its end before the amount was reached: say so, and whether anybody was found at all."""
    with tenancy.scope(run.workspace):
        anybody = Candidate.objects.filter(task=task).exists()
        tasking.close(task, run.bot, BotTask.Status.DONE if anybody else BotTask.Status.FAILED, codes.NO_PEOPLE_FOUND)


def is_worth_it(run: Run, door: Door, task: BotTask, candidate: Candidate) -> bool:
    """Weigh a candidate; asks for the profile when a filter needs what the search did not tell.

    And before an unfollow while the keep list has names without numbers: we may know the person by a former name.
    """
    verdict = targeting.judge(candidate.facts, task.filters)
    if (verdict.unknown and not verdict.keep) or (task.kind == Kind.UNFOLLOW and _may_be_renamed(run)):
        try:
            person = door.person(str(candidate.target_pk))
        except BotException as error:
            if not door.leaves_one(error.code):
                raise
            return skip(run, task, candidate, error.code.what)
        candidate.username = person.username[:30] or candidate.username
        candidate.facts = candidate.facts | targeting.facts_of(person)
        verdict = targeting.judge(candidate.facts, task.filters)
    if not verdict.keep:
        return skip(run, task, candidate, verdict.reason)
    if run.bot.holdout and task.kind in growth.CONTACTS and _is_left_alone(run, candidate):
        return skip(run, task, candidate, "left alone, to compare with", Candidate.State.HELD)
    return True


def _is_left_alone(run: Run, candidate: Candidate) -> bool:
    with tenancy.scope(run.workspace):
        return growth.leaves_alone(run.bot, candidate)


def _may_be_renamed(run: Run) -> bool:
    with tenancy.scope(run.workspace):
        return lists.barring(run.workspace, Kind.UNFOLLOW).filter(target_pk=None).exists()


def skip(
    run: Run, task: BotTask, candidate: Candidate, reason: str, state: Candidate.State = Candidate.State.SKIPPED
) -> bool:
    """Leave a candidate alone and keep why; never worth it."""
    with tenancy.scope(run.workspace):
        candidate.state, candidate.reason, candidate.facts = state, reason[:120], targeting.kept(candidate.facts)
        candidate.save(update_fields=["state", "reason", "facts"])
        if state == Candidate.State.HELD and task.kind == Kind.FOLLOW:
            growth.hold(run.bot, candidate)
        BotTask.objects.filter(pk=task.pk).update(skipped=F("skipped") + 1)
    return False


def end_if_poor(run: Run, task: BotTask) -> None:
    """End a task of whose people hardly anybody can be used.

    Not counted are who was contacted before or is on a list: we know them without asking. Whom the bot followed itself
    it may always unfollow.
    """
    if task.kind == Kind.UNFOLLOW:
        return
    with tenancy.scope(run.workspace):
        skipped = Candidate.objects.filter(task=task, state=Candidate.State.SKIPPED)
        in_vain = skipped.exclude(reason__in=(KNOWN, codes.LISTED.what)).count()
        in_vain += Action.objects.filter(task=task, state=Action.State.REFUSED).count()
        if in_vain >= IN_VAIN and (task.confirmed + task.unknown) * POOR < in_vain:
            tasking.close(task, run.bot, BotTask.Status.FAILED, codes.TASK_TARGETS_POOR)
