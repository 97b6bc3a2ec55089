"""Bring products and prices at Stripe up to date."""

from django.core.management.base import BaseCommand, CommandError

from billing import entitlements, lifecycle
from errors.exceptions import BotException


class Command(BaseCommand):
    """`manage.py sync_plans`: each plan on sale gets its product and prices; who is on an old price keeps it."""

    help = "Make or update the product and the prices of each plan that is on sale, at Stripe."

    def handle(self, *args: object, **options: object) -> None:
        """Do it. Raises CommandError where Stripe cannot be asked."""
        try:
            for plan in entitlements.on_sale():
                if plan.price or plan.yearly_price:
                    lifecycle.keep_at_stripe(plan)
                    self.stdout.write(f"{plan.name}: {plan.stripe_price_id} {plan.stripe_yearly_price_id}")
        except BotException as refused:
            raise CommandError(f"{refused.message} ({refused.code.id})") from None
