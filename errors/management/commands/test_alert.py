"""manage.py test_alert."""

import sys

from django.core.management.base import BaseCommand

from errors import alerts, sentry


class Command(BaseCommand):
    """Send a test alert on every way that is set."""

    help = (
        "Send a test alert to the webhook, Sentry, the operators' mails and the staff's browsers, where they are set."
    )

    def handle(self, **options: object) -> None:
        """Say which ways it went; exit code 1 if nobody outside was told."""
        ways = alerts.try_out("manage.py test_alert")
        sentry.flush()
        self.stdout.write(f"Sent by: {', '.join(ways) or 'no way'}.")
        if not {"webhook", "mail", "sentry"} & set(ways):
            self.stderr.write("Set ALERT_WEBHOOK_URL, ALERT_EMAILS or SENTRY_DSN to be told outside of the product.")
            sys.exit(1)
