"""Secrets at rest: AES-256-GCM under the keys of `VAULT_KEYS`, each bound to the one place where it may be opened.

A blob is 1 byte version, 2 bytes key number, 12 bytes random nonce, then ciphertext and tag: 31 bytes more than its
content. The header and the place (table, row, column) are authenticated, so a blob that was changed, or copied to
another row, does not open.
"""

import hashlib
import hmac
import json
import os
import struct
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from errors import codes
from errors.exceptions import BotException

VERSION = 1
HEADER = struct.Struct(">BH")
NONCE = 12  # bytes; random nonces are safe for 2**32 seals under one key (NIST SP 800-38D)
OVERHEAD = HEADER.size + NONCE + 16
_CANARY = b"The vault opens with this key."
_CANARY_PLACE = {"table": "vault", "row": "canary", "column": "sealed"}


def seal(plaintext: bytes, *, table: str, row: object, column: str) -> bytes:
    """Encrypt with the newest key for this one place; `row` is its primary key (a UUID is known before the save)."""
    kid, key = settings.VAULT_KEYS[0]
    header, nonce = HEADER.pack(VERSION, kid), os.urandom(NONCE)
    return header + nonce + AESGCM(key).encrypt(nonce, plaintext, _bound(header, table, row, column))


def unseal(blob: bytes | memoryview, *, table: str, row: object, column: str) -> bytes:
    """Decrypt what `seal` made for this place; raises VAULT_WRONG_KEY or VAULT_CANNOT_OPEN."""
    blob = bytes(blob)
    header, nonce, sealed = blob[: HEADER.size], blob[HEADER.size : HEADER.size + NONCE], blob[HEADER.size + NONCE :]
    if len(blob) < OVERHEAD or blob[0] != VERSION:
        raise BotException(codes.VAULT_CANNOT_OPEN, table=table, row=str(row), column=column)
    kid = _kid(blob)
    if (key := dict(settings.VAULT_KEYS).get(kid)) is None:
        raise BotException(
            codes.VAULT_WRONG_KEY, f"VAULT_KEYS has no key number {kid}, which sealed {table}.{column}.", kid=kid
        )
    try:
        return AESGCM(key).decrypt(nonce, sealed, _bound(header, table, row, column))
    except InvalidTag:
        raise BotException(codes.VAULT_CANNOT_OPEN, table=table, row=str(row), column=column, kid=kid) from None


def seal_json(value: Any, *, table: str, row: object, column: str) -> bytes:
    """`seal` for anything that JSON can carry."""
    return seal(json.dumps(value, separators=(",", ":")).encode(), table=table, row=row, column=column)


def unseal_json(blob: bytes | memoryview, *, table: str, row: object, column: str) -> Any:
    """The value that `seal_json` sealed."""
    return json.loads(unseal(blob, table=table, row=row, column=column))


def needs_rotation(blob: bytes | memoryview) -> bool:
    """Whether another key than the newest sealed this."""
    return _kid(bytes(blob)) != settings.VAULT_KEYS[0][0]


def rotate(blob: bytes | memoryview, *, table: str, row: object, column: str) -> bytes:
    """The same secret under the newest key; the blob itself if that key sealed it already, so a rotation can resume."""
    if not needs_rotation(blob):
        return bytes(blob)
    return seal(unseal(blob, table=table, row=row, column=column), table=table, row=row, column=column)


def fingerprint(data: bytes) -> str:
    """A keyed hash (64 hex digits) to store: it finds the same secret a second time and says nothing about it."""
    return fingerprints(data)[0]


def fingerprints(data: bytes) -> list[str]:
    """The hash under each key, newest first: to look up, because a stored one may be older than the newest key.

    A rotation that has the secret in hand stores `fingerprint` again, before the old key leaves the ring.
    """
    return [
        hmac.digest(hmac.digest(key, b"instagrowth fingerprint", hashlib.sha256), data, hashlib.sha256).hex()
        for _, key in settings.VAULT_KEYS
    ]


def new_canary() -> bytes:
    """A known sentence under the newest key, to store once: it shows a start with other keys before that does harm."""
    return seal(_CANARY, **_CANARY_PLACE)


def check_canary(blob: bytes | memoryview) -> None:
    """Raise VAULT_WRONG_KEY unless the keys of this start are those that sealed the stored secrets."""
    try:
        known = bool(unseal(blob, **_CANARY_PLACE) == _CANARY)
    except BotException:
        known = False
    if not known:
        raise BotException(codes.VAULT_WRONG_KEY, "VAULT_KEYS does not hold the key that sealed the stored secrets.")


def _kid(blob: bytes) -> int:
    return int.from_bytes(blob[1:3], "big")


def _bound(header: bytes, table: str, row: object, column: str) -> bytes:
    return header + f"{table}|{row}|{column}".encode()
