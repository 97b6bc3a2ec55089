"""`make` does all set-up: in any folder, as another user, once; and says one sentence when it cannot."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LOCK = "# nothing is asked for\n"


@dataclass
class Newcomer:
    """Somebody with a fresh copy whose lock files ask for nothing, in a folder with a space and an accent."""

    copy: Path
    user: str | None

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        bare = {"PATH": os.environ["PATH"], "HOME": str(self.copy.parent), "LANG": "C"}
        return subprocess.run(
            ["make", *arguments],
            cwd=self.copy,
            env=bare,
            user=self.user,
            umask=0o077,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def newcomer() -> Iterator[Newcomer]:
    """Another user where we are root and the system has a Python that user can run; else ourselves."""
    root = Path(tempfile.mkdtemp(prefix="instagrowth-newcomer-"))
    copy = root / "Ä copy"
    (copy / "instagrowth").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", copy)
    shutil.copy(ROOT / "instagrowth" / "bootstrap.py", copy / "instagrowth")
    (copy / "requirements.txt").write_text(LOCK)
    probe = ["/usr/bin/python3", "-c", "import sys, venv, ensurepip; assert sys.version_info >= (3, 11)"]
    other = os.geteuid() == 0 and shutil.which(probe[0]) and subprocess.run(probe, check=False).returncode == 0
    if other:
        nobody = pwd.getpwnam("nobody")
        for path in (root, *root.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
    yield Newcomer(copy, "nobody" if other else None)
    shutil.rmtree(root)


def test_the_first_time_it_installs_and_the_second_time_it_has_nothing_to_do(newcomer):
    first = newcomer.make("setup")
    second = newcomer.make("setup")

    assert "Installed requirements.txt" in first.stdout, first.stderr
    assert (second.stdout, second.returncode) == ("", 0)
    assert (newcomer.copy / ".venv" / "bin" / "python").exists()


def test_a_changed_lock_is_installed_again_and_a_moved_folder_gets_a_venv_of_its_own(newcomer):
    newcomer.make("setup")
    (newcomer.copy / "requirements.txt").write_text(LOCK + "# and changed\n")

    assert "Installed requirements.txt" in newcomer.make("setup").stdout

    newcomer.copy = newcomer.copy.rename(newcomer.copy.with_name("moved"))

    assert "Installed requirements.txt" in newcomer.make("setup").stdout


def test_without_a_python_it_says_what_is_missing(newcomer):
    done = newcomer.make("setup", "CANDIDATES=/bin/false")

    assert done.stderr.splitlines()[0] == (
        "InstaGrowth needs Python 3.11, 3.12 or 3.13: on Debian or Ubuntu, "
        "`apt-get install python3 python3-venv` gives it."
    )
    assert done.returncode == 2


def test_a_package_that_is_not_what_the_lock_says_stops_it_with_a_sentence(newcomer):
    (newcomer.copy / "requirements.txt").write_text("./wheel-1-py3-none-any.whl --hash=sha256:" + "0" * 64)

    done = newcomer.make("setup")

    assert "pip could not install requirements.txt" in done.stderr
    assert done.returncode == 2
