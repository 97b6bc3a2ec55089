"""What web and workers ask before they begin: whether the vault opens, and whether the walls bind us."""

import sys

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, InterfaceError, connection, connections

from accounts import vault
from bots.models import VaultCanary
from errors.exceptions import BotException


def examine() -> None:
    """Refuse to start with a key that does not open what is stored, or (by connecting) as a role that passes the walls.

    Raises ImproperlyConfigured. Without a database, or before the first migration, there is nothing to examine yet.
    """
    try:
        canaries = list(VaultCanary.objects.all())
    except (DatabaseError, InterfaceError):
        return
    finally:
        connection.close()
    try:
        for canary in canaries:
            vault.check_canary(canary.sealed)
    except BotException as wrong:
        raise ImproperlyConfigured(wrong.message) from None


def examine_worker(**_: object) -> None:
    """The same for a worker: Celery swallows what a signal's receiver raises, unless it is the end of the program."""
    try:
        examine()
    except ImproperlyConfigured as refused:
        sys.exit(str(refused))


def seal_canary(using: str, **_: object) -> None:
    """Seal the known sentence once, after the first migration; one back to an earlier state takes its table away."""
    there = VaultCanary._meta.db_table in connections[using].introspection.table_names()
    if there and not VaultCanary.objects.exists():
        VaultCanary.objects.create(key_id=1, sealed=vault.new_canary())
