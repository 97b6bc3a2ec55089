"""`manage.py doctor`; manage.py itself runs it before Django, as it must work where no settings load."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from instagrowth.embedded.__main__ import main


class Command(BaseCommand):
    """The door for `manage.py help` and `call_command`."""

    help = "Look at everything the product needs, and say one sentence about each."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it and end with its exit code."""
        sys.exit(main("doctor"))
