"""A bot with its account on the sandbox Instagram, for tests of the engine; rows are committed, as workers see them."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone

from accounts import teams, tenancy
from accounts.models import User, Workspace
from billing.models import Plan, Subscription
from bots import connecting, dispatch, runner, switch, tasking, ways
from bots.models import Action, Bot, BotTask, DailyLimit, InstagramAccount, Kind, Turn
from errors.models import ActivityLog
from sandbox.testing import Sandbox

PASSWORD = "clay-and-glaze-9"


class Engine:
    """One workspace with one connected, warmed-up account and its bot, and short verbs for what tests do with it."""

    def __init__(self, sandbox: Sandbox, **bot: Any) -> None:
        self.sandbox = sandbox
        ways.forget()  # what other tests did to the line that all share
        self.username = f"kiln.{secrets.token_hex(4)}"
        sandbox.control.account(self.username, password=PASSWORD)
        self.user = User.objects.make(email=f"{self.username}@example.com", password="a long enough phrase")
        self.workspace: Workspace = teams.open_workspace(self.user)
        with self.seen():
            answer = connecting.connect(self.workspace, self.user, self.username, PASSWORD, accept_risk=True)
            assert answer.refused is None
            InstagramAccount.objects.update(warmup_started_at=None, health="active", measured_at=timezone.now())
            Bot.objects.update(**{"cycle_delay": 1, "jitter": 0, "burst": 3, **bot})
        self.limit(1000)

    @contextmanager
    def seen(self) -> Iterator[None]:
        """The workspace's view."""
        with tenancy.scope(self.workspace):
            yield

    @property
    def bot(self) -> Bot:
        with self.seen():
            return Bot.objects.select_related("account__session", "workspace").get()

    @property
    def account(self) -> InstagramAccount:
        return self.bot.account

    def limit(self, daily: int, hourly: int | None = None, weekly: int | None = None, kind: str = Kind.FOLLOW) -> None:
        """What plan and platform allow this workspace."""
        with tenancy.platform("a test gives one workspace limits of its own"):
            plan, _ = Plan.objects.get_or_create(
                key="tests",
                defaults={
                    "name": "Tests",
                    "action_limits": dict.fromkeys(Kind.values, 10**6),
                    "execution_mode": "parallel",
                },
            )
            Subscription.objects.update_or_create(workspace=self.workspace, defaults={"plan": plan})
            DailyLimit.objects.update_or_create(
                workspace=self.workspace,
                kind=kind,
                defaults={"daily": daily, "hourly": hourly or daily, "weekly": weekly or 7 * daily},
            )

    def start(self) -> None:
        with self.seen():
            switch.start(self.bot, self.user)

    def stop(self) -> None:
        with self.seen():
            switch.stop(self.bot, self.user)

    def ask(self, amount: int = 3, hashtag: str = "ceramics", **filters: object) -> BotTask:
        with self.seen():
            return tasking.follow_hashtag(self.bot, hashtag, amount, filters, self.user)

    def turn(self, due: str = "2020-01-01T00:00Z") -> str:
        """Make the bot due, claim it as the dispatcher does, and run its turn here; how it ended."""
        with self.seen():
            Bot.objects.update(next_run_at=due)
        mine = [claim for claim in dispatch.claim(1000) if claim.workspace == self.workspace.pk]
        return runner.run_turn(mine[0].workspace, mine[0].bot, mine[0].fence) if mine else "not claimed"

    def task(self) -> BotTask:
        with self.seen():
            return BotTask.objects.latest("created_at")

    def actions(self, **wanted: object) -> list[Action]:
        with self.seen():
            return list(Action.objects.filter(**wanted).order_by("created_at"))

    def states(self) -> list[str]:
        return [action.state for action in self.actions()]

    def last_turn(self) -> Turn:
        with self.seen():
            return Turn.objects.latest("started_at")

    def log(self, action: str) -> list[ActivityLog]:
        with self.seen():
            return list(ActivityLog.objects.filter(workspace_id=self.workspace.pk, action=action).order_by("id"))

    def followed(self) -> list[int]:
        """Whom the sandbox saw being followed, in order, doubles included."""
        return [int(pk) for pk in self.sandbox.control.ledger(self.username).targets("follow")]
