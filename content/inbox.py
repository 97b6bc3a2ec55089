"""Comments and messages as Meta tells of them: each kept once, assigned, done, and answered by rules.

What we say goes out by `content.replies`.
"""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.timezone import now

from accounts import farewell, notifications, tenancy
from accounts.models import Membership, NoticeKind, User
from bots.instagram.graph import GraphDoor
from bots.models import InstagramAccount, MetaEvent, OfficialAccess
from bots.official import door_of
from content import measuring, replies
from content.models import AccountInsight, Measuring, PostInsight, ReplyRule, SavedReply, Talk, TalkLine
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity, record
from instagrowth import live

POSTS = 10  # whose comments are read, newest first
TRIES = 5  # of one event that cannot be worked
A_BATCH = 200  # events of one account in a row
MOST_RULES, MOST_SAVED = 50, 100
# Refusals of what was asked for, and not of us: the rest is still read.
OF_ONE = (codes.IG_OFFICIAL_SCOPE, codes.GRAPH_NOT_FOUND, codes.GRAPH_REFUSED, codes.GRAPH_NOT_UNDERSTOOD)
Kind, State = Talk.Kind, TalkLine.State


# What Meta tells


def work(workspace: UUID, account: UUID) -> int:
    """Work what Meta told of an account and nobody worked yet, in its order; how much that was."""
    done = 0
    while done < A_BATCH and _work_next(workspace, account):
        done += 1
    return done


def due_events(limit: int = 200) -> list[tuple[UUID, UUID]]:
    """(workspace, account) of those with events that no worker took up at once."""
    late = now() - timedelta(seconds=10)
    with tenancy.platform("what Meta told of all workspaces is worked"):
        waiting = MetaEvent.objects.filter(worked_at=None, received_at__lt=late)
        return list(waiting.order_by().values_list("workspace_id", "account_id").distinct()[:limit])


def heard(
    access: OfficialAccess, kind: str, root: str, *, remote_id: str, text: str, at: datetime, ours: bool, **about: str
) -> bool:
    """Keep one thing that was said; False when it was known. A rule may answer it. In the workspace's view."""
    own = {"workspace_id": access.workspace_id, "account_id": access.account_id}
    who = {} if ours else {name: about.get(name, "") for name in ("person", "username")}
    known = {name: value for name, value in about.items() if value}
    talk, is_new = Talk.objects.get_or_create(**own, kind=kind, root=root, defaults=known | {"last_at": at})
    if not is_new and known.get("username") and (not talk.username or remote_id == root):  # who began it may come late
        Talk.objects.filter(pk=talk.pk).update(username=known["username"], person=known.get("person", talk.person))
    if ours and replies.found(talk, remote_id, text):
        return False
    state = State.CONFIRMED if ours else State.RECEIVED
    line = TalkLine(workspace_id=access.workspace_id, talk=talk, remote_id=remote_id, text=text, at=at, is_ours=ours,
                    state=state, **who)  # fmt: skip
    try:
        with transaction.atomic():
            line.save(force_insert=True)
    except IntegrityError:
        return False
    Talk.objects.filter(pk=talk.pk, last_at__lte=at).update(last_at=at, last_text=text[:200])
    if not ours:
        mine = Talk.objects.filter(pk=talk.pk)
        mine.filter(Q(theirs_at=None) | Q(theirs_at__lt=at)).update(theirs_at=at, is_done=False)
        line.talk = mine.get()
        _answer_by_rule(line)
    live.publish(access.workspace_id, "inbox", {"talk": str(talk.pk)})
    return True


