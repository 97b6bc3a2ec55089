"""Words, plans, posts."""

from uuid import UUID

from django.apps import AppConfig
from django.db import transaction


class ContentConfig(AppConfig):
    """Words, plans, posts."""

    name = "content"

    def ready(self) -> None:
        """Let owners approve posts, and stop and empty the calendar of a workspace that is let go."""
        from accounts import approvals, farewell
        from billing import entitlements, revenue
        from bots import webhooks
        from content import calendar, inbox, library, metering

        approvals.register(calendar.DEED, "Post", calendar.approved)
        farewell.stopped_by(calendar.stop_all)
        entitlements.counted_by("ai_limit", "AI runs this month", lambda workspace: metering.allowance(workspace).calls)
        revenue.ai_cost_told_by(metering.costs)
        farewell.let_go_by(library.let_go)
        webhooks.worked_by(self._have_worked)
        webhooks.forgotten_by(inbox.forget)

    @staticmethod
    def _have_worked(workspace: UUID, account: UUID) -> None:
        from content.tasks import work_events

        transaction.on_commit(
            lambda: work_events.apply_async((str(workspace), str(account)), expires=60, retry=False), robust=True
        )
