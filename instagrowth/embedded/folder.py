"""The data folder: who may use it, its lock, its secrets, and the note that tells others what runs on it."""

import base64
import contextlib
import fcntl
import json
import os
import pwd
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from instagrowth.embedded.processes import wait_until


class EmbeddedError(Exception):
    """The private servers cannot start; the message is one sentence for a person."""


@dataclass(frozen=True)
class Owner:
    """The user PostgreSQL runs as when we are root, because it refuses root."""

    uid: int
    gid: int


def owner_of_postgres() -> Owner | None:
    """Give `nobody` when we are root, else None: ourselves."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Owner(nobody.pw_uid, nobody.pw_gid)


class Folder:
    """An opened data folder: created, ours alone, and locked for as long as this object is open."""

    def __init__(self, path: Path) -> None:
        """Create and lock the folder; raise EmbeddedError with a sentence when it is taken or not ours."""
        self.path = path.resolve()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if self.path.stat().st_uid != os.geteuid():
                raise PermissionError
            self.path.chmod(0o700)
            self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError:
            raise EmbeddedError(
                f"The data folder {path} belongs to another user: run as that user, or name another folder in DATA_DIR."
            ) from None
        # Someone who only looks (`running`) holds the lock for an instant; a running stack holds it for good.
        if not wait_until(self._try_lock, 1.0):
            os.close(self._lock)
            raise EmbeddedError(f"InstaGrowth already runs on the data folder {path}: stop it first, or set DATA_DIR.")
        self.pids.mkdir(mode=0o700, exist_ok=True)
        self.logs.mkdir(mode=0o700, exist_ok=True)

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        """Take the note away and let the next one in."""
        self.note.unlink(missing_ok=True)
        os.close(self._lock)

    @property
    def pids(self) -> Path:
        """Where our children are noted."""
        return self.path / "pids"

    @property
    def logs(self) -> Path:
        """Where the servers write what they have to say."""
        return self.path / "log"

    @property
    def note(self) -> Path:
        """What runs here, for `running`."""
        return self.path / "running.json"

    def publish(self, environment: dict[str, str]) -> None:
        """Let commands beside us find our servers and secrets."""
        write_private(self.note, json.dumps(environment))

    def secrets(self) -> dict[str, str]:
        """Read the secrets of this folder, or make them on the first day."""
        file = self.path / "secrets.json"
        if file.exists():
            known: dict[str, str] = json.loads(file.read_text())
            return known
        fresh = {
            "SECRET_KEY": secrets.token_urlsafe(64),
            "VAULT_KEYS": f"1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
            **{name: secrets.token_hex(24) for name in ("postgres", "instagrowth", "valkey")},
        }
        write_private(file, json.dumps(fresh, indent=1))
        return fresh

    def home_for(self, owner: Owner | None) -> Path:
        """Give the folder PostgreSQL lives in: here, or where its own user can reach it when that is not here.

        Nothing above the data folder is ever opened up for the other user.
        """
        if owner is None:
            return self.path
        if reachable_by_all(self.path.parent):
            self.path.chmod(0o711)  # may be walked through, not listed; everything in it is closed
            return self.path
        address = self.path / "postgres-home"
        if address.exists() and (home := Path(address.read_text())).is_dir():
            return home
        lasting = next(p for p in ("/var/lib", "/var/tmp") if os.path.isdir(p))  # noqa: S108  # both survive a reboot
        home = Path(tempfile.mkdtemp(prefix="instagrowth-", dir=lasting))
        home.chmod(0o711)
        write_private(address, str(home))
        return home


def reachable_by_all(path: Path) -> bool:
    """Tell whether every folder down to `path` lets other users walk through."""
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.parents))


def write_private(file: Path, text: str) -> None:
    """Write a file that only we can read, whole or not at all."""
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")  # 0600 from birth
    with os.fdopen(descriptor, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    os.replace(draft, file)


def socket_folder(owner: Owner | None) -> Path:
    """Make a private folder whose path is short enough for a socket (limit 107 bytes on Linux, 103 on macOS)."""
    root = next(p for p in (tempfile.gettempdir(), "/tmp") if len(os.fsencode(p)) < 60)  # noqa: S108  # only the parent
    folder = Path(tempfile.mkdtemp(prefix="instagrowth-", dir=root))  # 0700 from birth
    if owner:
        os.chown(folder, owner.uid, owner.gid)
    return folder


def running(data_dir: str | Path) -> dict[str, str] | None:
    """Give the environment of the stack that runs on this data folder now, or None.

    Costs two system calls when nothing runs. A stale note of a killed stack is not believed: its lock is free.
    """
    folder = Path(data_dir)
    try:
        environment: dict[str, str] = json.loads((folder / "running.json").read_text())
        lock = os.open(folder / "lock", os.O_RDWR)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    with contextlib.closing(os.fdopen(lock)):
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return environment
    return None
