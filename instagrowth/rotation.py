"""Sealing every stored secret again under the newest vault key, while the product runs: all sealed columns are here."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db.models import BinaryField, F, Func, Model

from accounts import second_factor, tenancy, vault
from accounts.models import Mail, NoticeChoice, StaffDevice
from bots import sessions
from bots.models import ApiPair, ConnectAttempt, InstagramAccount, OfficialAccess, Session, VaultCanary
from content.models import Hook
from errors import codes
from errors.exceptions import BotException

BATCH = 200  # rows of one short transaction: whoever needs one of them waits for some milliseconds


@dataclass(frozen=True)
class Sealed:
    """A column of secrets, with the place they are bound to, and what else changes with the key."""

    model: type[Model]
    column: str
    table: str
    name: str = "sealed"
    also: Callable[[bytes], dict[str, Any]] = lambda _: {}

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.column}"


SEALED = [
    Sealed(Session, "sealed", "session", also=lambda said: {"fingerprint": sessions.fingerprint_of(json.loads(said))}),
    Sealed(ConnectAttempt, "sealed", "attempt"),
    Sealed(InstagramAccount, "sealed_proxy", "account", "proxy"),
    Sealed(ApiPair, "sealed_secret", "api_pair", "sealed_secret"),
    Sealed(OfficialAccess, "sealed_token", "official", "sealed_token"),
    Sealed(StaffDevice, "sealed_secret", "accounts_staffdevice", "sealed_secret"),
    Sealed(Mail, "sealed", "accounts_mail"),
    Sealed(NoticeChoice, "sealed_hook", "accounts_noticechoice", "sealed_hook"),
    Sealed(Hook, "sealed_secret", "content_hook", "sealed_secret"),
]


@dataclass
class Rotated:
    """How many secrets of a column are sealed anew, and how many could not be opened."""

    what: str
    done: int = 0
    lost: int = 0


def rotate() -> Iterator[Rotated]:
    """Seal column after column anew; what is done when this is broken off stays done, and the rest is found again.

    The canary comes last: it tells a start with the new keys alone that nothing needs an older one. Raises
    VAULT_WRONG_KEY if a key is missing that sealed something.
    """
    for place in SEALED:
        yield _column(place)
    yield _factors()
    yield _canary()


def _column(place: Sealed) -> Rotated:
    told, after = Rotated(str(place)), UUID(int=0)
    head = Func(F(place.column), template="substring(%(expressions)s from 1 for 3)", output_field=BinaryField())
    newest = vault.HEADER.pack(vault.VERSION, settings.VAULT_KEYS[0][0])
    while True:
        with tenancy.platform("every stored secret is sealed anew"):
            old = place.model._base_manager.annotate(head=head).exclude(head=newest)
            rows = old.filter(pk__gt=after, **{f"{place.column}__isnull": False}).select_for_update(of=("self",))
            batch = list(rows.order_by("pk")[:BATCH])
            for row in batch:
                _row(place, row, told)
        if not batch:
            return told
        after = batch[-1].pk


def _row(place: Sealed, row: Any, told: Rotated) -> None:
    bound = {"table": place.table, "row": row.pk, "column": place.name}
    try:
        secret = vault.unseal(getattr(row, place.column), **bound)
    except BotException as closed:
        _count_lost(closed, told)
        return
    fresh = {place.column: vault.seal(secret, **bound)} | place.also(secret)
    place.model._base_manager.filter(pk=row.pk).update(**fresh)
    told.done += 1


def _factors() -> Rotated:
    """Authenticator apps and recovery codes: allauth keeps them as text inside JSON."""
    told, after = Rotated("mfa.Authenticator.data"), 0
    while True:
        with tenancy.platform("every stored secret is sealed anew"):
            rows = Authenticator.objects.select_for_update(of=("self",)).select_related("user")
            batch = list(rows.filter(pk__gt=after).order_by("pk")[:BATCH])
            for row in batch:
                _factor(row, told)
        if not batch:
            return told
        after = batch[-1].pk


def _factor(row: Authenticator, told: Rotated) -> None:
    kept = {name: row.data[name] for name in ("secret", "seed") if name in row.data}
    try:
        fresh = {name: second_factor.reseal(sealed, row.user) for name, sealed in kept.items()}
    except BotException as closed:
        _count_lost(closed, told)
        return
    if fresh != kept:
        row.data |= fresh
        row.save(update_fields=["data"])
        told.done += 1


def _count_lost(closed: BotException, told: Rotated) -> None:
    """What was changed or moved opens with no key; what a missing key sealed would, so then nothing goes on."""
    if closed.code is not codes.VAULT_CANNOT_OPEN:
        raise closed
    told.lost += 1


def _canary() -> Rotated:
    told = Rotated("bots.VaultCanary.sealed")
    for row in VaultCanary.objects.all():
        vault.check_canary(row.sealed)
        if vault.needs_rotation(row.sealed):
            VaultCanary.objects.filter(pk=row.pk).update(sealed=vault.new_canary())
            told.done += 1
    return told
