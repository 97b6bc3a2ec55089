"""What is sold and paid: plans, subscriptions, invoices, revenue."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import display
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from accounts import tenancy
from adminpanel.deeds import Asked, BriefForm, Deed, DeedForm
from adminpanel.pages.base import Page
from adminpanel.pages.people import PlanForm, change_plan, workspaces_of
from adminpanel.site import site
from adminpanel.versions import RowForm
from billing import lifecycle, reconcile
from billing.models import Drift, Invoice, Plan, Subscription
from errors import codes
from errors.exceptions import BotException


def money(minor: int, currency: str) -> str:
    """`$ 12.50`: minor units in words."""
    return f"{'$' if currency == 'usd' else currency.upper()} {minor / 100:,.2f}"


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


def _set_plan(status: str) -> Any:
    def set_status(row: Plan, asked: Asked) -> str:
        if row.key == "free":
            raise BotException(codes.VALIDATION_FAILED, "The free plan is where everybody ends: it stays on sale.")
        Plan.objects.filter(pk=row.pk).update(status=status)
        return f"{row} is {status}."

    return set_status


def _delete_plan(row: Plan, asked: Asked) -> str:
    if row.key == "free" or Subscription.objects.filter(plan=row).exists():
        raise BotException(codes.VALIDATION_FAILED, "Workspaces are on this plan. Deactivate it instead.")
    Plan.objects.filter(pk=row.pk).delete()
    return "The plan is deleted."


@admin.register(Plan, site=site)
class PlanPage(Page):
    """Plans."""

    page = "plans"
    says = "What is sold. An inactive plan keeps its subscribers and takes no new ones."
    list_display = ("name", "key", "monthly", "account_limit", "team_limit", "ai_limit", "execution_mode", "status")
    list_filter = ("status", "execution_mode")
    ordering = ("price", "id")
    sortable_by = ()
    search_exact = ("key", "name")
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
             fits=lambda row: row.status == "active" and row.key != "free"),
        Deed("activate", "Activate", _set_plan(Plan.Status.ACTIVE), "It is on sale again.",
             fits=lambda row: row.status == "inactive"),
        Deed("delete", "Delete", _delete_plan, "Only a plan that nobody is on.", dangerous=True),
    )  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """The key is a contract with programs: it stays."""
        return (*super().get_readonly_fields(request, obj), *(("key",) if obj else ()))

    @display(description="A month")
    def monthly(self, row: Plan) -> str:
        """The price."""
        return money(row.price, row.currency)

    def beside(self, row: Plan) -> list[dict[str, Any]]:
        """Who is on it."""
        found = Subscription.objects.filter(plan=row).select_related("workspace")[:10]
        rows = [
            {
                "link": reverse("admin:billing_subscription_change", args=[one.pk]),
                "text": str(one.workspace),
                "note": one.status,
            }
            for one in found
        ]
        return [{"title": "Subscriptions", "rows": rows}]


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
    lifecycle.cancel(_workspace(row), asked.by)
    return "It ends with its period. Until then nothing changes."


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
    list_display = ("workspace", "plan", "shown_status", "paid", "interval", "current_period_end", "created_at")
    list_filter = ("status", "interval")
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
        "workspace", "plan", "status", "interval", "mrr", "discount", "current_period_end", "cancel_at_period_end",
        "trial_ends_at", "past_due_since", "stripe_customer_id", "stripe_subscription_id", "created_at",
    )  # fmt: skip
    deeds = (
        Deed("change_plan", "Change plan", _change, "Without payment, from now.", PlanForm,
             fits=lambda row: not row.is_at_stripe),
        Deed("change_paid", "Change at Stripe", _change_paid, "What costs more is charged to the card at once.",
             PaidPlanForm, fits=lambda row: row.is_at_stripe and row.is_alive, dangerous=True, slow=True, unbound=True),
        Deed("extend", "Extend", _extend, "So many days for nothing: the next payment, or the end, moves.", DaysForm,
             fits=lambda row: row.is_alive and row.current_period_end is not None, slow=True, unbound=True),
        Deed("cancel", "Cancel", _cancel, "It ends with the period that is paid.", slow=True, unbound=True,
             fits=lambda row: row.is_at_stripe and row.is_alive and not row.cancel_at_period_end),
        Deed("resume", "Resume", _resume, "It renews after all.", slow=True, unbound=True,
             fits=lambda row: row.is_at_stripe and row.is_alive and row.cancel_at_period_end),
        Deed("end", "End now", _end, "The workspace falls to the free plan now; nothing is paid back.", dangerous=True,
             fits=lambda row: row.is_alive and row.plan.key != "free", slow=True, unbound=True),
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
        return money(row.mrr, row.plan.currency) if row.is_at_stripe else "given by us"

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
                "rows": [
                    {
                        "link": reverse("admin:billing_invoice_change", args=[one.pk]),
                        "text": str(one),
                        "note": f"{money(one.total, one.currency)} {one.status}",
                    }
                    for one in invoices
                ],
            },
        ]


@admin.register(Invoice, site=site)
class InvoicePage(Page):
    """Invoices."""

    page = "invoices"
    says = "Invoices as Stripe has them."
    list_display = ("__str__", "workspace", "amount", "shown_status", "created_at", "paid_at")
    list_filter = ("status",)
    list_select_related = ("workspace",)
    ordering = ("-created_at",)
    sortable_by = ("created_at",)
    search_exact = ("number", "stripe_invoice_id")
    search_ids = ("pk", "workspace_id")
    search_help_text = "A number, Stripe's id, or the id of a workspace"
    export_columns = ("number", "workspace_id", "status", "total", "tax", "currency", "created_at", "paid_at")
    fields = readonly_fields = (
        "number", "workspace", "status", "amount", "amount_paid", "tax", "currency", "next_attempt_at", "paid_at",
        "stripe_invoice_id", "page_url", "created_at",
    )  # fmt: skip

    @display(description="Total")
    def amount(self, row: Invoice) -> str:
        """With its currency."""
        return money(row.total, row.currency)

    @display(description="Status", label={"paid": "success", "open": "warning", "uncollectible": "danger"})
    def shown_status(self, row: Invoice) -> str:
        """Stripe's word."""
        return row.status


class Open(admin.SimpleListFilter):
    """What waits, and what was repaired."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Two states."""
        return [("open", "Waits"), ("repaired", "Repaired")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Those of one state."""
        by = {"open": True, "repaired": False}.get(self.value() or "")
        return queryset if by is None else queryset.filter(repaired_at__isnull=by)


def _repair(row: Drift, asked: Asked) -> str:
    if reconcile.repair_one(row, asked.by).repaired_at is None:
        raise BotException(
            codes.VALIDATION_FAILED, "Stripe charges a price that no plan of ours has: give a plan that price first."
        )
    return "Repaired: ours is what Stripe has."


@admin.register(Drift, site=site)
class DriftPage(Page):
    """Where Stripe and we disagree."""

    page = "drifts"
    says = "What the nightly comparison found (`manage.py reconcile_stripe` looks now). Stale rows are repaired by it."
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
    )  # fmt: skip

    def beside(self, row: Drift) -> list[dict[str, Any]]:
        """The subscription it is about."""
        found = Subscription.objects.filter(stripe_customer_id=row.stripe_customer_id).select_related("workspace")
        rows = [
            {"link": reverse("admin:billing_subscription_change", args=[one.pk]), "text": str(one.workspace or "gone"),
             "note": one.status}
            for one in found[:5]
        ]  # fmt: skip
        return [{"title": "Subscription", "rows": rows}]
