"""Letting posts out, each at most once: claim, prepare, write the intent down, send once, look up what had no answer.

A post is claimed by one worker at a time (lease and fence, as bots are). Until `publish` nothing can be seen on
Instagram, so everything before it may be repeated. `publish` itself is sent after its intent was committed; where no
answer comes, the post is `unknown` until the container's state and the list of posts say what became of it. What is
proved absent goes out by the same container, which Instagram publishes once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.timezone import now

from accounts import tenancy
from bots.instagram.graph import GraphDoor
from bots.instagram.reactions import NoAnswer
from bots.official import official_door
from content import calendar, library, measuring
from content.models import Media, Post, Sending
from errors import codes, correlation
from errors.codes import Code, Then
from errors.exceptions import BotException
from errors.recording import record

HANDOVER = 30  # seconds a claimed post waits for its worker: what a lost message costs
LEASE = 90  # seconds of a turn; longer than the 75 s after which Celery kills it
TRIES = 6  # turns in a row that may come to nothing before a post is given up
POLL = timedelta(seconds=5)  # between two looks at what Instagram still prepares
READY_WITHIN = timedelta(minutes=30)
CONTAINER_LIVES = timedelta(hours=23)  # at Instagram: 24
WAIT = timedelta(minutes=30)  # where Instagram wants us to wait
WAIT_AT_MOST = timedelta(hours=48)
FIRST_LOOK, NEXT_LOOK = timedelta(seconds=60), timedelta(minutes=2)
LOOKING = timedelta(hours=1)  # for what had no answer; then a person is asked
UNUSED = ("FINISHED", "IN_PROGRESS")  # what a container is that Instagram did not publish
CLOCKS_APART = timedelta(minutes=5)  # between Instagram's and ours
State = Post.State

_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id FROM content_post WHERE due_at <= now() AND lease_until IS NULL
    AND state IN ('scheduled', 'publishing', 'unknown', 'published')
    ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE content_post p SET fence = p.fence + 1, lease_until = now() + make_interval(secs => %s),
       state = CASE WHEN p.state = 'scheduled' THEN 'publishing' ELSE p.state END
FROM due WHERE p.id = due.id RETURNING p.workspace_id, p.id, p.fence
"""


class NotOursError(Exception):
    """The lease ran out and somebody else has the post: whatever we were about to do, we do not."""


@dataclass(frozen=True)
class Claim:
    """A post that is ours to let out: `fence` proves it."""

    workspace: UUID
    post: UUID
    fence: int


def claim(limit: int = 100) -> list[Claim]:
    """Claim up to `limit` posts that are due. What is claimed here is claimed by nobody else."""
    with tenancy.platform("the publisher claims due posts of all workspaces"), connection.cursor() as cursor:
        cursor.execute(_CLAIM, [limit, HANDOVER])
        return [Claim(*row) for row in cursor.fetchall()]


def sweep() -> int:
    """Take posts back whose worker is gone; what it may have sent becomes unknown. How many were taken back."""
    with tenancy.platform("the publisher takes back expired leases of all workspaces"):
        expired = list(Post.objects.select_for_update(skip_locked=True).filter(lease_until__lt=Now())[:500])
        for post in expired:
            _take_back(post)
    return len(expired)


def turn(workspace: UUID, post_id: UUID, fence: int) -> None:
    """Bring one post a step further, if it is still ours."""
    try:
        post = _ours(workspace, post_id, fence)
        with _refusals(post):
            assert post.account
            with tenancy.scope(workspace):
                if post.state == State.PUBLISHING and not post.container:
                    calendar.has_room(post.account)
                door = official_door(post.account)
            _STEPS[post.state](door, post)
    except NotOursError:
        return


# The steps


def _prepare(door: GraphDoor, post: Post) -> None:
    """Hand Instagram the media and the words, and publish once it is ready."""
    if post.container_at and post.container_at < now() - CONTAINER_LIVES:
        _keep(post, container="", parts=[], container_at=None)
    if not post.container and not _contain(door, post):
        return
    status = door.container_status(post.container)
    if status == "FINISHED":
        _publish(door, post)
    elif status == "PUBLISHED":  # by a turn whose end nobody wrote down, or a request that was slower than two looks
        _doubt(post)
    elif status == "IN_PROGRESS":
        _poll(post)
    else:
        _spoiled(door, post, status)


