"""Row-level security on workspaces and memberships."""

from django.db import migrations

from accounts import rls

MEMBER_OF = "id IN (SELECT workspace_id FROM accounts_membership WHERE " + rls.OWN_ROW + ")"  # noqa: S608  (no word of it comes from outside)
SAME = "id = nullif(current_setting('app.workspace', true), '')::uuid"


class Migration(migrations.Migration):
    """A person sees their own memberships, and the workspaces these name, before one is chosen."""

    dependencies = [("accounts", "0001_ground")]
    operations = [
        rls.Tenant("Membership", also_reads=rls.OWN_ROW),
        migrations.RunSQL(
            rls.protect("accounts_workspace", f"{SAME} OR {rls.SEES_ALL} OR {MEMBER_OF}", f"{SAME} OR {rls.SEES_ALL}"),
            "DROP POLICY tenant ON accounts_workspace;"
            "ALTER TABLE accounts_workspace NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;",
        ),
    ]
