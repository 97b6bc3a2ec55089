"""What is sold, and what a workspace has and pays: pages for everybody, and deeds for its owners.

What waits for Stripe is under `/billing/stripe/`: there no transaction is held (`accounts.middleware.UNBOUND`).
"""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import roles, teams, tenancy
from accounts.pages.doors import refuse
from accounts.requests import MemberRequest
from accounts.roles import members
from billing import entitlements, gateway, lifecycle, mirror
from billing.models import Invoice, Plan, Subscription
from errors import codes
from errors.exceptions import BotException
from instagrowth import live

INVOICES = 24  # shown; the portal has all of them
OFFER, GOOD_FOR = "billing.offer", 1800  # seconds for which a preview may be confirmed
PATIENT = 20  # times that the page asks by itself, every 3 s, whether the payment has arrived
View = Callable[[MemberRequest], HttpResponse]


@require_safe
def pricing(request: HttpRequest) -> HttpResponse:
    """Answer what is sold, to anybody."""
    workspace = getattr(request, "workspace", None)
    plan = entitlements.plan_of(workspace) if workspace else None
    subscription = (
        Subscription.objects.select_related("plan").filter(workspace=workspace).first() if workspace else None
    )
    context = {"plan": plan, "subscription": subscription, **_shelf(request, subscription)}
    return render(request, "billing/pricing.html", context)


@require_safe
@members("look")
def billing(request: MemberRequest) -> HttpResponse:
    """Answer what the workspace has, uses and pays, and what else it could have."""
    subscription = Subscription.objects.select_related("plan").filter(workspace=request.workspace).first()
    plan = entitlements.plan_of(request.workspace)
    context = {
        "live_since": live.latest(request.workspace.pk),
        "plan": plan,
        "subscription": subscription,
        "paid": bool(subscription and subscription.is_at_stripe and subscription.is_alive),
        "owed": bool(subscription and subscription.is_at_stripe and not subscription.is_alive),
        "is_customer": bool(subscription and subscription.stripe_customer_id),
        "falls": bool(subscription and subscription.past_due_since) and subscription.past_due_since + mirror.grace(),  # type: ignore[union-attr, operator]
        "owes": Invoice.objects.filter(workspace=request.workspace, status="open").order_by("-created_at").first(),
        "usage": entitlements.usage(request.workspace),
        "since": entitlements.history_since(request.workspace),
        "invoices": Invoice.objects.filter(workspace=request.workspace).order_by("-created_at")[:INVOICES],
        "owners": [] if roles.may(request.membership, "decide") else teams.owners(request.workspace),
        "once": secrets.token_urlsafe(12),
        "wanted": request.GET.get("plan", ""),
        **_shelf(request, subscription),
    }
    return render(request, "billing/billing_live.html" if request.htmx else "billing/billing.html", context)


@require_safe
@members("look")
def paid(request: MemberRequest) -> HttpResponse:
    """Wait with a person who comes back from Checkout until Stripe has told us, and say so honestly."""
    subscription = Subscription.objects.select_related("plan").filter(workspace=request.workspace).first()
    if subscription is None or not subscription.stripe_customer_id:
        return redirect("billing:billing")
    if subscription.is_at_stripe and subscription.is_alive:
        messages.success(request, f"Stripe has confirmed it: the workspace is on {subscription.plan.name}.")
        return _sent(request)
    asked = min(int(text), 999) if (text := request.GET.get("asked", "")).isdecimal() and len(text) < 4 else 0
    context = {
        "asked": asked + 1,
        "waits": asked < PATIENT,
        "long": asked > 4,
        "live_since": live.latest(request.workspace.pk),
    }
    return render(request, "billing/paid_live.html" if request.htmx else "billing/paid.html", context)


# ── What waits for Stripe ──


def at_stripe(view: View) -> View:
    """A deed for owners without a transaction; what is refused is written down, said, and changes nothing."""

    @transaction.non_atomic_requests
    @members("decide")
    @wraps(view)
    def door(request: MemberRequest) -> HttpResponse:
        try:
            return view(request)
        except BotException as refused:
            refuse(request, refused, name=view.__name__)
            return redirect("billing:billing")

    return door  # type: ignore[return-value]


@require_POST
@at_stripe
def checkout(request: MemberRequest) -> HttpResponse:
    """Send the owner to Stripe's page for a plan; a second click on the same button leads to the same page."""
    plan, interval = request.POST.get("plan", ""), request.POST.get("interval", "")
    once = request.POST.get("once", "")[:40]
    return redirect(lifecycle.begin(request.workspace, request.user, plan, interval, once))


@require_http_methods(["GET", "HEAD", "POST"])
@at_stripe
def change(request: MemberRequest) -> HttpResponse:
    """Show what a change of plan or period costs, or make the change that was shown."""
    return _confirmed(request) if request.method == "POST" else _previewed(request)