def _contain(door: GraphDoor, post: Post) -> bool:
    """Make the container, for a carousel after its parts; whether it is there now."""
    if not post.parts:
        used, total = door.publishing_limit()
        if used >= total:
            raise BotException(codes.PUB_DAILY_LIMIT, used=used, total=total)
    with tenancy.scope(post.workspace_id):
        media = calendar.media_of(post)
    if post.kind != Post.Kind.CAROUSEL:
        fields = _fields(post, media[0])
    else:
        for one in media[len(post.parts) :]:
            part = door.create_container(**_file(one), is_carousel_item=True)
            _keep(post, parts=[*post.parts, part], container_at=post.container_at or now())
        waits = [part for part in post.parts if door.container_status(part) == "IN_PROGRESS"]
        if waits:
            _poll(post)
            return False
        fields = {"media_type": "CAROUSEL", "children": post.parts, "caption": post.caption}
    _keep(post, container=door.create_container(**fields), container_at=now())
    return True


def _fields(post: Post, media: Media) -> dict[str, Any]:
    """What a container of one file is made of."""
    if post.kind == Post.Kind.STORY:
        return {**_file(media), "media_type": "STORIES"}
    reel = {"media_type": "REELS"} if media.kind == Media.Kind.VIDEO else {}
    return {**_file(media), **reel, "caption": post.caption}


def _file(media: Media) -> dict[str, Any]:
    address = library.address_of(media)
    if media.kind == Media.Kind.VIDEO:
        return {"video_url": address, "media_type": "VIDEO"}
    return {"image_url": address} | ({"alt_text": media.alt_text} if media.alt_text else {})


def _publish(door: GraphDoor, post: Post) -> None:
    """Write the intent down, send once, write down how it ended."""
    sending = _intend(post, Sending.What.POST)
    if sending is None:  # it is on its way, or there: what others did is looked up, not done again
        _doubt(post)
        return
    try:
        media_id = door.publish(post.container)
    except BotException as failed:
        lost = isinstance(failed, NoAnswer) or failed.code is codes.PUB_CONTAINER_GONE  # gone: it may have been used
        state = Sending.State.UNKNOWN if lost else Sending.State.REFUSED
        _end(post, sending, state, failed.code)
        if not lost:
            raise
        _unknown(post, failed.code)
        return
    _published(door, post, sending, media_id)


def _look_up(door: GraphDoor, post: Post) -> None:
    """Find out by reading what became of a post that got no answer."""
    with tenancy.scope(post.workspace_id):
        sending = Sending.objects.filter(post=post, what=Sending.What.POST, state=Sending.State.UNKNOWN).first()
    if sending is None:
        _release(post, state=State.PUBLISHING, due_at=now())
        return
    status = _status(door, sending.container)
    # What looks like ours beside a container that was not used is somebody else's.
    found = "" if status in UNUSED else _find(door, post, sending)
    if found or (status == "PUBLISHED" and sending.lookups >= 3):  # there for sure; the list may take its time
        _published(door, post, sending, found)
    elif status == "PUBLISHED" or sending.lookups == 0 or not (status or _long_ago(post)):
        # What was not there at first is looked for once more: the request may have been slower than we are.
        _look_again(post, sending)
    elif not status:
        _fail(post, codes.PUB_UNCLEAR)
    else:
        _absent(post, sending, status)


def _status(door: GraphDoor, container: str) -> str:
    """What Instagram says of a container; empty where it does not know it any more, which proves nothing."""
    try:
        return door.container_status(container)
    except BotException as refused:
        if refused.code is not codes.GRAPH_NOT_FOUND:
            raise
        return ""


def _find(door: GraphDoor, post: Post, sending: Sending) -> str:
    """The id of the post on Instagram that this sending, or an earlier one of its container, made; empty for none."""
    story = post.kind == Post.Kind.STORY
    listed = door.stories() if story else door.recent_media(50)
    with tenancy.scope(post.workspace_id):
        known = set(Post.objects.filter(account=post.account_id).values_list("instagram_id", flat=True))
        tries = Sending.objects.filter(post=post, what=Sending.What.POST, container=sending.container)
        since = min(tries.values_list("sent_at", flat=True)) - CLOCKS_APART
    made = {
        str(one["id"]): datetime.fromisoformat(one["timestamp"])
        for one in listed
        if (story or one.get("caption", "") == post.caption) and one["id"] not in known
    }
    ours = [key for key, at in made.items() if at > since]
    return min(ours, key=lambda key: abs(made[key] - sending.sent_at), default="")


