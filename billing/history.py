"""What became of a subscription, line by line: only ever added to, and what revenue is computed from."""

from billing.models import Subscription, SubscriptionChange


def note(subscription: Subscription, reason: str) -> bool:
    """Write down how a subscription stands now, if that is not how its last line has it; whether it did.

    In the caller's transaction, so that a line and what it tells of share their fate.
    """
    currency = subscription.currency or subscription.plan.currency
    last = SubscriptionChange.objects.filter(subscription=subscription).order_by("-at", "-id").first()
    stands = (subscription.plan_id, subscription.status, subscription.interval, subscription.mrr, currency)
    if last is not None and stands == (last.plan_id, last.status, last.interval, last.mrr, last.currency):
        return False
    if last is not None and last.mrr and last.currency != currency:
        _write(subscription, 0, last.currency, reason)  # what was paid in the other money ends there
    _write(subscription, subscription.mrr, currency, reason)
    return True


def _write(subscription: Subscription, mrr: int, currency: str, reason: str) -> None:
    SubscriptionChange.objects.create(
        subscription=subscription,
        plan_id=subscription.plan_id,
        status=subscription.status,
        interval=subscription.interval,
        mrr=mrr,
        currency=currency,
        reason=reason[:80],
    )
