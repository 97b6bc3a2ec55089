"""A partition that is named directly shows itself to the platform: a backup copies partitions, not their parent."""

from django.db import migrations

ALL = """
DO $$ DECLARE part regclass; BEGIN
    FOR part IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'activity_logs'::regclass LOOP
        EXECUTE format({sql}, part);
    END LOOP;
END $$;
"""
POLICY = "CREATE POLICY platform ON %s FOR SELECT USING (current_setting(''app.scope'', true) = ''platform'')"
FUNCTION = """
CREATE OR REPLACE FUNCTION ensure_activity_partitions(ahead int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    month timestamp := date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month';
    made int := 0;
    part text;
BEGIN
    FOR i IN 0 .. ahead + 1 LOOP
        part := 'activity_logs_' || to_char(month, 'YYYY_MM');
        IF to_regclass(part) IS NULL THEN
            EXECUTE format('CREATE TABLE %I PARTITION OF activity_logs FOR VALUES FROM (%L) TO (%L)', part,
                           month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC');
            -- The parent's policy does not guard a partition that is named directly.
            EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %I FROM CURRENT_USER', part);
            -- POLICY
            made := made + 1;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END $$;
"""


class Migration(migrations.Migration):
    """For the partitions that are there, and for those to come."""

    dependencies = [("errors", "0002_activity_partitions")]
    operations = [
        migrations.RunSQL(ALL.format(sql=f"'{POLICY}'"), ALL.format(sql="'DROP POLICY IF EXISTS platform ON %s'")),
        migrations.RunSQL(
            FUNCTION.replace("-- POLICY", f"EXECUTE format('{POLICY.replace('%s', '%I')}', part);"), FUNCTION
        ),
    ]
