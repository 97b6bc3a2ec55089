"""The app of errors and of the log."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ErrorsConfig(AppConfig):
    """Connects what must hear of every task and every migration."""

    name = "errors"

    def ready(self) -> None:
        """Listen to Celery, and fill the table of codes after each migrate."""
        from errors import receivers, registry_table

        receivers.connect()
        post_migrate.connect(registry_table.after_migrate, sender=self, dispatch_uid="errors.sync")
