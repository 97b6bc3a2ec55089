"""Who you are, and in which workspace."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, workspaces, and the walls between them."""

    name = "accounts"
    verbose_name = "People and workspaces"

    def ready(self) -> None:
        """Refuse database roles that row-level security does not bind."""
        from accounts import tenancy

        tenancy.watch_role()
