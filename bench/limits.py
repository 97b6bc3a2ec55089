"""A thousand takes of a limit at once: exactly as many as it allows."""

import multiprocessing

LIMIT, TAKES, PROCESSES = 37, 1000, 8


def figures() -> list[dict[str, object]]:
    """Let eight processes take a thousand times from a limit of 37."""
    from accounts import tenancy
    from accounts.models import Workspace
    from bots.models import InstagramAccount

    with tenancy.platform("the figures need an account"):
        workspace = Workspace.objects.create(name="bench")
        account = InstagramAccount.objects.create(workspace=workspace, username="bench.limit")
    with multiprocessing.get_context("spawn").Pool(PROCESSES, _ready) as pool:
        taken = pool.map(_take, [(str(workspace.pk), str(account.pk))] * TAKES, 1)
    return [{"figure": f"granted of {TAKES:,} takes of a limit of {LIMIT}", "value": sum(taken), "goal": LIMIT}]


def _ready() -> None:
    import django

    django.setup()


def _take(keys: tuple[str, str]) -> bool:
    from accounts import tenancy
    from bots import limits
    from bots.models import InstagramAccount

    workspace, account = keys
    with tenancy.scope(workspace):
        caps = limits.Caps("follow", LIMIT, LIMIT, 7 * LIMIT, ())
        return limits.take(InstagramAccount.objects.get(pk=account), caps) is not None
