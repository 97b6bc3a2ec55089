"""Growth plans: asked for, changed, accepted once, given to the bot within its limits, and held beside the facts."""

import threading
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import NoticeChoice, Notification, User, Workspace
from bots.models import AccountDay, Action, Bot, BotTask, InstagramAccount, Kind
from content import pace, plan_review, planner, slots
from content.models import AccountInsight, Experiment, GrowthPlan, Measuring, PlannedPost, Post, PostInsight, Run
from content.pages.audits import FOLLOW
from content.prompts import plan as prompt
from content.tests.test_studio_page import work
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.django_db
ASK = {
    "account": "alice.clay", "days": "30", "aim": "followers", "goal": "Sell out the next kiln", "niche": "ceramics",
    "posts_a_week": "3", "minutes": "20", "key": "p1",
}  # fmt: skip


def the_plan() -> GrowthPlan:
    with everywhere():
        return GrowthPlan.objects.select_related("account__workspace").latest("created_at")


def planned(plan: GrowthPlan) -> list[PlannedPost]:
    with everywhere():
        return list(plan.posts.select_related("post", "plan__account"))


def made(account: InstagramAccount, begun: int = 0, posts: int = 3, **fields: Any) -> GrowthPlan:
    """A plan that began so many days ago, with a post on each of its first days."""
    starts_on = plan_review.today(account) - timedelta(days=begun)
    known = {"goal": "g", "niche": "n", "posts_a_week": 3, "hours_from": "none", "starts_on": starts_on} | fields
    with everywhere():
        plan = GrowthPlan.objects.create(workspace_id=account.workspace_id, account=account, **known)
        PlannedPost.objects.bulk_create(
            PlannedPost(
                workspace_id=account.workspace_id, plan=plan, day=starts_on + timedelta(days=n), at=time(23, 59),
                kind="image", title=f"Post {n}", caption="Words",
            )
            for n in range(posts)
        )  # fmt: skip
    return plan


def test_a_plan_is_asked_for_changed_and_accepted_once(
    client: Client, openai: Control, alice: User, alices_bot: Bot
) -> None:
    client.force_login(alice)
    there = client.post(reverse("studio:plan_ask"), ASK)
    assert "Waiting for a worker" in client.get(there.url).content.decode()
    client.post(reverse("studio:plan_ask"), ASK)  # a double click
    work()
    plan = the_plan()
    posts = planned(plan)
    page = client.get(there.url).content.decode()
    assert len(posts) == 13  # 30 days with three posts in each seven
    assert len({post.day for post in posts}) == 13
    assert {plan.starts_on <= post.day <= plan.ends_on for post in posts} == {True}
    assert posts[0].title.replace("'", "&#x27;") in page
    assert sum(each["minutes"] * each["weekly"] for each in plan.routines) <= 20 * 7
    words = {"day": plan.ends_on.isoformat(), "at": "07:15", "kind": "reel", "title": "زبرا 🦓", "caption": "<b>"}
    client.post(reverse("studio:planned_edit", args=[posts[0].pk]), words)
    client.post(reverse("studio:planned_edit", args=[posts[2].pk]), words | {"day": "2020-01-01"})
    client.post(reverse("studio:planned_remove", args=[posts[1].pk]))
    client.post(reverse("studio:plan_add", args=[plan.pk]), words | {"title": "Mine"})
    client.post(reverse("studio:plan_routine", args=[plan.pk, 0]), {"title": "Answer", "weekly": 2, "minutes": 9})

    for _ in range(2):
        client.post(reverse("studio:plan_accept", args=[plan.pk]))

    page = client.get(there.url).content.decode()
    with everywhere():
        drafts = list(Post.objects.order_by("planned_for"))
        assert (Run.objects.count(), GrowthPlan.objects.count()) == (1, 1)
    assert {(post.state, post.origin) for post in drafts} == {("draft", "ai")}
    assert len(drafts) == 13
    last = [(post.kind, post.caption, post.planned_for) for post in drafts[-2:]]
    at = slots.at(plan.ends_on, time(7, 15), "Europe/Oslo")
    assert sorted(last, key=str) == sorted([("reel", "زبرا 🦓\n\n<b>", at), ("reel", "Mine\n\n<b>", at)], key=str)
    assert ("زبرا 🦓" in page, "<b>" not in page.split("<main")[1].split("&lt;b&gt;")[0][-40:]) == (True, True)
    assert the_plan().routines[0] | {"how": ""} == {
        "title": "Answer", "how": "", "minutes": 9, "weekly": 2, "done": {},
    }  # fmt: skip
    changed = client.post(reverse("studio:planned_edit", args=[posts[0].pk]), words, follow=True).content.decode()
    assert codes.PUB_STATE.id in changed


