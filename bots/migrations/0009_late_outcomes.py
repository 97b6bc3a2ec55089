"""`write_outcome` for an action that was given up before its worker came back: it is no longer counted as unknown.

And it changes the task before the candidate, as whoever stops a task does: the other way round the two waited in a circle.
"""

import re
from importlib import import_module

from django.db import migrations

journal = import_module("bots.migrations.0003_journal")
_BEFORE = re.search(r"CREATE FUNCTION write_outcome\(.*?END \$\$;\n", journal.FORWARDS, re.DOTALL)[0].replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)


_PERSON = re.search(r"    UPDATE bots_candidate SET .*?WHERE id = person;\n", _BEFORE, re.DOTALL)[0]


def _replaced(text: str, *pairs: tuple[str, str]) -> str:
    for before, after in pairs:
        if before not in text:
            raise ValueError(f"write_outcome has changed: {before}")
        text = text.replace(before, after)
    return text


FORWARDS = _replaced(
    _BEFORE,
    (_PERSON, ""),
    ("    WHERE id = task;\n", f"    WHERE id = task;\n{_PERSON}"),
    ("    done bots_action;\n", "    done bots_action;\n    was text;\n"),
    (
        "    UPDATE bots_action SET state = outcome,",
        """\
    SELECT state INTO was FROM bots_action WHERE id = act FOR UPDATE;
    UPDATE bots_action SET state = outcome,""",
    ),
    (
        "unknown = unknown + (outcome = 'unknown')::int,",
        "unknown = greatest(0, unknown + (outcome = 'unknown')::int - (was = 'unknown')::int),",
    ),
)


class Migration(migrations.Migration):
    """Written in SQL because that is where it runs."""

    dependencies = [("bots", "0008_chosen")]
    operations = [migrations.RunSQL(FORWARDS, _BEFORE)]
