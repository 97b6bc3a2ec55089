"""The database refuses the moves of a session that `bots.session_moves` does not have."""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION check_session_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version > OLD.version THEN
        RETURN NEW;  -- another login in the same row: a new session
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('unused', 'assigned'), ('assigned', 'unused'), ('assigned', 'frozen'), ('assigned', 'banned'),
        ('frozen', 'assigned'), ('frozen', 'banned')
    ) THEN
        RAISE check_violation USING
            MESSAGE = format('A session cannot move from %s to %s.', OLD.status, NEW.status),
            CONSTRAINT = 'session_moves';
    END IF;
    IF OLD.status = 'frozen' AND NEW.status = 'assigned' AND NOT NEW.valid THEN
        RAISE check_violation USING
            MESSAGE = 'A frozen session goes on only after a probe has passed.', CONSTRAINT = 'session_moves';
    END IF;
    IF OLD.status <> 'unused' AND NEW.status <> 'unused' AND NEW.account_id IS DISTINCT FROM OLD.account_id THEN
        RAISE check_violation USING
            MESSAGE = 'A session that an account has cannot go to another one.', CONSTRAINT = 'session_moves';
    END IF;
    IF NEW.status = 'unused' AND NEW.workspace_id IS NOT NULL THEN
        RAISE check_violation USING
            MESSAGE = 'A session in the pool belongs to no workspace.', CONSTRAINT = 'session_moves';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER session_moves BEFORE UPDATE ON bots_session FOR EACH ROW EXECUTE FUNCTION check_session_move();
"""
BACKWARDS = "DROP TRIGGER session_moves ON bots_session; DROP FUNCTION check_session_move;"


class Migration(migrations.Migration):
    """Written in SQL because that is where it runs."""

    dependencies = [("bots", "0005_every_kind")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
