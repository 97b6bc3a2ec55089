"""Claiming, taking over and giving back as functions, and a `write_intent` that renews the lease only when it must.

Rows that are changed several times get room on their pages, so that a change without an indexed column stays on its page
and writes no index.
"""

import re
from importlib import import_module

from django.db import migrations

every_kind = import_module("bots.migrations.0005_every_kind")
_BEFORE = every_kind.FORWARDS.replace("DROP FUNCTION write_intent;\nCREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
_RENEWAL = re.search(r"    UPDATE bots_bot SET lease_until.*?lease_until > now\(\);\n", _BEFORE, re.DOTALL)[0]
_LOCK = """\
    -- The row is locked, so that a stop waits or is seen. It is written only when the lease grows short: each index of the
    -- table costs a write, and what is sent within 50 s of its intent has ended long before 75 s are over.
    SELECT lease_until < now() + make_interval(secs => lease - 15) INTO short FROM bots_bot
    WHERE id = bot AND fence = claim AND status = 'running' AND lease_until > now() FOR NO KEY UPDATE;
"""
_WRITE = """\
    IF short THEN
        UPDATE bots_bot SET lease_until = now() + make_interval(secs => lease) WHERE id = bot;
    END IF;
"""
_FENCED = "        verdict := 'fenced';\n        RETURN;\n    END IF;\n"
_DECLARED = "    barring text := CASE what WHEN 'unfollow' THEN 'keep' ELSE 'block' END;\n"
for _part in (_RENEWAL, _FENCED, _DECLARED):
    if _part not in _BEFORE:
        raise ValueError(f"write_intent has changed: {_part}")
INTENT = (
    _BEFORE.replace(_RENEWAL, _LOCK)
    .replace(_FENCED, _FENCED + _WRITE)
    .replace(_DECLARED, _DECLARED + "    short boolean;\n")
)

TURNS = """
CREATE FUNCTION claim_due(most int, looked_at int, handover int, queues varchar[])
RETURNS TABLE (bot uuid, workspace uuid, claim bigint, to_queue varchar)
LANGUAGE plpgsql SET enable_seqscan = off SET enable_sort = off SET plan_cache_mode = force_generic_plan AS $$
-- Due bots, at most `share` of a workspace at once, become leased and get their turn's row.
-- Each stripe of workspaces is one dispatcher's at a time, and the leases are counted after that is settled: so shares
-- are exact, and dispatchers work beside each other. A stripe that somebody else has is theirs to empty.
-- Counted are the leases of workspaces with due bots, never of all; locked is what is claimed, and no row is waited for.
-- The planner believes that sorting all due bots is cheap; walking their index stops after the first ones.
DECLARE
    part int;
    more int := most;
    found_now int;
BEGIN
    FOR part IN SELECT n FROM generate_series(0, 15) n ORDER BY random() LOOP
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtext('bots.dispatch.claim'), part);
        RETURN QUERY
        WITH due AS MATERIALIZED (
            SELECT b.id, b.workspace_id, b.next_run_at, b.share - busy.n AS room
            FROM bots_bot b CROSS JOIN LATERAL (
                SELECT count(*) AS n FROM bots_bot l
                WHERE l.workspace_id = b.workspace_id AND l.lease_until IS NOT NULL
            ) busy
            WHERE b.stripe = part AND b.status = 'running' AND b.lease_until IS NULL AND b.next_run_at <= now()
              AND b.queue = ANY(queues) AND busy.n < b.share
            ORDER BY b.next_run_at, b.id LIMIT looked_at
        ), placed AS (
            SELECT *, row_number() OVER (PARTITION BY workspace_id ORDER BY next_run_at, id) AS place FROM due
        ), chosen AS MATERIALIZED (
            SELECT id FROM placed WHERE place <= room ORDER BY next_run_at, id LIMIT more
        ), mine AS MATERIALIZED (
            SELECT id FROM bots_bot
            WHERE id = ANY(ARRAY(SELECT id FROM chosen)) AND status = 'running' AND lease_until IS NULL
            FOR NO KEY UPDATE SKIP LOCKED
        ), claimed AS (
            UPDATE bots_bot b SET fence = b.fence + 1, lease_until = now() + make_interval(secs => handover)
            FROM mine WHERE b.id = mine.id
            RETURNING b.id, b.workspace_id, b.fence, b.queue, b.next_run_at
        ), ledger AS (
            INSERT INTO bots_turn (id, workspace_id, bot_id, due_at, fence, queue, state, ended, actions)
            SELECT gen_random_uuid(), workspace_id, id, next_run_at, fence, queue, 'running', '', 0 FROM claimed
            ON CONFLICT (workspace_id, bot_id, due_at)
            DO UPDATE SET fence = excluded.fence, queue = excluded.queue, state = 'running', taken_at = NULL, ended_at = NULL
        )
        SELECT id, workspace_id, fence, queue FROM claimed;
        GET DIAGNOSTICS found_now = ROW_COUNT;
        more := more - found_now;
        EXIT WHEN more <= 0;
    END LOOP;
END $$;

CREATE FUNCTION take_turn(ws uuid, mine uuid, claim bigint, lease int, OUT turn uuid, OUT at timestamptz)
LANGUAGE plpgsql AS $$
-- Turns the short lease of a claim into the lease of a turn and counts the attempt; null for a stale message and for a
-- second one. Its commit is not waited for: nothing is sent before an intent is on disk, and then this is, too.
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM 1 FROM bots_bot WHERE id = mine AND fence = claim AND lease_until > now() FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE bots_turn SET taken_at = now() WHERE taken_at IS NULL AND id = (
        SELECT id FROM bots_turn WHERE bot_id = mine AND workspace_id = ws AND fence = claim
        ORDER BY due_at DESC LIMIT 1)
    RETURNING id, taken_at INTO turn, at;
    IF FOUND THEN
        UPDATE bots_bot SET lease_until = now() + make_interval(secs => lease), attempt = attempt + 1 WHERE id = mine;
    END IF;
END $$;

CREATE FUNCTION rests_until(
    ws uuid, mine uuid, OUT at timestamptz, OUT delay int, OUT spread int, OUT opens time, OUT closes time,
    OUT health text, OUT healthy_at timestamptz, OUT wakes_at timestamptz
) LANGUAGE plpgsql AS $$
-- What decides a bot's next turn. The row is locked first: who asks it for something now waits, or is seen.
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM 1 FROM bots_bot WHERE id = mine FOR NO KEY UPDATE;
    SELECT now(), b.cycle_delay, b.jitter, b.works_from, b.works_to, a.health, a.health_until
    INTO at, delay, spread, opens, closes, health, healthy_at
    FROM bots_bot b JOIN bots_instagramaccount a ON a.id = b.account_id WHERE b.id = mine;
    SELECT min(coalesce(waits_until, now())) INTO wakes_at FROM bots_bottask
    WHERE workspace_id = ws AND bot_id = mine AND status IN ('queued', 'running', 'waiting');
END $$;

CREATE FUNCTION end_turn(
    ws uuid, mine uuid, claim bigint, turn uuid, next_at timestamptz, how text, done int, cpu int, memory int, news jsonb,
    OUT seq bigint, OUT at timestamptz
) LANGUAGE plpgsql AS $$
-- T3: gives the bot back if it is still ours, sets its next turn, and tells the browsers. Null if it is not.
BEGIN
    UPDATE bots_bot SET lease_until = NULL, attempt = 0, next_run_at = next_at WHERE id = mine AND fence = claim;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    UPDATE bots_turn SET state = 'done', ended = how, actions = done, ended_at = now(), cpu_ms = cpu, memory_kb = memory
    WHERE id = turn;
    INSERT INTO instagrowth_liveevent AS event (workspace_id, name, data) VALUES (ws, 'turn', news)
    RETURNING event.id, event.at INTO seq, at;
END $$;

ALTER TABLE bots_action SET (fillfactor = 85);
ALTER TABLE bots_bottask SET (fillfactor = 50);
ALTER TABLE bots_usage SET (fillfactor = 50);
ALTER TABLE bots_turn SET (fillfactor = 70);
"""
BACKWARDS = """
ALTER TABLE bots_action RESET (fillfactor);
ALTER TABLE bots_bottask RESET (fillfactor);
ALTER TABLE bots_usage RESET (fillfactor);
ALTER TABLE bots_turn RESET (fillfactor);
DROP FUNCTION end_turn, rests_until, take_turn, claim_due;
"""


class Migration(migrations.Migration):
    """Written in SQL because that is where it runs."""

    dependencies = [("bots", "0013_leaner")]
    operations = [migrations.RunSQL(INTENT, _BEFORE), migrations.RunSQL(TURNS, BACKWARDS)]
