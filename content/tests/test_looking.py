"""Audits and competitors: figures we compute, scores by rule, what changed, and words that cannot change a number."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import User, Workspace
from bots.models import Bot, InstagramAccount
from content import audits, competitors, figures, plan_review, runs
from content import reading as reading_of
from content.models import AccountInsight, Audit, Competitor, CompetitorDay, Measuring, Run
from content.prompts import audit as words
from content.prompts import competitors as words_of_competitors
from content.reading import Post, Reading
from content.tests.making import printed
from content.tools import TOOLS
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import everywhere
from sandbox.testing import Control

MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


def reading(*posts: Post, followers: int | None = 1000, bio: str = "Stoneware") -> Reading:
    return Reading("private", "alice.clay", "Alice", bio, followers, 100, len(posts), list(posts))


def post(days: float, likes: int | None = 40, comments: int | None = 10, **more: object) -> Post:
    return Post(str(days), MONDAY - timedelta(days=days), "A bowl?", **more, likes=likes, comments=comments)  # type: ignore[arg-type]


def work() -> None:
    with everywhere():
        waiting = list(Run.objects.filter(status="queued"))
    for run in waiting:
        runs.perform(run.workspace_id, run.pk, TOOLS)


def test_figures_are_medians_in_the_accounts_own_zone() -> None:
    facts = figures.of(reading(post(0, 10), post(1, 40), post(7, 90)), "Asia/Tokyo")

    assert (facts["engagement"], facts["likes"], facts["posts_a_week"]) == (0.05, 40, 2.0)
    assert facts["longest_gap_days"] == 6.0
    assert {row["name"] for row in facts["by_hours"]} == {"16:00 to 20:00"}  # 09:00 UTC
    assert {row["enough"] for row in facts["by_hours"]} == {False}  # three posts say little
    assert [row["engagement"] for row in facts["top_posts"]] == [0.1, 0.05, 0.02]


def test_what_is_hidden_is_unknown_and_never_zero() -> None:
    facts = figures.of(reading(post(0, likes=None), post(3, likes=None)), "UTC")
    lost = figures.of(reading(post(0), followers=None), "UTC")
    scores = {each["area"]: each["score"] for each in figures.scores(facts)}

    assert (facts["engagement"], facts["likes"], facts["by_day"], scores["engagement"]) == (None, None, [], None)
    assert (lost["engagement"], lost["posts_a_week"], lost["likes"]) == (None, None, 40)
    assert figures.whole(figures.scores(lost)) is not None


@pytest.mark.django_db
def test_an_audit_reads_computes_compares_and_leads_on(
    client: Client, openai: Control, alice: User, alices_connected_bot: Bot
) -> None:
    openai.account("alice.real", media=40, biography="Stoneware from Oslo", followers=900)
    client.force_login(alice)
    page = reverse("studio:audits")

    client.post(reverse("studio:audit_start"), {"account": "alice.real", "key": "a1"})
    waiting = client.get(page).content.decode()
    work()
    openai.account("alice.real", followers=950)
    client.post(reverse("studio:audit_start"), {"account": "alice.real", "key": "a2"})
    work()
    shown = client.get(page).content.decode()

    with everywhere():
        second, first = Audit.objects.all()
    report = client.get(reverse("studio:audit_report", args=[second.pk]))
    assert "Waiting for a worker" in waiting
    assert (first.facts["followers"], second.facts["followers"], second.facts["posts_read"]) == (900, 950, 40)
    assert second.scores == figures.scores(second.facts)  # ours, whatever the model says
    assert "950" in shown
    assert "900" in shown  # beside it, from before
    assert "the account’s own session" in shown
    assert "feature=" in shown  # what to do, one click away
    assert (report["Content-Type"], report.content[:5]) == ("application/pdf", b"%PDF-")


@pytest.mark.django_db
def test_insights_are_metas_and_missing_without_them(
    client: Client, openai: Control, alice: User, alices_account: InstagramAccount
) -> None:
    owned = {"workspace_id": alices_account.workspace_id, "account": alices_account}
    today = plan_review.today(alices_account)
    with everywhere():
        bare = audits.insights(alices_account)
        Measuring.objects.create(**owned, measured_at=now())
        for n, reach in ((0, 1000), (1, 7), (28, 5), (29, 900)):
            AccountInsight.objects.create(**owned, day=today - timedelta(days=n), reach=reach, measured_at=now())
        told = audits.insights(alices_account)
        pages = []
        for insights in (bare, told):
            facts = figures.of(reading(post(1), post(3)), "UTC") | {"insights": insights}
            findings = {"summary": "s", "strengths": [], "fixes": []}
            audit = Audit.objects.create(
                **owned, door="private", facts=facts, scores=figures.scores(facts), findings=findings
            )
            client.force_login(alice)
            pages.append(client.get(reverse("studio:audits")).content.decode())
            pages.append(printed(client.get(reverse("studio:audit_report", args=[audit.pk])).content))
    assert bare is None
    assert told is not None
    assert {row["word"]: (row["now"], row["days_known"]) for row in told["figures"]} == {
        "Reach": (12, 2), "Views": (None, 0), "Interactions": (None, 0), "Accounts engaged": (None, 0),
        "New followers": (None, 0),
    }  # fmt: skip
    assert ("are not in this audit" in pages[0], "Insights by Meta: missing" in pages[1]) == (True, True)
    assert ("known for 2 days" in pages[2], "Reach: 12" in pages[3]) == (True, True)
    assert json.loads(words.prompt({"insights": told}).material)["insights"]["figures"][0]["now"] == 12


@pytest.mark.django_db
def test_an_empty_account_is_not_audited(
    client: Client, openai: Control, alice: User, alices_connected_bot: Bot
) -> None:
    openai.account("alice.real", media=0)
    client.force_login(alice)

    client.post(reverse("studio:audit_start"), {"account": "alice.real", "key": "a1"})
    work()

    assert codes.AI_NOTHING_TO_READ.id in client.get(reverse("studio:audits")).content.decode()
    assert openai.openai_requests() == []


@pytest.mark.django_db
def test_a_report_in_any_script_is_drawn(
    client: Client, alice: User, alices_workspace: Workspace, alices_bot: Bot
) -> None:
    facts = figures.of(reading(post(0), post(3)), "UTC")
    words = {
        "summary": "مرحبا 🦓 “quoted” Привет",
        "strengths": [],
        "fixes": [{"title": "é", "reason": "語", "how": "…", "area": "bio"}],
    }
    with everywhere():
        audit = Audit.objects.create(
            workspace=alices_workspace, account=alices_bot.account, door="private", facts=facts,
            scores=figures.scores(facts), findings=words,
        )  # fmt: skip
    client.force_login(alice)

    words = printed(client.get(reverse("studio:audit_report", args=[audit.pk])).content)
    for word in ("ابحرم", "quoted", "Привет", "語", "é"):  # right-to-left is laid out from the left
        assert word in words
    assert "?" not in words
    assert "مرحبا 🦓" in client.get(reverse("studio:audits")).content.decode()


@pytest.mark.django_db
def test_competitors_are_looked_at_shown_beside_and_summed_up(
    client: Client, openai: Control, alice: User, alices_connected_bot: Bot
) -> None:
    openai.account("rival.clay", media=30, followers=4000)
    client.force_login(alice)
    page = reverse("studio:competitors")

    client.post(reverse("studio:competitor_add"), {"account": "alice.real", "username": "@Rival.Clay"})
    with everywhere():
        rival = Competitor.objects.get()
        with pytest.raises(BotException) as early:
            competitors.gather(Run(workspace=alices_connected_bot.account.workspace, account=rival.account))
    assert early.value.code is codes.NOTHING_TO_COMPARE
    assert "Sum up" not in client.get(page).content.decode()
    for _ in range(2):  # the same day twice is one row
        competitors.look(rival)
    client.post(reverse("studio:competitors_summary"), {"account": "alice.real", "key": "s1"})
    work()
    shown = client.get(page).content.decode()

    with everywhere():
        day = CompetitorDay.objects.get()
        run = Run.objects.get()
    assert (rival.username, day.followers, day.facts["posts_read"], day.door) == ("rival.clay", 4000, 30, "private")
    assert "4,000" in shown
    assert run.answer
    assert run.answer["points"]
    for point in run.answer["points"]:
        assert point["rests_on"] in shown
        assert point["rests_on"].startswith("@rival.clay, ")
    answer = words_of_competitors.Answer(
        summary="s",
        points=[
            {"says": "a", "account": "@rival.clay", "figure": "followers"},
            {"says": "b", "account": "nobody.known", "figure": "followers"},
        ],
        try_next=["t"],
    )
    with everywhere():
        competitors.keep(run, answer, {"name": "alice.real", "own": None, "others": run.brief["numbers"]["others"]})
    assert run.answer["points"] == [{"says": "a", "rests_on": "@rival.clay, followers 4,000"}]
    assert run.brief["numbers"]["others"]["rival.clay"]["followers"] == 4000  # what the words rest on stays


@pytest.mark.django_db
def test_old_posts_that_somebody_pinned_do_not_change_the_rhythm(
    openai: Control, alice: User, alices_connected_bot: Bot
) -> None:
    openai.account("pins.clay", media=400, pinned=3)
    openai.account("few.clay", media=6, pinned=3)
    with everywhere():
        found = [reading_of.read(alices_connected_bot.account, name).posts for name in ("pins.clay", "few.clay")]

    assert [len(posts) for posts in found] == [reading_of.POSTS, 6], "of few the pinned are among the others"
    for posts in found:
        moments = [post.posted_at for post in posts]
        assert moments == sorted(moments, reverse=True)
    assert (figures.longest_gap(found[0]) or 0) < 60, "without those of years ago"


@pytest.mark.django_db
def test_one_that_is_gone_says_so_and_the_rest_stays(
    client: Client, openai: Control, alice: User, alices_connected_bot: Bot
) -> None:
    client.force_login(alice)
    client.post(reverse("studio:competitor_add"), {"account": "alice.real", "username": "no.such.person.zz"})
    with everywhere():
        rival = Competitor.objects.get()

    competitors.look(rival)

    assert codes.IG_TARGET_GONE.id in client.get(reverse("studio:competitors")).content.decode()
    with everywhere():
        type(alices_connected_bot.account.session).objects.update(valid=False)
    competitors.look(rival)
    assert codes.OTHERS_NOT_OPEN.id in client.get(reverse("studio:competitors")).content.decode()


def test_a_double_click_watches_once(
    committed: None, alice: User, alices_account: InstagramAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(competitors, "send", lambda _: None)
    gate, said = threading.Barrier(4), []

    def click() -> None:
        gate.wait(10)
        try:
            with tenancy.scope(alices_account.workspace_id):
                competitors.add(alices_account, alice, "rival.clay")
            said.append("")
        except BotException as refused:
            said.append(refused.code.name)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    assert sorted(said) == ["", *["VALIDATION_FAILED"] * 3]


@pytest.mark.django_db
def test_nobody_watches_without_end(alice: User, alices_bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(competitors, "send", lambda _: None)
    with everywhere():
        for number in range(competitors.MOST):
            competitors.add(alices_bot.account, alice, f"rival{number}")

        for name in ("rival0", "one.more", "alice.clay"):
            with pytest.raises(BotException) as refused:
                competitors.add(alices_bot.account, alice, name)
            assert refused.value.code is codes.VALIDATION_FAILED
