"""The engine's two transactions, as functions: what is checked, written and counted together is in one place.

Each is one call without a transaction of its own round it, and PostgreSQL keeps its plans: an action costs two round
trips instead of ten. Each sets the workspace it works in, for as long as it runs.
"""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION take_limit(ws uuid, acc uuid, what text, zone text, hourly int, daily int, weekly int)
RETURNS int LANGUAGE plpgsql AS $$
-- Takes one unit of hour, day and 7 days; how many of the day are taken now, or null with nothing taken.
-- "Today" is the account's local date by this clock. The day is locked before the hour, always, so takers queue and none
-- waits in a circle; the 6 days before cannot change any more, so the week is as exact as the day.
DECLARE
    today timestamptz := date_trunc('day', now() AT TIME ZONE zone) AT TIME ZONE 'UTC';
    this_hour timestamptz := date_trunc('hour', now() AT TIME ZONE zone) AT TIME ZONE 'UTC';
    room int;
    taken int;
BEGIN
    SELECT least(daily, weekly - coalesce(sum(used), 0)) INTO room FROM bots_usage
    WHERE workspace_id = ws AND account_id = acc AND kind = what AND period = 'day'
      AND starts > today - interval '7 days' AND starts < today;
    IF room <= 0 OR hourly <= 0 THEN
        RETURN NULL;
    END IF;
    INSERT INTO bots_usage AS u (id, workspace_id, account_id, kind, period, starts, used)
    VALUES (gen_random_uuid(), ws, acc, what, 'day', today, 1)
    ON CONFLICT (workspace_id, account_id, kind, period, starts) DO UPDATE SET used = u.used + 1 WHERE u.used < room
    RETURNING used INTO taken;
    IF taken IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO bots_usage AS u (id, workspace_id, account_id, kind, period, starts, used)
    VALUES (gen_random_uuid(), ws, acc, what, 'hour', this_hour, 1)
    ON CONFLICT (workspace_id, account_id, kind, period, starts) DO UPDATE SET used = u.used + 1 WHERE u.used < hourly;
    IF NOT FOUND THEN
        UPDATE bots_usage SET used = used - 1
        WHERE workspace_id = ws AND account_id = acc AND kind = what AND period = 'day' AND starts = today;
        RETURN NULL;
    END IF;
    RETURN taken;
END $$;

CREATE FUNCTION refund_limit(ws uuid, acc uuid, what text, zone text, taken_at timestamptz)
RETURNS void LANGUAGE sql AS $$
    UPDATE bots_usage SET used = used - 1
    WHERE workspace_id = ws AND account_id = acc AND kind = what AND used > 0 AND (period, starts) IN (
        ('day', date_trunc('day', taken_at AT TIME ZONE zone) AT TIME ZONE 'UTC'),
        ('hour', date_trunc('hour', taken_at AT TIME ZONE zone) AT TIME ZONE 'UTC'))
$$;

CREATE FUNCTION write_intent(
    ws uuid, bot uuid, claim bigint, lease int, task uuid, turn uuid, acc uuid, what text, target bigint, username text,
    correlation text, zone text, hourly int, daily int, weekly int,
    OUT verdict text, OUT action uuid, OUT at timestamptz, OUT taken int
) LANGUAGE plpgsql AS $$
-- T1. Verdicts: fenced (the bot is not ours, or was stopped), stopped (the task was), known (contacted before, by
-- whomever), full (a limit), or written: only then may the action be sent, once.
BEGIN
    PERFORM set_config('app.workspace', ws::text, true);
    UPDATE bots_bot SET lease_until = now() + make_interval(secs => lease)
    WHERE id = bot AND fence = claim AND status = 'running' AND lease_until > now();
    IF NOT FOUND THEN
        verdict := 'fenced';
        RETURN;
    END IF;
    PERFORM 1 FROM bots_bottask WHERE id = task AND status IN ('queued', 'running', 'waiting') FOR UPDATE;
    IF NOT FOUND THEN
        verdict := 'stopped';
        RETURN;
    END IF;
    INSERT INTO bots_action (id, workspace_id, account_id, task_id, turn_id, kind, target_pk, target_username, campaign,
                             state, fence, error_code, correlation_id, lookups)
    VALUES (gen_random_uuid(), ws, acc, task, turn, what, target, username, '', 'intent', claim, '', correlation, 0)
    ON CONFLICT (workspace_id, account_id, kind, target_pk, campaign) DO NOTHING
    RETURNING id, created_at INTO action, at;
    IF action IS NULL THEN
        verdict := 'known';
        RETURN;
    END IF;
    taken := take_limit(ws, acc, what, zone, hourly, daily, weekly);
    IF taken IS NULL THEN
        DELETE FROM bots_action WHERE id = action;
        verdict := 'full';
        RETURN;
    END IF;
    verdict := 'written';
END $$;

CREATE FUNCTION write_outcome(
    ws uuid, act uuid, outcome text, code text, message text, look_up_after float, was_sent boolean, person uuid,
    task uuid, who uuid, story jsonb, news jsonb, zone text, OUT seq bigint, OUT at timestamptz
) LANGUAGE plpgsql AS $$
-- T2: the outcome in the journal, in the task's counts, in the activity log and for the browsers. Its commit is not
-- waited for: what a crash of the database loses is an open intent again, which is looked up and never sent a second time.
DECLARE
    done bots_action;
BEGIN
    PERFORM set_config('app.workspace', ws::text, true), set_config('synchronous_commit', 'off', true);
    UPDATE bots_action SET state = outcome, error_code = code,
           ended_at = CASE WHEN outcome <> 'unknown' THEN now() END,
           look_up_at = CASE WHEN outcome = 'unknown' THEN now() + make_interval(secs => look_up_after) END
    WHERE id = act AND state IN ('intent', 'unknown') RETURNING * INTO done;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF outcome = 'refused' THEN
        PERFORM refund_limit(ws, done.account_id, done.kind, zone, done.created_at);
    END IF;
    UPDATE bots_candidate SET state = CASE WHEN was_sent THEN 'used' ELSE 'skipped' END,
           reason = CASE WHEN was_sent THEN '' ELSE left(message, 120) END
    WHERE id = person;
    UPDATE bots_bottask SET confirmed = confirmed + (outcome = 'confirmed')::int,
           unknown = unknown + (outcome = 'unknown')::int, skipped = skipped + (NOT was_sent)::int, last_code = code,
           status = CASE WHEN status IN ('queued', 'waiting') THEN 'running' ELSE status END
    WHERE id = task;
    INSERT INTO activity_logs (workspace_id, user_id, account_id, action, status, error_code, error_message,
                               correlation_id, metadata)
    VALUES (ws, who, done.account_id, done.kind,
            CASE outcome WHEN 'confirmed' THEN 'ok' WHEN 'unknown' THEN 'warning' ELSE 'error' END,
            code, message, done.correlation_id, story);
    INSERT INTO instagrowth_liveevent AS event (workspace_id, name, data) VALUES (ws, 'action', news)
    RETURNING event.id, event.at INTO seq, at;
END $$;
"""
BACKWARDS = "DROP FUNCTION write_outcome, write_intent, refund_limit, take_limit;"


class Migration(migrations.Migration):
    """Written in SQL because that is where they run."""

    dependencies = [("bots", "0002_walls"), ("errors", "0002_activity_partitions"), ("instagrowth", "0002_walls")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
