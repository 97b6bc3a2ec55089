"""The admin log as it really is: nobody changes or deletes a row. Whoever is staff already becomes an owner."""

from typing import Any

from django.db import migrations

FORWARDS = """
REVOKE UPDATE, DELETE, TRUNCATE ON admin_logs FROM CURRENT_USER;
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The admin log is append-only.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER admin_logs_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON admin_logs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
BACKWARDS = """
DROP TRIGGER admin_logs_append_only ON admin_logs;
DROP FUNCTION refuse_change();
GRANT UPDATE, DELETE, TRUNCATE ON admin_logs TO CURRENT_USER;
"""


def make_owners(apps: Any, schema_editor: Any) -> None:
    """Until now there were no roles: everybody could do everything."""
    owner, _ = apps.get_model("auth", "Group").objects.get_or_create(name="Owner")
    for user in apps.get_model("accounts", "User").objects.filter(role="admin"):
        user.groups.add(owner)


class Migration(migrations.Migration):
    """Seal the table, and keep those who are in."""

    dependencies = [
        ("adminpanel", "0001_ground"),
        ("accounts", "0005_devices"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [
        migrations.RunSQL(FORWARDS, BACKWARDS),
        migrations.RunPython(make_owners, migrations.RunPython.noop),
    ]
