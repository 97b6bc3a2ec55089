"""Look whether somebody changed the log of what staff did."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from adminpanel import audit
from adminpanel.models import AdminLog


class Command(BaseCommand):
    """Walk the chain from its first row to its last."""

    help = "Verify the admin log. --expect HASH: also that a row seen earlier (in the process's log) is still there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take an anchor."""
        parser.add_argument("--expect", default="")

    def handle(self, *, expect: str, **options: object) -> None:
        """Print what is broken, or that nothing is."""
        broken = list(audit.verify())
        if expect and not AdminLog.objects.filter(hash=expect).exists():
            broken.append(f"No row has the hash {expect}: rows were cut off.")
        if broken:
            raise CommandError("\n".join(broken))
        last = AdminLog.objects.first()
        self.stdout.write(f"{AdminLog.objects.count()} rows, unbroken. Last hash: {last.hash if last else '-'}")
