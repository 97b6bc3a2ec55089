"""`make check`: everything that can be judged without running the product. Each check says its name and its seconds."""

import base64
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from instagrowth import embedded

ROOT = Path(__file__).resolve().parent.parent
PYTHON = [sys.executable, "-m"]
MANAGE = [sys.executable, "manage.py"]
PIN = re.compile(r"^([a-z0-9._-]+)==(\S+) \\$", re.MULTILINE)
NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)", re.MULTILINE)


def main() -> int:
    """Run every check, also after one failed, and give 1 when one did."""
    with (
        tempfile.TemporaryDirectory(prefix="instagrowth-check-") as folder,
        embedded.start(folder, given={}, durable=False) as servers,
    ):
        production = os.environ | servers.environment | production_like() | {"DATA_DIR": folder}
        failed = [name for name, check in checks(production).items() if not passes(name, check)]
    print(f"{len(failed)} failed: {', '.join(failed)}" if failed else "All checks passed.")
    return 1 if failed else 0


def checks(production: dict[str, str]) -> dict[str, Callable[[], str]]:
    """Name every check; each gives its complaints, or nothing."""

    def tool(*command: str) -> Callable[[], str]:
        return lambda: complaints([*command], production)

    return {
        "format (ruff)": tool(*PYTHON, "ruff", "format", "--check", "--quiet", "."),
        "lint (ruff)": tool(*PYTHON, "ruff", "check", "--quiet", "."),
        "templates (djlint)": tool(*PYTHON, "djlint", "templates", "--lint", "--quiet"),
        "import direction (import-linter)": tool(str(Path(sys.executable).with_name("lint-imports"))),
        "types (mypy)": tool(*PYTHON, "mypy"),
        "migrations complete": tool(*MANAGE, "makemigrations", "--check", "--dry-run"),
        "deployment": tool(*MANAGE, "check", "--deploy", "--fail-level", "WARNING", "--database", "default"),
        "static files collected": tool(*MANAGE, "collectstatic", "--no-input", "--verbosity", "0"),
        "style sheet current": lambda: stale_css(),
        "locks consistent": lambda: loose_locks(),
    }


def passes(name: str, check: Callable[[], str]) -> bool:
    """Run one check and print how it went."""
    started = time.monotonic()
    said = check()
    if said:
        print(said.rstrip())
    print(f"{'FAILED' if said else 'ok    '} {name}, {time.monotonic() - started:.1f} s", flush=True)
    return not said


def complaints(command: list[str], environment: dict[str, str]) -> str:
    """Run a tool and give what it said if it failed."""
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or f"exit code {done.returncode}"


def production_like() -> dict[str, str]:
    """Give an environment as production has it, with secrets of this moment."""
    return {
        "DEBUG": "0",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "VAULT_KEYS": f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
        "SITE_URL": "https://instagrowth.example",
        "ALLOWED_HOSTS": "instagrowth.example",
        "TRUSTED_PROXY_COUNT": "1",
        "DJANGO_SETTINGS_MODULE": "instagrowth.settings",
    }


def stale_css() -> str:
    """Compile the style sheet and compare it with the committed one."""
    compiler = Path(sys.executable).with_name("tailwindcss")
    with tempfile.TemporaryDirectory() as folder:
        fresh = Path(folder) / "app.css"
        command = [str(compiler), "-i", "templates/app.src.css", "-o", str(fresh), "--minify"]
        if failure := complaints(command, dict(os.environ)):
            return failure
        if fresh.read_bytes() != (ROOT / "static" / "app.css").read_bytes():
            return "static/app.css is not what its sources compile to: run `make css`."
    return ""


def loose_locks() -> str:
    """See that the locks name all that was asked for, agree with each other, and have a hash for everything."""
    said = []
    pins = {}
    for lock in ("requirements", "requirements-dev"):
        text = (ROOT / f"{lock}.txt").read_text()
        pins[lock] = dict(PIN.findall(text))
        asked = {canonical(name) for name in NAME.findall((ROOT / f"{lock}.in").read_text())}
        if missing := asked - pins[lock].keys():
            said.append(f"{lock}.txt lacks {', '.join(sorted(missing))}: run `make lock`.")
        if "--hash=" not in text or len(re.findall(r"^\S+==", text, re.MULTILINE)) != len(pins[lock]):
            said.append(f"{lock}.txt has a line without a hash: run `make lock`.")
    both = pins["requirements"].keys() & pins["requirements-dev"].keys()
    if apart := sorted(name for name in both if pins["requirements"][name] != pins["requirements-dev"][name]):
        said.append(f"The locks disagree about {', '.join(apart)}: run `make lock`.")
    return "\n".join(said)


def canonical(name: str) -> str:
    """Spell a package's name as lock files do."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
