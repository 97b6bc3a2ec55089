"""What the log forgets when somebody is forgotten: the one place where its rows are removed or changed."""

import re
from collections.abc import Collection
from uuid import UUID

from django.db import connection, transaction

ERASED = "erased"
SHORTEST = 6  # letters of a word to look for: a shorter one would also be found in other words' places

_TURN = "SELECT pg_advisory_xact_lock(hashtext('errors.erase'))"
_TAKE = "GRANT DELETE, UPDATE (user_id, error_message, metadata) ON activity_logs TO CURRENT_USER"
_GIVE_BACK = "REVOKE DELETE, UPDATE (user_id, error_message, metadata) ON activity_logs FROM CURRENT_USER"
_WORKSPACES = "DELETE FROM activity_logs WHERE workspace_id = ANY(%s)"
_ALONE = "DELETE FROM activity_logs WHERE workspace_id IS NULL AND user_id = ANY(%s)"
_UNNAME = "UPDATE activity_logs SET user_id = NULL WHERE user_id = ANY(%s)"
_WORDS = """
UPDATE activity_logs SET metadata = regexp_replace(metadata::text, %(word)s, %(erased)s, 'gi')::jsonb,
                         error_message = regexp_replace(error_message, %(word)s, %(erased)s, 'gi')
WHERE metadata::text ~* %(word)s OR error_message ~* %(word)s
"""


def erase(workspaces: Collection[UUID] = (), users: Collection[UUID] = (), words: Collection[str] = ()) -> None:
    """Forget workspaces with all their rows, and people wherever they acted. Needs the platform's view.

    A person's rows in workspaces of others stay as deeds of nobody, and `words` (addresses, access codes) go out of
    every row's texts, which reads the whole log once. The app's role has no right to do this: it is given for the
    length of this transaction, which nobody else can see, and taken back in it.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TURN)  # two who change a table's rights at once would trip over each other
        cursor.execute(_TAKE)
        cursor.execute(_WORKSPACES, [list(workspaces)])
        cursor.execute(_ALONE, [list(users)])
        cursor.execute(_UNNAME, [list(users)])
        if found := [re.escape(word) for word in [*map(str, users), *words] if len(word) >= SHORTEST]:
            cursor.execute(_WORDS, {"word": rf"(?<!\w)(?:{'|'.join(found)})(?!\w)", "erased": ERASED})
        cursor.execute(_GIVE_BACK)
