"""What is sold and paid: plans, subscriptions, invoices, revenue."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import ProtectedError, Q
from django.http import HttpRequest
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from accounts import tenancy
from adminpanel.choices import Choice
from adminpanel.deeds import Asked, BriefForm, Deed, DeedForm
from adminpanel.pages.accounts import link_to
from adminpanel.pages.base import Page
from adminpanel.pages.people import PlanForm, change_plan, workspaces_of
from adminpanel.site import site
from adminpanel.spans import When
from adminpanel.versions import RowForm
from billing import lifecycle, reconcile
from billing.models import Drift, Invoice, Plan, Subscription
from bots.tasks import fit_to_plan
from errors import codes
from errors.exceptions import BotException


def money(minor: int, currency: str) -> str:
    """`$12.50`, `EUR 12.50`: minor units in words."""
    sign = "−" if minor < 0 else ""
    return f"{sign}{'$' if currency == 'usd' else f'{currency.upper()} '}{abs(minor) / 100:,.2f}"


class PlanRowForm(RowForm):
    """A plan, with limits that mean something."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "action_limits" in self.fields:
            self.fields["action_limits"].required = False  # none is {}, which Django calls empty

    def clean_action_limits(self) -> dict[str, int]:
        """A number for each kind of action."""
        found = self.cleaned_data["action_limits"] or {}
        if not isinstance(found, dict) or not all(isinstance(most, int) and most >= -1 for most in found.values()):
            raise forms.ValidationError('Write {"follow": 50, …}: most a day of each kind, -1 without limit.')
        return found

    def clean_queue(self) -> str:
        """A queue that a worker listens to: a bot on another would wait for ever."""
        queue = self.cleaned_data["queue"]
        if queue not in ("starter", "enterprise"):
            raise forms.ValidationError("There are the queues starter and enterprise.")
        return queue


def _most(limit: int) -> str:
    return "no limit" if limit < 0 else f"{limit:,}"


def _set_plan(status: str) -> Any:
    def set_status(row: Plan, asked: Asked) -> str:
        if row.key == "free":
            raise BotException(codes.VALIDATION_FAILED, "The free plan is where everybody ends: it stays on sale.")
        Plan.objects.filter(pk=row.pk).update(status=status)
        return f"{row} is {status}."

    return set_status


def _delete_plan(row: Plan, asked: Asked) -> str:
    if row.key == "free":
        raise BotException(codes.VALIDATION_FAILED, "The free plan is where everybody ends: it stays.")
    try:
        Plan.objects.filter(pk=row.pk).delete()
    except ProtectedError:
        raise BotException(
            codes.VALIDATION_FAILED, "Workspaces are on this plan, or it was used once: deactivate it."
        ) from None
    return "The plan is deleted."


