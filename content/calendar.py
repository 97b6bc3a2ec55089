"""What is planned: writing a post down, changing it, moving it to another hour, letting it go out or taking it back."""

from datetime import datetime

from accounts import farewell
from accounts.models import User, Workspace
from bots.models import InstagramAccount
from content.models import Post
from errors.recording import log_activity
from instagrowth import live

State = Post.State


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
) -> Post:
    """Write a post down as a draft; nothing is published until somebody schedules it. Raises BEING_DELETED."""
    farewell.nothing_new(workspace)
    post = Post.objects.create(
        workspace=workspace,
        account=account,
        kind=kind,
        caption=caption,
        first_comment=first_comment,
        planned_for=planned_for,
        origin=origin,
        created_by=user.pk if user else None,
    )
    tell(post, user, "post_draft")
    return post


def tell(post: Post, user: User | None, action: str, **facts: str) -> None:
    """Write a deed about a post into the log, and tell the browsers."""
    log_activity(action, workspace=post.workspace_id, user=user, account=post.account_id, post=str(post.pk), **facts)  # type: ignore[arg-type]
    live.publish(post.workspace_id, "post", {"post": str(post.pk), "state": post.state, "action": action})
