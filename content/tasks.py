"""The content tools' and the calendar's doors for Celery.

A run, a post and a delivery are rows; messages are hints: losing one costs some seconds, and a second one does nothing.
"""

from uuid import UUID

from celery import shared_task

from accounts import tenancy
from content import (
    competitors,
    experiments,
    hooks,
    inbox,
    library,
    measuring,
    plan_review,
    publishing,
    replies,
    report_plans,
    runs,
)
from content.models import Competitor
from content.tools import TOOLS
from instagrowth import system

BATCH = 100


@shared_task(workspace=True)
def perform(workspace: str, run: str) -> None:
    """Do one run."""
    runs.perform(UUID(workspace), UUID(run), TOOLS)


@shared_task(platform="runs and set-aside money that dead workers left are found in all workspaces")
def sweep() -> None:
    """Send out runs that no worker took up, and end what was left."""
    with tenancy.platform("what dead workers left is found everywhere"):
        runs.sweep()


@shared_task(platform="competitors that nobody looked at for a day are found in all workspaces")
def sweep_competitors() -> None:
    """Have each looked at by a worker of its own workspace."""
    with tenancy.platform("due looks are found everywhere"):
        for competitor in competitors.due():
            competitors.send(competitor)


@shared_task(workspace=True)
def look_at(workspace: str, competitor: str) -> None:
    """Look at one competitor, if it is still watched."""
    with tenancy.scope(workspace):
        watched = Competitor.objects.filter(pk=competitor).first()
    if watched is not None:
        competitors.look(watched)


@shared_task(platform="due posts of all workspaces are claimed")
def dispatch_posts() -> None:
    """Claim due posts and send each to a worker; as many batches as are due."""
    while system.CALENDAR_PUBLISHES.now() and (claims := publishing.claim(BATCH)):
        for claim in claims:
            publish_turn.apply_async((str(claim.workspace), str(claim.post), claim.fence), expires=publishing.HANDOVER)


@shared_task(platform="what dead workers left is taken back in all workspaces")
def sweep_posts() -> None:
    """Take back what dead workers left."""
    publishing.sweep()


@shared_task(workspace=True)
def publish_turn(workspace: str, post: str, fence: int) -> None:
    """Bring one post a step further if it is still ours."""
    publishing.turn(UUID(workspace), UUID(post), fence)


@shared_task(platform="due deliveries of all workspaces are claimed")
def dispatch_deliveries() -> None:
    """Claim due deliveries and send each to a worker."""
    while due := hooks.due(BATCH):
        for workspace, delivery in due:
            deliver.apply_async((str(workspace), str(delivery)), expires=hooks.LEASE)


@shared_task(platform=library.ALL, time_limit=3600, soft_time_limit=3500)
def forget_files() -> None:
    """Remove files of the media library that no row names."""
    library.sweep()


@shared_task(platform="old deliveries of all workspaces go")
def forget_deliveries() -> None:
    """Throw away what was told a month ago."""
    hooks.forget_old()


@shared_task(workspace=True)
def deliver(workspace: str, delivery: str) -> None:
    """Tell one hook of one event."""
    hooks.deliver(UUID(workspace), UUID(delivery))


@shared_task(platform=measuring.ALL)
def dispatch_numbers() -> None:
    """Send out who reads the numbers of each account whose hour has come."""
    for workspace, account in measuring.due():
        measure.apply_async((str(workspace), str(account)), expires=int(measuring.HANDOVER.total_seconds()))


@shared_task(workspace=True, soft_time_limit=300, time_limit=330)
def measure(workspace: str, account: str) -> None:
    """Read one account's comments, conversations and numbers."""
    inbox.read(UUID(workspace), UUID(account))
    measuring.measure(UUID(workspace), UUID(account))


@shared_task(platform="weeks of plans that are over are told in all workspaces")
def review_plans() -> None:
    """Have each review told by a worker of its own workspace."""
    for workspace, plan in plan_review.due():
        review_plan.apply_async((str(workspace), str(plan)), expires=1800)


@shared_task(workspace=True)
def review_plan(workspace: str, plan: str) -> None:
    """Tell of one week."""
    plan_review.tell(UUID(workspace), UUID(plan))


@shared_task(platform="due reports of all workspaces are mailed")
def mail_reports() -> None:
    """Send out who writes each report whose day has come."""
    for workspace, plan in report_plans.due():
        mail_report.apply_async((str(workspace), str(plan)), expires=300)


@shared_task(workspace=True)
def mail_report(workspace: str, plan: str) -> None:
    """Mail one report."""
    report_plans.send(UUID(workspace), UUID(plan))


@shared_task(workspace=True)
def work_events(workspace: str, account: str) -> None:
    """Work what Meta told of an account."""
    inbox.work(UUID(workspace), UUID(account))


@shared_task(workspace=True)
def read_inbox(workspace: str, account: str) -> None:
    """Read an account's comments and conversations."""
    inbox.read(UUID(workspace), UUID(account))


@shared_task(workspace=True)
def send_line(workspace: str, line: str) -> None:
    """Send one answer, once."""
    replies.send(UUID(workspace), UUID(line))


@shared_task(platform="the inboxes of all workspaces are looked after")
def sweep_inbox() -> None:
    """Hand over what no worker took: events, answers, and answers that are to be looked for."""
    for workspace, account in inbox.due_events():
        work_events.apply_async((str(workspace), str(account)), expires=60)
    for workspace, line in replies.sweep():
        send_line.apply_async((str(workspace), str(line)), expires=600)


@shared_task(platform="the inboxes of all workspaces are looked after")
def look_up_replies() -> None:
    """Have each account with an unknown answer read."""
    for workspace, account in replies.to_look_up():
        read_inbox.apply_async((str(workspace), str(account)), expires=120)


@shared_task(platform="old events of all workspaces go")
def forget_events() -> None:
    """Throw away what Meta told a week ago."""
    inbox.forget_events()


@shared_task(platform="running tests of all workspaces are looked after")
def dispatch_experiments() -> None:
    """Have each running test looked after by a worker of its own workspace."""
    for workspace, experiment in experiments.running():
        look_after_experiment.apply_async((str(workspace), str(experiment)), expires=1800)


@shared_task(workspace=True)
def look_after_experiment(workspace: str, experiment: str) -> None:
    """Write down what became known of one test, and its verdict when it is time."""
    experiments.look_in(UUID(workspace), UUID(experiment))