def _comment(door: GraphDoor, post: Post) -> None:
    """Write the first comment, once; a lost answer is told and never sent again."""
    if not (post.instagram_id or _identify(door, post)):
        return
    sending = _intend(post, Sending.What.COMMENT) if post.first_comment and post.instagram_id else None
    if sending is not None:
        try:
            made = door.comment(post.instagram_id, post.first_comment)
        except BotException as failed:
            lost = isinstance(failed, NoAnswer)
            _end(post, sending, Sending.State.UNKNOWN if lost else Sending.State.REFUSED, failed.code)
            if not lost:
                raise
        else:
            _end(post, sending, Sending.State.CONFIRMED, None, made)
    _done(post)


def _identify(door: GraphDoor, post: Post) -> bool:
    """Find out which post it is that is out for sure; False where it is worth another look."""
    with tenancy.scope(post.workspace_id):
        confirmed = Sending.objects.filter(post=post, what=Sending.What.POST, state=Sending.State.CONFIRMED)
        sending = confirmed.get()
    if found := _find(door, post, sending):
        _keep(post, instagram_id=found, permalink=_permalink(door, post, found))
        with tenancy.scope(post.workspace_id):
            confirmed.update(instagram_id=found)
    elif sending.sent_at > now() - LOOKING:
        _release(post, due_at=now() + NEXT_LOOK, attempt=0)
        return False
    return True


_STEPS: dict[str, Callable[[GraphDoor, Post], None]] = {
    State.PUBLISHING: _prepare,
    State.UNKNOWN: _look_up,
    State.PUBLISHED: _comment,
}


# How a step ends


def _published(door: GraphDoor, post: Post, sending: Sending, media_id: str) -> None:
    """The post is there: say so, and where."""
    permalink = _permalink(door, post, media_id) if media_id else ""
    with transaction.atomic(), tenancy.scope(post.workspace_id):
        # The post first, as everybody who holds both does. Whoever has it now: that it is there is true.
        there = {"instagram_id": media_id, "permalink": permalink, "published_at": sending.sent_at}
        there |= {"state": State.PUBLISHED, "error_code": "", "attempt": 0}
        Post.objects.filter(pk=post.pk).update(due_at=Now(), **there)
        Sending.objects.filter(pk=sending.pk).update(
            state=Sending.State.CONFIRMED, instagram_id=media_id, ended_at=Now(), error_code=""
        )
        for name, value in there.items():
            setattr(post, name, value)
        calendar.tell(post, None, "post_published")
        calendar.tell_people(post)
        if post.account_id:
            measuring.soon(post.account_id)
    _comment(door, post)


def _permalink(door: GraphDoor, post: Post, media_id: str) -> str:
    """Where people see the post; empty where Instagram does not say it now."""
    try:
        return str(door.media_one(media_id).get("permalink", ""))[:300]
    except BotException as refused:
        _record(post, refused, "post_publish")
        return ""


def _done(post: Post) -> None:
    """Nothing is left to do for a post that is out; a first comment that is not there, or may not be, is told."""
    with tenancy.scope(post.workspace_id):
        comments = Sending.objects.filter(post=post, what=Sending.What.COMMENT)
        states = set(comments.values_list("state", flat=True))
    if not post.first_comment or Sending.State.CONFIRMED in states:
        _release(post, due_at=None, error_code="")
        return
    code = codes.PUB_COMMENT_UNCLEAR if Sending.State.UNKNOWN in states else codes.PUB_COMMENT_MISSING
    with tenancy.scope(post.workspace_id):  # one transaction, so that no end is kept that nobody is told of
        _release(post, due_at=None, error_code=code.id, correlation_id=correlation.current())
        _record(post, code, "post_comment")
        calendar.announce(post, "post_comment")
        calendar.tell_people(post, code)


def _unknown(post: Post, code: Code) -> None:
    with tenancy.scope(post.workspace_id):
        _release(post, state=State.UNKNOWN, due_at=now() + FIRST_LOOK, error_code=codes.OUTCOME_UNKNOWN.id)
        _record(post, code, "post_unknown")
        calendar.announce(post, "post_unknown")


