"""The private PostgreSQL and Valkey: they start anywhere, keep their data, and leave nothing behind."""

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from instagrowth import embedded
from instagrowth.embedded import processes
from instagrowth.embedded.folder import Folder

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder with everything that breaks scripts in its name, longer than a socket's path may be."""
    odd = tmp_path / "Ä folder, with 'quotes\" and spaces" / ("long" * 30) / "data"
    yield odd
    if (elsewhere := odd / "postgres-home").exists():
        shutil.rmtree(elsewhere.read_text())


def servers_on(folder: Path) -> embedded.Services:
    return embedded.start(folder, given={}, durable=False)


def sql(servers: embedded.Services, statement: str) -> object:
    with psycopg.connect(servers.environment["DATABASE_URL"]) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchone() if cursor.description else None


def valkey(servers: embedded.Services) -> redis.Redis:
    return redis.Redis.from_url(servers.environment["REDIS_URL"], decode_responses=True)


def pids(servers: embedded.Services) -> list[int]:
    return [server.process.pid for server in (servers.postgres, servers.valkey) if server and server.process]


def test_what_was_written_is_there_after_a_stop_and_no_process_stays(folder):
    with servers_on(folder) as first:
        sql(first, "CREATE TABLE t AS SELECT 7 AS seven")
        with valkey(first) as client:
            client.set("seven", "7")
        ran = pids(first)
    assert [pid for pid in ran if psutil.pid_exists(pid)] == []

    second = servers_on(folder)
    try:
        assert sql(second, "SELECT seven FROM t") == (7,)
        with valkey(second) as client:
            assert client.get("seven") == "7"
    finally:
        second.stop()


def test_the_products_role_is_no_superuser_and_sees_row_level_security(services):
    role = sql(services, "SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user")

    assert role == (False, False, True)


def test_sorting_does_not_depend_on_the_machine(services):
    locale = sql(services, "SELECT datlocprovider, datlocale FROM pg_database WHERE datname = current_database()")

    assert locale == ("b", "C.UTF-8")


def test_nobody_gets_in_without_the_password(services):
    without = services.environment["DATABASE_URL"].replace(services.secrets["instagrowth"], "guess")

    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(without)
    with (
        redis.Redis(port=services.valkey.port) as stranger,
        pytest.raises(redis.AuthenticationError, match="already authenticated"),
    ):
        stranger.ping()


def test_a_killed_server_comes_back_at_its_address_with_what_was_committed(services):
    sql(services, "CREATE TABLE killed AS SELECT 1 AS one")
    for server in (services.postgres, services.valkey):
        server.process.kill()
        server.process.wait()

    services.revive()

    assert sql(services, "SELECT one FROM killed") == (1,)
    with valkey(services) as client:
        assert client.ping()


def test_a_second_start_on_the_same_folder_is_refused_with_a_sentence(folder):
    with servers_on(folder), pytest.raises(embedded.EmbeddedError, match="already runs on the data folder"):
        servers_on(folder)


def test_commands_find_the_servers_while_they_run_and_only_then(folder):
    assert embedded.running(folder) is None
    servers = servers_on(folder)

    try:
        assert embedded.running(folder) == servers.environment
    finally:
        servers.stop()

    assert embedded.running(folder) is None


def test_servers_the_operator_named_are_not_started(tmp_path):
    named = {"DATABASE_URL": "postgres://a.example/b", "REDIS_URL": "redis://a.example/0", "SECRET_KEY": "mine"}

    servers = embedded.start(tmp_path, given=named)
    servers.stop()

    assert servers.environment.items() >= named.items()
    assert pids(servers) == []


def test_the_folder_is_closed_to_others_and_those_above_it_stay_as_they_were(folder):
    folder.parent.mkdir(parents=True)
    folder.parent.chmod(0o700)

    servers_on(folder).stop()

    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE((folder / "secrets.json").stat().st_mode) == 0o600


def test_a_killed_supervisor_leaves_no_process_and_no_lost_row(folder):
    command = [sys.executable, "-m", "instagrowth.embedded", "services"]
    bare = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    with subprocess.Popen(
        command, cwd=ROOT, env=bare | {"DATA_DIR": str(folder)}, stdout=subprocess.PIPE
    ) as supervisor:
        assert supervisor.stdout.readline().startswith(b"export ")  # they run
        assert processes.wait_until(lambda: embedded.running(folder) is not None, 5)
        family = psutil.Process(supervisor.pid).children(recursive=True)
        with psycopg.connect(embedded.running(folder)["DATABASE_URL"]) as connection:
            connection.execute("CREATE TABLE survivors AS SELECT 1 AS one")
        supervisor.kill()

    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    again = servers_on(folder)
    try:
        assert sql(again, "SELECT one FROM survivors") == (1,)
    finally:
        again.stop()


def test_what_outlived_its_supervisor_is_ended_by_the_next_start(tmp_path):
    """As on a system whose kernel does not tell children of their parent's death."""
    folder = Folder(tmp_path)
    with subprocess.Popen(["sleep", "600"]) as outlived, subprocess.Popen(["sleep", "600"]) as stranger:
        processes.remember(folder.pids, "web", outlived.pid)
        (folder.pids / "worker.pid").write_text(f"{stranger.pid} started at another time")

        processes.end_leftovers(folder.pids, patience=1)

        assert outlived.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None
        stranger.kill()
    folder.close()
