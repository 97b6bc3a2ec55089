"""What operators are told about the engine."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from bots.models import Bot
from instagrowth.testing import everywhere


def ask(*words):
    out = io.StringIO()
    try:
        call_command("engine_status", *words, stdout=out)
    except SystemExit as end:
        return out.getvalue(), end.code
    return out.getvalue(), 0


def test_a_quiet_engine_is_fine(db):
    text, code = ask("--json")

    told = json.loads(text)
    assert code == 0
    assert (told["due"], told["late"], told["database"], told["redis"], told["workers"]) == (0, False, "ok", "ok", [])


@pytest.mark.parametrize(("seconds", "code"), [(60, 0), (600, 1)])
def test_bots_that_wait_too_long_make_it_late(alices_bot, seconds, code):
    with everywhere():
        Bot.objects.update(status="running", next_run_at=timezone.now() - timedelta(seconds=seconds))

    text, found = ask("--json")

    told = json.loads(text)
    assert (found, told["late"], told["running"], told["due"]) == (code, code == 1, 1, 1)
    assert abs(told["oldest_due"] - seconds) < 50


def test_people_can_read_it(db):
    text, _ = ask()

    assert "oldest due:       0.0 s" in text
    assert "workers:          none" in text


def test_a_redis_that_is_down_is_named(db, settings):
    settings.CACHES = {
        **settings.CACHES,
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"},
    }

    text, code = ask("--json")

    assert (code, json.loads(text)["redis"]) == (1, "E-API-C-0008")