def _previewed(request: MemberRequest) -> HttpResponse:
    plan, interval = request.GET.get("plan", ""), request.GET.get("interval", "month")
    shown = lifecycle.preview(request.workspace, plan, interval)
    offer = signing.dumps([str(request.workspace.pk), plan, interval, shown.at, shown.terms], salt=OFFER)
    with tenancy.person(request.user, request.workspace):
        present = Subscription.objects.select_related("plan").get(workspace=request.workspace)
        same = (present.plan_id, present.interval) == (shown.plan.pk, shown.interval)
        context = {"shown": shown, "present": present, "offer": offer, "same": same}
        context |= {"lost": _lost(request, present.plan, shown.plan), "sandbox_stripe": gateway.is_sandbox()}
        return render(request, "billing/change.html", context)


def _confirmed(request: MemberRequest) -> HttpResponse:
    offer = request.POST.get("offer", "")
    try:
        workspace, plan, interval, at, terms = signing.loads(offer, salt=OFFER, max_age=GOOD_FOR)
    except (signing.BadSignature, ValueError):  # one of the version before had no terms
        raise BotException(codes.OFFER_EXPIRED) from None
    if workspace != str(request.workspace.pk):
        raise BotException(codes.OFFER_EXPIRED)
    row = lifecycle.change(request.workspace, request.user, plan, interval, at=at, once=offer[-43:], terms=terms)
    messages.success(request, f"The workspace is on {row.plan.name} now, paid by the {row.interval}.")
    return redirect("billing:billing")


def _lost(request: MemberRequest, old: Plan, new: Plan) -> list[str]:
    """What no longer fits after a change, in sentences."""
    found = []
    for used in entitlements.usage(request.workspace):
        most = entitlements.amount(new, used.field)
        if used.field in ("account_limit", "team_limit") and most != entitlements.UNLIMITED and used.used > most:
            found.append(f"{used.name}: {used.used}, and {new.name} has room for {most}.")
    if old.white_label and not new.white_label:
        found.append("Your own brand is kept and no longer shown.")
    return found


@require_POST
@at_stripe
def cancel(request: MemberRequest) -> HttpResponse:
    """Let the plan end with its period, or now where it is not paid."""
    row = lifecycle.cancel(request.workspace, request.user)
    how = "ends with its period. Until then nothing changes" if row.is_alive else "has ended. Nothing more is charged"
    messages.success(request, f"{row.plan.name} {how}.")
    return redirect("billing:billing")


@require_POST
@at_stripe
def resume(request: MemberRequest) -> HttpResponse:
    """Let a cancelled plan go on."""
    row = lifecycle.resume(request.workspace, request.user)
    messages.success(request, f"{row.plan.name} goes on.")
    return redirect("billing:billing")


@require_POST
@at_stripe
def coupon(request: MemberRequest) -> HttpResponse:
    """Take a promotion code."""
    row = lifecycle.redeem(request.workspace, request.user, request.POST.get("code", "")[:60])
    messages.success(request, f"The discount {row.discount or 'of the code'} counts from the next invoice.")
    return redirect("billing:billing")


@require_POST
@at_stripe
def card(request: MemberRequest) -> HttpResponse:
    """Send the owner to Stripe's page with card and invoices."""
    return redirect(lifecycle.card(request.workspace))


@require_POST
@at_stripe
def ask_stripe(request: MemberRequest) -> HttpResponse:
    """Ask Stripe at once how things stand, instead of waiting to be told."""
    row = lifecycle.refresh(request.workspace)
    if row is not None and row.is_at_stripe and row.is_alive:
        messages.success(request, f"Stripe says: {row.plan.name}, {row.get_status_display().lower()}.")
    else:
        messages.info(request, "Stripe has no payment of this workspace. Nothing was charged.")
    return redirect("billing:billing")


# ── What pages share ──


def _shelf(request: HttpRequest, present: Subscription | None) -> dict[str, Any]:
    """The plans on sale, by the month or by the year, each with whether the workspace was given as much."""
    chosen = request.GET.get("by", "") or (present.interval if present else "")
    by = Subscription.Interval.YEAR if chosen == Subscription.Interval.YEAR else Subscription.Interval.MONTH
    plans = [plan for plan in entitlements.on_sale() if by == "month" or plan.yearly_price or not plan.price]
    return {
        "by": by.value,
        "plans": [(plan, plan.price_of(by), bool(present and present.covers(plan))) for plan in plans],
        "payments": gateway.is_on(),
        "away": gateway.is_away(),
        "sandbox_stripe": gateway.is_sandbox(),
        "now": now(),
    }


def _sent(request: MemberRequest) -> HttpResponse:
    """To the billing page, from a part of a page too."""
    return HttpResponse(headers={"HX-Redirect": "/billing/"}) if request.htmx else redirect("billing:billing")
