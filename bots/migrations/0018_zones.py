"""A `take_limit` that knows the account's zone as it is now, and counts days that a former zone called tomorrow."""

from importlib import import_module

from django.db import migrations

_JOURNAL = import_module("bots.migrations.0003_journal").FORWARDS
_BEFORE = _JOURNAL[_JOURNAL.index("CREATE FUNCTION take_limit") : _JOURNAL.index("CREATE FUNCTION refund_limit")]
_BEFORE = _BEFORE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
_TODAY = """\
    today timestamptz := date_trunc('day', now() AT TIME ZONE zone) AT TIME ZONE 'UTC';
    this_hour timestamptz := date_trunc('hour', now() AT TIME ZONE zone) AT TIME ZONE 'UTC';
"""
_BEGIN = "BEGIN\n    SELECT least(daily"
_DAYS_BEFORE = "AND starts < today;"
for _part in (_TODAY, _BEGIN, _DAYS_BEFORE):
    if _part not in _BEFORE:
        raise ValueError(f"take_limit has changed: {_part}")
TAKE = (
    _BEFORE.replace(_TODAY, "    today timestamptz;\n    this_hour timestamptz;\n")
    .replace(
        _BEGIN,
        """\
BEGIN
    -- The worker read the zone when its turn began. `write_intent` holds the bot, and so does who changes the zone.
    SELECT coalesce(min(timezone), zone) INTO zone FROM bots_instagramaccount WHERE id = acc;
    today := date_trunc('day', now() AT TIME ZONE zone) AT TIME ZONE 'UTC';
    this_hour := date_trunc('hour', now() AT TIME ZONE zone) AT TIME ZONE 'UTC';
    SELECT least(daily""",
    )
    .replace(_DAYS_BEFORE, "AND starts <> today;")
)


class Migration(migrations.Migration):
    """Written in SQL because that is where it runs."""

    dependencies = [("bots", "0017_resting")]
    operations = [migrations.RunSQL(TAKE, _BEFORE)]
