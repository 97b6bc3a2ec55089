"""One turn of one bot: a short burst of actions, each written down before it is sent and again when it has ended.

No transaction is open while we wait for Instagram. PostgreSQL's lease and fence say who may act; a worker that lost
them finds out in the same call that would write its next intent.
"""

import json
import math
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from accounts import tenancy
from bots import growth, health, limits, lists, pacing, searching, sessions, switch, tasking, turns, ways
from bots.actions import MODULES
from bots.dispatch import LEASE, LOOK_UP_AFTER
from bots.instagram.private import Door, NoAnswer, Outcome, State, TooLate, awake_clock
from bots.limits import Caps
from bots.locks import account_lock
from bots.models import Action, Bot, BotTask, Candidate, Turn
from bots.turns import Run
from errors import codes, correlation
from errors.codes import Code, Then
from errors.exceptions import BotException
from errors.recording import record
from instagrowth import live

# Seconds from before the intent: a process that was frozen for longer does not send (lease 90 minus the call).
SEND_BEFORE = 50
SEARCHES_PER_ACTION = 8  # candidates weighed at most for each action of the burst
UNSTABLE_AFTER = 5  # unknown outcomes, or turns that met one of these, in a row
TRANSPORT = {
    code.id
    for code in (codes.NET_REFUSED, codes.NET_TIMEOUT, codes.NET_RESET, codes.NET_NO_ANSWER, codes.NET_BAD_ANSWER)
}
UNCLASSIFIED_AFTER = 3  # refusals in a row that we do not know
logger = structlog.get_logger("bots")


class Fenced(Exception):
    """The bot is not ours any more: stopped, taken back, or claimed anew."""


def run_turn(workspace: UUID, bot_id: UUID, fence: int) -> str:
    """Give a claimed bot its turn if it is still ours; how the turn ended, in a word or a code."""
    run = turns.take_over(workspace, bot_id, fence)
    if run is None:
        return "not ours"
    structlog.contextvars.bind_contextvars(account=run.bot.account.username, turn=str(run.turn))
    try:
        with account_lock(run.bot.account_id, without_redis=True) as held:
            ended = _work(run) if held else codes.SESSION_BUSY.id
    except Fenced:
        ended = "fenced"  # by its owner, and then it is given back, or by another worker, whose it is now
    except BotException as stop:
        ended = _stop(run, stop)
    except Exception as unforeseen:  # ours, or Celery's soft time limit: either way the bot is given back
        if turns.is_gone(run):
            return "gone"
        turns.fail(run, unforeseen)
        raise
    turns.give_back(run, ended)
    return ended


def _work(run: Run) -> str:
    """Perform the burst. Returns how it ended; raises the first stop signal."""
    bot = run.bot
    with tenancy.scope(run.workspace):
        obstacle = _obstacle(run)
        tasks = [] if obstacle else _open_tasks(run)
    if obstacle or not tasks:
        return obstacle or "nothing to do"
    with sessions.borrow(bot.account) as door:
        _measure(run, door)
        growth.ask_some(run.workspace, bot, door)
        while tasks and run.actions < bot.burst and run.has_time:
            # One action of each task in turn, until the burst is full or nobody has anything to do.
            tasks = [task for task in tasks if run.actions < bot.burst and run.has_time and _step(run, door, task)]
    return "done" if run.actions else "nothing to do"


def _obstacle(run: Run) -> str:
    """Why the bot does nothing this turn, in a word or a code; empty if it may work. Raises SESSION_INVALID."""
    bot, account = run.bot, run.bot.account
    if bot.status != Bot.Status.RUNNING:
        return bot.status
    if not health.recover(account, run.now):
        return account.health
    if ways.rests(account):
        health.note_error(Bot.objects.filter(pk=bot.pk), codes.NETWORK_SLOWED)
        return codes.NETWORK_SLOWED.id
    if switch.is_beyond_plan(account, run.plan):
        health.note_error(Bot.objects.filter(pk=bot.pk), codes.PLAN_ACCOUNT_LIMIT)
        return codes.PLAN_ACCOUNT_LIMIT.id
    if pacing.opens_at(bot, run.now) > run.now:
        return codes.OUTSIDE_WORKING_HOURS.id
    if not sessions.is_usable(account):
        raise BotException(codes.SESSION_INVALID)
    return ""


def _measure(run: Run, door: Door) -> None:
    """Once on each of its days ask how many the account follows, for Instagram's cap, and how many follow it."""
    account = run.bot.account
    zone = ZoneInfo(account.timezone)
    today = run.now.astimezone(zone).date()
    if account.measured_at is not None and account.measured_at.astimezone(zone).date() == today:
        return
    known = door.person(door.pk)
    with tenancy.scope(run.workspace):
        sessions.note_counts(account, known)
        account.save(update_fields=["followers", "following", "measured_at"])
        growth.note_day(account, today)


