"""The wiring app."""

from django.apps import AppConfig


class InstagrowthConfig(AppConfig):
    """Wiring only: settings, doors, commands."""

    name = "instagrowth"

    def ready(self) -> None:
        """Load the Celery app so that shared tasks bind to it; a beat is also the watch."""
        from celery.signals import beat_init

        from instagrowth import celery, watch  # noqa: F401  (imported for its effect)

        beat_init.connect(watch.begin, dispatch_uid="instagrowth.watch")