def test_days_and_hours_are_the_accounts_own(alice: User, alices_account: InstagramAccount) -> None:
    starts = plan_review.today(alices_account) + timedelta(days=1)
    with everywhere():
        assert planner.room(alices_account, starts, 30, 30)[1] == "none"
        slots.add(alices_account, alice, [1, 3], time(9, 30))
        busy = next(starts + timedelta(days=n) for n in range(7) if (starts + timedelta(days=n)).weekday() == 1)
        at = slots.at(busy, time(12), alices_account.timezone)
        Post.objects.create(workspace_id=alices_account.workspace_id, account=alices_account, planned_for=at)
        times, told_by = planner.room(alices_account, starts, 28, 7)
        many, _ = planner.room(alices_account, starts, 28, 28)
    assert told_by == "slots"
    assert {(day.weekday() in (1, 3), hour) for day, hour in times} == {(True, time(9, 30))}
    assert (len({day for day, _ in times}), busy in dict(times)) == (7, False)
    assert len({day for day, _ in many}) == 28  # as many as days: then no day is left out


@pytest.mark.parametrize("own", [None, 3])
def test_a_plan_asks_no_more_of_the_bot_than_every_limit_leaves(
    client: Client, alice: User, bob: User, alices_bot: Bot, own: int | None
) -> None:
    with everywhere():
        Bot.objects.filter(pk=alices_bot.pk).update(own_limits={} if own is None else {"follow": own, "like": 9})
        bot = Bot.objects.select_related("workspace", "account").get(pk=alices_bot.pk)
        most, proposed = pace.most(bot), pace.proposed(bot.account, "followers")
    assert all(value <= most[kind] for kind, value in proposed.items())
    plan = made(alices_bot.account, limits=proposed)
    client.force_login(alice)
    address = reverse("studio:plan_limits", args=[plan.pk])
    client.post(address, {"follow": 5000})  # not accepted yet
    with everywhere():
        assert Bot.objects.get().own_limits == bot.own_limits
        GrowthPlan.objects.update(status="accepted")

    client.post(address, {"follow": 5000, "story_view": 2})
    client.force_login(bob)
    refused = client.post(address, {"follow": 1})

    with everywhere():
        given = Bot.objects.get().own_limits
    assert given == bot.own_limits | {"follow": most["follow"], "story_view": 2}
    assert most["follow"] == (own or most["follow"])
    assert (refused.status_code, the_plan().applied_at is None) == (403, False)


def test_the_models_words_cannot_name_a_limit() -> None:
    fields = prompt.Answer.model_json_schema()
    names = set(fields["properties"]).union(*(set(part["properties"]) for part in fields["$defs"].values()))
    assert names == {"summary", "posts", "routines", "title", "kind", "caption", "how", "minutes", "weekly"}
    many = [
        {"title": "a", "how": "", "minutes": 60, "weekly": 7},
        {"title": "b", "how": "", "minutes": 10, "weekly": 7},
    ]
    assert [(one["title"], one["weekly"]) for one in planner.within(10, many)] == [("a", 1), ("b", 1)]


def test_the_account_has_one_running_plan(alice: User, alices_account: InstagramAccount) -> None:
    first, second = made(alices_account), made(alices_account)
    with everywhere():
        planner.accept(first, alice)
        with pytest.raises(BotException, match="Another plan"):
            planner.accept(second, alice)
        planner.drop(first, alice)
        assert planner.accept(second, alice) == 3
        assert Post.objects.count() == 6  # what was in the calendar stays


