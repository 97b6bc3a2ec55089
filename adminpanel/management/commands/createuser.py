"""Let a member in."""

import json
import secrets
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from adminpanel import audit, members
from errors.exceptions import BotException


class Command(BaseCommand):
    """Print the new member, with the password this once."""

    help = (
        "Make a member with a workspace. Without an e-mail there is an access code; both codes are made if not given."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what is known of the person."""
        parser.add_argument("--email", default="")
        parser.add_argument("--access-code", default="")
        parser.add_argument("--password", default="", help="without one, a password is made that must be changed")
        parser.add_argument("--plan", default="free", help="free, starter, growth or enterprise")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, email: str, access_code: str, password: str, plan: str, **options: object) -> None:
        """Let in."""
        made = password or secrets.token_urlsafe(15)
        try:
            with transaction.atomic():
                admitted = members.admit(
                    email=email, access_code=access_code, password=made, plan=plan, must_change_password=not password
                )
                audit.Seen(admitted.user, new=True).record("users.add", door="manage.py", plan=plan)
        except BotException as refused:
            raise CommandError(f"{refused} {refused.code.do_next} ({refused.code.id})") from None
        user = admitted.user
        told = {
            "id": str(user.pk),
            "email": user.email,
            "access_code": user.access_code,
            "password": made,
            "workspace": str(admitted.workspace.pk),
        }
        lines = (f"{name.replace('_', ' ').capitalize() + ':':<13} {value or '-'}" for name, value in told.items())
        self.stdout.write(json.dumps(told) if options["json"] else "\n".join(lines))
