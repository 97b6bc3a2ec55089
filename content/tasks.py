"""The content tools' doors for Celery. A run is a row: a lost message costs it some seconds, a second one nothing."""

from uuid import UUID

from celery import shared_task

from accounts import tenancy
from content import runs
from content.tools import TOOLS


@shared_task(workspace=True)
def perform(workspace: str, run: str) -> None:
    """Do one run."""
    runs.perform(UUID(workspace), UUID(run), TOOLS)


@shared_task(platform="runs and set-aside money that dead workers left are found in all workspaces")
def sweep() -> None:
    """Send out runs that no worker took up, and end what was left."""
    with tenancy.platform("what dead workers left is found everywhere"):
        runs.sweep()
