"""The engine's doors for Celery. Messages are hints: losing one costs a delay, and a second one does nothing."""

from uuid import UUID

from celery import shared_task

from billing.models import Plan
from bots import connecting, health, official, reconcile, runner, switch
from bots import dispatch as dispatching
from instagrowth import system

BATCH = 1000


@shared_task(platform="due bots of all workspaces are claimed")
def dispatch() -> None:
    """Claim due bots and send each to a worker; as many as are due and the workers keep up with.

    A batch that is not full may have looked only at the many bots of one workspace, which is out of the way now.
    """
    if not system.BOTS_RUN.now():
        return
    for queue, room in dispatching.rooms().items():
        left = room
        while left > 0 and (claims := dispatching.claim(min(BATCH, left), [queue])):
            left -= len(claims)
            for claim in claims:
                # Without `expires`, which the worker's own clock decides: what waited too long is refused by its fence.
                run_turn.apply_async((str(claim.workspace), str(claim.bot), claim.fence), queue=queue)


@shared_task(platform="who is on a plan is looked for everywhere", time_limit=3600, soft_time_limit=3500)
def fit_to_plan(key: str) -> None:
    """Staff changed a plan: let the bots of all who are on it fit it."""
    switch.fit_all(Plan.objects.get(key=key))


@shared_task(platform="paused bots of all workspaces are looked for", time_limit=3600, soft_time_limit=3500)
def fit_paused() -> None:
    """Bring back paused bots whose plan has room for them."""
    switch.fit_paused()


@shared_task(platform="what dead workers left is taken back in all workspaces")
def sweep() -> None:
    """Take back what dead workers left, end rests and waits that are over, send out who looks up unknown actions."""
    dispatching.sweep()
    health.return_rested()
    connecting.forget_expired()
    for workspace, account in reconcile.due_accounts():
        look_up.apply_async((str(workspace), str(account)), expires=60)


@shared_task(workspace=True)
def run_turn(workspace: str, bot: str, fence: int) -> None:
    """Give one bot its turn if it is still ours."""
    runner.run_turn(UUID(workspace), UUID(bot), fence)


@shared_task(workspace=True)
def look_up(workspace: str, account: str) -> None:
    """Read what became of an account's unknown actions."""
    reconcile.look_up(UUID(workspace), UUID(account))


@shared_task(platform="tokens of all workspaces grow old")
def care_for_tokens() -> None:
    """Send out who renews the tokens of Meta whose day has come."""
    for workspace, access in official.due_for_care():
        renew_token.apply_async((str(workspace), str(access)), queue="publish", expires=3600)


@shared_task(workspace=True)
def renew_token(workspace: str, access: str) -> None:
    """Renew one token of Meta, or say that it ends."""
    official.care_for(UUID(workspace), UUID(access))


@shared_task(platform="old turns of all workspaces go")
def forget_empty_turns() -> None:
    """Throw away old turns that sent nothing, a part an hour."""
    dispatching.forget_empty_turns()
