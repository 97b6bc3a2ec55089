"""Words, plans, posts."""

from django.apps import AppConfig


class ContentConfig(AppConfig):
    """Words, plans, posts."""

    name = "content"

    def ready(self) -> None:
        """Let owners approve posts, and stop and empty the calendar of a workspace that is let go."""
        from accounts import approvals, farewell
        from billing import entitlements, revenue
        from content import calendar, library, metering

        approvals.register(calendar.DEED, "Post", calendar.approved)
        farewell.stopped_by(calendar.stop_all)
        entitlements.counted_by(
            "ai_limit", "AI calls this month", lambda workspace: metering.allowance(workspace).calls
        )
        revenue.ai_cost_told_by(metering.costs)
        farewell.let_go_by(library.let_go)