def _open_tasks(run: Run) -> list[BotTask]:
    """The tasks that may go on now, oldest first, with who waits to be weighed; one of a blocked kind rests."""
    ready = Q(waits_until=None) | Q(waits_until__lte=Now())
    mine = BotTask.objects.filter(ready, bot=run.bot, workspace=run.workspace, status__in=BotTask.OPEN)
    open_tasks = []
    for task in mine.order_by("created_at"):
        until = health.blocked_until(run.bot.account, task.kind, run.now)
        if until:
            tasking.wait(task, until, run.bot.account.blocked_kinds[task.kind]["code"])
        else:
            task.bot = run.bot
            run.waiting[task.pk] = searching.waiting(run, task)
            open_tasks.append(task)
    return open_tasks


def _step(run: Run, door: Door, task: BotTask) -> bool:
    """One action of a task, if it has one to do now: whether something was sent."""
    run.kind = task.kind
    if task.confirmed >= task.amount:  # the worker that counted the last one died before it could say so
        with tenancy.scope(run.workspace):
            tasking.close(task, run.bot, BotTask.Status.DONE, None)
        return False
    if task.confirmed + task.unknown >= task.amount:
        return False  # what is unknown may yet turn out to have arrived
    caps = limits.caps(run.bot, task.kind, run.plan, run.platform, run.now)
    for _ in range(SEARCHES_PER_ACTION):
        if not run.has_time:
            return False
        candidate = searching.next_candidate(run, door, task)
        if candidate is None:
            return False
        if not searching.is_worth_it(run, door, task, candidate):
            continue
        send_before = awake_clock() + SEND_BEFORE
        action = _intend(run, task, candidate, caps)
        if action is None:
            if task.status in (BotTask.Status.WAITING, BotTask.Status.STOPPED):
                return False
            continue
        if _perform(run, door, task, candidate, action, send_before):
            return True
    searching.end_if_poor(run, task)
    return False


def _intend(run: Run, task: BotTask, candidate: Candidate, caps: Caps) -> Action | None:
    """T1, one transaction: renew the lease, write the intent, take one unit of every limit (`write_intent`).

    None if the person was contacted before, the task was stopped, or a limit is reached (then the task waits).
    Raises Fenced if the bot is not ours or was stopped.
    """
    account = run.bot.account
    correlation_id = task.correlation_id or correlation.current()
    campaign = MODULES[task.kind].once(task, candidate, run.now.astimezone(ZoneInfo(account.timezone)).date())
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM write_intent(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [run.workspace, run.bot.pk, run.fence, LEASE, task.pk, run.turn, account.pk, task.kind,
             candidate.target_pk, candidate.username, campaign, correlation_id, account.timezone,
             caps.hourly, caps.daily, caps.weekly],
        )  # fmt: skip
        verdict, pk, created_at, taken = cursor.fetchone()
    if verdict == "fenced":
        raise Fenced
    if verdict == "stopped":
        task.status = BotTask.Status.STOPPED
    elif verdict == "listed":
        with tenancy.scope(run.workspace):
            lists.learn(run.workspace, task.kind, candidate.username, candidate.target_pk)
        searching.skip(run, task, candidate, codes.LISTED.what)
    elif verdict == "known":
        searching.skip(run, task, candidate, searching.KNOWN)
    elif verdict == "full":
        _reached(run, task, caps)
    if verdict != "written":
        return None
    if taken == math.ceil(limits.NEAR * caps.daily) and task.kind in limits.NEAR_CODES:
        _note(run, limits.NEAR_CODES[task.kind], task)
    return Action(
        id=pk,
        workspace_id=run.workspace,
        account=account,
        task=task,
        kind=task.kind,
        target_pk=candidate.target_pk,
        target_username=candidate.username,
        campaign=campaign,
        created_at=created_at,
    )


def _reached(run: Run, task: BotTask, caps: Caps) -> None:
    """Let the task wait until the limit has room again."""
    code = limits.reached(caps)
    with tenancy.scope(run.workspace):
        waits = tasking.wait(task, limits.room_at(run.bot.account, caps), code.id)
    if waits:
        _note(run, code, task)


def _note(run: Run, code: Code, task: BotTask) -> None:
    """Write a warning into the log and onto the automation page."""
    story = structlog.contextvars.bound_contextvars(correlation_id=task.correlation_id)
    with tenancy.scope(run.workspace), story:
        health.note_error(Bot.objects.filter(pk=run.bot.pk), code)
        record(code, action=task.kind, workspace=run.workspace, account=run.bot.account, task=str(task.pk))