def read(workspace: UUID, account_id: UUID) -> None:
    """Read the newest comments and conversations: when an account is new, and for what a webhook did not bring.

    What was read is kept, also where Meta refuses the rest: a refusal of one thing ends that alone, any other ends all.
    """
    with tenancy.scope(workspace):
        access = OfficialAccess.objects.select_related("account").filter(account=account_id).first()
        if access is None or not access.is_active:
            return
    said: dict[str, list[dict[str, Any]]] = {}
    refusals: dict[str, BotException] = {}
    try:
        with tenancy.scope(workspace):
            door = door_of(access)
        for media, ask in _sources(door):
            try:
                said[media] = ask()
            except BotException as refused:
                if refused.code not in OF_ONE:
                    raise
                refusals[refused.code.id] = refused
    except BotException as refused:
        refusals[refused.code.id] = refused
    with tenancy.scope(workspace), transaction.atomic():
        for media, things in said.items():
            for one in things:
                _comment(access, one, media, _moment(one["timestamp"])) if media else _conversation(access, one)
        _note(access, refusals, now() if "" in said else None)


def forget(account: InstagramAccount) -> None:
    """Delete what came through Meta of an account: comments, messages and numbers. In a view on its workspace."""
    for model in (Talk, PostInsight, AccountInsight, Measuring, MetaEvent):
        model.objects.filter(account=account).delete()


def forget_events() -> None:
    """Throw away what was worked a week ago: Meta repeats itself for 36 hours at most."""
    with tenancy.platform("old events of all workspaces go"):
        MetaEvent.objects.filter(worked_at__lt=now() - timedelta(days=7)).delete()


# What the team does


def assign(talk: Talk, by: User, to: User | None) -> None:
    """Let a member of the team, or nobody, care for a talk. Raises VALIDATION_FAILED for somebody else."""
    if to and not Membership.objects.filter(workspace=talk.workspace_id, user=to).exists():
        raise BotException(codes.VALIDATION_FAILED, "Choose somebody of the team.", field="assigned")
    if not Talk.objects.filter(pk=talk.pk).exclude(assigned=to).update(assigned=to) and to:
        return
    log_activity("inbox_assign", workspace=talk.workspace_id, user=by, account=talk.account_id, to=str(to or "nobody"))
    if to and to != by:
        title = f"{by} assigned you {talk.get_kind_display().lower()}s of {talk}"
        notifications.notify(
            talk.workspace_id, NoticeKind.TEAM, title, path=f"/inbox/{talk.pk}/", about=f"talk:{talk.pk}", to=[to]
        )
    live.publish(talk.workspace_id, "inbox", {"talk": str(talk.pk)})


def settle(talk: Talk, by: User, *, done: bool) -> None:
    """Put a talk away as done, or back; it comes back by itself when the person says more."""
    if Talk.objects.filter(pk=talk.pk, is_done=not done).update(is_done=done):
        deed = "inbox_done" if done else "inbox_open"
        log_activity(deed, workspace=talk.workspace_id, user=by, account=talk.account_id)
        live.publish(talk.workspace_id, "inbox", {"talk": str(talk.pk)})


def add_rule(workspace_id: UUID, user: User, *, words: str, on: str, how: str, text: str) -> ReplyRule:
    """Let words be answered by themselves from now on. Raises VALIDATION_FAILED, IG_REPLY_INVALID, BEING_DELETED."""
    farewell.nothing_new(workspace_id)  # of two clicks the second waits here, and finds the first's
    words = " ".join(re.findall(r"\w+", words.lower()))
    mine = ReplyRule.objects.filter(workspace_id=workspace_id)
    if not words:
        raise BotException(codes.VALIDATION_FAILED, "Write a word that people say.", field="words")
    if mine.count() >= MOST_RULES or mine.filter(on=on, words=words).exists():
        raise BotException(
            codes.VALIDATION_FAILED, f"There is a rule for this already, or there are {MOST_RULES}.", field="words"
        )
    how = how if on == Kind.COMMENT else ReplyRule.How.SAME
    replies.must_fit(text.strip(), by_message=on == Kind.MESSAGE or how == ReplyRule.How.PRIVATE)
    log_activity("inbox_rule", workspace=workspace_id, user=user, words=words, on=on)
    return ReplyRule.objects.create(
        workspace_id=workspace_id, words=words, on=on, how=how, text=text.strip(), created_by=user.pk
    )


