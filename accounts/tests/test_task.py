"""A task says whose rows it is for, and sees no others."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from celery import Celery, current_app

from accounts import tenancy
from accounts.models import User, Workspace
from accounts.task import ErrandTask
from bots.models import Bot
from instagrowth.testing import workspace_of

pytestmark = pytest.mark.django_db
seen: list[int] = []


def look(workspace: str = "") -> None:
    """What a task that opens no view sees."""
    with tenancy.nobody():
        seen.append(Bot.objects.count() + Workspace.objects.count())


@pytest.fixture
def task() -> Callable[..., Any]:
    """Register a task with an app of its own: the real one keeps what it is given."""
    app = Celery(set_as_current=False, task_cls=ErrandTask)

    def register(run: Callable[..., Any], **said: Any) -> Any:
        made = app.task(run, shared=False, lazy=False, **said)
        app.finalize()
        return made

    seen.clear()
    yield register
    app.close()


def ours() -> dict[str, Any]:
    current_app.loader.import_default_modules()
    return {name: task for name, task in current_app.tasks.items() if not name.startswith("celery.")}


def refuses(task: Any, words: tuple[object, ...]) -> bool:
    try:
        task(*words)
    except (TypeError, ValueError):
        return True
    return False


def test_every_task_of_ours_says_whose_rows_it_is_for() -> None:
    undeclared = [name for name, task in ours().items() if task.workspace == bool(task.platform)]
    assert (undeclared, len(ours()) >= 9) == ([], True)


def test_no_task_of_a_workspace_runs_without_one(alices_bot: Bot) -> None:
    tasks = [task for task in ours().values() if task.workspace]
    ran = [
        (task.name, words) for task in tasks for words in ((), ("",), (None,), ("alice",)) if not refuses(task, words)
    ]
    print(f"tasks={len(tasks)} ran={len(ran)}")
    assert (len(tasks) > 1, ran) == (True, [])


@pytest.mark.parametrize("said", [{}, {"platform": ""}, {"workspace": True, "platform": "and everybody"}])
def test_a_task_that_does_not_say_it_cannot_be_registered(task: Callable[..., Any], said: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="must say whose rows it is for"):
        task(look, **said)
    assert seen == []


def test_a_task_that_slipped_through_does_not_run(task: Callable[..., Any], alices_bot: Bot) -> None:
    slipped = task(look, platform="it says")
    type(slipped).platform = ""
    with pytest.raises(TypeError, match="without the workspace"):
        slipped(str(alices_bot.workspace_id))
    assert seen == []


def test_saying_it_shows_nothing_yet(task: Callable[..., Any], alices_bot: Bot) -> None:
    task(look, platform="a test")()
    task(look, name="other", workspace=True)(str(alices_bot.workspace_id))
    assert seen == [0, 0]


def test_a_task_of_one_workspace_sees_that_one_and_no_other(
    task: Callable[..., Any], alices_bot: Bot, charlie: User
) -> None:
    def count(workspace: str, other: str) -> list[int]:
        found = []
        with tenancy.scope(workspace):
            found.append(Bot.objects.count())
        for other_view in (
            lambda: tenancy.scope(other),
            lambda: tenancy.scope(uuid4()),
            lambda: tenancy.platform("to be sure"),
            lambda: tenancy.person(charlie),
            lambda: tenancy.person("", other),
        ):
            with pytest.raises(tenancy.OtherWorkspaceError), other_view():
                found.append(Bot.objects.count())
        with tenancy.scope(workspace), tenancy.nobody():
            found.append(Bot.objects.count())
        return found

    bound = task(count, workspace=True)
    with tenancy.platform("whoever calls it may see more"):
        assert bound(str(alices_bot.workspace_id), str(workspace_of(charlie).pk)) == [1, 0]
        assert Bot.objects.count() == 1
