"""Words, plans, posts."""

from django.apps import AppConfig


class ContentConfig(AppConfig):
    """Words, plans, posts."""

    name = "content"
