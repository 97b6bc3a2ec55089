"""The door for Stripe: it looks at the signature, writes the event down and answers; a task does the work."""

import time
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts import tenancy
from billing import dunning, gateway, mirror
from billing.models import StripeEvent
from errors import codes
from errors.exceptions import BotException
from errors.recording import record

TOLERANCE = 300  # seconds between Stripe's clock and ours, either way: the SDK looks at the past only
MOST = 256 * 1024  # bytes; Stripe's largest are a tenth of it
HANDLED = ("customer.subscription.", "checkout.session.", "invoice.", "customer.deleted")
ATTEMPTS = 50  # of one event; the sweeper tries each minute


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Take an event in. Raises BODY_TOO_LARGE, WEBHOOK_REFUSED."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST:
        raise BotException(codes.BODY_TOO_LARGE)
    event = verified(request.body, request.headers.get("Stripe-Signature", ""))
    with tenancy.platform("an event of Stripe is nobody's until it is looked at"):
        new = take_in(event)
    return JsonResponse({"received": True, "new": new})


def verified(body: bytes, header: str) -> dict[str, Any]:
    """The event in a body that Stripe signed within the last five minutes. Raises WEBHOOK_REFUSED, BILLING_OFF."""
    if not settings.STRIPE_WEBHOOK_SECRET:
        raise BotException(codes.BILLING_OFF)
    import stripe

    moments = [part[2:] for part in header.split(",") if part.startswith("t=")]
    if len(moments) != 1 or not moments[0].isdecimal() or abs(time.time() - int(moments[0])) > TOLERANCE:
        raise BotException(codes.WEBHOOK_REFUSED)
    try:
        event = stripe.Webhook.construct_event(body, header, settings.STRIPE_WEBHOOK_SECRET, tolerance=TOLERANCE)
        return dict(event.to_dict())
    except (stripe.SignatureVerificationError, ValueError, AttributeError, TypeError):
        raise BotException(codes.WEBHOOK_REFUSED) from None


def take_in(event: dict[str, Any]) -> bool:
    """Write an event down once and send a worker; whether it is new. Needs the platform's view."""
    from billing import tasks

    thing = event["data"]["object"]
    customer = thing["id"] if thing["object"] == "customer" else thing.get("customer") or ""
    ours = event["livemode"] == gateway.is_live() and not event.get("account")
    wanted = ours and event["type"].startswith(HANDLED) and bool(customer)
    row = StripeEvent(
        id=event["id"],
        type=event["type"][:80],
        customer=str(customer)[:80],
        livemode=event["livemode"],
        created_at=datetime.fromtimestamp(event["created"], UTC),
        processed_at=None if wanted else Now(),
        outcome="" if wanted else "ignored" if ours else "foreign",
    )
    before = StripeEvent.objects.filter(pk=row.pk).exists()
    StripeEvent.objects.bulk_create([row], ignore_conflicts=True)
    if wanted and not before:
        # Robust: without a broker the event is still kept, and the sweeper finds it.
        transaction.on_commit(lambda: tasks.process_event.apply_async((row.pk,), retry=False), robust=True)
    return not before


def process(event_id: str) -> str:
    """Do what an event is about; nothing for one that was done. What became of it, in a word or a code.

    The present is fetched, so an event that comes twice, late or before an older one leads to the same end.
    """
    with tenancy.platform("whom an event is about, its customer tells"):
        waiting = StripeEvent.objects.filter(pk=event_id, processed_at=None)
        event = waiting.first()
        if event is None:
            return "done before"
        waiting.update(attempts=F("attempts") + 1)

    def done() -> None:
        first = StripeEvent.objects.filter(pk=event_id, processed_at=None).update(
            processed_at=Now(), outcome="mirrored"
        )
        if first and event.type == "customer.subscription.trial_will_end":
            dunning.trial_ends(event.customer)

    try:
        return mirror.mirror(event.customer, done)
    except BotException as refused:
        with tenancy.platform("what went wrong is noted beside the event"):
            waiting.update(outcome=refused.code.id)
        if event.attempts == 0:
            record(refused, action="stripe_event", event=event_id, type=event.type)
        return refused.code.id


def unfinished() -> list[str]:
    """The events that a lost message, a killed worker or an absent Stripe left undone."""
    with tenancy.platform("events of all customers are looked after"):
        waiting = StripeEvent.objects.filter(processed_at=None, attempts__lt=ATTEMPTS)
        return list(waiting.order_by("received_at").values_list("pk", flat=True)[:200])
