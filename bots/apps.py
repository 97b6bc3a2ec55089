"""What we do for you on Instagram."""

from functools import partial

from django.apps import AppConfig


class BotsConfig(AppConfig):
    """Instagram accounts, sessions, bots and the engine."""

    name = "bots"

    def ready(self) -> None:
        """Examine the vault's keys where work begins, and stop what works in a workspace that is let go."""
        from celery.signals import worker_init
        from django.db.models.signals import post_migrate

        from accounts import farewell
        from billing import entitlements
        from bots import limits, startup, switch
        from bots.models import Kind

        farewell.stopped_by(switch.stop_all)
        entitlements.counted_by("account_limit", "Instagram accounts", switch.count_accounts)
        for kind in Kind:
            name = f"{kind.label} today, the busiest account"
            entitlements.counted_by(f"action_limits.{kind}", name, partial(limits.busiest, kind))
        entitlements.followed_by(switch.fit_to_plan)
        post_migrate.connect(startup.seal_canary, sender=self, dispatch_uid="bots.canary")
        worker_init.connect(startup.examine_worker, dispatch_uid="bots.examine")
