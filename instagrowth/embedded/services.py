"""Both private servers together, as the environment that the product reads."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from instagrowth.embedded import processes
from instagrowth.embedded.folder import Folder
from instagrowth.embedded.postgres import Postgres
from instagrowth.embedded.valkey import Valkey


class Services:
    """The servers that the operator did not name by DATABASE_URL or REDIS_URL, on one locked data folder.

    Get one from `start`; it is a context manager that stops at the end of its block.
    """

    def __init__(self, data_dir: str | Path, *, given: Mapping[str, str] = os.environ, durable: bool = True) -> None:
        """Lock the folder; raise EmbeddedError with a sentence when another stack runs on it."""
        self.given = given
        self.folder = Folder(Path(data_dir))
        self.secrets = self.folder.secrets()
        self.durable = durable
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None
        self.environment: dict[str, str] = {}

    def start(self) -> None:
        """Start what is missing and publish its addresses; on failure nothing is left running."""
        try:
            processes.end_leftovers(self.folder.pids)
            if not self.given.get("REDIS_URL"):
                self.valkey = Valkey(self.folder, self.secrets["valkey"])
                self.valkey.start()
            if not self.given.get("DATABASE_URL"):
                self.postgres = Postgres(self.folder, self.secrets, durable=self.durable)
                self.postgres.start()
        except BaseException:
            self.stop()
            raise
        for name in ("SECRET_KEY", "VAULT_KEYS"):
            self.environment[name] = self.given.get(name) or self.secrets[name]
        self.environment["DATABASE_URL"] = self.postgres.url if self.postgres else self.given["DATABASE_URL"]
        self.environment["REDIS_URL"] = self.valkey.url if self.valkey else self.given["REDIS_URL"]
        self.publish()

    def publish(self, **more: str) -> None:
        """Add to the environment that `running` gives to commands beside us."""
        self.environment |= more
        self.folder.publish(self.environment)

    def revive(self) -> None:
        """Start a server again that ended by itself, at its old address; PostgreSQL recovers from its log."""
        for server in (self.postgres, self.valkey):
            if server and server.process and server.process.poll() is not None:
                print(f"{type(server).__name__} ended by itself (code {server.process.returncode}): starting it again.")
                server.start()

    def stop(self) -> None:
        """Stop both and let go of the folder."""
        try:
            for server in (self.valkey, self.postgres):
                if server:
                    server.close()
        finally:
            self.folder.close()

    def __enter__(self) -> Self:
        """Run for as long as the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, whatever happened."""
        self.stop()


def start(data_dir: str | Path, *, given: Mapping[str, str] = os.environ, durable: bool = True) -> Services:
    """Start the private servers on `data_dir` and give them: `.environment`, `.postgres`, `.valkey`, `.stop()`.

    `given` is the environment in which the operator may have named servers of their own: those are not started.
    Raise EmbeddedError, with a sentence for a person, when they cannot start or already run there.
    `durable=False` is for tests: data survives any kill, but not a power cut.
    """
    services = Services(data_dir, given=given, durable=durable)
    services.start()
    return services
