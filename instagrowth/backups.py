"""One sealed file with everything: the database and the private files as they were at one moment.

The file is a tar under AES-256-GCM, with a key of its own that only a key of `VAULT_KEYS` leads to. It begins with
`IGB1`, the number of that key and a random salt; then come parts of 1 MiB, each with its length, a mark for the last,
and its tag, so that a part that is changed, moved or missing is noticed.
"""

import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from struct import Struct, error
from typing import IO, Any

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils.timezone import now
from psycopg import sql

from accounts import vault
from instagrowth.embedded.postgres import client_program

MAGIC, SALT, PART = b"IGB1", 16, 1024 * 1024
HEAD, FRAME = Struct(">4sH16s"), Struct(">I?")
ALL = "-c app.scope=platform -c statement_timeout=0 -c lock_timeout=0 -c timezone=UTC"
# Every table, partitioned ones beside their parts, with the count of its rows and the sum of their hashes, which no
# order changes.
TABLES = "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
DIGEST = "SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text FROM {} t"


class BackupError(Exception):
    """A backup cannot be made, read or put back; the message is a sentence for the operator."""


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: when it was made, and each table with the count and hash of its rows."""

    made_at: str
    tables: dict[str, tuple[int, str]]
    files: int

    def differs(self, other: dict[str, tuple[int, str]]) -> list[str]:
        """The tables that are not the same there."""
        return sorted(name for name in self.tables | other if self.tables.get(name) != other.get(name))


def make(target: Path) -> Manifest:
    """Write everything as it is now into one sealed file; the product may go on meanwhile.

    Raises BackupError. Half a file is never left under its name.
    """
    draft = target.with_name(f"{target.name}.part")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder, _connect() as database:
        database.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (moment,) = _one(database, "SELECT pg_export_snapshot()")
        dump = Path(folder, "database.dump")
        _run("pg_dump", "--format=custom", "--enable-row-security", f"--snapshot={moment}", f"--file={dump}")
        files = _files()
        manifest = Manifest(now().isoformat(timespec="seconds"), _digests(database), len(files))
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            _write(out, manifest, dump, files)
    draft.replace(target)
    return manifest


def restore(source: Path) -> tuple[Manifest, str]:
    """Put a backup in the place of database and files, once all of it has been read and compared.

    What was there stays beside it: the name of the former database comes back too. Raises BackupError, and then nothing
    has changed; BotException if the vault's keys do not open what came back.
    """
    with _restored(source) as (manifest, fresh, files):
        live = connection.settings_dict["NAME"]
        former = f"{live}_before_{now():%Y%m%d%H%M%S}"
        _refuse_visitors(live)
        with _connect(fresh) as database:
            database.execute("DELETE FROM instagrowth_liveevent")  # counted by the former server's transactions
        place = Path(default_storage.path(""))
        with _connect("postgres") as server:
            _rename(server, live, former)
            _rename(server, fresh, live)
        if place.exists():
            place.rename(place.with_name(f"{place.name}.{former}"))
        files.rename(place)
    return manifest, former


def check(source: Path) -> Manifest:
    """Read a backup back into a database of its own, compare every row, and throw that away. Raises BackupError."""
    with _restored(source) as (manifest, fresh, _):
        _drop(fresh)
    return manifest


# ── A database beside the one that is used ──────────────────────────────────────────────────────────────────────────


@contextmanager
def _restored(source: Path) -> Iterator[tuple[Manifest, str, Path]]:
    """A database with what the backup holds, compared row by row, and the folder of its files, beside ours."""
    connection.close()
    fresh = f"{connection.settings_dict['NAME']}_restored_{os.getpid()}"
    place = Path(default_storage.path(""))
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".restore-") as folder:
        manifest = _read(source, Path(folder))
        with _connect("postgres") as server:
            server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(fresh)))
        try:
            _run("pg_restore", "--exit-on-error", "--no-owner", str(Path(folder, "database.dump")), database=fresh)
            _compare(manifest, fresh)
            yield manifest, fresh, Path(folder, "files")
        except BaseException:
            _drop(fresh)
            raise


def _compare(manifest: Manifest, fresh: str) -> None:
    with _connect(fresh) as database:
        if differs := manifest.differs(_digests(database)):
            raise BackupError(f"What came back is not what was saved, in: {', '.join(differs)}. Nothing was changed.")
        for (canary,) in database.execute("SELECT sealed FROM bots_vaultcanary").fetchall():
            vault.check_canary(canary)


def _refuse_visitors(live: str) -> None:
    with _connect("postgres") as server:
        (others,) = _one(server, "SELECT count(*) FROM pg_stat_activity WHERE datname = %s", live)
    if others:
        raise BackupError(
            f"{others} connections use the database: stop web, worker and beat first (beside `make run`, stop it and"
            " start `manage.py services`). Nothing was changed."
        )


def _drop(name: str) -> None:
    with _connect("postgres") as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _rename(server: psycopg.Connection[Any], name: str, to: str) -> None:
    server.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(name), sql.Identifier(to)))


def _digests(database: psycopg.Connection[Any]) -> dict[str, tuple[int, str]]:
    names = [name for (name,) in database.execute(TABLES).fetchall()]
    return {name: _one(database, sql.SQL(DIGEST).format(sql.Identifier(name))) for name in names}


def _one(database: psycopg.Connection[Any], query: Any, *values: object) -> Any:
    return database.execute(query, values or None).fetchone()


def _login(database: str = "") -> dict[str, Any]:
    known = connection.get_connection_params()
    kept = {name: known[name] for name in ("host", "port", "user", "password", "dbname") if known.get(name)}
    return kept | ({"dbname": database} if database else {})


def _connect(database: str = "") -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(**_login(database), options=ALL, autocommit=True)
    except psycopg.OperationalError as away:
        raise BackupError(f"The database cannot be reached: {str(away).splitlines()[0]}") from None


def _run(name: str, *options: str, database: str = "") -> None:
    """Run one of PostgreSQL's own programs; the password stays out of the list of processes."""
    login = _login(database)
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "dbname": "PGDATABASE"}
    environment = {names[name]: str(value) for name, value in login.items()} | {"PGOPTIONS": ALL}
    words = [str(client_program(name)), *options]
    if name == "pg_restore":
        words.insert(1, f"--dbname={login['dbname']}")
    done = subprocess.run(words, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise BackupError(f"{name} failed: {said[0] if said else done.returncode}")


# ── The file ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _files() -> list[Path]:
    place = Path(default_storage.path(""))
    return sorted(path for path in place.rglob("*") if path.is_file()) if place.exists() else []


def _write(out: IO[bytes], manifest: Manifest, dump: Path, files: list[Path]) -> None:
    place = Path(default_storage.path(""))
    with _Sealer(out) as sealer, tarfile.open(fileobj=sealer, mode="w|") as tar:
        said = json.dumps(manifest.__dict__).encode()
        entry = tarfile.TarInfo("manifest.json")
        entry.size = len(said)
        tar.addfile(entry, io.BytesIO(said))
        tar.add(dump, "database.dump")
        for file in files:
            tar.add(file, f"files/{file.relative_to(place)}")


def _read(source: Path, folder: Path) -> Manifest:
    """Unpack a backup. Raises BackupError for what is none."""
    try:
        with source.open("rb") as raw:
            opener = _Opener(raw)
            with tarfile.open(fileobj=opener, mode="r|") as tar:
                tar.extractall(folder, filter="data")
            opener.read()  # to its end, so that a file cut off behind the last entry is noticed too
        Path(folder, "files").mkdir(exist_ok=True)
        said = json.loads(Path(folder, "manifest.json").read_text())
    except (OSError, tarfile.TarError) as broken:
        raise BackupError(f"{source} cannot be read as a backup: {broken}") from None
    tables = {name: (count, digest) for name, (count, digest) in said["tables"].items()}
    return Manifest(said["made_at"], tables, said["files"])


def _cipher(kid: int, salt: bytes) -> AESGCM:
    key = dict(settings.VAULT_KEYS).get(kid)
    if key is None:
        raise BackupError(f"VAULT_KEYS has no key number {kid}, under which this backup was made.")
    return AESGCM(HKDF(SHA256(), 32, salt, b"instagrowth backup").derive(key))


class _Sealer(io.RawIOBase):
    """Seals what is written into it, part by part. Each part's number is its nonce: the key is this file's alone."""

    def __init__(self, out: IO[bytes]) -> None:
        self.out, self.kept, self.count = out, bytearray(), 0
        kid, salt = settings.VAULT_KEYS[0][0], os.urandom(SALT)
        self.head, self.cipher = HEAD.pack(MAGIC, kid, salt), _cipher(kid, salt)
        out.write(self.head)

    def write(self, data: Any) -> int:
        self.kept += data
        while len(self.kept) > PART:
            self._part(bytes(self.kept[:PART]), last=False)
            del self.kept[:PART]
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._part(bytes(self.kept), last=True)
        super().close()

    def _part(self, plain: bytes, *, last: bool) -> None:
        frame = FRAME.pack(len(plain) + 16, last)
        self.out.write(frame + self.cipher.encrypt(self.count.to_bytes(12), plain, self.head + frame))
        self.count += 1


class _Opener(io.RawIOBase):
    """Reads what a `_Sealer` wrote. Raises BackupError at the first part that is not as it was written."""

    def __init__(self, raw: IO[bytes]) -> None:
        self.raw, self.count, self.last, self.kept = raw, 0, False, b""
        self.head = raw.read(HEAD.size)
        magic, kid, salt = HEAD.unpack(self.head) if len(self.head) == HEAD.size else (b"", 0, b"")
        if magic != MAGIC:
            raise BackupError("This file is no backup of InstaGrowth.")
        self.cipher = _cipher(kid, salt)

    def read(self, size: int = -1) -> bytes:
        while not self.last and (size < 0 or len(self.kept) < size):
            self.kept += self._part()
        given, self.kept = (self.kept, b"") if size < 0 else (self.kept[:size], self.kept[size:])
        return given

    def _part(self) -> bytes:
        frame = self.raw.read(FRAME.size)
        try:
            length, self.last = FRAME.unpack(frame)
            plain = self.cipher.decrypt(self.count.to_bytes(12), self.raw.read(length), self.head + frame)
        except (InvalidTag, ValueError, error) as wrong:
            raise BackupError("The backup was changed, or its end is missing: nothing of it was used.") from wrong
        self.count += 1
        return plain
