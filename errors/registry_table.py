"""The registry as a table, for people who look codes up with SQL or in the control room."""

from pathlib import Path

from django.db import connections

from errors import codes
from errors.models import ErrorCode


def sync(using: str = "default") -> int:
    """Make the table equal to the registry and return how many codes it has. Codes of unforeseen errors stay."""
    source = Path(codes.__file__).relative_to(Path(codes.__file__).parent.parent).as_posix()
    rows = [
        ErrorCode(
            code=code.id,
            name=code.name,
            module=code.module,
            severity=code.severity,
            description=code.what,
            recommended_action=code.do_next,
            reaction=code.then,
            file_path=source,
        )
        for code in codes.REGISTRY.values()
    ]
    ErrorCode.objects.using(using).filter(code__in=codes.RETIRED).delete()
    ErrorCode.objects.using(using).bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=["name", "module", "severity", "description", "recommended_action", "reaction", "file_path"],
    )
    return len(rows)


def after_migrate(using: str, **_: object) -> None:
    """Fill the table as soon as it is there; a migration to an earlier state may have taken it away."""
    if ErrorCode._meta.db_table in connections[using].introspection.table_names():
        sync(using)
