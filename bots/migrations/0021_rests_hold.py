"""A `write_intent` that knows the account's health: a rest holds for a worker, too, that did not meet the sign itself.

Whoever writes a sign down also notes it on the bot (`health.react`), whose row is locked by then: so one of the two comes
first, and what is read here is no older than that. It is read with the task, which is looked at in any case.
"""

from importlib import import_module

from django.db import migrations

_BEFORE = import_module("bots.migrations.0014_quicker").INTENT
_TASK = """\
    PERFORM 1 FROM bots_bottask WHERE id = task AND status IN ('queued', 'running', 'waiting') FOR UPDATE;
    IF NOT FOUND THEN
        verdict := 'stopped';
        RETURN;
    END IF;
"""
_DECLARED = "    short boolean;\n"
for _part in (_TASK, _DECLARED):
    if _part not in _BEFORE:
        raise ValueError(f"write_intent has changed: {_part}")
INTENT = _BEFORE.replace(_DECLARED, f"{_DECLARED}    rests boolean;\n").replace(
    _TASK,
    """\
    SELECT a.health IN ('needs_login', 'needs_you', 'frozen', 'banned') OR a.health = 'cooling' AND a.health_until > now()
           OR coalesce((a.blocked_kinds -> what ->> 'until')::timestamptz > now(), false)
    INTO rests FROM bots_bottask t JOIN bots_instagramaccount a ON a.id = acc
    WHERE t.id = task AND t.status IN ('queued', 'running', 'waiting') FOR UPDATE OF t;
    IF NOT FOUND THEN
        verdict := 'stopped';
        RETURN;
    END IF;
    IF rests THEN
        verdict := 'fenced';
        RETURN;
    END IF;
""",
)


class Migration(migrations.Migration):
    """Written in SQL because that is where it runs."""

    dependencies = [("bots", "0020_login_rests")]
    operations = [migrations.RunSQL(INTENT, _BEFORE)]