def _perform(run: Run, door: Door, task: BotTask, candidate: Candidate, action: Action, send_before: float) -> bool:
    """Send once, and write down what came of it: whether something may have left. Raises what stops the turn."""
    try:
        with door.sending_before(send_before):
            outcome = MODULES[action.kind].perform(door, action, task)
    except TooLate:
        _withdraw(run, action)
        raise Fenced from None
    except NoAnswer as silence:
        _write(run, task, candidate, action, Action.State.UNKNOWN, silence.code, sent=True)
        raise
    except BotException as unread:  # of a read before the write: nothing was sent
        outcome = Outcome(State.REFUSED, unread.code, meta=unread.meta)
    code = outcome.code
    refused = outcome.state is State.REFUSED and code is not None
    if refused and not outcome.sent and not door.leaves_one(code):
        _withdraw(run, action)
    else:
        state = Action.State.CONFIRMED if outcome.state is State.CONFIRMED else Action.State.REFUSED
        _write(run, task, candidate, action, state, code, sent=outcome.sent)
    if code is codes.INSTAGRAM_UNCLASSIFIED and _last_actions(run, UNCLASSIFIED_AFTER, "error_code") == {code.id}:
        raise BotException(codes.INSTAGRAM_UNCLASSIFIED_REPEATED, **outcome.meta)
    if refused and code.then is not Then.SKIP:
        raise BotException(code, kind=action.kind, **outcome.meta)
    return outcome.sent


def _withdraw(run: Run, action: Action) -> None:
    """Nothing was sent: the intent never was, and its units go back; unless others found it and look it up by now."""
    with tenancy.scope(run.workspace):
        withdrawn, _ = Action.objects.filter(pk=action.pk, state=Action.State.INTENT).delete()
        if withdrawn:
            limits.refund(action, run.bot.account.timezone)


def _write(
    run: Run, task: BotTask, candidate: Candidate, action: Action, state: Action.State, code: Code | None, *, sent: bool
) -> None:
    """T2, one transaction: the outcome wherever it is told (`write_outcome`). An unknown one stays charged."""
    news = {"account": run.bot.account.username, "kind": action.kind, "outcome": str(state)}
    story = {"target": action.target_username, "outcome": str(state)}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM write_outcome(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [run.workspace, action.pk, state, code.id if code else "", code.what if code else "",
             LOOK_UP_AFTER.total_seconds(), sent, candidate.pk, task.pk, run.bot.user_id,
             json.dumps(story), json.dumps(news), run.bot.account.timezone],
        )  # fmt: skip
        seq, at = cursor.fetchone()
    run.actions += sent
    if seq is None:
        return  # looked up and counted by another worker, or gone with its account
    task.confirmed += state == Action.State.CONFIRMED
    task.unknown += state == Action.State.UNKNOWN
    live.tell(run.workspace, {"seq": seq, "name": "action", "data": news, "at": at.isoformat()})
    if task.confirmed >= task.amount:
        with tenancy.scope(run.workspace):
            tasking.close(task, run.bot, BotTask.Status.DONE, None)


def _stop(run: Run, stop: BotException) -> str:
    """Take the reaction that the code prescribes; how the turn ends."""
    with tenancy.scope(run.workspace):
        if _is_unstable(run, stop):
            stop = BotException(codes.NET_UNSTABLE)
        if isinstance(stop, NoAnswer) and stop.code.then not in health.TOUCH_ACCOUNT:
            health.note_error(Bot.objects.filter(pk=run.bot.pk), stop.code)
        else:  # a web page where data was expected leaves the action unknown, and is a sign as well
            health.react(run.bot.account, stop, str(stop.meta.get("kind", run.kind)))
    sessions.forget(run.bot.account_id)
    return stop.code.id


def _is_unstable(run: Run, stop: BotException) -> bool:
    """Whether the last five actions got no answer, or the last five turns none to what they asked first."""
    if isinstance(stop, NoAnswer):
        states = _last_actions(run, UNSTABLE_AFTER, "state")
        return bool(states) and states <= {Action.State.UNKNOWN, Action.State.ABSENT}
    before = Turn.objects.filter(bot=run.bot, workspace=run.workspace).exclude(pk=run.turn).order_by("-due_at")
    ends = [(stop.code.id, run.actions), *before.values_list("ended", "actions")[: UNSTABLE_AFTER - 1]]
    return len(ends) == UNSTABLE_AFTER and all(code in TRANSPORT and not sent for code, sent in ends)


def _last_actions(run: Run, count: int, field: str) -> set[str]:
    """What the account's last so many actions have there; nothing if there were not so many."""
    with tenancy.scope(run.workspace):
        actions = Action.objects.filter(account=run.bot.account_id).order_by("-created_at")
        last = list(actions.values_list(field, flat=True)[:count])
    return set(last) if len(last) == count else set()
