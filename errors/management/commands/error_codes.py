"""manage.py error_codes."""

import json

from django.core.management.base import BaseCommand, CommandParser

from errors.codes import REGISTRY, Code
from errors.why import WHY


class Command(BaseCommand):
    """List what can go wrong and what to do about it."""

    help = "List the error codes, what they mean and what to do next."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """One switch."""
        parser.add_argument("--json", action="store_true", help="print JSON for programs")

    def handle(self, **options: object) -> None:
        """Print the registry."""
        if options["json"]:
            self.stdout.write(json.dumps([as_json(code) for code in REGISTRY.values()], indent=2, ensure_ascii=False))
            return
        for code in REGISTRY.values():
            self.stdout.write(f"{code.id:15} {code.name}\n    {code.what}\n    {code.do_next}")


def as_json(code: Code) -> dict[str, object]:
    """One code for programs."""
    return {
        "code": code.id,
        "name": code.name,
        "module": code.module,
        "severity": code.severity,
        "description": code.what,
        "causes": list(WHY[code.name]),
        "recommended_action": code.do_next,
        "reaction": code.then.value,
        "http": code.http,
    }
