"""What a workspace may do, and pays."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models.functions import Now
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
    about = models.CharField(max_length=160, blank=True)  # for whom it is, in one line of the pricing page
    price = models.PositiveIntegerField(default=0)  # a month
    yearly_price = models.PositiveIntegerField(default=0)  # a year; 0 is not sold by the year
    trial_days = models.PositiveSmallIntegerField(default=0)  # before the first payment, once for each workspace
    currency = models.CharField(max_length=3, default="usd")
    account_limit = models.IntegerField(default=1)
    ai_limit = models.IntegerField(default=0)
    team_limit = models.IntegerField(default=1)
    history_days = models.IntegerField(default=-1)  # how far back the activity log is shown and exported
    white_label = models.BooleanField(default=False)
    action_limits = models.JSONField(default=dict)  # most actions a day of each kind, for one Instagram account
    execution_mode = models.CharField(max_length=12, choices=Execution, default=Execution.SEQUENTIAL)
    queue = models.CharField(max_length=16, default="starter")  # the Celery queue its bots run on
    stripe_product_id = models.CharField(max_length=80, blank=True)
    stripe_price_id = models.CharField(max_length=80, blank=True)
    stripe_yearly_price_id = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "plans"

    def __str__(self) -> str:
        return self.name

    def price_of(self, interval: str) -> int:
        """The price of a month or of a year, in minor units; 0 where it is free or not sold so."""
        return self.yearly_price if interval == Subscription.Interval.YEAR else self.price

    def stripe_price_of(self, interval: str) -> str:
        """The id of that price at Stripe; empty until `manage.py sync_plans` has made it."""
        return self.stripe_yearly_price_id if interval == Subscription.Interval.YEAR else self.stripe_price_id


class Subscription(models.Model):
    """Which plan a workspace is on. It outlives an erased workspace, as nobody's.

    With a `stripe_subscription_id` it mirrors Stripe's object (`billing.mirror`), without one we gave the plan
    ourselves, until `current_period_end` or for good.
    """

    class Status(models.TextChoices):
        """Stripe's own words. PAST_DUE becomes UNPAID here when the days of grace are over."""

        TRIALING = "trialing"
        ACTIVE = "active"
        PAST_DUE = "past_due"
        UNPAID = "unpaid"
        CANCELED = "canceled"
        INCOMPLETE = "incomplete"
        INCOMPLETE_EXPIRED = "incomplete_expired"
        PAUSED = "paused"

    class Interval(models.TextChoices):
        """How often it is paid."""

        MONTH = "month"
        YEAR = "year"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.OneToOneField("accounts.Workspace", models.SET_NULL, null=True, related_name="subscription")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="subscriptions")
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    interval = models.CharField(max_length=5, choices=Interval, default=Interval.MONTH)
    stripe_customer_id = models.CharField(max_length=80, blank=True)
    stripe_subscription_id = models.CharField(max_length=80, blank=True)
    mrr = models.PositiveIntegerField(default=0)  # what it pays a month, lasting discounts taken off, in minor units
    amount = models.PositiveIntegerField(default=0)  # a period's price when it was bought, in minor units
    currency = models.CharField(max_length=3, blank=True, default="")  # of what it pays at Stripe
    discount = models.CharField(max_length=80, blank=True)  # the coupon's name
    current_period_end = models.DateTimeField(null=True, blank=True)
    cancel_at_period_end = models.BooleanField(default=False)
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    had_trial = models.BooleanField(default=False)
    past_due_since = models.DateTimeField(null=True, blank=True)
    reminders = models.PositiveSmallIntegerField(default=0)  # mails written since the payment failed
    asked_at = models.DateTimeField(null=True, editable=False)  # when Stripe was asked for what is mirrored here
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        db_table = "subscriptions"
        indexes = [
            models.Index(fields=["stripe_customer_id"], name="subscription_customer"),
            models.Index(fields=["status", "current_period_end"], name="subscription_lapses"),
        ]

    def __str__(self) -> str:
        return f"{self.plan.name}, {self.get_status_display().lower()}"

    @property
    def is_alive(self) -> bool:
        """Whether its plan counts."""
        return self.status in ALIVE

    @property
    def is_at_stripe(self) -> bool:
        """Whether Stripe has it and it is not over."""
        return bool(self.stripe_subscription_id) and self.status not in OVER

    def covers(self, plan: Plan) -> bool:
        """Whether we gave this plan or a dearer one, so that to pay for it now would be to pay for nothing."""
        if self.is_at_stripe or not self.is_alive or plan.price > self.plan.price:
            return False
        return self.current_period_end is None or self.current_period_end > now() + LAST_DAYS


