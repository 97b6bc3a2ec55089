"""Writing a post down: it stands in the calendar as a draft, and nothing goes out."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import User, Workspace
from bots.models import InstagramAccount
from content import calendar
from content.models import Post
from errors import codes
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth.testing import everywhere, workspace_of

pytestmark = pytest.mark.django_db


def test_a_draft_is_kept_with_its_words_and_waits(
    alice: User, alices_workspace: Workspace, alices_account: InstagramAccount
) -> None:
    at = now() + timedelta(days=1)
    with tenancy.scope(alices_workspace):
        calendar.draft(alices_workspace, alices_account, alice, caption="Kiln day", planned_for=at, kind="carousel")

    with everywhere():
        post = Post.objects.get()
        assert (post.state, post.kind, post.caption, post.planned_for) == ("draft", "carousel", "Kiln day", at)
        assert (post.created_by, post.origin, post.due_at) == (alice.pk, "hand", None)
        assert ActivityLog.objects.filter(action="post_draft", user_id=alice.pk).count() == 1


def test_nothing_is_written_down_in_a_workspace_that_is_let_go(alice: User, alices_workspace: Workspace) -> None:
    with tenancy.scope(alices_workspace):
        Workspace.objects.filter(pk=alices_workspace.pk).update(delete_at=now())
        with pytest.raises(BotException) as refused:
            calendar.draft(alices_workspace, None, alice, caption="Too late")

    assert refused.value.code is codes.BEING_DELETED


def test_another_workspace_does_not_see_it(alice: User, alices_workspace: Workspace, charlie: User) -> None:
    with tenancy.scope(alices_workspace):
        calendar.draft(alices_workspace, None, alice, caption="Kiln day")

    with tenancy.scope(workspace_of(charlie)):
        assert not Post.objects.exists()
