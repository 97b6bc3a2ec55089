"""Workers that stand still are noticed within two minutes, by who needs none of them, and told of without them."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from celery.signals import beat_init
from django.core import mail
from django.core.cache import cache
from django.utils import timezone
from django_redis import get_redis_connection

from bots.models import Bot, Turn
from errors import tasks
from errors.models import ActivityLog
from errors.tests.test_alert import Hook, hook  # noqa: F401  (the webhook of these tests, too)
from instagrowth import metrics, system, watch
from instagrowth.testing import everywhere

LATE = timedelta(minutes=3)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    redis = get_redis_connection()
    marks = lambda: ["watch:told", metrics.SIGN_OF_LIFE, *redis.scan_iter("alerts:*")]  # noqa: E731
    redis.delete(*marks())
    yield
    redis.delete(*marks())


def waits(bot: Bot, since: timedelta = LATE, **more: object) -> None:
    with everywhere():
        Bot.objects.filter(pk=bot.pk).update(status="running", next_run_at=timezone.now() - since, **more)


def told() -> list[str]:
    with everywhere():
        return list(ActivityLog.objects.filter(action="engine").values_list("error_message", flat=True))


@pytest.mark.parametrize("claimed", [False, True])
def test_due_bots_that_nobody_takes_are_told_of_past_the_workers(
    alices_bot: Bot,
    hook: str,  # noqa: F811
    settings,
    monkeypatch: pytest.MonkeyPatch,
    claimed: bool,
) -> None:
    settings.ALERT_WEBHOOK_URL, settings.ALERT_EMAILS = f"{hook}/hook", ["ops@example.com"]
    settings.MAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    for task in (tasks.send_alert, tasks.mail_alert):
        monkeypatch.setattr(task, "delay", lambda *_: pytest.fail("no worker would do it"))
    waits(alices_bot, lease_until=timezone.now() + timedelta(seconds=20) if claimed else None)

    assert [watch.look(), watch.look()] == [True, True]

    assert [(alert["error_code"], alert["action"]) for alert in Hook.taken] == [("E-SCH-C-0015", "engine")]
    assert [message.to for message in mail.outbox] == [["ops@example.com"]]
    assert told() == ["Nobody works on starter: bots there wait for more than two minutes."]


def test_workers_that_work_are_left_in_peace(alices_bot: Bot) -> None:
    waits(alices_bot)
    with everywhere():
        Turn.objects.create(
            workspace_id=alices_bot.workspace_id, bot=alices_bot, due_at=timezone.now(), fence=1, queue="starter",
            taken_at=timezone.now() - timedelta(seconds=100),
        )  # fmt: skip
    metrics.show_life()
    assert not watch.look()

    with everywhere():
        Turn.objects.all().delete()
    waits(alices_bot, timedelta(seconds=100))
    assert not watch.look()

    waits(alices_bot)
    cache.set(system._KEY, {system.BOTS_RUN.key: False}, timeout=None)  # staff stopped all bots
    system.forget()
    assert not watch.look()
    assert told() == []


def test_a_worker_that_shows_no_life_is_told_of_though_no_bot_is_due(db: None) -> None:
    get_redis_connection().set(metrics.SIGN_OF_LIFE, timezone.now().timestamp() - 100)

    assert watch.look()
    assert told()[0].startswith("No worker has done anything for 10")


def test_a_beat_keeps_the_watch_once_its_workers_had_time_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[object] = []

    def sleep(seconds: float) -> None:
        done.append(seconds)
        if seconds == watch.EVERY:
            raise KeyboardInterrupt

    monkeypatch.setattr(watch, "Thread", lambda target, **_: SimpleNamespace(start=target))
    monkeypatch.setattr(watch, "time", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(watch, "look", lambda: done.append("looked"))
    monkeypatch.setattr(watch, "connection", SimpleNamespace(close=lambda: None))
    with pytest.raises(KeyboardInterrupt):
        beat_init.send(sender=None)

    assert done == [watch.START, "looked", watch.EVERY]