def _doubt(post: Post) -> None:
    """Look up what somebody sent whose worker is gone, or what we took for absent too soon."""
    with tenancy.scope(post.workspace_id):
        sendings = Sending.objects.filter(post=post, what=Sending.What.POST)
        sendings.filter(state=Sending.State.INTENT).update(state=Sending.State.UNKNOWN)
        if not sendings.filter(state__in=(Sending.State.UNKNOWN, Sending.State.CONFIRMED)).exists():
            last = sendings.filter(container=post.container).order_by("-sent_at")[:1]
            sendings.filter(pk__in=last.values("pk")).update(state=Sending.State.UNKNOWN, ended_at=None)
        there = sendings.filter(state=Sending.State.UNKNOWN).exists()
    if there:
        _unknown(post, codes.OUTCOME_UNKNOWN)
    else:  # confirmed long ago, or a container that we did not publish
        _fail(post, codes.PUB_UNCLEAR)


def _long_ago(post: Post) -> bool:
    """Whether what had no answer was looked for long enough."""
    with tenancy.scope(post.workspace_id):
        lost = Sending.objects.filter(post=post, what=Sending.What.POST, state=Sending.State.UNKNOWN)
        return not lost.filter(sent_at__gt=now() - LOOKING).exists()


def _look_again(post: Post, sending: Sending) -> None:
    with tenancy.scope(post.workspace_id):
        Sending.objects.filter(pk=sending.pk).update(lookups=F("lookups") + 1)
    _release(post, due_at=now() + NEXT_LOOK, attempt=0)


def _absent(post: Post, sending: Sending, status: str) -> None:
    """Twice it was not there: what its container did not publish goes out by the same one, three times at most."""
    with tenancy.scope(post.workspace_id):
        Sending.objects.filter(pk=sending.pk).update(
            state=Sending.State.ABSENT, error_code=codes.OUTCOME_ABSENT.id, ended_at=Now()
        )
        absences = Sending.objects.filter(post=post, state=Sending.State.ABSENT).count()
    if absences >= 3:
        _fail(post, codes.PUB_ABSENT)
        return
    anew: dict[str, Any] = {} if status in UNUSED else {"container": "", "parts": [], "container_at": None}
    _release(post, state=State.PUBLISHING, due_at=now(), error_code="", **anew)


def _poll(post: Post) -> None:
    """Look again soon; what is not ready in time is given up, and nothing was sent."""
    if post.container_at and post.container_at < now() - READY_WITHIN:
        _fail(post, codes.PUB_NEVER_READY)
    else:
        _release(post, due_at=now() + POLL, attempt=0)


def _spoiled(door: GraphDoor, post: Post, status: str) -> None:
    """The container expired, which is made anew a few times, or Instagram could not work with the media."""
    if status == "EXPIRED" and post.attempt < TRIES:
        _release(post, container="", parts=[], container_at=None, due_at=now(), attempt=F("attempt") + 1)
        return
    _fail(post, codes.PUB_UPLOAD_FAILED, said=door.container_words(post.container))


def _refused(post: Post, refused: BotException) -> None:
    """What an error before or instead of publishing means for the post."""
    then, attempt = refused.code.then, post.attempt + 1
    if post.state == State.PUBLISHED:  # only its first comment could not be written
        _record(post, refused, "post_comment")
        if then in (Then.WAIT, Then.RETRY) and attempt < TRIES:
            pause = WAIT if then == Then.WAIT else timedelta(seconds=20 * 2**attempt)
            _release(post, due_at=now() + pause, attempt=attempt)
        else:
            _done(post)
        return
    late = post.planned_for is not None and post.planned_for < now() - WAIT_AT_MOST
    if refused.code is codes.PUB_MEDIA_NOT_READY and attempt < TRIES:
        _release(post, due_at=now() + POLL, attempt=attempt)
    elif post.state == State.UNKNOWN and _long_ago(post):
        _fail(post, codes.PUB_UNCLEAR)
    elif post.state == State.UNKNOWN:  # only the looking up failed
        _release(post, due_at=now() + (WAIT if then == Then.WAIT else NEXT_LOOK))
    elif then == Then.WAIT and not late:
        _release(post, due_at=now() + WAIT, error_code=refused.code.id)
    elif (then == Then.RETRY or isinstance(refused, NoAnswer)) and attempt < TRIES:
        _release(post, due_at=now() + timedelta(seconds=20 * 2**attempt), attempt=attempt, error_code=refused.code.id)
    else:
        _fail(post, refused.code)
        return
    _record(post, refused, "post_publish")


