"""Compare our books with Stripe's."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from billing import reconcile
from errors.exceptions import BotException


class Command(BaseCommand):
    """`manage.py reconcile_stripe`: mirror what is stale and list what a person must judge."""

    help = "Compare all subscriptions with Stripe's: what is stale is mirrored, the rest is listed."

    def add_arguments(self, parser: CommandParser) -> None:
        """One switch."""
        parser.add_argument("--dry-run", action="store_true", help="only list, repair nothing")

    def handle(self, *args: object, **options: Any) -> None:
        """Do it and say what was found. Raises CommandError where Stripe cannot be asked."""
        try:
            found = reconcile.reconcile(repair=not options["dry_run"])
        except BotException as refused:
            raise CommandError(f"{refused.message} ({refused.code.id})") from None
        for drift in found:
            done = "repaired" if drift.repaired_at else "open"
            self.stdout.write(f"{done}: {drift} ({drift.ours or 'nothing'} / {drift.theirs or 'nothing'})")
        left = sum(drift.repaired_at is None for drift in found)
        self.stdout.write(f"{len(found)} drifts, {left} open.")
