"""Put a backup back, or only see that it could be."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from errors.exceptions import BotException
from instagrowth import backups
from instagrowth.embedded.folder import EmbeddedError


class Command(BaseCommand):
    """Nothing is changed before all of the backup was read and every row compared."""

    help = "Put a backup in the place of database and files; what was there is kept beside it. --check only compares."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help="read it back, compare every row, change nothing")

    def handle(self, *, file: Path, check: bool, **options: Any) -> None:
        """Restore, and say what."""
        try:
            if check:
                saved = backups.check(file)
                self.stdout.write(f"The backup of {saved.made_at} can be restored: {len(saved.tables)} tables, diff 0.")
                return
            saved, former = backups.restore(file)
        except (backups.BackupError, EmbeddedError, OSError) as failed:
            raise CommandError(str(failed)) from None
        except BotException as refused:
            raise CommandError(f"{refused} {refused.code.do_next} ({refused.code.id})") from None
        self.stdout.write(f"Everything is as it was at {saved.made_at}: {len(saved.tables)} tables, diff 0.")
        self.stdout.write(f"The former database is kept as {former}; drop it when you do not need it. Then: migrate.")
