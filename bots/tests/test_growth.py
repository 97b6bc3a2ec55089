"""Honest growth: both groups are asked once, and nothing is claimed that is not known."""

from datetime import timedelta

import pytest
from django.utils import timezone

from bots import growth, lists, targeting, tasking
from bots.growth import Growth, Rate
from bots.instagram.private import Door, Relation
from bots.models import AccountDay, Action, Bot, Candidate, FollowBack, InstagramAccount, Kind
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


def drawn(engine: Engine, *, holdout: int = 20) -> list[dict]:
    """Of the hashtag's first people those whom the lot leaves alone."""
    bot = Bot(account_id=engine.account.pk, holdout=holdout)
    crowd = engine.sandbox.control.people("ceramics", 0, 100)
    return [person for person in crowd if targeting.is_held(bot, int(person["pk"]))]


def is_left_alone(engine: Engine, person: dict) -> bool:
    with engine.seen():
        return growth.leaves_alone(engine.bot, Candidate(target_pk=int(person["pk"]), username=person["username"]))


def test_who_is_left_alone_is_left_alone_by_every_kind(engine: Engine) -> None:
    engine.limit(100, kind=Kind.LIKE)
    with engine.seen():
        Bot.objects.update(holdout=20, burst=10)
        tasking.ask(engine.bot, Kind.LIKE, 20, value="ceramics")
    engine.start()
    engine.turn()
    engine.turn()

    with engine.seen():
        held = set(Candidate.objects.filter(state="held").values_list("target_pk", flat=True))
        liked = set(Action.objects.filter(kind="like").values_list("target_pk", flat=True))
        assert not FollowBack.objects.exists()  # the comparison is about who would have been followed
    assert held
    assert liked.isdisjoint(int(person["pk"]) for person in drawn(engine))


def test_nobody_is_held_whom_the_bot_knows_or_would_not_contact_anyway(engine: Engine) -> None:
    engine.start()
    engine.ask(20)
    with engine.seen():
        Bot.objects.update(burst=10)
    engine.turn(), engine.turn()
    followed = {action.target_pk for action in engine.actions()}
    with engine.seen():
        Bot.objects.update(holdout=20)
    known, listed, fresh = (
        next(person for person in drawn(engine) if int(person["pk"]) in followed),
        *[person for person in drawn(engine) if int(person["pk"]) not in followed][:2],
    )
    with engine.seen():
        lists.add(engine.workspace, "block", [listed["username"]])

    assert [is_left_alone(engine, person) for person in (known, listed, fresh)] == [False, False, True]
    with engine.seen():
        # Followed before anybody could be held: in neither group.
        FollowBack.objects.create(
            workspace=engine.workspace, account=engine.account, target_pk=fresh["pk"], group="held"
        )
        assert growth.of(engine.account).waiting == 1


def test_who_was_held_stays_so_until_asked_and_is_not_counted_once_contacted(engine: Engine) -> None:
    """Two who were drawn at 20 %, and would not be at today's 1 %."""
    first, second = [person for person in drawn(engine) if person not in drawn(engine, holdout=1)][:2]
    own = {"workspace": engine.workspace, "account": engine.account}
    with engine.seen():
        Bot.objects.update(holdout=1)
        for person in (first, second):
            FollowBack.objects.create(**own, target_pk=person["pk"], group="held")

    assert is_left_alone(engine, first)
    with engine.seen():
        FollowBack.objects.filter(target_pk=first["pk"]).update(asked_at=timezone.now(), follows=False)
    assert not is_left_alone(engine, first)

    def waiting_after(kind: str) -> int:
        with engine.seen():
            Action.objects.create(**own, target_pk=second["pk"], kind=kind, fence=0)
            return growth.of(engine.account).waiting

    assert [waiting_after(kind) for kind in ("welcome_dm", "like")] == [1, 0]


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
