"""What a workspace may do, and pays."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Plans and subscriptions."""

    name = "billing"
