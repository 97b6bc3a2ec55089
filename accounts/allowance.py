"""What a workspace's plan allows. Plans live in the room to our right, billing, which registers who answers here."""

from collections.abc import Callable
from typing import Any

from accounts.models import Workspace

_answer: Callable[[Workspace], Any]
_with: Callable[[str], list[str]]


def answered_by(plan_of: Callable[[Workspace], Any], plans_with: Callable[[str], list[str]]) -> None:
    """Let these functions tell the plan of a workspace, and which plans on sale have something."""
    global _answer, _with
    _answer, _with = plan_of, plans_with


def plan_of(workspace: Workspace) -> Any:
    """The plan that counts today, with `team_limit` (-1 is without limit) and `white_label`."""
    return _answer(workspace)


def plans_with(feature: str) -> list[str]:
    """The names of the plans on sale that have this (`white_label`), the cheapest first."""
    return _with(feature)
