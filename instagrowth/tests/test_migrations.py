"""Migrations lead there and back again."""

import os
import subprocess
import sys
from pathlib import Path

from instagrowth import embedded

ROOT = Path(__file__).resolve().parents[2]
THERE_AND_BACK = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
for room in ("bots", "billing", "instagrowth", "errors", "account", "accounts"):
    call_command("migrate", room, "zero", verbosity=0)
call_command("migrate", verbosity=0)
"""


def test_every_migration_can_be_taken_back_and_made_again(services: embedded.Services) -> None:
    env = os.environ | services.environment | {"DJANGO_SETTINGS_MODULE": "instagrowth.settings"}
    command = [sys.executable, "-W", "ignore", "-c", THERE_AND_BACK]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr[-800:]
