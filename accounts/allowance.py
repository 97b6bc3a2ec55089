"""What a workspace's plan allows. Plans live in the room to our right, billing, which registers who answers here."""

from collections.abc import Callable
from typing import Any

from accounts.models import Workspace

_answer: Callable[[Workspace], Any]


def answered_by(plan_of: Callable[[Workspace], Any]) -> None:
    """Let this function tell the plan of a workspace."""
    global _answer
    _answer = plan_of


def plan_of(workspace: Workspace) -> Any:
    """The plan that counts today, with `team_limit` (-1 is without limit) and `white_label`."""
    return _answer(workspace)
