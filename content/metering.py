"""What AI calls cost: set aside before a call, settled after it, and never above the plan or the budget of a month.

Two limits hold for a workspace and a month (UTC): the plan's `ai_limit` in calls, and a budget in US cents, the owner's
or the platform's, whichever is lower. Money is counted in millionths of a dollar: one call costs less than a cent.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db.models import F, Sum
from django.utils import timezone

from accounts.models import User, Workspace
from billing import entitlements
from content.ai import REPAIRS, Prompt, Used
from content.models import AiBudget, AiCall, AiUsage, Run
from errors import codes
from errors.exceptions import BotException
from instagrowth import system

# Millionths of a dollar for a million tokens, in and out: OpenAI's price list of November 2026. The longest name that
# the model's name begins with counts; a model that is not here is taken as dear as the dearest.
PRICES = {
    "gpt-4o": (2_500_000, 10_000_000),
    "gpt-4o-mini": (150_000, 600_000),
    "gpt-4.1": (2_000_000, 8_000_000),
    "gpt-4.1-mini": (400_000, 1_600_000),
    "gpt-4.1-nano": (100_000, 400_000),
}
CENT = 10_000  # millionths
TOKENS_A_SCHEMA = 1500  # what our largest schema and its wrapping may take
LOST = timedelta(seconds=90)  # a call that was not settled by then never will be: its worker died


@dataclass(frozen=True)
class Allowance:
    """What a workspace may use this month, and has used. `limit` of -1 is without limit."""

    limit: int
    calls: int
    budget_micros: int
    spent_micros: int
    month: date

    @property
    def left(self) -> int | None:
        """Calls left; None is without limit."""
        return None if self.limit == entitlements.UNLIMITED else max(0, self.limit - self.calls)

    @property
    def resets(self) -> date:
        """The first day of the next month."""
        return (self.month + timedelta(days=32)).replace(day=1)


def this_month() -> date:
    """The first day of this month, UTC."""
    return timezone.now().date().replace(day=1)


def allowance(workspace: Workspace) -> Allowance:
    """What is left, calls on their way counted as used."""
    month = this_month()
    usage = AiUsage.objects.filter(workspace=workspace, month=month).first() or AiUsage()
    return Allowance(
        entitlements.plan_of(workspace).ai_limit,
        usage.calls + usage.reserved_calls,
        budget_micros(workspace),
        usage.spent_micros + usage.reserved_micros,
        month,
    )


def costs(since: datetime, until: datetime) -> dict[UUID, float]:
    """What each workspace's calls cost between two moments, in US cents. Needs the platform's view."""
    calls = AiCall.objects.filter(created_at__gte=since, created_at__lt=until).values_list("workspace")
    return {workspace: micros / CENT for workspace, micros in calls.annotate(sum=Sum("cost_micros"))}


def budget_micros(workspace: Workspace) -> int:
    """What AI may cost the workspace a month: the platform's budget, or less if its owner wants it so."""
    own = AiBudget.objects.filter(workspace=workspace).values_list("cents", flat=True).first()
    platform = system.AI_BUDGET.now()
    return (platform if own is None else min(own, platform)) * CENT


def check(workspace: Workspace) -> None:
    """Raise AI_OFF, AI_LIMIT_REACHED or AI_BUDGET_REACHED where no call can be made, before anybody waits for it."""
    if not system.AI_ANSWERS.now():
        raise BotException(codes.AI_OFF)
    now = allowance(workspace)
    if now.left == 0:
        raise entitlements.short_of(workspace, "ai_limit", codes.AI_LIMIT_REACHED)
    if now.spent_micros >= now.budget_micros:
        raise BotException(codes.AI_BUDGET_REACHED)


