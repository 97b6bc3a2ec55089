"""Fill a demo workspace."""

import json
from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand

from accounts.models import User
from adminpanel import demo
from errors import correlation
from errors.exceptions import BotException


class Command(BaseCommand):
    """Print how to sign in."""

    help = "Fill a demo workspace: somebody to sign in as and, at the sandbox, an account whose bot is at work."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what must be so."""
        parser.add_argument("--if-empty", action="store_true", help="do nothing where there are people already")
        parser.add_argument("--quiet", action="store_true", help="say nothing: demo.json in the data folder tells it")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *, if_empty: bool, **options: object) -> None:
        """Fill; an Instagram that does not answer leaves the rest usable."""
        if if_empty and User.objects.exists():
            return
        told = demo.fill()
        if settings.INSTAGRAM_PRIVATE_URL:
            correlation.begin()  # one story from the task to its last action, as if a request had asked for it
            try:
                demo.set_to_work()
                demo.plan()
            except BotException as refused:
                self.stderr.write(f"The demo's account was not connected: {refused} ({refused.code.id})")
        if not options["quiet"]:
            self.stdout.write(json.dumps(told) if options["json"] else _as_text(told))


def _as_text(told: dict[str, object]) -> str:
    lines = [f"Sign in as {told['login']} with the password {told['password']}"]
    instagram = told.get("instagram")
    if isinstance(instagram, dict):
        person = ", ".join(f"{name} {value}" for name, value in instagram.items())
        lines.append(f"A person of the sandbox to connect: {person}")
        lines.append(f"All people of the sandbox: {settings.INSTAGRAM_PRIVATE_URL}/")
    return "\n".join(lines)
