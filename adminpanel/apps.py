"""The control room."""

from ipaddress import ip_network

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class AdminpanelConfig(AppConfig):
    """The control room."""

    name = "adminpanel"

    def ready(self) -> None:
        """Refuse an allow-list that cannot be read: it would allow nobody, or be mistaken for one that does."""
        for network in settings.ADMIN_ALLOWED_NETWORKS:
            try:
                ip_network(network.strip(), strict=False)
            except ValueError:
                raise ImproperlyConfigured(
                    f"ADMIN_ALLOWED_NETWORKS names {network!r}, which is no network such as 203.0.113.0/24."
                ) from None
