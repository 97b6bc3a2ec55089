"""What a workspace may do, and pays."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Plans and subscriptions."""

    name = "billing"

    def ready(self) -> None:
        """Tell the accounts, to our left, who knows the plan of a workspace, and what outlives it."""
        from accounts import allowance, farewell
        from billing import entitlements, lifecycle

        entitlements.counted_by("team_limit", "People in the team", entitlements.count_people)
        allowance.answered_by(entitlements.plan_of, entitlements.short_of)
        farewell.stopped_by(lifecycle.stop_renewing)
        farewell.let_go_by(lifecycle.let_go)
