"""Let a new vault key take over from an old one."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from errors.exceptions import BotException
from instagrowth import rotation


class Command(BaseCommand):
    """Seal every stored secret under the newest key; may be broken off and started again at any time."""

    help = "Seal every stored secret under the newest key of VAULT_KEYS, so that the older ones can leave it."
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        """Say how many, column by column."""
        lost = 0
        try:
            for column in rotation.rotate():
                lost += column.lost
                self.stdout.write(
                    f"{column.what}: {column.done} sealed anew"
                    + f", {column.lost} cannot be opened" * bool(column.lost)
                )
        except BotException as refused:
            raise CommandError(f"{refused} {refused.code.do_next} ({refused.code.id})") from None
        if lost:
            raise CommandError(
                f"{lost} secrets cannot be opened by any key: they were changed or moved. (E-SEC-C-0001)"
            )
        self.stdout.write(
            f"Everything is sealed with key number {settings.VAULT_KEYS[0][0]}: VAULT_KEYS needs no other."
        )
