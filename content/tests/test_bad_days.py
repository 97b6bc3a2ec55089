"""Bad days seen from the pages: a provider that is down or hangs, accounts with nothing in them, any language."""

import time
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from accounts.models import User, Workspace
from bots.models import Bot
from content import ai, runs
from content.models import AiCall, AiUsage, Piece, Run
from content.tools import TOOLS
from errors import codes
from instagrowth.testing import everywhere
from sandbox.testing import Control

pytestmark = pytest.mark.django_db
PATH = "v1/responses"
PAGES = [f"studio:{name}" for name in ("studio", "library", "audits", "messages", "competitors", "planner", "usage")]
BRIEF = {"feature": "captions", "about": "Kiln opening", "tone": "ours", "length": "short"}
PLAN = {"aim": "followers", "goal": "More people", "niche": "", "posts_a_week": 3, "minutes": 20, "days": 7}
LANGUAGES = ("Norwegian", "Arabic", "Hebrew", "Japanese")
WORDS = (
    "Ovnsåpning på torsdag, افتتاح الفرن يوم الخميس, פתיחת התנור ביום חמישי, 木曜日に窯を開けます,"
    " 🏺🔥 👩🏽‍🎨 \u202bابدأ\u202c 🇳🇴 <b>&amp;"
)


def work() -> list[Run]:
    """Let a worker do what waits; the runs as they ended."""
    with everywhere():
        waiting = list(Run.objects.filter(status="queued"))
    for run in waiting:
        runs.perform(run.workspace_id, run.pk, TOOLS)
    with everywhere():
        return list(Run.objects.filter(pk__in=[run.pk for run in waiting]))


def test_five_minutes_without_a_provider_are_no_fault_of_any_page(
    client: Client, openai: Control, alice: User, alices_bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ai, "_patience", lambda _: 0.0)
    clock = [1_000_000.0]
    # Only the door's own clock: what is imported meanwhile may keep hold of the real one's name.
    monkeypatch.setattr(ai, "time", SimpleNamespace(time=lambda: clock[0], monotonic=time.monotonic))
    openai.fault("503", path=PATH, times=None)
    client.force_login(alice)
    statuses, ended = [], []
    for half_minute in range(10):
        for click in range(2 if half_minute in (5, 8) else 1):
            key = f"{half_minute}-{click}"
            statuses.append(client.post(reverse("studio:ask"), BRIEF | {"key": key}).status_code)
        ended += work()
        statuses.append(client.get(reverse(PAGES[half_minute % len(PAGES)])).status_code)
        clock[0] += ai.RESTS
        if cache.get("ai:rests", 0) <= clock[0]:  # as its end in the cache would
            cache.delete("ai:rests")

    assert set(statuses) == {200, 302}
    assert len(ended) == 12
    assert {run.error_code for run in ended} == {codes.AI_UNAVAILABLE.id}
    assert openai.faults()[0]["hits"] < 12 * ai.TRIES  # the breaker spared it some
    with everywhere():
        assert set(AiCall.objects.values_list("state", flat=True)) == {"released"}
        assert [(usage.calls, usage.spent_micros, usage.reserved_micros) for usage in AiUsage.objects.all()] == [
            (0, 0, 0)
        ]

    openai.clear_faults()
    cache.delete_many(["ai:failures", "ai:rests"])
    client.post(reverse("studio:again", args=[ended[0].pk]))
    assert [run.status for run in work()] == ["done"]  # one click asks again


def test_no_page_ever_waits_for_the_model(client: Client, openai: Control, alice: User, alices_bot: Bot) -> None:
    """A provider that hangs would hold whoever asks it: no page does. How long pages take then is in `bench/ai.py`."""
    openai.fault("hang", path=PATH, times=None)
    client.force_login(alice)
    here = {"account": alices_bot.account.username}
    client.post(reverse("studio:ask"), BRIEF)
    client.post(reverse("studio:learn", args=[here["account"]]))
    client.post(reverse("studio:audit_start"), here)
    client.post(reverse("studio:messages_ask"), {"about": "Stoneware", "tone": "warm"})
    client.post(reverse("studio:competitors_summary"), here)
    with everywhere():
        waiting = Run.objects.filter(status="queued").count()

    assert waiting == 5  # each was written down for a worker
    assert {client.get(reverse(name)).status_code for name in PAGES} == {200}
    assert openai.faults()[0]["hits"] == 0


def test_any_script_goes_in_and_comes_out_whole_of_every_tool(
    client: Client, openai: Control, alice: User, alices_workspace: Workspace
) -> None:
    tools = ("captions", "ideas", "hashtags", "script", "carousel", "alt_text", "bio", "dm_template")
    wanted = dict(zip(tools, LANGUAGES * 2, strict=True))
    with everywhere():
        for feature, language in wanted.items():
            runs.ask(alices_workspace, alice, feature, {"about": WORDS, "language": language, "tone": "ours"})
    done = work()
    requests = openai.openai_requests()[-len(tools) :]
    client.force_login(alice)

    assert [run.status for run in done] == ["done"] * len(tools)
    for request in requests:
        assert any(language in request["instructions"] for language in LANGUAGES)
        for word in ("torsdag", "افتتاح", "פתיחת", "木曜日に窯を開けます", "👩🏽‍🎨", "🇳🇴"):
            assert word in request["input"][0]["content"]
    with everywhere():
        kept = Piece.objects.first()
        assert kept
        Piece.objects.filter(pk=kept.pk).update(text=WORDS)
    assert {client.get(reverse(name)).status_code for name in PAGES} == {200}
    assert escape(WORDS) in client.get(reverse("studio:library")).content.decode()


def test_an_empty_account_gets_an_answer_or_a_reason_from_every_tool(
    client: Client, openai: Control, alice: User, alices_connected_bot: Bot
) -> None:
    account = alices_connected_bot.account
    openai.account(account.username, media=0, biography="", full_name="")
    with everywhere():
        for feature in TOOLS:
            brief = {"about": ".", "tone": "ours"} | PLAN
            runs.ask(account.workspace, alice, feature, brief, account=account)
    ended = {run.feature: codes.by_id(run.error_code) for run in work()}
    client.force_login(alice)

    assert set(ended) == set(TOOLS)
    assert {code for code in ended.values() if code} <= {
        codes.AI_NOTHING_TO_READ,
        codes.NOTHING_TO_COMPARE,
    }  # never a fault of ours
    assert {ended[feature] for feature in ("captions", "ideas", "hashtags", "bio", "dm_template")} == {None}
    assert {client.get(reverse(name)).status_code for name in PAGES} == {200}
