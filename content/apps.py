"""Words, plans, posts."""

from django.apps import AppConfig


class ContentConfig(AppConfig):
    """Words, plans, posts."""

    name = "content"

    def ready(self) -> None:
        """Let owners approve posts, and stop and empty the calendar of a workspace that is let go."""
        from accounts import approvals, farewell
        from content import calendar, library

        approvals.register(calendar.DEED, "Post", calendar.approved)
        farewell.stopped_by(calendar.stop_all)
        farewell.let_go_by(library.let_go)
