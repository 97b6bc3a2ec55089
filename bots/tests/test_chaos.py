"""A short run of the engine under fire; the long one is `make bench ARGS=chaos`."""

import pytest

from bench import chaos
from bench.ground import Ground
from instagrowth import embedded
from instagrowth.testing_processes import servers_of_the_tests
from sandbox.testing import Sandbox


@pytest.fixture
def ground(
    committed: None, sandbox: Sandbox, services: embedded.Services, settings, monkeypatch: pytest.MonkeyPatch
) -> Ground:
    """The tests' own servers; PostgreSQL is not crashed here, `e2e/test_outage.py` takes it away."""
    settings.INSTAGRAM_PRIVATE_URL = sandbox.url
    for name, value in servers_of_the_tests().items():
        monkeypatch.setenv(name, value)
    return Ground(sandbox, services)


def test_workers_killed_and_frozen_and_redis_emptied_cost_no_action_and_double_none(ground: Ground) -> None:
    plan = chaos.Plan(
        turns=60, bots=6, kills=3, freezes=1, flushes=1, crashes=0, workers=2, patience=240, hurry=True, frozen=8
    )

    report = chaos.run(ground, plan)

    assert (report.doubles, report.lost, report.disagreements) == (0, 0, 0)
    assert (report.kills, report.freezes, report.flushes) == (3, 1, 1)
    assert report.turns >= 60
