"""What is planned: writing a post down, changing it, moving it to another hour, letting it go out or taking it back."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4, uuid5

from django.db.models import Prefetch, QuerySet
from django.utils.timezone import now

from accounts import approvals, farewell, notifications, roles
from accounts.models import Membership, NoticeKind, Proposal, User, Workspace
from billing import entitlements
from bots import switch
from bots.models import InstagramAccount
from bots.official import official_door
from content import fitness, hooks, slots
from content.models import Media, Post, PostMedia, Sending
from errors import codes
from errors.codes import Code
from errors.exceptions import BotException
from errors.recording import log_activity
from instagrowth import live

State = Post.State
DEED = "post"  # its name among what is proposed
WORDS = ("kind", "caption", "first_comment", "account", "planned_for")


def draft(
    workspace: Workspace,
    account: InstagramAccount | None,
    user: User | None,
    *,
    caption: str,
    first_comment: str = "",
    planned_for: datetime | None = None,
    kind: str = Post.Kind.IMAGE,
    origin: str = Post.Origin.HAND,
    idea: bool = False,
    media: Sequence[Media] = (),
    once: str = "",
) -> Post:
    """Write a post down as a draft; nothing is published until somebody schedules it. Raises BEING_DELETED.

    `once` names the page and its words; `known` finds by that what a first click wrote.
    """
    farewell.nothing_new(workspace)
    post = Post.objects.create(
        id=uuid5(workspace.pk, once) if once else uuid4(),
        workspace=workspace,
        account=account,
        kind=kind,
        state=State.IDEA if idea else State.DRAFT,
        caption=caption,
        first_comment=first_comment,
        planned_for=planned_for,
        origin=origin,
        created_by=user.pk if user else None,
    )
    _place(post, media)
    tell(post, user, "post_draft")
    return post


def known(workspace: Workspace, once: str) -> Post | None:
    """What a first click wrote down; a second one at the same moment waits here for it.

    Raises BEING_DELETED.
    """
    farewell.nothing_new(workspace)
    return Post.objects.select_related("account").filter(pk=uuid5(workspace.pk, once)).first() if once else None


def change(post: Post, user: User, *, media: Sequence[Media] | None = None, **words: Any) -> Post:
    """Change a post's words, kind, account, hour or media. One that was scheduled or proposed is a draft again.

    Raises PUB_STATE for one that is on its way or out.
    """
    held = _held(post)
    before = _edition(held)
    for name in WORDS:
        if name in words:
            setattr(held, name, words[name])
    if media is not None:
        held.places.all().delete()
        _place(held, media)
    if _edition(held) != before and held.state != State.IDEA:
        _settle(held, State.DRAFT)
    held.save()
    tell(held, user, "post_change")
    return held


def move(post: Post, user: User, at: datetime) -> Post:
    """Give a post another hour; a scheduled one stays scheduled. Raises PUB_STATE or VALIDATION_FAILED (the past)."""
    held = _held(post)
    if held.state == State.SCHEDULED:
        _ahead(at)
        held.due_at = at
    elif held.state == State.PROPOSED:
        _settle(held, State.DRAFT)
    held.planned_for = at
    held.save()
    tell(held, user, "post_move", at=at.isoformat())
    return held


def schedule(membership: Membership, post: Post, at: datetime | None = None) -> Post:
    """Let a post go out at its hour or, by a manager where the workspace wants approval, lay it before the owners.

    Raises PUB_STATE, PUB_NOT_READY, PUB_UNCLEAR, VALIDATION_FAILED, BEING_DELETED, or what the official door says.
    """
    farewell.nothing_new(post.workspace_id)
    held = _held(post)
    held.planned_for = at or held.planned_for
    _check(held)
    if membership.workspace.wants_approval and not roles.may(membership, "decide"):
        _settle(held, State.PROPOSED)
        held.save()
        _propose(held, membership)
        tell(held, membership.user, "post_propose")
        return held
    return _go(held, membership.user)


def enqueue(membership: Membership, post: Post) -> Post:
    """Schedule a post at the next free slot of its account. Raises PUB_NO_SLOT, or as `schedule`."""
    if post.account is None:
        raise BotException(codes.PUB_NOT_READY, "Choose the account it is for.", field="account")
    # Two who want the next slot at one moment get two.
    InstagramAccount.objects.select_for_update(no_key=True).get(pk=post.account.pk)
    return schedule(membership, post, slots.next_free(post.account, but=post))


def unschedule(post: Post, user: User) -> Post:
    """Take a post out of the schedule; it is a draft again. Raises PUB_STATE."""
    held = _held(post)
    _settle(held, State.DRAFT)
    held.save()
    tell(held, user, "post_unschedule")
    return held


def remove(post: Post, user: User) -> None:
    """Throw a post away that is not out. Raises PUB_STATE."""
    held = _held(post)
    _settle(held, State.DRAFT)
    tell(held, user, "post_remove", words=str(held))
    held.delete()


def pin(post: Post, user: User, *, idea: bool) -> Post:
    """Put a post on the board of ideas, or make a draft of an idea. Raises PUB_STATE."""
    held = _held(post)
    _settle(held, State.IDEA if idea else State.DRAFT)
    held.planned_for = None if idea else held.planned_for
    held.save()
    tell(held, user, "post_idea" if idea else "post_draft")
    return held


def answer(post: Post, user: User, *, there: bool) -> Post:
    """What a person saw on Instagram of a post that we could find out nothing about. Raises PUB_STATE.

    What is there is published; what is missing may be scheduled again, which nothing else allows.
    """
    held = _held(post)
    sending = Sending.objects.filter(post=held, what=Sending.What.POST, state=Sending.State.UNKNOWN).first()
    if sending is None:
        raise BotException(codes.PUB_STATE)
    sending.state = Sending.State.CONFIRMED if there else Sending.State.ABSENT
    sending.ended_at = now()
    sending.save()
    if there:  # which one it is the publisher finds out
        held.state, held.published_at, held.due_at, held.error_code = State.PUBLISHED, sending.sent_at, now(), ""
    elif held.state == State.FAILED:
        held.error_code = codes.PUB_ABSENT.id
    held.save()
    tell(held, user, "post_published" if there else "post_missing")
    return held


def stop_all(workspace: Workspace, user: User) -> None:
    """Take everything out of the schedule of a workspace that is let go."""
    for post in Post.objects.filter(workspace=workspace, state__in=(State.SCHEDULED, State.PROPOSED)):
        unschedule(post, user)


def with_media(posts: QuerySet[Post]) -> QuerySet[Post]:
    """The same posts with their account and media, in two questions."""
    places = PostMedia.objects.select_related("media").order_by("place")
    return posts.select_related("account").prefetch_related(Prefetch("places", places))


def media_of(post: Post) -> list[Media]:
    """The media of a post, in their order."""
    return [one.media for one in post.places.select_related("media").order_by("place")]


def approved(workspace: Workspace, by: User, facts: dict[str, Any]) -> None:
    """Let a proposed post go out, as an owner decided. Raises NOT_FOUND, PUB_STATE or as `schedule`."""
    post = Post.objects.filter(workspace=workspace, pk=facts["post"]).first()
    if post is None:
        raise BotException(codes.NOT_FOUND)
    held = _held(post)
    if held.state != State.PROPOSED or _edition(held) != facts["edition"]:
        raise BotException(codes.PUB_STATE, "The post was changed since it was proposed.")
    _check(held)
    _go(held, by)


def tell(post: Post, user: User | None, action: str, **facts: str) -> None:
    """Write a deed about a post into the log, and announce it."""
    log_activity(action, workspace=post.workspace_id, user=user, account=post.account_id, post=str(post.pk), **facts)  # type: ignore[arg-type]
    announce(post, action)


def announce(post: Post, action: str) -> None:
    """Tell the browsers and the hooks of a deed about a post."""
    live.publish(post.workspace_id, "post", {"post": str(post.pk), "state": post.state, "action": action})
    hooks.tell(post, action)


def tell_people(post: Post, why_not: Code | None = None) -> None:
    """Tell whoever works here that a post is out, or what is not; several within an hour are counted on one line."""
    about, title = "out", f"{post.account} has a new post"
    if why_not in (codes.PUB_COMMENT_MISSING, codes.PUB_COMMENT_UNCLEAR):
        about, title = "comment", f"A post of {post.account} may lack its first comment"
    elif why_not:
        was_not = "may not be" if why_not is codes.PUB_UNCLEAR else "was not"
        about, title = "not_out", f"A post of {post.account} {was_not} published"
    notifications.notify(
        post.workspace_id,
        NoticeKind.TASKS,
        title,
        body=f"“{post}”. {why_not.what}" if why_not else f"“{post}” is on Instagram.",
        path=f"/calendar/posts/{post.pk}/",
        tone="bad" if why_not else "ok",
        code=why_not,
        about=f"{about}:{post.account_id}",
        deed="act",
    )


def _held(post: Post) -> Post:
    """The post as it is now, held until the transaction ends. Raises NOT_FOUND or PUB_STATE."""
    held = Post.objects.select_for_update().filter(pk=post.pk).first()
    if held is None:
        raise BotException(codes.NOT_FOUND)
    if held.state not in Post.EDITABLE or held.lease_until is not None:
        raise BotException(codes.PUB_STATE)
    return held


def _check(post: Post) -> None:
    """Raise PUB_NOT_READY with everything that is missing, or VALIDATION_FAILED for an hour that is over.

    PUB_UNCLEAR where it may be out already: first somebody must look.
    """
    if Sending.objects.filter(post=post, what=Sending.What.POST, state=Sending.State.UNKNOWN).exists():
        raise BotException(codes.PUB_UNCLEAR)
    said = fitness.problems(post, media_of(post))
    if post.account is None:
        said.insert(0, "Choose the account it is for.")
    if post.planned_for is None:
        said.insert(0, "Choose when it goes out.")
    if said:
        raise BotException(codes.PUB_NOT_READY, " ".join(said), problems=said)
    assert post.account
    assert post.planned_for
    _ahead(post.planned_for)
    has_room(post.account)
    official_door(post.account)


def has_room(account: InstagramAccount) -> None:
    """Nothing goes out for an account that a smaller plan has no room for. Raises PLAN_ACCOUNT_LIMIT."""
    if switch.is_beyond_plan(account, entitlements.plan_of(account.workspace)):
        raise entitlements.short_of(account.workspace, "account_limit", codes.PLAN_ACCOUNT_LIMIT)


def _ahead(at: datetime) -> None:
    if at <= now():
        raise BotException(codes.VALIDATION_FAILED, "This hour is over. Choose a later one.", field="planned_for")


def _go(post: Post, by: User) -> Post:
    _settle(post, State.SCHEDULED)
    post.save()
    tell(post, by, "post_schedule", at=post.planned_for.isoformat() if post.planned_for else "")
    return post


def _settle(post: Post, state: str) -> None:
    """Move a post that people hold into one of their states; what waits for an owner about it waits no more."""
    post.state, post.error_code, post.attempt = state, "", 0
    post.container, post.parts, post.container_at = "", [], None
    post.due_at = post.planned_for if state == State.SCHEDULED else None
    Proposal.objects.filter(
        workspace=post.workspace_id, deed=DEED, state=Proposal.State.WAITING, facts__post=str(post.pk)
    ).update(state=Proposal.State.WITHDRAWN, decided_at=now())


def _propose(post: Post, membership: Membership) -> None:
    assert post.planned_for
    summary = f"Publish “{post}” on {post.account} at {post.planned_for:%a %-d %b %H:%M} UTC"
    facts = {"post": str(post.pk), "edition": _edition(post)}
    approvals.propose(membership.workspace, membership.user, DEED, summary, facts)


def _edition(post: Post) -> str:
    """A mark of everything that an owner approves: the same post has the same."""
    media = post.places.order_by("place").values_list("media_id", flat=True)
    parts = [post.kind, post.caption, post.first_comment, post.account_id, post.planned_for, *media]
    return hashlib.sha256("\0".join(str(part) for part in parts).encode()).hexdigest()[:32]


def _place(post: Post, media: Sequence[Media]) -> None:
    PostMedia.objects.bulk_create(
        PostMedia(workspace_id=post.workspace_id, post=post, media=one, place=place) for place, one in enumerate(media)
    )


def account_of(workspace: Workspace, account_id: UUID | str) -> InstagramAccount:
    """An account of the workspace. Raises IG_ACCOUNT_NOT_FOUND."""
    found = InstagramAccount.objects.filter(workspace=workspace, pk=account_id).first()
    if found is None:
        raise BotException(codes.IG_ACCOUNT_NOT_FOUND)
    return found
