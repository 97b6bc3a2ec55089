"""What we do for you on Instagram."""

from django.apps import AppConfig


class BotsConfig(AppConfig):
    """Instagram accounts, sessions, bots and the engine."""

    name = "bots"
