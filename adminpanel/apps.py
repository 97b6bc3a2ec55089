"""The control room."""

from ipaddress import ip_network

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate


class ControlRoomConfig(SimpleAdminConfig):
    """Django's admin with our own site. The simple one: what libraries register of themselves is not shown."""

    default_site = "adminpanel.site.ControlRoom"


class AdminpanelConfig(AppConfig):
    """The control room."""

    name = "adminpanel"
    default = True
    verbose_name = "Control room"

    def ready(self) -> None:
        """Refuse an allow-list that cannot be read: it would allow nobody, or be mistaken for one that does."""
        for network in settings.ADMIN_ALLOWED_NETWORKS:
            try:
                ip_network(network.strip(), strict=False)
            except ValueError:
                raise ImproperlyConfigured(
                    f"ADMIN_ALLOWED_NETWORKS names {network!r}, which is no network such as 203.0.113.0/24."
                ) from None
        from adminpanel import registration, roles  # noqa: F401  (the pages register themselves)
        from instagrowth import system

        post_migrate.connect(roles.sync, sender=self)
        post_migrate.connect(system.sync, sender=self)