@pytest.mark.parametrize("held", [True, False])
def test_eight_clicks_at_one_moment_make_no_doubles(
    committed: None, alice: User, alices_account: InstagramAccount, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    """Its control lets go of the lock, and makes doubles."""
    plan, gate, late = made(alices_account), threading.Barrier(8), []
    plan = the_plan()
    drafted = planner._draft
    if not held:
        monkeypatch.setattr("django.db.models.query.QuerySet.select_for_update", lambda rows, **_: rows)
        monkeypatch.setattr(planner, "_draft", lambda *what: (gate.wait(10), drafted(*what))[1])

    def click() -> None:
        try:
            if held:
                gate.wait(10)
            with tenancy.scope(plan.workspace_id):
                planner.accept(plan, alice)
        except threading.BrokenBarrierError as broken:
            late.append(broken)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=click) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]

    with everywhere():
        drafts = Post.objects.count()
    print(f"drafts={drafts} held={held}")
    assert (drafts == 3) is held
    assert not (held and late), "all eight came at one moment"


def test_a_week_is_held_beside_the_facts_and_what_is_missing_is_said(
    client: Client, alice: User, alices_bot: Bot
) -> None:
    account = alices_bot.account
    routines = [{"title": "Answer", "how": "", "minutes": 5, "weekly": 4, "done": {"1": 2}}]
    plan = made(account, begun=8, posts=9, routines=routines, limits={"follow": 10})
    with everywhere():
        planner.accept(the_plan(), alice)
    client.force_login(alice)
    bare = client.get(reverse("studio:planner")).content.decode()
    with everywhere():
        assert {line.word: line.fact for line in plan_review.weeks(the_plan())[1].lines} == {
            "Posts of the plan": 0, "Posts on Instagram in all": None, "Followers": None, "Reach": None,
            "Interactions": None, "Follows by the bot": 0, "Answer": 2,
        }  # fmt: skip
        owned = {"workspace_id": account.workspace_id, "account": account}
        first = plan.starts_on
        for place, one in enumerate(PlannedPost.objects.select_related("post")[:3]):
            late = timedelta(days=2 if place == 0 else 0)
            Post.objects.filter(pk=one.post_id).update(
                state="published", published_at=slots.at(one.day, time(20), account.timezone) + late
            )
        PlannedPost.objects.select_related("post")[4].post.delete()
        for n, followers in ((-1, 100), (0, 101), (5, 112), (7, 130)):
            AccountDay.objects.create(**owned, day=first + timedelta(days=n), followers=followers)
        for n in range(5):
            AccountInsight.objects.create(**owned, day=first + timedelta(days=n), reach=10, measured_at=now())
        Measuring.objects.create(**owned, measured_at=now())
        for n in (0, 6, 7):
            local = datetime.fromisoformat(f"{first + timedelta(days=n)}T23:30:00+00:00")
            PostInsight.objects.create(**owned, media_id=f"m{n}", posted_at=now(), local_at=local)
        task = BotTask.objects.create(workspace_id=account.workspace_id, bot=alices_bot, kind=Kind.FOLLOW, amount=9)
        for n, state in enumerate(["confirmed", "confirmed", "unknown"]):
            row = Action.objects.create(
                **owned, task=task, kind=Kind.FOLLOW, target_pk=n, target_username="x", fence=1, state=state
            )
            Action.objects.filter(pk=row.pk).update(created_at=slots.at(first, time(0, 5), account.timezone))
        GrowthPlan.objects.update(applied_at=now())
        now_week, week = plan_review.weeks(the_plan())
    told = {line.word: (line.planned, line.fact, line.note) for line in week.lines}
    assert told == {
        "Posts of the plan": (7, 3, "1 later than planned; 1 thrown away"),
        "Posts on Instagram in all": (None, 2, "as Meta shows them, stories left out"),
        "Followers": (None, 12, f"112 on {first + timedelta(days=5):%-d %b}"),
        "Reach": (None, 50, "known for 5 of 7 days"),
        "Interactions": (None, None, "Meta has not told yet"),
        "Follows by the bot": (70, 2, "at most"),
        "Answer": (4, 2, "as you ticked it"),
    }
    assert (week.over, now_week.over, week.says) == (True, False, "4 of 7 planned posts are not out.")
    assert now_week.lines[2].fact is None  # its first day alone tells nothing
    assert ("missing" in bare, plan_review.NO_METER in bare) == (True, True)
    client.post(reverse("studio:plan_did", args=[plan.pk, 0]), {"times": "3"})
    assert the_plan().routines[0]["done"] == {"1": 2, "2": 3}

    def queries() -> int:
        client.get(reverse("studio:planner"))
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("studio:planner"))
        return len(asked)

    two_weeks = queries()
    with everywhere():
        GrowthPlan.objects.update(starts_on=first - timedelta(days=21))
    assert queries() == two_weeks


