"""The allow-list from the server itself: the way back in for whoever shut themselves out."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from adminpanel import allowlist, audit
from errors.exceptions import BotException


class Command(BaseCommand):
    """List, add and remove networks, without asking where anybody comes from."""

    help = "From where the control room may be reached: allowlist list | add NETWORK | remove NETWORK."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the deed and the network."""
        parser.add_argument("deed", choices=("list", "add", "remove"))
        parser.add_argument("network", nargs="?", default="")

    def handle(self, *, deed: str, network: str, **options: object) -> None:
        """Do it, and print the list."""
        try:
            if deed != "list":
                row = allowlist.add(network, "manage.py") if deed == "add" else allowlist.remove(network)
                audit.record(f"networks.{deed}", door="manage.py", network=row.network)
        except BotException as refused:
            raise CommandError(f"{refused} ({refused.code.id})") from None
        for name in settings.ADMIN_ALLOWED_NETWORKS:
            self.stdout.write(f"{name}  (ADMIN_ALLOWED_NETWORKS)")
        for row in allowlist.rows():
            self.stdout.write(f"{row.network}  {row.note}")
        if not allowlist.everything():
            self.stdout.write("The list is empty: staff may come from everywhere.")
