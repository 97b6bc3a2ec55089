"""manage.py sync_error_codes."""

from django.core.management.base import BaseCommand

from errors.registry_table import sync


class Command(BaseCommand):
    """Fill the table of error codes from the registry; every migrate does it too."""

    help = "Fill the table of error codes from the registry."

    def handle(self, **options: object) -> None:
        """Write the codes."""
        self.stdout.write(f"{sync()} error codes are in the table.")
