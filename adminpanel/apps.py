"""The control room."""

from django.apps import AppConfig


class AdminpanelConfig(AppConfig):
    """The control room."""

    name = "adminpanel"