def remove_rule(rule: ReplyRule, user: User) -> None:
    """Let a rule answer nothing more: what waits of it is not sent either."""
    log_activity("inbox_rule", workspace=rule.workspace_id, user=user, words=rule.words, removed="yes")
    for line in TalkLine.objects.filter(rule=rule, state=State.QUEUED).select_for_update():
        if line.is_private and line.answers:
            TalkLine.objects.filter(pk=line.answers.pk).update(answered_privately=False)
        line.delete()
        _tell_newest(line.talk_id)
    rule.delete()


def save_reply(workspace_id: UUID, user: User, *, name: str, text: str) -> SavedReply:
    """Keep a text for the team; the same name is written over. Raises VALIDATION_FAILED."""
    mine = SavedReply.objects.filter(workspace_id=workspace_id)
    if mine.exclude(name=name).count() >= MOST_SAVED:
        raise BotException(codes.VALIDATION_FAILED, f"There are {MOST_SAVED} already.", field="name")
    kept, _ = mine.update_or_create(workspace_id=workspace_id, name=name, defaults={"text": text.strip()})
    log_activity("inbox_saved", workspace=workspace_id, user=user, name=name)
    return kept


def remove_saved(reply: SavedReply, user: User) -> None:
    """Throw a saved reply away."""
    log_activity("inbox_saved", workspace=reply.workspace_id, user=user, name=reply.name, removed="yes")
    reply.delete()


# The parts


def _work_next(workspace: UUID, account: UUID) -> bool:
    """Work the oldest waiting event; an error is written down, and after TRIES the event is left."""
    with tenancy.scope(workspace):
        waiting = MetaEvent.objects.select_for_update(skip_locked=True).filter(account=account, worked_at=None)
        event = waiting.order_by("attempts", "received_at", "pk").first()
        if event is None:
            return False
        access = OfficialAccess.objects.select_related("account").filter(account=account).first()
        event.attempts += 1
        try:
            with transaction.atomic():
                if access is not None:
                    _take(access, event)
            event.worked_at = now()
        except (KeyError, TypeError, ValueError, AttributeError) as broken:
            record(broken, action="inbox_event", workspace=workspace, account=account)
            event.error_code = codes.JSON_MALFORMED.id
            event.worked_at = now() if event.attempts >= TRIES else None
        event.save(update_fields=["attempts", "worked_at", "error_code"])
    return event.worked_at is not None


def _take(access: OfficialAccess, event: MetaEvent) -> None:
    told = event.told
    if told.get("field") == "comments":
        value = told["value"]
        _comment(access, value, value.get("media", {}).get("id", ""), event.said_at)
    elif told.get("field") == "story_insights":
        measuring.keep_story(access, told["value"])
    elif message := told.get("message"):
        _message(access, told, message)


def _message(access: OfficialAccess, told: dict[str, Any], message: dict[str, Any]) -> None:
    if message.get("is_deleted"):
        _take_back(access, str(message["mid"]))
        return
    ours = bool(message.get("is_echo")) or str(told["sender"]["id"]) == access.ig_id
    person = str(told["recipient" if ours else "sender"]["id"])
    at = min(datetime.fromtimestamp(int(told["timestamp"]) / 1000, UTC), now())
    heard(access, Kind.MESSAGE, person, remote_id=str(message["mid"]), text=str(message.get("text") or ""), at=at,
          ours=ours, person=person)  # fmt: skip


def _take_back(access: OfficialAccess, mid: str) -> None:
    """A person took a message back: its words go from here, from the list, and from what Meta told of it."""
    MetaEvent.objects.filter(account=access.account_id, told__message__mid=mid).update(told={})  # waits for a worker
    line = TalkLine.objects.filter(talk__account=access.account_id, remote_id=mid).first()
    if line:
        TalkLine.objects.filter(pk=line.pk).update(text="")
        _tell_newest(line.talk_id)
        live.publish(access.workspace_id, "inbox", {"talk": str(line.talk_id)})


