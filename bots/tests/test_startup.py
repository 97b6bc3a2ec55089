"""What web and workers refuse to start with."""

import base64
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from bots import startup
from bots.models import VaultCanary

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.django_db
def test_the_keys_that_sealed_the_canary_are_let_through() -> None:
    assert VaultCanary.objects.count() == 1

    startup.examine()


@pytest.mark.django_db
def test_another_key_is_refused_with_a_sentence(settings: object) -> None:
    settings.VAULT_KEYS = [(1, b"another key of thirty-two bytes!")]

    with pytest.raises(ImproperlyConfigured, match="VAULT_KEYS does not hold the key"):
        startup.examine()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"SECRET_KEY": "short"}, "SECRET_KEY must be"),
        ({"VAULT_KEYS": "1:" + base64.b64encode(b"too short").decode()}, "VAULT_KEYS must be"),
        ({"DATABASE_URL": ""}, "There is no database"),
        ({"REDIS_URL": ""}, "There is no Redis"),
    ],
)
def test_a_missing_or_weak_setting_stops_the_start_with_one_sentence(
    change: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    env = os.environ | {"DATA_DIR": str(tmp_path)} | change
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stderr.strip().startswith(sentence)
    assert "Traceback" not in done.stderr
