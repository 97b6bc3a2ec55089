"""The content engine: ideas, captions, hashtags, scripts, carousels, alt text, bios, and what people do with them."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from accounts import tenancy
from accounts.models import User, Workspace
from bots.models import InstagramAccount
from content import calendar, voices, wording
from content.models import Audit, Feature, Piece, Post, Run
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

FEATURES = (
    Feature.CAPTIONS, Feature.IDEAS, Feature.HASHTAGS, Feature.SCRIPT, Feature.CAROUSEL, Feature.ALT_TEXT, Feature.BIO,
)  # fmt: skip
LONGEST_ABOUT = 600  # letters
KIND: dict[str, str] = {
    Feature.SCRIPT: "reel",
    Feature.CAROUSEL: "carousel",
}  # of the post that a piece becomes; else an image


def gather(run: Run) -> dict[str, Any]:
    """The brief, the account's voice, and its best posts as the last audit found them."""
    facts = dict(run.brief)
    with tenancy.scope(run.workspace_id):
        if voice := voices.of(run.account):
            facts["voice"] = voice.described
            facts |= {"bio": voice.measured.get("bio"), "examples": voice.measured.get("examples")}
            facts["hashtags"] = voice.measured.get("hashtags")
        if audit := Audit.objects.filter(account=run.account).first() if run.account else None:
            facts["best_posts"] = audit.facts.get("top_posts")
    return facts


def edit(piece: Piece, user: User, text: str, hashtags: list[str]) -> None:
    """Change a piece by hand. Raises VALIDATION_FAILED."""
    text = text.strip()
    if not text or len(text) > 2200:
        raise BotException(codes.VALIDATION_FAILED, "Write 1 to 2,200 letters.", field="text")
    piece.text, piece.hashtags, piece.edited_at = text, wording.tags(hashtags), timezone.now()
    piece.save(update_fields=["text", "hashtags", "edited_at"])
    log_activity("ai_piece", workspace=piece.workspace_id, user=user, piece=str(piece.pk), changed=True)


def put_in_calendar(piece: Piece, workspace: Workspace, user: User, planned_for: datetime | None = None) -> Post:
    """Make a draft of the calendar from a piece, once; nothing is published by that. Raises BEING_DELETED."""
    held = Piece.objects.select_for_update().get(pk=piece.pk)  # a second click waits here, and finds the first's
    if held.post_id:
        return Post.objects.get(pk=held.post_id)
    post = calendar.draft(
        workspace,
        held.account,
        user,
        caption=held.caption[:2200],
        first_comment=held.first_comment,
        planned_for=planned_for,
        kind=KIND.get(held.kind, "image"),
        origin=Post.Origin.AI,
    )
    Piece.objects.filter(pk=held.pk).update(post=post)
    return post


def favour(piece: Piece, favourite: bool) -> None:
    """Mark a piece as a favourite, or no more."""
    piece.favourite = favourite
    piece.save(update_fields=["favourite"])


def found(
    workspace: Workspace,
    *,
    words: str = "",
    kind: str = "",
    favourites: bool = False,
    account: InstagramAccount | None = None,
) -> QuerySet[Piece]:
    """What was written in a workspace, the newest first, by words in it, kind, account and liking."""
    pieces = Piece.objects.filter(workspace=workspace).select_related("run", "account").order_by("-created_at", "place")
    for word in words.split()[:6]:
        pieces = pieces.filter(text__icontains=word) | pieces.filter(title__icontains=word)
    if kind:
        pieces = pieces.filter(kind=kind)
    if account:
        pieces = pieces.filter(account=account)
    return pieces.filter(favourite=True) if favourites else pieces