def _fail(post: Post, code: Code, **facts: str) -> None:
    with tenancy.scope(post.workspace_id):
        _release(post, state=State.FAILED, due_at=None, error_code=code.id, correlation_id=correlation.current())
        _record(post, code, "post_failed", **facts)
        calendar.announce(post, "post_failed")
        calendar.tell_people(post, code)


def _record(post: Post, cause: BotException | Code, action: str, **facts: str) -> None:
    with tenancy.scope(post.workspace_id):
        record(cause, action=action, workspace=post.workspace_id, account=post.account_id, post=str(post.pk), **facts)


# Whose it is


def _ours(workspace: UUID, post_id: UUID, fence: int) -> Post:
    """The post, with a fresh lease. Raises NotOursError."""
    with tenancy.scope(workspace):
        mine = Post.objects.filter(pk=post_id, fence=fence, lease_until__gt=Now())
        if not mine.update(lease_until=Now() + timedelta(seconds=LEASE)):
            raise NotOursError
        return Post.objects.select_related("account__workspace").get(pk=post_id)


def _keep(post: Post, **fields: Any) -> None:
    """Write something about the post down while it is ours. Raises NotOursError."""
    with tenancy.scope(post.workspace_id):
        if not Post.objects.filter(pk=post.pk, fence=post.fence, lease_until__gt=Now()).update(**fields):
            raise NotOursError
    for name, value in fields.items():
        setattr(post, name, value)


def _release(post: Post, **fields: Any) -> None:
    """Write down how the turn ended, and give the post back. Raises NotOursError."""
    _keep(post, lease_until=None, **fields)


def _intend(post: Post, what: str) -> Sending | None:
    """Renew the lease and write the intent down, in one; None where something like it was sent before.

    Raises NotOursError.
    """
    try:
        with tenancy.scope(post.workspace_id), transaction.atomic():
            _keep(post, lease_until=Now() + timedelta(seconds=LEASE))
            return Sending.objects.create(
                workspace_id=post.workspace_id, post=post, what=what, fence=post.fence, container=post.container
            )
    except IntegrityError:
        return None


def _end(post: Post, sending: Sending, state: str, code: Code | None, instagram_id: str = "") -> None:
    """Write the outcome down; one that somebody found out meanwhile stays."""
    with tenancy.scope(post.workspace_id):
        Sending.objects.filter(pk=sending.pk, state__in=(Sending.State.INTENT, Sending.State.UNKNOWN)).update(
            state=state, error_code=code.id if code else "", instagram_id=instagram_id, ended_at=Now()
        )


def _take_back(post: Post) -> None:
    """Give a post whose worker is gone to the next; what it may have sent is looked up."""
    open_intents = Sending.objects.filter(post=post, state=Sending.State.INTENT)
    sent = open_intents.filter(what=Sending.What.POST).exists()
    open_intents.update(state=Sending.State.UNKNOWN, error_code=codes.OUTCOME_UNKNOWN.id)
    post.lease_until, post.attempt = None, post.attempt + 1
    code = codes.LEASE_LOST
    if sent:
        post.state, post.due_at, post.attempt = State.UNKNOWN, now() + FIRST_LOOK, 0
        post.error_code = codes.OUTCOME_UNKNOWN.id
    elif post.state in _STEPS and post.attempt < TRIES:
        post.due_at = now()
    else:
        post.due_at = None
        if post.state in (State.PUBLISHING, State.UNKNOWN):
            code = codes.PUB_UNCLEAR if post.state == State.UNKNOWN else code
            post.state, post.error_code = State.FAILED, code.id
    post.save()
    record(code, action="post_publish", workspace=post.workspace_id, account=post.account_id, post=str(post.pk))
    if post.state == State.FAILED:
        calendar.announce(post, "post_failed")
        calendar.tell_people(post, code)


@contextmanager
def _refusals(post: Post) -> Iterator[None]:
    """Let every refusal of the steps be the end of the turn."""
    try:
        yield
    except BotException as refused:
        _refused(post, refused)