LAST_DAYS = timedelta(days=7)  # of a plan that we gave: in them it may be bought, so that no bot has to pause between
ALIVE = (Subscription.Status.TRIALING, Subscription.Status.ACTIVE, Subscription.Status.PAST_DUE)
OVER = (Subscription.Status.CANCELED, Subscription.Status.INCOMPLETE_EXPIRED)


class SubscriptionChange(models.Model):
    """One line of a subscription's history. Append-only: the database refuses to change or remove one.

    Revenue is computed from these alone, so a month that is over stays as it was.
    """

    id = models.BigAutoField(primary_key=True)
    # The constraint is the migration's: what the database itself may cascade, the append-only rule lets pass.
    subscription = models.ForeignKey(Subscription, models.DO_NOTHING, related_name="changes", db_constraint=False)
    at = models.DateTimeField(db_default=Now())  # when we learned of it
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+")
    status = models.CharField(max_length=20, choices=Subscription.Status)
    interval = models.CharField(max_length=5, choices=Subscription.Interval)
    mrr = models.PositiveIntegerField()  # minor units a month, from this moment on
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=80, blank=True)  # who or what: stripe, admin, lapse, …

    class Meta:
        db_table = "subscription_changes"
        indexes = [models.Index(fields=["subscription", "at", "id"], name="subscription_history")]

    def __str__(self) -> str:
        return f"{self.subscription_id}: {self.status} at {self.mrr}"


class Invoice(models.Model):
    """One invoice as Stripe has it: the papers stay there, here are its figures and its links."""

    class Status(models.TextChoices):
        """Stripe's own words."""

        DRAFT = "draft"
        OPEN = "open"
        PAID = "paid"
        UNCOLLECTIBLE = "uncollectible"
        VOID = "void"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", models.SET_NULL, null=True, related_name="invoices")
    stripe_invoice_id = models.CharField(max_length=80, unique=True)
    number = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=14, choices=Status)
    total = models.IntegerField()  # minor units, tax included; below nothing it is a credit
    amount_paid = models.IntegerField(default=0)
    tax = models.IntegerField(default=0)
    currency = models.CharField(max_length=3)
    page_url = models.URLField(max_length=500, blank=True)
    pdf_url = models.URLField(max_length=500, blank=True)
    next_attempt_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()  # Stripe's

    class Meta:
        db_table = "invoices"
        indexes = [models.Index(fields=["workspace", "-created_at"], name="invoice_newest")]

    def __str__(self) -> str:
        return self.number or self.stripe_invoice_id


class StripeEvent(models.Model):
    """One event that Stripe told us of, by its id: the ledger that makes a second delivery mean nothing.

    Its contents are not kept: what it is about is fetched anew.
    """

    id = models.CharField(primary_key=True, max_length=255)
    type = models.CharField(max_length=80)
    customer = models.CharField(max_length=80, blank=True)
    livemode = models.BooleanField(default=False)
    created_at = models.DateTimeField()  # Stripe's
    received_at = models.DateTimeField(db_default=Now())
    processed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(
        max_length=40, blank=True
    )  # mirrored, unchanged, ignored, or the code of what went wrong

    class Meta:
        db_table = "stripe_events"
        indexes = [
            models.Index(fields=["received_at"], name="event_waiting", condition=models.Q(processed_at__isnull=True))
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"


class Drift(models.Model):
    """Where Stripe and we disagreed when `billing.reconcile` looked."""

    class Kind(models.TextChoices):
        """STALE and UNCLAIMED are mended by themselves; the others wait for a person."""

        STALE = "stale", "Ours is not what Stripe has"
        TWICE = "twice", "Two living subscriptions of one customer or workspace"
        ORPHAN = "orphan", "Stripe charges a workspace that is gone"
        UNCLAIMED = "unclaimed", "Stripe charges a workspace for a customer we do not know"
        UNKNOWN_PRICE = "unknown_price", "A price that none of our plans has"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=14, choices=Kind)
    stripe_customer_id = models.CharField(max_length=80)
    stripe_subscription_id = models.CharField(max_length=80, blank=True)
    ours = models.CharField(max_length=200, blank=True)
    theirs = models.CharField(max_length=200, blank=True)
    found_at = models.DateTimeField(db_default=Now())
    repaired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "stripe_drifts"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "stripe_customer_id", "stripe_subscription_id"],
                condition=models.Q(repaired_at__isnull=True),
                name="drift_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.stripe_customer_id}"
