"""The vault: what it sealed opens in its own place with its own key, and nowhere else."""

import os
import uuid

import pytest

from accounts import vault
from errors import codes
from errors.exceptions import BotException

OLD, NEW, OTHER = (1, b"o" * 32), (2, b"n" * 32), (1, b"x" * 32)
HERE = {"table": "bots_session", "row": uuid.UUID(int=7), "column": "sealed"}


@pytest.fixture(autouse=True)
def ring(settings):
    settings.VAULT_KEYS = [OLD]
    return settings


def refused(blob, **place) -> codes.Code:
    with pytest.raises(BotException) as caught:
        vault.unseal(blob, **place or HERE)
    return caught.value.code


def test_what_was_sealed_is_opened():
    blob = vault.seal(b"secret", **HERE)

    assert vault.unseal(memoryview(blob), **HERE) == b"secret"
    assert b"secret" not in blob
    assert len(blob) == len(b"secret") + vault.OVERHEAD == 37


def test_the_same_secret_never_looks_the_same():
    assert len({vault.seal(b"secret", **HERE) for _ in range(100)}) == 100


def test_json_comes_back_as_it_was():
    value = {"uuids": {"phone_id": "é"}, "last_login": 1.5, "cookies": {}, "none": None}

    assert vault.unseal_json(vault.seal_json(value, **HERE), **HERE) == value


def test_every_flipped_bit_is_refused():
    blob = vault.seal(os.urandom(64), **HERE)

    for bit in range(len(blob) * 8):
        flipped = bytearray(blob)
        flipped[bit // 8] ^= 1 << bit % 8
        assert refused(flipped) in {codes.VAULT_CANNOT_OPEN, codes.VAULT_WRONG_KEY}


def test_a_flipped_key_number_is_refused_even_when_that_number_exists(ring):
    blob = bytearray(vault.seal(b"secret", **HERE))
    ring.VAULT_KEYS = [(3, OLD[1]), OLD]  # the same key under two numbers
    blob[2] = 3

    assert refused(blob) == codes.VAULT_CANNOT_OPEN


@pytest.mark.parametrize("length", range(vault.OVERHEAD))
def test_a_cut_blob_is_refused(length):
    assert refused(vault.seal(b"", **HERE)[:length]) == codes.VAULT_CANNOT_OPEN


@pytest.mark.parametrize("moved", [{"table": "bots_apipair"}, {"row": uuid.UUID(int=8)}, {"column": "sealed_proxy"}])
def test_a_blob_moved_to_another_place_is_refused(moved):
    assert refused(vault.seal(b"secret", **HERE), **{**HERE, **moved}) == codes.VAULT_CANNOT_OPEN


def test_swapped_rows_are_refused():
    rows = [uuid.uuid4() for _ in range(9_999)]
    blobs = [vault.seal(b"secret", **{**HERE, "row": row}) for row in rows]

    for row, blob in zip(rows, blobs[1:] + blobs[:1], strict=True):
        assert refused(blob, **{**HERE, "row": row}) == codes.VAULT_CANNOT_OPEN


def test_a_rotation_reads_both_keys_and_may_be_resumed(ring):
    blobs = [vault.seal(str(number).encode(), **HERE) for number in range(10)]
    ring.VAULT_KEYS = [NEW, OLD]

    blobs[:4] = [vault.rotate(blob, **HERE) for blob in blobs[:4]]  # killed here
    assert [vault.needs_rotation(blob) for blob in blobs] == [False] * 4 + [True] * 6
    assert [vault.unseal(blob, **HERE) for blob in blobs] == [b"%d" % number for number in range(10)]

    resumed = [vault.rotate(blob, **HERE) for blob in blobs]
    assert resumed[:4] == blobs[:4]
    ring.VAULT_KEYS = [NEW]
    assert [vault.unseal(blob, **HERE) for blob in resumed] == [b"%d" % number for number in range(10)]


def test_a_missing_key_is_named(ring):
    blob = vault.seal(b"secret", **HERE)
    ring.VAULT_KEYS = [NEW]

    with pytest.raises(
        BotException, match=r"VAULT_KEYS has no key number 1, which sealed bots_session\.sealed\."
    ) as caught:
        vault.unseal(blob, **HERE)
    assert caught.value.code == codes.VAULT_WRONG_KEY


@pytest.mark.parametrize("keys", [[NEW], [OTHER]], ids=["another number", "another key under the same number"])
def test_the_canary_refuses_other_keys(ring, keys):
    canary = vault.new_canary()
    vault.check_canary(canary)
    ring.VAULT_KEYS = keys

    with pytest.raises(BotException, match="VAULT_KEYS does not hold the key that sealed") as caught:
        vault.check_canary(canary)
    assert caught.value.code == codes.VAULT_WRONG_KEY


def test_a_fingerprint_finds_the_same_secret_and_outlives_a_rotation(ring):
    stored = vault.fingerprint(b"session")
    assert vault.fingerprint(b"session") == stored != vault.fingerprint(b"another")
    assert len(stored) == 64

    ring.VAULT_KEYS = [NEW, OLD]
    assert vault.fingerprint(b"session") != stored
    assert stored in vault.fingerprints(b"session")


def test_an_error_tells_no_secret():
    blob = vault.seal(b"canary-secret", **HERE)

    with pytest.raises(BotException) as caught:
        vault.unseal(blob, **{**HERE, "row": "other"})
    assert "canary-secret" not in f"{caught.value!r} {caught.value.meta}"