def test_a_week_that_is_over_rings_the_bell_once_and_not_before_the_morning(
    alice: User, bob: User, alices_account: InstagramAccount
) -> None:
    plan, workspace = made(alices_account, begun=7), alices_account.workspace_id
    with everywhere():
        planner.accept(the_plan(), alice)
        NoticeChoice.objects.create(workspace_id=workspace, user=bob, muted=["tasks"])
        assert the_plan().review_on == plan.starts_on + timedelta(days=14)
        assert plan_review.due() == []
        GrowthPlan.objects.update(review_on=plan_review.today(alices_account) + timedelta(days=1))
    assert [plan_review.tell(*one) for one in plan_review.due()] == [False]
    with everywhere():
        GrowthPlan.objects.update(review_on=plan.starts_on + timedelta(days=6))
    due = plan_review.due()

    assert [plan_review.tell(*due[0]), plan_review.tell(*due[0]), plan_review.due()] == [True, False, []]

    with everywhere():
        told = Notification.objects.get()
    assert (told.user_id, told.title) == (alice.pk, "Week 1 of the plan of @alice.clay is over")
    numbers = "Followers: unknown. Reach: unknown. Interactions: unknown."
    assert told.body == f"3 of 3 planned posts are not out. {numbers}"
    with everywhere():
        planner.drop(the_plan(), alice)
    assert the_plan().review_on is None


def test_the_history_of_an_account_feeds_its_next_plan(
    openai: Control, alice: User, alices_account: InstagramAccount, alices_workspace: Workspace
) -> None:
    made(alices_account, begun=9, goal="The former goal", status="accepted")
    with everywhere():
        Experiment.objects.create(
            workspace=alices_workspace, account=alices_account, subject="time", name="x", a="07:30", b="19:30",
            seed="s", units_each=5, status="decided", ended_at=now(),
            verdict={"winner": "A", "says": "07:30 did better"},
        )  # fmt: skip
        brief = {"aim": "followers", "goal": "more", "niche": "clay", "days": 7, "posts_a_week": 4, "minutes": 10}
        run = planner.ask(alices_account, alice, brief)
    work()
    with everywhere():
        run.refresh_from_db()
        assert run.status == "done", run.error_code
        facts = planner.gather(Run.objects.select_related("account").get(pk=run.pk))
    plan = the_plan()
    asked = prompt.prompt(facts)
    assert (plan.days, len(planned(plan)), asked.instructions[:28]) == (7, 4, "Plan 4 posts in order for th")
    assert ("The former goal" in asked.material, "07:30 did better" in asked.material) == (True, True)
    assert (plan.hours_from, {post.at for post in planned(plan)}) == ("test", {time(7, 30)})


def test_an_audit_leads_to_a_planned_week(client: Client, alice: User, alices_account: InstagramAccount) -> None:
    client.force_login(alice)
    assert FOLLOW["rhythm"][0] == "Plan a week"
    page = client.get(reverse("studio:planner"), {"goal": "Post more often", "days": "7"}).content.decode()
    assert 'value="Post more often"' in page
    assert '<option value="7" selected' in page


def test_others_see_and_change_nothing(client: Client, alice: User, charlie: User, alices_bot: Bot) -> None:
    plan = made(alices_bot.account)
    first = planned(plan)[0]
    client.force_login(charlie)
    answers = [client.get(reverse("studio:planner"), {"plan": str(plan.pk)})] + [
        client.post(reverse(f"studio:{deed}", args=args), {"times": "1"})
        for deed, args in [
            ("plan_accept", [plan.pk]), ("plan_drop", [plan.pk]), ("plan_limits", [plan.pk]), ("plan_add", [plan.pk]),
            ("plan_did", [plan.pk, 0]), ("plan_routine", [plan.pk, 0]), ("planned_edit", [first.pk]),
            ("planned_remove", [first.pk]),
        ]
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {404}