@admin.register(Plan, site=site)
class PlanPage(Page):
    """Plans."""

    page = "plans"
    says = "What is sold. An inactive plan keeps its subscribers and takes no new ones."
    no_rows = "Make a plan, and members can choose it."
    list_display = ("name", "key", "monthly", "accounts", "team", "ai", "execution_mode", "shown_status")
    export_columns = (
        "id", "key", "name", "price", "yearly_price", "currency", "account_limit", "team_limit", "ai_limit",
        "execution_mode", "queue", "status",
    )  # fmt: skip
    list_filter = ("status", "execution_mode")
    ordering = ("price", "id")
    sortable_by = ("name", "key", "monthly", "shown_status")
    search_exact = ("key", "name")
    search_help_text = "A key or a name"
    form = PlanRowForm
    fields = (
        "key", "name", "about", "price", "yearly_price", "trial_days", "currency", "account_limit", "team_limit",
        "ai_limit", "history_days", "white_label", "action_limits", "execution_mode", "queue",
    )  # fmt: skip
    field_deeds = {
        **dict.fromkeys(("price", "yearly_price", "trial_days", "currency"), "change_price"),
        **dict.fromkeys(("execution_mode", "queue", "action_limits"), "change_engine"),
    }
    deeds = (
        Deed("deactivate", "Deactivate", _set_plan(Plan.Status.INACTIVE), "Nobody new gets it; who has it keeps it.",
             bulk=True, fits=lambda row: row.status == "active" and row.key != "free"),
        Deed("activate", "Activate", _set_plan(Plan.Status.ACTIVE), "It is on sale again.", bulk=True,
             fits=lambda row: row.status == "inactive"),
        Deed("delete", "Delete", _delete_plan, "Only a plan that nobody was ever on.", dangerous=True),
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The key is a contract with programs: it stays."""
        return (*super().get_readonly_fields(request, obj), *(("key",) if obj else ()))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Bots that a changed plan has room for again come back, those beyond it pause: a worker sees to it."""
        super().save_model(request, obj, form, change)
        if change and {"account_limit", "execution_mode", "queue"} & set(form.changed_data):
            transaction.on_commit(lambda: fit_to_plan.apply_async((obj.key,), retry=False), robust=True)

    @display(description="A month", ordering="price")
    def monthly(self, row: Plan) -> str:
        """The price."""
        return money(row.price, row.currency)

    @display(description="Accounts")
    def accounts(self, row: Plan) -> str:
        """How many Instagram accounts."""
        return _most(row.account_limit)

    @display(description="Team")
    def team(self, row: Plan) -> str:
        """How many people."""
        return _most(row.team_limit)

    @display(description="AI a month")
    def ai(self, row: Plan) -> str:
        """How many answers."""
        return _most(row.ai_limit)

    @display(description="Status", ordering="status", label={"active": "success", "inactive": "warning"})
    def shown_status(self, row: Plan) -> str:
        """Whether it is sold."""
        return row.status

    def beside(self, row: Plan) -> list[dict[str, Any]]:
        """Who is on it."""
        found = Subscription.objects.filter(plan=row).select_related("workspace")[:10]
        return [{"title": "Subscriptions", "rows": [_of(one) for one in found]}]


def _of(subscription: Subscription) -> dict[str, Any]:
    """A line that leads to a subscription by its workspace's name."""
    return link_to("billing_subscription", subscription, subscription.status) | {
        "text": str(subscription.workspace or "gone")
    }


class DaysForm(DeedForm):
    """How many days."""

    days = forms.IntegerField(min_value=1, max_value=3660, initial=30, widget=UnfoldAdminIntegerFieldWidget)


class PaidPlanForm(PlanForm):
    """Which plan, and how often it is paid."""

    days = None  # type: ignore[assignment]
    interval = forms.ChoiceField(choices=Subscription.Interval.choices, widget=UnfoldAdminSelectWidget)


def _workspace(row: Subscription) -> Any:
    with tenancy.platform("a subscription names its workspace"):
        if row.workspace is None:
            raise BotException(codes.WORKSPACE_NOT_FOUND)
        return row.workspace


def _change(row: Subscription, asked: Asked) -> str:
    return change_plan(_workspace(row), asked)


def _change_paid(row: Subscription, asked: Asked) -> str:
    at = int(timezone.now().timestamp())
    changed = lifecycle.change(
        _workspace(row), asked.by, asked.given["plan"], asked.given["interval"], at=at, once=f"staff-{row.pk}-{at}"
    )
    return f"Stripe has {changed.plan.name} now, paid by the {changed.interval}."


def _extend(row: Subscription, asked: Asked) -> str:
    until = lifecycle.extend(_workspace(row), asked.given["days"], asked.by).current_period_end
    return f"Given: it goes on until {until:%d %b %Y}."


def _cancel(row: Subscription, asked: Asked) -> str:
    if lifecycle.cancel(_workspace(row), asked.by).is_alive:
        return "It ends with its period. Until then nothing changes."
    return "It has ended: it was not paid."


def _resume(row: Subscription, asked: Asked) -> str:
    lifecycle.resume(_workspace(row), asked.by)
    return "It goes on."


def _end(row: Subscription, asked: Asked) -> str:
    lifecycle.end_now(_workspace(row), asked.by)
    return "It has ended: the free plan counts from now."


@admin.register(Subscription, site=site)
class SubscriptionPage(Page):
    """Subscriptions."""

    page = "subscriptions"
    says = "Which workspace is on which plan, paid at Stripe or given by us."
    ready_views = (
        ("Trials", "status__exact=trialing"),
        ("Past due", "status__exact=past_due"),
        ("Canceled", "status__exact=canceled"),
    )
    no_rows = "Each workspace has one from the day it is made."
    list_display = ("workspace", "plan", "shown_status", "paid", "interval", "current_period_end", "created_at")
    list_filter = ("status", "plan", "interval")
    list_select_related = ("workspace", "plan")
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_exact = ("stripe_customer_id", "stripe_subscription_id")
    search_ids = ("pk", "workspace_id", "plan_id")
    export_columns = (
        "id", "workspace_id", "plan", "status", "interval", "mrr", "current_period_end", "stripe_customer_id",
        "stripe_subscription_id", "created_at",
    )  # fmt: skip
    search_help_text = "A member's e-mail or name, an id, or Stripe's id of customer or subscription"
    fields = readonly_fields = (
        "workspace", "plan", "status", "interval", "paid", "discount", "current_period_end", "cancel_at_period_end",
        "trial_ends_at", "past_due_since", "stripe_customer_id", "stripe_subscription_id", "created_at",
    )  # fmt: skip
    deeds = (
        Deed("change_plan", "Change plan", _change, "Without payment, from now.", PlanForm, bulk=True,
             fits=lambda row: not row.is_at_stripe),
        Deed("change_paid", "Change at Stripe", _change_paid, "What costs more is charged to the card at once.",
             PaidPlanForm, fits=lambda row: row.is_at_stripe, dangerous=True, slow=True, unbound=True),
        Deed("extend", "Extend", _extend, "So many days for nothing: the next payment, or the end, moves.", DaysForm,
             fits=lambda row: row.is_alive and row.current_period_end is not None and row.past_due_since is None,
             slow=True, unbound=True),
        Deed("cancel", "Cancel", _cancel, "It ends with the period that is paid; one that is not paid ends now.",
             fits=lambda row: row.is_at_stripe and not (row.is_alive and row.cancel_at_period_end), slow=True,
             unbound=True),
        Deed("resume", "Resume", _resume, "It renews after all.", slow=True, unbound=True,
             fits=lambda row: row.is_at_stripe and row.is_alive and row.cancel_at_period_end),
        Deed("end", "End now", _end, "The workspace falls to the free plan now; nothing is paid back.", dangerous=True,
             fits=lambda row: row.is_at_stripe or (row.is_alive and row.plan.key != "free"), slow=True, unbound=True),
    )  # fmt: skip

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        """By people too."""
        found, again = super().get_search_results(request, queryset, search_term)
        if found.exists() or not search_term.strip():
            return found, again
        return queryset.filter(workspace__in=workspaces_of(search_term.strip())), False

    @display(
        description="Status", label={"active": "success", "trialing": "info", "past_due": "warning", "unpaid": "danger"}
    )
    def shown_status(self, row: Subscription) -> str:
        """Stripe's word."""
        return row.status

    @display(description="Pays a month")
    def paid(self, row: Subscription) -> str:
        """MRR, or that we gave it."""
        return money(row.mrr, row.currency or row.plan.currency) if row.is_at_stripe else "given by us"

    def beside(self, row: Subscription) -> list[dict[str, Any]]:
        """Its history and its invoices."""
        changes = row.changes.select_related("plan").order_by("-id")[:10]
        invoices = (
            Invoice.objects.filter(workspace=row.workspace_id).order_by("-created_at")[:10] if row.workspace_id else []
        )
        return [
            {
                "title": "History",
                "rows": [
                    {"text": f"{one.plan.name}, {one.status}", "note": f"{one.at:%d %b %Y %H:%M} UTC, {one.reason}"}
                    for one in changes
                ],
            },
            {
                "title": "Invoices",
                "rows": [_line(one) for one in invoices],
            },
        ]


def _line(invoice: Invoice) -> dict[str, Any]:
    note = f"{money(invoice.total, invoice.currency)} {invoice.status}, {invoice.created_at:%d %b %Y}"
    return link_to("billing_invoice", invoice, note)


@admin.register(Invoice, site=site)
class InvoicePage(Page):
    """Invoices."""

    page = "invoices"
    says = "Invoices as Stripe has them."
    ready_views = (("Open", "status__exact=open"), ("Last 30 days", "when=30d"))
    no_rows = "Stripe tells us of the first invoice when somebody pays for a plan."
    list_display = ("__str__", "workspace", "amount", "shown_status", "created_at", "paid_at")
    list_filter = ("status", When)
    list_select_related = ("workspace",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_exact = ("number", "stripe_invoice_id")
    search_ids = ("pk", "workspace_id")
    search_help_text = "A number, Stripe's id, or the id of a workspace"
    export_columns = ("number", "workspace_id", "status", "total", "tax", "currency", "created_at", "paid_at")
    fields = readonly_fields = (
        "number", "workspace", "status", "amount", "paid", "taxes", "next_attempt_at", "paid_at",
        "stripe_invoice_id", "page_url", "created_at",
    )  # fmt: skip

    def beside(self, row: Invoice) -> list[dict[str, Any]]:
        """The subscription it is for, and the invoices before and after it."""
        bought = Subscription.objects.filter(workspace=row.workspace_id).select_related("plan").first()
        others = Invoice.objects.filter(workspace=row.workspace_id).exclude(pk=row.pk).order_by("-created_at")[:10]
        return [
            {"title": "Subscription", "rows": [link_to("billing_subscription", bought)] if bought else []},
            {"title": "Other invoices of the workspace", "rows": [_line(one) for one in others]},
        ]

    @display(description="Total")
    def amount(self, row: Invoice) -> str:
        """With its currency."""
        return money(row.total, row.currency)

    @display(description="Paid")
    def paid(self, row: Invoice) -> str:
        """What came in so far."""
        return money(row.amount_paid, row.currency)

    @display(description="Tax in it")
    def taxes(self, row: Invoice) -> str:
        """What of it is tax."""
        return money(row.tax, row.currency)

    @display(description="Status", label={"paid": "success", "open": "warning", "uncollectible": "danger"})
    def shown_status(self, row: Invoice) -> str:
        """Stripe's word."""
        return row.status


class Open(Choice):
    """What waits, and what was repaired."""

    title = "state"
    parameter_name = "state"
    ways = (("open", "Waits", Q(repaired_at=None)), ("repaired", "Repaired", Q(repaired_at__isnull=False)))


class PriceForm(PlanForm):
    """Which plan a price is of; one that is no longer sold too."""

    days = None  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        plans = Plan.objects.exclude(key="free").order_by("price").values_list("key", "name")
        self.fields["plan"].choices = list(plans)  # type: ignore[attr-defined]


def _repair(row: Drift, asked: Asked) -> str:
    return _repaired(reconcile.repair_one(row, asked.by))


def _name_price(row: Drift, asked: Asked) -> str:
    return _repaired(reconcile.price_is(row, asked.given["plan"], asked.by))


def _repaired(drift: Drift) -> str:
    if drift.repaired_at is not None:
        return "Repaired: ours is what Stripe has."
    says = "Something changed meanwhile, and Stripe and we still differ. Try again."
    if drift.kind == Drift.Kind.UNKNOWN_PRICE:
        says = f"Stripe charges {drift.theirs}, which no plan of ours has. Say which plan it is: “Name the plan”."
    raise BotException(codes.VALIDATION_FAILED, says)


@admin.register(Drift, site=site)
class DriftPage(Page):
    """Where Stripe and we disagree."""

    page = "drifts"
    says = (
        "What the nightly comparison found (`manage.py reconcile_stripe` looks now). It repairs what only lags, and"
        " closes what no longer differs."
    )
    ready_views = (("Waits", "state=open"), ("Repaired", "state=repaired"))
    no_rows = "Stripe and we agree. The comparison runs each night."
    list_display = ("kind", "stripe_customer_id", "ours", "theirs", "found_at", "repaired_at")
    list_filter = (Open, "kind")
    ordering = ("-found_at", "pk")
    sortable_by = ("found_at",)
    search_exact = ("stripe_customer_id", "stripe_subscription_id")
    search_help_text = "Stripe's id of a customer or a subscription"
    fields = readonly_fields = (
        "kind", "stripe_customer_id", "stripe_subscription_id", "ours", "theirs", "found_at", "repaired_at",
    )  # fmt: skip
    deeds = (
        Deed("repair", "Repair", _repair, "Ours becomes what Stripe has; what is charged twice, or for a workspace"
             " that is gone, is ended at Stripe.", BriefForm, fits=lambda row: row.repaired_at is None, slow=True,
             unbound=True),
        Deed("name_price", "Name the plan", _name_price, "Whoever pays this price at Stripe is on the plan you choose:"
             " this customer now, the others by the next night.", PriceForm, slow=True, unbound=True, dangerous=True,
             mild=True, fits=lambda row: row.repaired_at is None and row.kind == Drift.Kind.UNKNOWN_PRICE),
    )  # fmt: skip

    def beside(self, row: Drift) -> list[dict[str, Any]]:
        """The subscription it is about."""
        found = Subscription.objects.filter(stripe_customer_id=row.stripe_customer_id).select_related("workspace")
        return [{"title": "Subscription", "rows": [_of(one) for one in found[:5]]}]
