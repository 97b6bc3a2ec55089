"""What every signed-in page shows round its content."""

from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils.functional import cached_property

from accounts.models import Membership, Workspace
from accounts.roles import may
from bots import health
from bots.models import InstagramAccount
from instagrowth import live

LATE = timedelta(minutes=2)  # an engine whose oldest due bot waits longer than this is late (RELIABILITY row 93)


class Shell:
    """Looks each thing up when a page shows it, and once: a part of a page costs nothing it does not show."""

    def __init__(self, membership: Membership) -> None:
        """Stand round the page of one member."""
        self.membership = membership

    @property
    def workspace(self) -> Workspace:
        """Give the workspace the page is in."""
        return self.membership.workspace

    @property
    def may_act(self) -> bool:
        """Tell whether buttons that change something are shown."""
        return may(self.membership, "act")

    @property
    def may_decide(self) -> bool:
        """Tell whether the workspace's own settings are open."""
        return may(self.membership, "decide")

    @property
    def sandbox(self) -> str:
        """Give the address of the stand-in that plays Instagram; empty where it is the real one."""
        return settings.INSTAGRAM_PRIVATE_URL

    @cached_property
    def needs_you(self) -> int:
        """Count the accounts that wait for a person who can still help."""
        waiting = InstagramAccount.objects.filter(workspace=self.workspace, health__in=health.NEEDS_A_PERSON)
        return waiting.exclude(health=health.Health.BANNED).count()

    @cached_property
    def engine(self) -> dict[str, object]:
        """Tell how long the workspace's oldest due bot has waited, in seconds, and whether that is late."""
        return engine()

    @cached_property
    def since(self) -> int:
        """Give the number of the last live event, so that the browser asks for what came after."""
        return live.latest(self.workspace.pk)


def shell(request: HttpRequest) -> dict[str, object]:
    """Give the shell of a member's page; nothing to anybody else."""
    membership = getattr(request, "membership", None)
    return {"shell": Shell(membership), "workspace": membership.workspace} if membership else {}


def engine() -> dict[str, object]:
    """How long the workspace's oldest due bot has waited, in seconds, and whether that is late."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(extract(epoch FROM now() - min(next_run_at)), 0) FROM bots_bot"
            " WHERE status = 'running' AND lease_until IS NULL AND next_run_at <= now()"
        )
        waited = float(cursor.fetchone()[0])
    late = waited > LATE.total_seconds()
    return {"waited": waited, "late": late, "words": f"{waited / 60:.0f} min behind" if late else ""}
