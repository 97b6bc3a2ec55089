"""What a workspace may do, and pays."""

import uuid

from django.db import models
from django.utils.timezone import now


class Plan(models.Model):
    """What is sold. Limits of -1 mean without limit; money is in minor units."""

    class Execution(models.TextChoices):
        """How a workspace's bots run: one at a time, or all at once."""

        SEQUENTIAL = "sequential"
        PARALLEL = "parallel"

    class Status(models.TextChoices):
        """Inactive plans keep their subscribers and take no new ones."""

        ACTIVE = "active"
        INACTIVE = "inactive"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    key = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=60)
    price = models.PositiveIntegerField(default=0)
    currency = models.CharField(max_length=3, default="usd")
    account_limit = models.IntegerField(default=1)
    ai_limit = models.IntegerField(default=0)
    team_limit = models.IntegerField(default=1)
    white_label = models.BooleanField(default=False)
    action_limits = models.JSONField(default=dict)  # most actions a day of each kind, for one Instagram account
    execution_mode = models.CharField(max_length=12, choices=Execution, default=Execution.SEQUENTIAL)
    queue = models.CharField(max_length=16, default="starter")  # the Celery queue its bots run on
    stripe_price_id = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "plans"

    def __str__(self) -> str:
        return self.name


class Subscription(models.Model):
    """Which plan a workspace is on. It outlives an erased workspace, as nobody's."""

    class Status(models.TextChoices):
        """Stripe's own words."""

        TRIALING = "trialing"
        ACTIVE = "active"
        PAST_DUE = "past_due"
        UNPAID = "unpaid"
        CANCELED = "canceled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.OneToOneField("accounts.Workspace", models.SET_NULL, null=True, related_name="subscription")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="subscriptions")
    status = models.CharField(max_length=12, choices=Status, default=Status.ACTIVE)
    stripe_customer_id = models.CharField(max_length=80, blank=True)
    stripe_subscription_id = models.CharField(max_length=80, blank=True)
    current_period_end = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "subscriptions"

    def __str__(self) -> str:
        return f"{self.workspace_id} on {self.plan_id}"
