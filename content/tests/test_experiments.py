"""A/B tests: sized before the start, drawn by lot before anything happens, and silent until the horizon is reached."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import now
from scipy import stats

from accounts import tenancy
from accounts.models import Membership, Notification, User, Workspace
from accounts.tests.team import signed_in
from bots import welcomes
from bots.actions.welcome_dm import arm, text_for
from bots.models import Action, Bot, BotTask, InstagramAccount, Kind, OfficialAccess
from content import chance, experiments, measuring, trials
from content.models import Experiment, Measuring, Post, PostInsight, Talk, TalkLine, Trial
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import Program, connect_officially, everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.django_db
WORDS = {
    "subject": "caption",
    "name": "Question below",
    "a": "",
    "b": "{caption}\n\nWhich one? 🏺 أيهما؟",
    "difference": 1.0,
}


@pytest.fixture
def known(alices_official: InstagramAccount) -> InstagramAccount:
    """@alice.clay, connected through Meta, with 20 posts of about 5 per cent."""
    with everywhere():
        for number in range(20):
            insight(alices_official, f"old{number}", 100 * (number % 5 - 2) + 500, now() - timedelta(days=10 + number))
    return alices_official


def insight(account: InstagramAccount, media: str, interactions: int | None, posted_at: Any) -> None:
    PostInsight.objects.create(
        workspace_id=account.workspace_id, account=account, media_id=media, kind="IMAGE", product="FEED",
        posted_at=posted_at, local_at=measuring.local(posted_at, account.timezone), measured_at=now(),
        reach=10_000, interactions=interactions,
    )  # fmt: skip


def made(
    account: InstagramAccount, user: User, *, running: bool = True, each: int | None = None, **words: Any
) -> Experiment:
    with tenancy.scope(account.workspace_id):
        test = experiments.draft(account.workspace, user, account, **(WORDS | words))
        if running:
            experiments.start(test, user)
        if each:
            Experiment.objects.filter(pk=test.pk).update(units_each=each)
    return fresh(test)


def fresh(test: Experiment) -> Experiment:
    with everywhere():
        return Experiment.objects.select_related("account__workspace").get(pk=test.pk)


def drafts(account: InstagramAccount, amount: int, **words: Any) -> list[Post]:
    with everywhere():
        rows = [Post(workspace_id=account.workspace_id, account=account, **({"caption": f"Kiln day {n} #kiln"} | words))
                for n in range(amount)]  # fmt: skip
        return Post.objects.bulk_create(rows)


def drawn(test: Experiment, user: User, posts: list[Post]) -> list[Trial]:
    with tenancy.scope(test.workspace_id):
        return experiments.add(test, user, posts)


def came_out(test: Experiment, interactions: Callable[[str, int], int | None], days: int = 8) -> None:
    """The posts of a test went out so many days ago, and Meta tells this of them."""
    with everywhere():
        then = now() - timedelta(days=days)
        for number, lot in enumerate(Trial.objects.filter(experiment=test, measured_at=None).order_by("assigned_at")):
            Post.objects.filter(pk=lot.unit).update(
                state="published", published_at=then, instagram_id=f"out-{lot.unit[:24]}"
            )
            insight(test.account, f"out-{lot.unit[:24]}", interactions(lot.arm, number), then)


def looked(test: Experiment) -> Experiment:
    experiments.look_in(test.workspace_id, test.pk)
    return fresh(test)


def test_a_test_from_the_form_to_its_verdict_says_nothing_early(known: InstagramAccount, alice: User) -> None:
    page = signed_in(alice)
    answer = page.post(
        f"{reverse('studio:experiment_new')}?subject=caption", WORDS | {"account": "alice.clay"}, follow=True
    ).content.decode()
    with everywhere():
        test = Experiment.objects.get()
        there = reverse("studio:experiment", args=[test.pk])
        needed = chance.size_of_means(test.baseline["spread"], test.baseline["mean"])
    assert f"{max(10, needed)} posts with each" in answer
    assert (test.status, test.units_each, test.baseline["known"]) == ("draft", 10, 20)
    assert test.baseline["mean"] == pytest.approx(0.05)

    page.post(reverse("studio:experiment_start", args=[test.pk]))
    posts = drafts(known, 30)
    answer = page.post(
        reverse("studio:experiment_posts", args=[test.pk]), {"posts": [post.pk for post in posts[:24]]}, follow=True
    ).content.decode()
    test = fresh(test)
    with everywhere():
        lots = {lot.unit: lot for lot in Trial.objects.all()}
        changed = Post.objects.in_bulk([post.pk for post in posts])
    assert (test.status, len(lots), "The lot is drawn" in answer) == ("running", 24, True)
    assert {lot.value_millionths for lot in lots.values()} == {None}  # drawn before anything is known
    for post in posts:
        is_b = str(post.pk) in lots and lots[str(post.pk)].arm == "B"
        assert changed[post.pk].caption == (f"{post.caption}\n\nWhich one? 🏺 أيهما؟" if is_b else post.caption)
        assert changed[post.pk].state == "draft"

    last = max(lots.values(), key=lambda lot: lot.assigned_at)
    came_out(test, lambda drew, number: (900 if drew == "B" else 300) + number % 7)
    with everywhere():
        Post.objects.filter(pk=last.unit).update(published_at=now() - timedelta(days=3))  # its week is not over
    test = looked(test)
    early = page.get(there).content.decode()
    told = page.get(reverse("api_experiment", args=[test.pk])).json()
    assert (test.status, test.verdict, told["verdict"]) == ("running", {}, None)
    assert "Not enough data yet" in early
    assert "did better" not in early
    assert "points" not in early

    with everywhere():
        Post.objects.filter(pk=last.unit).update(published_at=now() - timedelta(days=8))
        counts = {one: sum(lot.arm == one for lot in lots.values()) for one in "AB"}
        if min(counts.values()) < test.units_each:  # the lot is not even: the test then goes on with more posts
            Experiment.objects.update(units_each=min(counts.values()))
    test = looked(test)
    assert (test.status, test.verdict["winner"], test.verdict["known"]) == ("decided", "B", counts)
    assert 0.05 < test.verdict["low"] < test.verdict["effect"] < test.verdict["high"] < 0.07
    late = page.get(there).content.decode()
    assert "B did better" in late
    with everywhere():
        assert experiments.learnt(known)[0]["winner"] == "B"
        assert experiments.best_time(known) is None  # it was no test of times
        Experiment.objects.update(subject="time", a="08:00", b="18:30")
        assert f"{experiments.best_time(known):%H:%M}" == "18:30"  # as the planner asks for it
        assert Notification.objects.filter(title__contains="Question below").exists()
    assert looked(test).ended_at == test.ended_at  # and never a second time


def test_the_verdict_is_that_of_scipy_and_no_difference_is_said_as_such(known: InstagramAccount, alice: User) -> None:
    test = made(known, alice, each=3)
    lots = drawn(test, alice, drafts(known, 20))
    rates = {"A": [], "B": []}  # type: ignore[var-annotated]

    def usual(drew: str, number: int) -> int:
        reached = 450 if len(rates[drew]) % 2 else 550  # alike in both, however the lots fall
        rates[drew].append(reached / 10_000)
        return reached

    came_out(test, usual)
    test = looked(test)

    theirs = stats.ttest_ind(rates["B"], rates["A"], equal_var=False).confidence_interval(0.95)
    assert (test.verdict["low"], test.verdict["high"]) == pytest.approx((theirs.low, theirs.high), abs=1e-6)
    assert (test.verdict["winner"], len(lots)) == ("", 20)
    assert "No difference was found" in test.verdict["says"]


def test_what_is_missing_stays_missing_and_the_test_goes_on(known: InstagramAccount, alice: User) -> None:
    test = made(known, alice, each=2)
    lots = drawn(test, alice, drafts(known, 12))
    with everywhere():
        Post.objects.filter(pk=lots[0].unit).delete()  # thrown away
        Trial.objects.filter(pk=lots[1].pk).update(assigned_at=now() - timedelta(days=31))  # never published
    looked(test)
    with everywhere():
        assert set(Trial.objects.exclude(measured_at=None).values_list("unit", "value_millionths")) == {
            (lots[0].unit, None), (lots[1].unit, None)}  # fmt: skip

    came_out(test, lambda *_: None, days=8)
    assert looked(test).status == "running"  # Meta may still tell
    with everywhere():
        Post.objects.exclude(published_at=None).update(published_at=now() - timedelta(days=15))
    assert looked(test).status == "running"
    with everywhere():
        progress = experiments.progress(test)
        assert (progress.awaited, progress.known, progress.room) == (0, {"A": 0, "B": 0}, True)


def test_looking_early_would_name_a_winner_where_there_is_none_and_our_horizon_does_not() -> None:
    """The control of the whole design: 400 tests of twice the same thing, looked at once, and after each ten people."""
    lots, early, late = random.Random(97), 0, 0
    for _ in range(400):
        a, b = ([float(lots.random() < 0.3) for _ in range(200)] for _ in "AB")
        late += bool(chance.shares(a, b).winner)
        early += any(chance.shares(a[:seen], b[:seen]).winner for seen in range(10, 201, 10))

    assert late / 400 < 0.075
    assert early / 400 > 0.15


def test_the_lot_is_even_and_is_no_ones_choice() -> None:
    fallen = [arm("seed", str(unit)) for unit in range(4000)]

    assert stats.binomtest(fallen.count("A"), 4000).pvalue > 0.001
    assert fallen == [arm("seed", str(unit)) for unit in range(4000)]
    assert fallen != [arm("another", str(unit)) for unit in range(4000)]


@pytest.mark.parametrize(
    ("subject", "a", "b", "expected"),
    [
        ("hashtags", "#clay, studio", "", {"A": "Bowl 🏺\n\n#clay #studio", "B": "Bowl 🏺 #kiln\n#קרמיקה"}),
        ("comment", "", "Which one?", {"A": "", "B": "Which one?"}),
        ("time", "08:00", "18:30", {"A": "08:00", "B": "18:30"}),
    ],
)
def test_each_kind_changes_what_it_compares_and_nothing_else(
    known: InstagramAccount, alice: User, subject: str, a: str, b: str, expected: dict[str, str]
) -> None:
    day = now() + timedelta(days=3)
    test = made(known, alice, subject=subject, a=a, b=b)
    lots = drawn(test, alice, drafts(known, 12, caption="Bowl 🏺 #kiln\n#קרמיקה", planned_for=day))
    oslo = ZoneInfo(known.timezone)
    with everywhere():
        for lot in lots:
            post = Post.objects.get(pk=lot.unit)
            at = post.planned_for.astimezone(oslo) if post.planned_for else now()
            seen = {"hashtags": post.caption, "comment": post.first_comment, "time": f"{at:%H:%M}"}
            assert seen[subject] == expected[lot.arm]
            assert at.date() == day.astimezone(oslo).date()
            if subject != "hashtags":
                assert post.caption == "Bowl 🏺 #kiln\n#קרמיקה"


def test_what_cannot_be_run_is_refused_with_the_reason(known: InstagramAccount, alice: User) -> None:
    def refused(deed: Callable[[], object]) -> str:
        with pytest.raises(BotException) as told, tenancy.scope(known.workspace_id):
            deed()
        return f"{told.value.code.name}: {told.value.message}"

    def draft(**words: Any) -> str:
        return refused(lambda: experiments.draft(known.workspace, alice, known, **(WORDS | words)))

    first = made(known, alice)
    second = made(known, alice, running=False)
    taken, long = drafts(known, 1, state="published"), drafts(known, 1, caption="x" * 2199)

    assert "the same" in draft(b="")
    assert "Choose one of the differences" in draft(difference=0.01)
    assert "templates" in draft(subject="dm", a="hi", b="ho", difference=0.1)
    assert "18:30" in draft(subject="time", a="half past six", b="19:00")
    assert "hashtag" in draft(subject="hashtags", a="#1234", b="")
    assert "runs on this account already" in refused(lambda: experiments.start(second, alice))
    assert "AI_NOT_READY" in refused(lambda: experiments.start(first, alice))
    assert "AI_NOT_READY" in refused(lambda: experiments.add(second, alice, drafts(known, 1)))
    assert "no draft of this account" in refused(lambda: experiments.add(first, alice, taken))
    assert "would not fit" in refused(lambda: experiments.add(first, alice, long))  # whichever arm it would draw
    with tenancy.scope(known.workspace_id):
        experiments.stop(first, alice)
        experiments.start(second, alice)
    assert fresh(first).verdict == {}
    with everywhere():
        PostInsight.objects.filter(media_id__in=[f"old{n}" for n in range(11)]).delete()
    assert "Not enough data yet: 9 of 10" in draft()
    with everywhere():
        OfficialAccess.objects.all().delete()
    third = made_unsized(known, alice)
    assert "IG_OFFICIAL_MISSING" in refused(lambda: experiments.start(third, alice))


def made_unsized(account: InstagramAccount, user: User) -> Experiment:
    with everywhere():
        return Experiment.objects.create(
            workspace_id=account.workspace_id, account=account, subject="time", name="x", a="08:00", b="18:00",
            seed="1", units_each=10, created_by=user,
        )  # fmt: skip


def test_welcomes_are_split_by_lot_and_decided_by_who_wrote_back(
    alice: User, alices_workspace: Workspace, alices_connected_bot: Bot, meta: Control
) -> None:
    account = connect_officially(alices_connected_bot.account, meta)
    with everywhere():
        owner = Membership.objects.select_related("workspace", "user").get(user=alice)
        welcomes.write(owner, "Plain", "Welcome, {first_name}.")
        welcomes.write(owner, "Asks", "Hi {first_name}, what brought you here?")
    test = made(account, alice, subject="dm", a="Plain", b="Asks", difference=0.3)
    assert (test.units_each, test.baseline["mean"]) == (
        chance.size_of_shares(0.5, 0.3),
        None,
    )  # nobody knows: the worst case
    with everywhere():
        task = BotTask.objects.get()
        people = {n: f"fan{n}" for n in range(1, 101)}
        then = now() - timedelta(days=8)
        Action.objects.bulk_create(
            Action(
                workspace=alices_workspace, account=account, task=task, kind=Kind.WELCOME_DM, target_pk=n,
                target_username=name, campaign=task.campaign, state="refused" if n == 1 else "confirmed", fence=1,
                ended_at=then,
            )
            for n, name in people.items()
        )  # fmt: skip
        action = Action.objects.get(target_pk=7)
        asks = text_for(task, action)
    assert (task.kind, task.options["only_new"], task.message) == ("welcome_dm", True, test.a)
    assert asks == {"A": "Welcome, Fan.", "B": "Hi Fan, what brought you here?"}[arm(test.seed, "7")]

    test = looked(test)
    with everywhere():
        task.refresh_from_db()
        assert Trial.objects.count() == 100
        assert Trial.objects.filter(value_millionths__isnull=False).count() == 0  # nobody read the inbox since
        assert task.status == "stopped"  # enough were written to
        for n, name in people.items():
            if arm(test.seed, str(n)) == "B" and n % 4:
                own = {"workspace": alices_workspace, "account": account, "kind": "message"}
                talk = Talk.objects.create(**own, root=name, username=name, last_at=then)
                TalkLine.objects.create(workspace=alices_workspace, talk=talk, text="hei", at=then + timedelta(days=1))
        Measuring.objects.update_or_create(workspace=alices_workspace, account=account, defaults={"messages_at": now()})
    test = looked(test)

    assert (test.status, test.verdict["winner"], test.verdict["a"]) == ("decided", "B", 0.0)
    assert sum(test.verdict["missing"].values()) == 1
    with everywhere():
        assert trials.usual(account, "dm")["known"] == 99


def test_a_text_that_lost_its_approval_is_not_sent(
    alice: User, alices_workspace: Workspace, alices_connected_bot: Bot, meta: Control
) -> None:
    account = connect_officially(alices_connected_bot.account, meta)
    with everywhere():
        owner = Membership.objects.select_related("workspace", "user").get(user=alice)
        plain = welcomes.write(owner, "Plain", "Welcome.")
        welcomes.write(owner, "Asks", "Hello?")
    test = made(account, alice, subject="dm", a="Plain", b="Asks", difference=0.3, running=False)
    with everywhere():
        plain.approved_at = None
        plain.save()

    with pytest.raises(BotException) as refused, tenancy.scope(alices_workspace), transaction.atomic():
        experiments.start(test, alice)

    assert refused.value.code is codes.DM_NOT_APPROVED
    with everywhere():
        assert (fresh(test).status, BotTask.objects.count()) == ("draft", 0)


def test_a_program_runs_a_test(
    known: InstagramAccount, alice: User, charlie: User, api: Callable[[User], Program]
) -> None:
    mine, theirs = api(alice), api(charlie)
    wanted = WORDS | {"account": "alice.clay", "subject": "time", "a": "8:00", "b": "18:30"}
    wrong = mine.post(reverse("api_experiments"), wanted | {"difference": 7})
    wanted["a"] = "08:00"
    answer = mine.post(reverse("api_experiments"), wanted)
    test = answer.json()["experiment"]
    there = {name: reverse(f"api_experiment{name}", args=[test["id"]]) for name in ("", "_start", "_stop", "_posts")}
    started = mine.post(there["_start"]).json()["experiment"]
    posts = [str(post.pk) for post in drafts(known, 3)]
    lots = mine.post(there["_posts"], {"posts": posts}).json()["experiment"]

    assert (wrong.status_code, wrong.json()["error_code"]) == (400, codes.EXPERIMENT_INVALID.id)
    assert (answer.status_code, test["status"], test["units_each"], test["verdict"]) == (201, "draft", 10, None)
    assert started["status"] == "running"
    assert sum(lots["progress"]["drawn"].values()) == 3
    assert mine.post(there["_posts"], {"posts": posts}).status_code == 400  # a lot is never drawn again
    assert mine.post(there["_stop"]).json()["experiment"]["status"] == "stopped"
    assert mine.get(reverse("api_experiments")).json()["results"][0]["id"] == test["id"]
    assert {theirs.get(there[""]).status_code, theirs.post(there["_stop"]).status_code} == {404}
