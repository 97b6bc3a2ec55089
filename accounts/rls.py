"""Migration operations that wall a table in: forced row-level security, and keys that include the workspace."""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

SEES_ALL = "current_setting('app.scope', true) = 'platform'"
IN_WORKSPACE = "workspace_id = nullif(current_setting('app.workspace', true), '')::uuid"
OWN_ROW = "user_id = nullif(current_setting('app.user', true), '')::uuid"


def protect(table: str, using: str, check: str) -> str:
    """SQL that forces row-level security on `table` with these two conditions."""
    return (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;"
        f"CREATE POLICY tenant ON {table} USING ({using}) WITH CHECK ({check});"
    )


class Tenant(Operation):
    """Wall in the table of one model that has a `workspace`.

    Foreign keys between tenant tables become composite (workspace_id, …_id), so that a row can never point into another
    workspace; their fields carry `db_constraint=False` because this operation writes the constraint.
    `also_reads` and `also_writes` are further conditions under which a row is seen, or may be written.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, model: str, also_reads: str = "", also_writes: str = "") -> None:
        self.model, self.also_reads, self.also_writes = model, also_reads, also_writes

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Django's own picture of the table does not change."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Write policy, composite key and composite foreign keys."""
        model = to_state.apps.get_model(app_label, self.model)
        table = model._meta.db_table
        rule = f"{IN_WORKSPACE} OR {SEES_ALL}"
        using = " OR ".join(filter(None, (rule, self.also_reads, self.also_writes)))
        schema_editor.execute(protect(table, using, " OR ".join(filter(None, (rule, self.also_writes)))))
        schema_editor.execute(
            f"ALTER TABLE {table} ADD CONSTRAINT {table}_workspace_key UNIQUE (workspace_id, {model._meta.pk.column})"
        )
        for field in model._meta.local_fields:
            other = field.related_model
            if (not field.many_to_one and not field.one_to_one) or field.db_constraint:
                continue
            schema_editor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {table}_{field.column}_tenant"
                f" FOREIGN KEY (workspace_id, {field.column})"
                f" REFERENCES {other._meta.db_table} (workspace_id, {other._meta.pk.column})"
                " DEFERRABLE INITIALLY DEFERRED"
            )

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Take the walls down again."""
        model = from_state.apps.get_model(app_label, self.model)
        table = model._meta.db_table
        for field in model._meta.local_fields:
            if (field.many_to_one or field.one_to_one) and not field.db_constraint:
                schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_{field.column}_tenant")
        schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_workspace_key CASCADE")
        schema_editor.execute(
            f"DROP POLICY tenant ON {table};ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY"
        )

    def describe(self) -> str:
        """One line for `migrate --plan`."""
        return f"Wall in {self.model} by workspace"
