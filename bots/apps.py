"""What we do for you on Instagram."""

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
        from bots import startup, switch

        farewell.stopped_by(switch.stop_all)
        entitlements.counted_by("account_limit", "Instagram accounts", switch.count_accounts)
        entitlements.followed_by(switch.fit_to_plan)
        post_migrate.connect(startup.seal_canary, sender=self, dispatch_uid="bots.canary")
        worker_init.connect(startup.examine_worker, dispatch_uid="bots.examine")