def _tell_newest(talk: UUID) -> None:
    """Let the list show what is the newest line of a talk now."""
    newest = TalkLine.objects.filter(talk=talk).latest("at", "pk")
    Talk.objects.filter(pk=talk).update(last_text=newest.text[:200], last_at=newest.at)


def _comment(access: OfficialAccess, value: dict[str, Any], media: str, at: datetime) -> None:
    who = value.get("from") or {}
    name = str(who.get("username") or value.get("username", ""))
    root = str(value.get("parent_id") or value["id"])
    ours = name == access.account.username or str(who.get("id", "")) == access.ig_id
    if ours and not Talk.objects.filter(account=access.account_id, kind=Kind.COMMENT, root=root).exists():
        return  # our own first comment is no talk with anybody
    theirs = {} if ours else {"username": name, "person": str(who.get("id") or name)}
    heard(access, Kind.COMMENT, root, remote_id=str(value["id"]), text=str(value.get("text", "")), at=at, ours=ours,
          media_id=str(media), **theirs)  # fmt: skip


def _sources(door: GraphDoor) -> Iterator[tuple[str, Callable[[], list[dict[str, Any]]]]]:
    """What is read, one by one: the newest conversations, then the comments of each of the newest posts, by its id."""
    yield "", door.conversations
    for post in door.recent_media(POSTS):
        yield post["id"], partial(_comments, door, post["id"])


def _comments(door: GraphDoor, media: str) -> list[dict[str, Any]]:
    """The newest comments on a post, each before its replies."""
    said = []
    for one in door.comments(media):
        said += [one, *(reply | {"parent_id": one["id"]} for reply in one.get("replies", {}).get("data", []))]
    return said


def _note(access: OfficialAccess, refusals: dict[str, BotException], messages_at: datetime | None) -> None:
    """Keep how a reading went; what was refused before in the same way is not written down again."""
    own: dict[str, Any] = {"workspace_id": access.workspace_id, "account_id": access.account_id}
    code = next(iter(refusals), "")
    known = code and Measuring.objects.filter(**own, inbox_code=code).exists()
    Measuring.objects.update_or_create(**own, defaults={"inbox_code": code, "messages_at": messages_at})
    for refused in () if known else refusals.values():
        record(refused, action="inbox_read", workspace=access.workspace_id, account=access.account)


def _conversation(access: OfficialAccess, talk: dict[str, Any]) -> None:
    people = [one for one in talk["participants"]["data"] if str(one["id"]) != access.ig_id]
    for told in reversed(talk["messages"]["data"] if people else []):
        person, name = str(people[0]["id"]), str(people[0].get("username", ""))
        ours = str(told["from"]["id"]) == access.ig_id
        heard(access, Kind.MESSAGE, person, remote_id=str(told["id"]), text=str(told["message"]),
              at=_moment(told["created_time"]), ours=ours, person=person, username=name)  # fmt: skip


def _moment(text: str) -> datetime:
    return parse_datetime(text) or now()


def _answer_by_rule(said: TalkLine) -> None:
    """The first rule whose words were said after it was made answers: each person once in a talk, within 24 hours."""
    talk, words = said.talk, set(re.findall(r"\w+", said.text.lower()))
    if said.at < now() - replies.WINDOW:
        return
    for rule in ReplyRule.objects.filter(on=talk.kind, is_active=True, created_at__lte=said.at):
        if set(rule.words.split()) <= words:
            if TalkLine.objects.filter(talk=talk, rule=rule, person=said.person).exists():
                return
            try:
                with transaction.atomic():
                    replies.say(talk, rule.text, to=said, private=rule.how == ReplyRule.How.PRIVATE, rule=rule)
            except IntegrityError:
                pass  # another worker was first to answer this person
            except BotException as refused:
                record(refused, action="inbox_rule", workspace=talk.workspace_id, account=talk.account_id)
            return
