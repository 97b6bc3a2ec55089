"""Who you are, and in which workspace."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """People, workspaces, and the walls between them."""

    name = "accounts"
    verbose_name = "People and workspaces"

    def ready(self) -> None:
        """Refuse database roles that row-level security does not bind; say what may be proposed here."""
        from accounts import approvals, invitations, tenancy

        tenancy.watch_role()
        approvals.register("invite", "Invitation", invitations.carry_out)
