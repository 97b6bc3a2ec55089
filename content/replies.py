"""What we say to people who said something first: each answer at most once, and only within Meta's windows.

An answer is written down (queued), taken by one worker (intent), sent once, and written down again. One whose answer
was lost is unknown: it is never sent again, and the next look at Meta shows whether it is there.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db import transaction
from django.db.models.functions import Now
from django.utils.timezone import now

from accounts import farewell, tenancy
from accounts.models import User
from bots.instagram.graph import GraphDoor
from bots.instagram.reactions import NoAnswer
from bots.official import official_door
from content.models import ReplyRule, Talk, TalkLine
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity, record
from instagrowth import live

WINDOW = timedelta(hours=24)  # for messages and for rules, from the person's last words
PRIVATE_WINDOW = timedelta(days=7)  # for the one private reply, from the comment
LONGEST = {False: 2200, True: 1000}  # characters of a comment, bytes of a message
STUCK = timedelta(minutes=3)  # an answer in a worker's hand for longer is unknown
LOOKED_UP = timedelta(hours=1)  # for so long an unknown answer is looked for
Kind, State = Talk.Kind, TalkLine.State
OPEN = (State.INTENT, State.UNKNOWN)  # may have arrived, and we do not know yet


def closed(
    talk: Talk, to: TalkLine | None = None, *, private: bool = False, by_rule: bool = False
) -> BotException | None:
    """Why no answer (to this line) is allowed now; None when it is. A person answers in public at any time."""
    if talk.kind == Kind.MESSAGE and (talk.theirs_at is None or talk.theirs_at < now() - WINDOW):
        return BotException(codes.IG_WINDOW_CLOSED)
    if by_rule and to and to.at < now() - WINDOW:
        return BotException(codes.IG_WINDOW_CLOSED)
    if private and (to is None or to.at < now() - PRIVATE_WINDOW):
        return BotException(codes.IG_PRIVATE_REPLY_USED)
    return None


def must_fit(text: str, *, by_message: bool) -> None:
    """Raise IG_REPLY_INVALID for what Meta takes as no comment or no message."""
    if not text or (len(text.encode()) if by_message else len(text)) > LONGEST[by_message]:
        raise BotException(codes.IG_REPLY_INVALID, field="text")


def privately(talk: Talk) -> list[TalkLine]:
    """The comments that may still get their one private reply: the newest of each person, the newest first."""
    said = TalkLine.objects.filter(talk=talk, is_ours=False, answered_privately=False, at__gte=now() - PRIVATE_WINDOW)
    newest: dict[str, TalkLine] = {}
    for line in said.order_by("-at", "-pk")[:200] if talk.kind == Kind.COMMENT else ():
        newest.setdefault(line.person or str(line.pk), line)
    return list(newest.values())


def say(
    talk: Talk,
    text: str,
    *,
    user: User | None = None,
    to: TalkLine | None = None,
    private: bool = False,
    rule: ReplyRule | None = None,
    once: str = "",
) -> TalkLine:
    """Write an answer down and have a worker send it. In the workspace's view, in a transaction.

    `to` is the line it is about: a private reply goes to whoever wrote that one comment.
    `once` names the page: the same words from it again are a second click, and give the first one's line.

    Raises IG_REPLY_INVALID, IG_WINDOW_CLOSED, IG_PRIVATE_REPLY_USED, BEING_DELETED, or what `official_door` raises.
    """
    farewell.nothing_new(talk.workspace_id)  # the second of two clicks waits here for the first
    key = uuid5(talk.pk, f"{once} {to and to.pk} {text}") if once else uuid4()
    if said := TalkLine.objects.filter(pk=key).first():
        return said
    text, private = text.strip(), private and talk.kind == Kind.COMMENT
    must_fit(text, by_message=private or talk.kind == Kind.MESSAGE)
    official_door(talk.account)
    if refused := closed(talk, to, private=private, by_rule=rule is not None):
        raise refused
    if (
        private
        and to
        and not TalkLine.objects.filter(pk=to.pk, answered_privately=False).update(answered_privately=True)
    ):
        raise BotException(codes.IG_PRIVATE_REPLY_USED)
    line = TalkLine.objects.create(
        id=key,
        workspace_id=talk.workspace_id,
        talk=talk,
        text=text,
        is_ours=True,
        is_private=private,
        answers=to,
        person=to.person if to else "",
        username=to.username if to else "",
        state=State.QUEUED,
        rule=rule,
        by=user.pk if user else None,
    )
    Talk.objects.filter(pk=talk.pk).update(last_at=line.at, last_text=text[:200])
    transaction.on_commit(lambda: _hand_over(line), robust=True)
    return line


def send(workspace: UUID, line_id: UUID) -> None:
    """Send one answer, if it waits and nobody else has it; its window is looked at once more."""
    with tenancy.scope(workspace):
        if not TalkLine.objects.filter(pk=line_id, state=State.QUEUED).update(state=State.INTENT, at=Now()):
            return
        line = TalkLine.objects.select_related("talk__account__workspace", "answers").get(pk=line_id)
        refused = closed(line.talk, line.answers, private=line.is_private, by_rule=line.rule_id is not None)
        if line.talk.account.workspace.delete_at:
            refused = BotException(codes.BEING_DELETED)
        try:
            door = official_door(line.talk.account)
        except BotException as shut:
            refused = shut
    if refused is not None:
        _end(line, refused)
        return
    try:
        remote_id = _send(door, line)
    except BotException as failed:
        _end(line, failed)
    else:
        _end(line, None, remote_id)


def found(talk: Talk, remote_id: str, text: str) -> bool:
    """Whether what Meta shows of us is a line of this talk: one without an answer yet is confirmed by being seen.

    A private reply is shown by Meta in the conversation with the person: it is confirmed too, and the words are kept
    there as well.
    """
    if TalkLine.objects.filter(talk=talk, remote_id=remote_id).exists():
        return True
    open_lines = TalkLine.objects.filter(text=text, state__in=OPEN, remote_id=None).order_by("at")
    if talk.kind == Kind.MESSAGE and talk.person:
        private = {"is_private": True, "talk__account": talk.account_id, "person": talk.person}
        _seen(open_lines.filter(**private).first(), remote_id)
    return _seen(open_lines.filter(talk=talk, is_private=False).first(), remote_id)


def sweep() -> list[tuple[UUID, UUID]]:
    """(workspace, line) that no worker took, to be handed over again; what was taken and never ended is unknown."""
    late = now() - STUCK
    with tenancy.platform("answers of all workspaces are looked after"):
        TalkLine.objects.filter(state=State.INTENT, at__lt=late).update(
            state=State.UNKNOWN, error_code=codes.OUTCOME_UNKNOWN.id
        )
        waiting = TalkLine.objects.filter(state=State.QUEUED, at__lt=late)
        return list(waiting.values_list("workspace_id", "pk")[:500])


def to_look_up() -> list[tuple[UUID, UUID]]:
    """(workspace, account) of those with an unknown answer that may still be found by reading."""
    with tenancy.platform("answers of all workspaces are looked after"):
        lost = TalkLine.objects.filter(
            state=State.UNKNOWN, at__gt=now() - LOOKED_UP, at__lt=now() - timedelta(minutes=1)
        )
        return list(lost.order_by().values_list("workspace_id", "talk__account_id").distinct()[:200])


def _seen(line: TalkLine | None, remote_id: str) -> bool:
    if line is None:
        return False
    mine = TalkLine.objects.filter(pk=line.pk, state__in=OPEN)
    return bool(mine.update(state=State.CONFIRMED, remote_id=remote_id, error_code=""))


def _hand_over(line: TalkLine) -> None:
    from content.tasks import send_line

    send_line.apply_async((str(line.workspace_id), str(line.pk)), expires=600)


def _send(door: GraphDoor, line: TalkLine) -> str:
    if line.is_private:
        return door.private_reply((line.answers and line.answers.remote_id) or "", line.text)
    if line.talk.kind == Kind.COMMENT:
        return door.reply(line.talk.root, line.text)
    return door.send_message(line.talk.root, line.text)


def _end(line: TalkLine, refused: BotException | None, remote_id: str | None = None) -> None:
    """Write down how it ended. What Meta told of it meanwhile is true: then an error of ours changes nothing."""
    state = State.CONFIRMED if refused is None else State.UNKNOWN if isinstance(refused, NoAnswer) else State.REFUSED
    talk, code = line.talk, refused.code.id if refused else ""
    own: dict[str, Any] = {"workspace": line.workspace_id, "account": talk.account, "user": line.by}
    with tenancy.scope(line.workspace_id), transaction.atomic():
        if remote_id:
            TalkLine.objects.filter(talk=talk, remote_id=remote_id).exclude(pk=line.pk).delete()
        mine = TalkLine.objects.filter(pk=line.pk, state__in=OPEN)
        if not mine.update(state=state, remote_id=remote_id, error_code=code):
            return
        if refused is None:
            log_activity("inbox_reply", **own, to=str(talk), way="private" if line.is_private else talk.kind)
        else:
            record(refused, action="inbox_reply", **own, to=str(talk))
            if (
                line.is_private
                and line.answers
                and state == State.REFUSED
                and refused.code is not codes.IG_PRIVATE_REPLY_USED
            ):
                TalkLine.objects.filter(pk=line.answers.pk).update(answered_privately=False)
        live.publish(line.workspace_id, "inbox", {"talk": str(talk.pk)})
