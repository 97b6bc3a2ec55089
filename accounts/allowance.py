"""What a workspace's plan allows. Plans live in the room to our right, billing, which registers who answers here."""

from collections.abc import Callable
from typing import Any

from accounts.models import Workspace
from errors.codes import Code
from errors.exceptions import BotException

Refuse = Callable[[Workspace, str, Code], BotException]
_answer: Callable[[Workspace], Any]
_refuse: Refuse


def answered_by(plan_of: Callable[[Workspace], Any], short_of: Refuse) -> None:
    """Let these functions tell the plan of a workspace, and refuse what it does not allow."""
    global _answer, _refuse
    _answer, _refuse = plan_of, short_of


def plan_of(workspace: Workspace) -> Any:
    """The plan that counts today, with `team_limit` (-1 is without limit) and `white_label`."""
    return _answer(workspace)


def short_of(workspace: Workspace, field: str, code: Code) -> BotException:
    """The refusal of what the plan does not allow (`team_limit`, `white_label`), with the plan that would."""
    return _refuse(workspace, field, code)
