"""`manage.py up`: the whole product with one command, and nothing left when it ends."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from instagrowth import embedded
from instagrowth.embedded.valkey import free_port

ROOT = Path(__file__).resolve().parent.parent.parent


class Up:
    """One `manage.py up` on a folder and a free port."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.port = str(free_port())
        inherited = {
            name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "SITE_URL")
        }
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=ROOT,
            env=inherited | {"DATA_DIR": str(folder), "PORT": self.port} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said: list[str] = []

    def ready(self) -> None:
        """Read what it says until READY; whatever comes before the end otherwise shows in the assertion."""
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("READY"):
                return
        raise AssertionError("".join(self.said))

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> tuple[str, int]:
        said, _ = self.process.communicate(timeout=90)
        return "".join(self.said) + said, self.process.returncode


@pytest.fixture(scope="module")
def parent() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="instagrowth-test-") as folder:
        Path(folder).chmod(0o711)  # within reach of PostgreSQL's own user, so that nothing of it lies elsewhere
        yield Path(folder)


@pytest.fixture(scope="module")
def first(parent: Path) -> Path:
    """A data folder after its first start, which makes everything, and its end."""
    running = Up(parent / "Ä data folder")
    running.ready()
    running.process.terminate()
    assert running.end()[1] == 0
    return running.folder


@pytest.fixture
def data(first: Path, parent: Path) -> Iterator[Path]:
    """A copy of it: the next start is a second one, which is quick."""
    yield (copy := copy_of(first, parent / "copy of a data folder"))
    shutil.rmtree(copy)


def copy_of(folder: Path, copy: Path) -> Path:
    """Copy a folder on which nothing runs: what runs is noted in it by number, and the copy would end it."""
    subprocess.run(["cp", "-a", folder, copy], check=True)
    return copy


@pytest.fixture(scope="module")
def up(first: Path, parent: Path) -> Iterator[Up]:
    """One that runs, for the tests of this file that only look."""
    running = Up(copy_of(first, parent / "Ä data folder that is used"))
    running.ready()
    yield running
    running.process.terminate()
    assert running.end()[1] == 0


def test_it_answers_and_says_where(up):
    assert up.said[-1] == f"READY http://localhost:{up.port}/\n"
    with urllib.request.urlopen(f"http://localhost:{up.port}/healthz") as answer:
        assert answer.status == 200


def test_a_command_beside_it_finds_its_database(up):
    beside = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")
    }

    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=ROOT,
        env=beside | {"DATA_DIR": str(up.folder)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "is bound by row-level security" in done.stdout
    assert done.returncode == 0


def test_a_second_start_on_the_same_data_is_refused_with_a_sentence(up):
    said, code = Up(up.folder).end()

    assert said == f"InstaGrowth already runs on the data folder {up.folder}: stop it first, or set DATA_DIR.\n"
    assert code == 1


def test_a_taken_port_is_refused_with_a_sentence(up, tmp_path):
    said, code = Up(tmp_path, PORT=up.port).end()

    assert said == f"Port {up.port} is taken by another program: try `make run PORT={int(up.port) + 1}`.\n"
    assert code == 1


def test_ctrl_c_stops_everything_in_order(data):
    up = Up(data)
    up.ready()
    family = up.family()
    up.process.send_signal(signal.SIGINT)

    said, code = up.end()

    stopped = [line.split("| ")[1].split()[0] for line in said.splitlines() if " stopped (rc=" in line]
    assert stopped == ["web", "beat", "worker", "sandbox"]
    assert code == 0
    assert [process for process in family if process.is_running()] == []


def test_killing_it_leaves_no_process_and_no_lost_row(data):
    up = Up(data)
    up.ready()
    family = up.family()
    with psycopg.connect(embedded.running(data)["DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE survivors AS SELECT 1 AS one")
    up.process.kill()
    up.process.wait()

    _, alive = psutil.wait_procs(family, timeout=10)

    assert alive == []
    with (
        embedded.start(data, given={}) as again,
        psycopg.connect(again.environment["DATABASE_URL"]) as connection,
    ):
        assert connection.execute("SELECT one FROM survivors").fetchone() == (1,)
    up.process.stdout.close()


def test_one_part_that_dies_ends_the_rest_and_says_so(data):
    up = Up(data)
    up.ready()
    family = up.family()
    (beat,) = (process for process in family if "beat" in process.cmdline())
    beat.kill()

    said, code = up.end()

    assert "beat stopped (rc=-9)" in said
    assert code == 1
    assert [process for process in family if process.is_running()] == []