def price(model: str, input_tokens: int, output_tokens: int) -> int:
    """What so many tokens cost, in millionths of a dollar, rounded up."""
    known = [name for name in PRICES if model.startswith(name)]
    into, out = PRICES[max(known, key=len)] if known else max(PRICES.values())
    return -(-(into * input_tokens + out * output_tokens) // 1_000_000)


def worst_case(prompt: Prompt, model: str) -> int:
    """The most an exchange can cost: a token is a byte at least, and each repair asks once more with what came."""
    said = len(f"{prompt.instructions}{prompt.material}".encode()) + TOKENS_A_SCHEMA
    asks = REPAIRS + 1
    return price(model, asks * said + REPAIRS * (prompt.most_output + 4000), asks * prompt.most_output)


def reserve(workspace: Workspace, run: Run, prompt: Prompt, model: str) -> AiCall | None:
    """Set a call and its worst case aside; None if this run has had its call.

    Needs a transaction. Raises AI_LIMIT_REACHED, AI_BUDGET_REACHED.
    """
    month, cost = this_month(), worst_case(prompt, model)
    call = AiCall(
        workspace=workspace,
        run=run,
        user_id=run.asked_by_id,
        feature=run.feature,
        request_key=run.request_key,
        month=month,
        model=model,
        prompt_version=prompt.version,
        reserved_micros=cost,
    )
    AiCall.objects.bulk_create([call], ignore_conflicts=True)
    if not AiCall.objects.filter(pk=call.pk).exists():
        return None
    AiUsage.objects.bulk_create([AiUsage(workspace=workspace, month=month)], ignore_conflicts=True)
    limit, budget = entitlements.plan_of(workspace).ai_limit, budget_micros(workspace)
    # One statement asks and takes: whoever comes at the same moment waits for it and sees what is left.
    room = AiUsage.objects.filter(workspace=workspace, month=month)
    room = room.filter(spent_micros__lte=budget - cost - F("reserved_micros"))
    if limit != entitlements.UNLIMITED:
        room = room.filter(calls__lt=limit - F("reserved_calls"))
    if not room.update(reserved_calls=F("reserved_calls") + 1, reserved_micros=F("reserved_micros") + cost):
        check(workspace)
        raise BotException(codes.AI_BUDGET_REACHED)
    return call


def charge(call: AiCall, used: Used) -> bool:
    """Count a call that gave an answer, at its price; False if it was ended already. Needs a transaction."""
    cost = price(call.model, used.input_tokens, used.output_tokens)
    if not _end(call, AiCall.State.CHARGED, used, cost):
        return False
    _give_back(call, calls=F("calls") + 1, spent_micros=F("spent_micros") + cost)
    return True


def release(call: AiCall, used: Used, code: str) -> bool:
    """Let a call without an answer cost its workspace nothing; False if it was ended already. Needs a transaction."""
    cost = price(call.model, used.input_tokens, used.output_tokens)
    if not _end(call, AiCall.State.RELEASED, used, cost, error_code=code):
        return False
    _give_back(call)
    return True


def _end(call: AiCall, state: str, used: Used, cost: int, **fields: object) -> bool:
    ended = AiCall.objects.filter(pk=call.pk, state=AiCall.State.RESERVED).update(
        state=state,
        cost_micros=cost,
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        requests=used.requests,
        milliseconds=used.milliseconds,
        ended_at=timezone.now(),
        **fields,
    )
    return bool(ended)


def _give_back(call: AiCall, **also: object) -> None:
    AiUsage.objects.filter(workspace_id=call.workspace_id, month=call.month).update(
        reserved_calls=F("reserved_calls") - 1, reserved_micros=F("reserved_micros") - call.reserved_micros, **also
    )


def release_lost() -> int:
    """Let go of what dead workers set aside, in all workspaces; how many. Needs the platform's view."""
    lost = AiCall.objects.filter(state=AiCall.State.RESERVED, created_at__lt=timezone.now() - LOST)
    return sum(release(call, Used(), codes.WORKER_LOST.id) for call in lost[:500])


def set_budget(workspace: Workspace, user: User, cents: int | None) -> None:
    """Set what AI may cost the workspace a month, in US cents; None leaves it to the platform."""
    if cents is None:
        AiBudget.objects.filter(workspace=workspace).delete()
        return
    AiBudget.objects.update_or_create(
        workspace=workspace, defaults={"cents": cents, "set_by": user, "set_at": timezone.now()}
    )


def workspace_of(key: UUID) -> Workspace:
    """A workspace with its plan brought along. Needs its view."""
    return Workspace.objects.select_related("subscription__plan").get(pk=key)
