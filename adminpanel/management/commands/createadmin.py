"""Make the first administrator, or let one back in who was locked out."""

import json
from argparse import ArgumentParser

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from accounts import tenancy
from accounts.models import User
from adminpanel import audit, staff
from errors.exceptions import BotException
from errors.recording import log_activity


class Command(BaseCommand):
    """Print a one-time password and the authenticator's address, this once."""

    help = "Make an administrator, or give one who was locked out a new one-time password and authenticator."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the e-mail."""
        parser.add_argument("--email", required=True)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, email: str, **options: object) -> None:
        """Hand out."""
        try:
            validate_email(email)
            known = User.objects.filter(email=email.strip().lower()).first()
            kept = audit.Seen(known) if known else None
            with transaction.atomic():
                handed = staff.hand_out(email)
                kept = kept or audit.Seen(handed.user, new=True)
                kept.record("staff.new_access" if known else "staff.add", door="manage.py")
        except ValidationError:
            raise CommandError(f"{email} is not an e-mail address.") from None
        except BotException as refused:
            raise CommandError(f"{refused} {refused.code.do_next} ({refused.code.id})") from None
        with tenancy.platform("what staff do belongs to no workspace"):
            log_activity("admin_created", user=handed.user, door="manage.py")
        told = {"email": handed.user.email, "password": handed.password, "otpauth_uri": handed.otpauth_uri}
        self.stdout.write(json.dumps(told) if options["json"] else _as_text(told))


def _as_text(told: dict[str, str | None]) -> str:
    return (
        f"E-mail:        {told['email']}\n"
        f"Password:      {told['password']}   (to be changed at the first sign-in, within 24 hours)\n"
        f"Authenticator: {told['otpauth_uri']}\n"
        "This is shown once."
    )
