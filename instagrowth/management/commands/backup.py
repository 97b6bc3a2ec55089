"""Save everything in one sealed file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from instagrowth import backups
from instagrowth.embedded.folder import EmbeddedError


class Command(BaseCommand):
    """The product may run meanwhile."""

    help = "Save the database and the private files, as they are at this moment, in one file sealed with VAULT_KEYS."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the file."""
        parser.add_argument("file", nargs="?", type=Path, help="where to (default: a new file in DATA_DIR/backups)")

    def handle(self, *, file: Path | None, **options: Any) -> None:
        """Save, and say what."""
        target = (file or settings.DATA_DIR / "backups" / f"{now():%Y-%m-%d-%H%M%S}.backup").absolute()
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            saved = backups.make(target)
        except (backups.BackupError, EmbeddedError, OSError) as failed:
            raise CommandError(str(failed)) from None
        rows = sum(count for count, _ in saved.tables.values())
        self.stdout.write(f"{target}: {len(saved.tables)} tables with {rows:,} rows, {saved.files} files.")
        self.stdout.write("It opens only with today's VAULT_KEYS: keep them apart from it, and for as long as it.")
