"""Row-level security on what teams, mails and archives brought."""

from django.db import migrations

from accounts import rls


def walls(table: str, using: str, check: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        rls.protect(table, using, check),
        f"DROP POLICY tenant ON {table};ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;",
    )


class Migration(migrations.Migration):
    """Anybody's deed may write a mail, but only the platform reads the outbox; an archive is its person's."""

    dependencies = [("accounts", "0003_doors")]
    operations = [
        rls.Tenant("Invitation"),
        rls.Tenant("Proposal"),
        walls("accounts_logo", f"{rls.IN_WORKSPACE} OR {rls.SEES_ALL}", f"{rls.IN_WORKSPACE} OR {rls.SEES_ALL}"),
        walls("accounts_mail", rls.SEES_ALL, "true"),
        walls("accounts_export", f"{rls.OWN_ROW} OR {rls.SEES_ALL}", f"{rls.OWN_ROW} OR {rls.SEES_ALL}"),
    ]
