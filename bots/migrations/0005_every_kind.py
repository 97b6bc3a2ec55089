"""The walls of the new tables, and `write_intent` for every kind of action: with its campaign, and with the lists."""

import re
from importlib import import_module

from django.db import migrations

from accounts import rls

journal = import_module("bots.migrations.0003_journal")
_BEFORE = re.search(r"CREATE FUNCTION write_intent\(.*?END \$\$;\n", journal.FORWARDS, re.DOTALL)[0]

FORWARDS = """
DROP FUNCTION write_intent;
CREATE FUNCTION write_intent(
    ws uuid, bot uuid, claim bigint, lease int, task uuid, turn uuid, acc uuid, what text, target bigint, username text,
    camp text, correlation text, zone text, hourly int, daily int, weekly int,
    OUT verdict text, OUT action uuid, OUT at timestamptz, OUT taken int
) LANGUAGE plpgsql AS $$
-- T1. Verdicts: fenced (the bot is not ours, or was stopped), stopped (the task was), listed (on the keep list, or the
-- block list), known (contacted before, by whomever), full (a limit), or written: only then may the action be sent, once.
DECLARE
    barring text := CASE what WHEN 'unfollow' THEN 'keep' ELSE 'block' END;
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
    PERFORM 1 FROM bots_listedperson l
    WHERE l.workspace_id = ws AND l.list = barring AND (l.username = lower(write_intent.username) OR l.target_pk = target);
    IF FOUND THEN
        verdict := 'listed';
        RETURN;
    END IF;
    INSERT INTO bots_action (id, workspace_id, account_id, task_id, turn_id, kind, target_pk, target_username, campaign,
                             state, fence, error_code, correlation_id, lookups)
    VALUES (gen_random_uuid(), ws, acc, task, turn, what, target, write_intent.username, camp, 'intent', claim, '',
            correlation, 0)
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
"""


class Migration(migrations.Migration):
    """Written in SQL because that is where it runs."""

    dependencies = [("bots", "0004_all_actions"), ("bots", "0003_journal")]
    operations = [
        rls.Tenant("ListedPerson"),
        rls.Tenant("MessageTemplate"),
        rls.Tenant("FollowBack"),
        rls.Tenant("AccountDay"),
        migrations.RunSQL(FORWARDS, f"DROP FUNCTION write_intent;{_BEFORE}"),
    ]
