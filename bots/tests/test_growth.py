"""Honest growth: both groups are asked once, and nothing is claimed that is not known."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bots import growth
from bots.growth import Growth, Rate
from bots.instagram.private import Door, Relation
from bots.models import AccountDay, Action, Bot, FollowBack, InstagramAccount
from bots.tests.engine import Engine
from errors import codes
from errors.exceptions import BotException

WEEK_AGO = timedelta(days=8)


@pytest.fixture
def compared(engine: Engine) -> Engine:
    """A bot that left some alone and followed others, more than a week ago."""
    with engine.seen():
        Bot.objects.update(holdout=20, burst=10)
    engine.start()
    engine.ask(20)
    engine.turn()
    engine.turn()
    with engine.seen():
        FollowBack.objects.update(since=timezone.now() - WEEK_AGO)
        Action.objects.update(ended_at=timezone.now() - WEEK_AGO)
    return engine


def test_both_groups_are_asked_once_a_few_a_turn(compared: Engine) -> None:
    with compared.seen():
        held = FollowBack.objects.filter(group="held").count()
        followed = Action.objects.filter(state="confirmed").count()
    assert held

    compared.ask(1, "smalltown")
    compared.turn()
    with compared.seen():
        assert FollowBack.objects.exclude(asked_at=None).count() == growth.ASKED_A_TURN

    for _ in range(20):
        compared.ask(1, "smalltown")
        compared.turn()
    with compared.seen():
        assert FollowBack.objects.filter(group="held").exclude(asked_at=None).count() == held
        assert FollowBack.objects.filter(group="contacted").count() == followed


def test_one_who_cannot_be_read_holds_up_nobody(compared: Engine) -> None:
    strange = [BotException(codes.INSTAGRAM_DRIFT)]
    relation = Door.relation

    def ask(door: Door, pk: str) -> Relation:
        if strange:
            raise strange.pop()
        return relation(door, pk)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Door, "relation", ask)
        compared.ask(1, "smalltown")
        assert compared.turn() == "done"

    with compared.seen():
        assert FollowBack.objects.exclude(asked_at=None).count() == growth.ASKED_A_TURN
        assert FollowBack.objects.exclude(asked_at=None).filter(follows=None).count() == 1


def test_who_follows_back_is_counted(compared: Engine) -> None:
    fan = compared.actions()[0]
    compared.sandbox.control.relate(fan.target_username, compared.username, "following")
    for _ in range(15):
        compared.ask(1, "smalltown")
        compared.turn()

    with compared.seen():
        grown = growth.of(InstagramAccount.objects.select_related("workspace").get())
    assert grown.contacted.follow == 1
    assert (grown.held.follow, grown.enough, grown.cost) == (0, False, None)


def test_without_a_holdout_nobody_is_asked(engine: Engine) -> None:
    engine.start()
    engine.ask(3)
    engine.turn()
    with engine.seen():
        Action.objects.update(ended_at=timezone.now() - WEEK_AGO)
    engine.ask(1)
    engine.turn()

    with engine.seen():
        assert not FollowBack.objects.exists()


def test_a_days_counts_are_kept_once(engine: Engine) -> None:
    engine.start()
    engine.ask(2)
    for _ in range(2):
        with engine.seen():
            InstagramAccount.objects.update(measured_at=None)
        engine.turn()

    with engine.seen():
        assert AccountDay.objects.get().followers is not None


@pytest.mark.parametrize(
    ("rate", "low", "high"),
    [  # checked against statsmodels' proportion_confint(method="wilson")
        (Rate(0, 50), 0.0, 0.0713),
        (Rate(10, 50), 0.1124, 0.3304),
        (Rate(50, 50), 0.9287, 1.0),
        (Rate(0, 0), 0.0, 1.0),
    ],
)
def test_a_rate_has_wilsons_range(rate: Rate, low: float, high: float) -> None:
    assert rate.range == pytest.approx((low, high), abs=1e-4)


def grown(back: int, of: int, alone: int, left: int, price: int = 4900) -> Growth:
    return Growth(Rate(back, of), Rate(alone, left), 0, 1000, price, "usd")


def test_a_follower_has_a_cost_only_where_the_difference_is_no_luck() -> None:
    sure, luck, few = grown(60, 300, 2, 100), grown(12, 100, 8, 80), grown(5, 20, 0, 20)

    assert sure.cost == round(4900 / (0.18 * 1000))
    assert (luck.enough, luck.range[0] < 0, luck.cost) == (True, True, None)
    assert (few.enough, few.cost) == (False, None)
    assert grown(60, 300, 2, 100, price=0).cost is None


def test_the_difference_has_newcombes_range() -> None:
    """The example of Newcombe 1998, method 10: 56/70 against 48/80."""
    assert grown(56, 70, 48, 80).range == pytest.approx((0.0524, 0.3339), abs=1e-4)
