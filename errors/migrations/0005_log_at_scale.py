"""The log with millions of rows: an index for each filter, months that go, and a clock that tests can move."""

from django.db import migrations

INDEXES = """
CREATE INDEX activity_of_deed ON activity_logs (workspace_id, action, id DESC);
CREATE INDEX activity_of_status ON activity_logs (workspace_id, status, id DESC) WHERE status <> 'ok';
-- For staff, who look through all workspaces at once.
CREATE INDEX activity_with_code ON activity_logs (error_code, id DESC) WHERE error_code <> '';
CREATE INDEX activity_with_status ON activity_logs (status, id DESC) WHERE status <> 'ok';
-- A day of a month: rows lie on the disk in the order of time, so one entry for 32 pages is enough.
CREATE INDEX activity_at ON activity_logs USING brin (at) WITH (pages_per_range = 32);
"""
NO_INDEXES = """
DROP INDEX activity_of_deed, activity_of_status, activity_with_code, activity_with_status, activity_at;
"""
ENSURE = """
CREATE FUNCTION ensure_activity_partitions({takes}) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    month timestamp := date_trunc('month', {today} AT TIME ZONE 'UTC') - interval '1 month';
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
            EXECUTE format(
                'CREATE POLICY platform ON %I FOR SELECT USING (current_setting(''app.scope'', true) = ''platform'')',
                part);
            made := made + 1;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END $$;
"""
DROP = """
-- Whole months that ended more than so many months ago. A table that is dropped costs nothing, whatever it held.
CREATE FUNCTION drop_activity_partitions(kept int, today timestamptz DEFAULT now()) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    oldest text := 'activity_logs_' || to_char(today AT TIME ZONE 'UTC' - kept * interval '1 month', 'YYYY_MM');
    gone text[] := '{}';
    part text;
BEGIN
    IF kept < 1 THEN
        RAISE EXCEPTION 'at least a month is kept';
    END IF;
    FOR part IN SELECT c.relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
                WHERE inhparent = 'activity_logs'::regclass AND c.relname < oldest ORDER BY 1 LOOP
        EXECUTE format('DROP TABLE %I', part);
        gone := gone || part;
    END LOOP;
    RETURN gone;
END $$;
"""
FUNCTIONS = (
    "DROP FUNCTION ensure_activity_partitions(int);"
    + ENSURE.format(takes="ahead int, today timestamptz DEFAULT now()", today="today")
    + DROP
)
FORMER = (
    "DROP FUNCTION drop_activity_partitions(int, timestamptz);"
    "DROP FUNCTION ensure_activity_partitions(int, timestamptz);" + ENSURE.format(takes="ahead int", today="now()")
)


class Migration(migrations.Migration):
    """For the months that are there, and for those to come."""

    dependencies = [("errors", "0004_groups")]
    operations = [migrations.RunSQL(INDEXES, NO_INDEXES), migrations.RunSQL(FUNCTIONS, FORMER)]
