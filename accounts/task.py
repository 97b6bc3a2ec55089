"""The class of all our Celery tasks: each says whose rows it is for, or it cannot be registered.

    @shared_task(workspace=True)                            # its first argument is the workspace's id
    @shared_task(platform="due bots of all are claimed")    # or why it is for nobody's alone

It opens no transaction: a turn takes many short ones and holds none while it waits for Instagram. It binds the views
that are opened inside (`tenancy.errand`), and without one the database shows nothing.
"""

from typing import Any
from uuid import UUID

from celery import Task

from accounts import tenancy


class ErrandTask(Task):
    """A task with an errand: one workspace's, or the platform's."""

    abstract = True
    workspace = False
    platform = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a task of ours that says neither, or both."""
        super().__init_subclass__(**kwargs)
        bare = cls.__dict__.get("abstract") or cls.__module__.startswith("celery.")
        if not bare and cls.workspace == bool(cls.platform):
            raise TypeError(
                f"The task {cls.__module__}.{cls.__name__} must say whose rows it is for:"
                ' shared_task(workspace=True), with the id first, or shared_task(platform="why").'
            )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run, bound to the workspace that the first argument names. Raises TypeError or ValueError without one."""
        if self.platform:
            return self.run(*args, **kwargs)
        if not self.workspace or not args:
            raise TypeError(f"{self.name} was sent without the workspace it is for.")
        with tenancy.errand(UUID(str(args[0]))):
            return self.run(*args, **kwargs)
