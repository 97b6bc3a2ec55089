"""What AI calls cost: never above the plan or the budget, once for each request, nothing without an answer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from pytest_django.fixtures import Settings

from accounts import tenancy
from accounts.models import Workspace
from billing.models import Plan
from content import metering
from content.ai import Used
from content.models import AiCall, AiUsage, Run
from content.prompts import captions
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import everywhere

MODEL = "gpt-4o"
PROMPT = captions.prompt({"about": "stoneware"})
USED = Used(input_tokens=400, output_tokens=300, requests=1, milliseconds=900)


def run_of(workspace: Workspace, key: str = "") -> Run:
    run = Run(workspace=workspace, feature="captions")
    run.request_key = key or str(run.pk)
    run.save()
    return run


def reserve(workspace: Workspace, key: str = "") -> AiCall | None:
    with tenancy.scope(workspace):
        return metering.reserve(metering.workspace_of(workspace.pk), run_of(workspace, key), PROMPT, MODEL)


def usage(workspace: Workspace) -> AiUsage:
    with everywhere():
        return AiUsage.objects.get(workspace=workspace)


def in_parallel(workspace: Workspace, count: int, deed: object) -> list[object]:
    def once(_: int) -> object:
        try:
            return deed(workspace)  # type: ignore[operator]
        except BotException as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        return list(threads.map(once, range(count)))


def paid(workspace: Workspace) -> str:
    call = reserve(workspace)
    assert call is not None
    with tenancy.scope(workspace):
        metering.charge(call, Used(output_tokens=PROMPT.most_output, requests=1))
    return "paid"


def naive(workspace: Workspace) -> str:
    """What everybody writes first."""
    with tenancy.scope(workspace):
        AiUsage.objects.bulk_create([AiUsage(workspace=workspace, month=metering.this_month())], ignore_conflicts=True)
        known = AiUsage.objects.get(workspace=workspace).calls
        connection.cursor().execute("SELECT pg_sleep(0.002)")
        if known >= 20:
            raise BotException(codes.AI_LIMIT_REACHED)
        AiUsage.objects.filter(workspace=workspace).update(calls=F("calls") + 1)
    return "paid"


def test_500_calls_at_once_stay_within_a_budget_for_20(
    committed: None, alices_workspace: Workspace, settings: Settings
) -> None:
    worst = metering.worst_case(PROMPT, MODEL)
    settings.AI_BUDGET_CENTS = 20 * worst // metering.CENT

    answers = in_parallel(alices_workspace, 500, paid)

    found = usage(alices_workspace)
    assert found.spent_micros <= settings.AI_BUDGET_CENTS * metering.CENT
    assert set(answers) == {"paid", codes.AI_BUDGET_REACHED}
    assert answers.count("paid") == found.calls >= 19
    assert (found.reserved_calls, found.reserved_micros) == (0, 0)


def test_500_calls_at_once_stay_within_the_plans_calls(committed: None, alices_workspace: Workspace) -> None:
    with everywhere():
        Plan.objects.filter(key="growth").update(ai_limit=20)
    try:
        answers = in_parallel(alices_workspace, 500, paid)
    finally:
        with everywhere():
            Plan.objects.filter(key="growth").update(ai_limit=500)

    assert (answers.count("paid"), answers.count(codes.AI_LIMIT_REACHED)) == (20, 480)
    assert usage(alices_workspace).calls == 20


def test_the_control_reading_first_and_writing_then_overshoots(committed: None, alices_workspace: Workspace) -> None:
    assert in_parallel(alices_workspace, 100, naive).count("paid") > 20


@pytest.mark.django_db
def test_one_request_key_is_one_charge(alices_workspace: Workspace) -> None:
    call = reserve(alices_workspace, "key-1")
    assert call is not None

    with tenancy.scope(alices_workspace):
        again = metering.reserve(alices_workspace, Run.objects.get(request_key="key-1"), PROMPT, MODEL)
        charges = [metering.charge(call, USED) for _ in range(3)]

    found = usage(alices_workspace)
    assert (again, charges) == (None, [True, False, False])
    assert (found.calls, found.spent_micros) == (1, metering.price(MODEL, 400, 300)) == (1, 4000)


@pytest.mark.django_db
def test_a_call_without_an_answer_costs_the_workspace_nothing(alices_workspace: Workspace) -> None:
    call = reserve(alices_workspace)
    assert call is not None

    with tenancy.scope(alices_workspace):
        metering.release(call, USED, codes.AI_TIMED_OUT.id)
        call.refresh_from_db()

    found = usage(alices_workspace)
    assert (found.calls, found.spent_micros, found.reserved_calls, found.reserved_micros) == (0, 0, 0, 0)
    assert (call.state, call.cost_micros, call.error_code) == ("released", 4000, "E-AI-W-0006")  # our loss is known


@pytest.mark.django_db
def test_what_a_dead_worker_set_aside_comes_back_and_is_not_charged_later(alices_workspace: Workspace) -> None:
    call = reserve(alices_workspace)
    assert call is not None

    with everywhere():
        assert metering.release_lost() == 0
        AiCall.objects.update(created_at=timezone.now() - timedelta(minutes=3))
        assert metering.release_lost() == 1
    with tenancy.scope(alices_workspace):
        assert metering.charge(call, USED) is False
    assert usage(alices_workspace).spent_micros == 0


def test_an_unknown_model_is_taken_as_dear_as_the_dearest() -> None:
    assert metering.price("gpt-9-giant", 1_000_000, 1_000_000) == sum(max(metering.PRICES.values()))
    assert metering.price("gpt-4o-mini-2026-01-01", 1_000_000, 0) == 150_000
    assert metering.price("gpt-4o", 1, 0) == 3  # rounded up


def test_the_worst_case_is_above_what_is_used() -> None:
    asked = len(f"{PROMPT.instructions}{PROMPT.material}".encode())  # a token for each byte is more than there can be

    assert metering.worst_case(PROMPT, MODEL) >= metering.price(MODEL, 2 * asked, 2 * PROMPT.most_output)
