"""The wiring app."""

from django.apps import AppConfig


class InstagrowthConfig(AppConfig):
    """Wiring only: settings, doors, commands."""

    name = "instagrowth"

    def ready(self) -> None:
        """Load the Celery app so that shared tasks bind to it."""
        from instagrowth import celery  # noqa: F401  (imported for its effect)
