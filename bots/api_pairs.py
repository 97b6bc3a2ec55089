"""API pairs: Meta apps with room for so many bots, and which bot uses which.

A pair is used by the bots that point at it; nothing else counts for its room. An account that was connected by its app
needs it to stay, whatever became of the bot. Who assigns or deletes holds one lock until the end of
the transaction, so that the last place of a pair goes to one bot, however many ask at once.
"""

import re
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, QuerySet

from accounts import tenancy, vault
from accounts.models import User
from bots.models import ApiPair, Bot, OfficialAccess
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

AUTO = "auto"
MOST_BOTS = 100_000  # that one pair may be said to have room for
_APP_ID = re.compile(r"[A-Za-z0-9_-]{1,40}")
ALL = "an API pair serves bots of all workspaces"


def pairs() -> QuerySet[ApiPair]:
    """All pairs, each with how many bots have it (`used`); to be read inside `tenancy.platform`."""
    return ApiPair.objects.annotate(used=Count("bots")).order_by("-created_at")


def add(app_id: str, app_secret: str, by: User, *, name: str = "", capacity: int = 50) -> ApiPair:
    """Take a Meta app; its secret is sealed and never shown again. Raises API_PAIR_EXISTS, VALIDATION_FAILED."""
    if not _APP_ID.fullmatch(app_id):
        raise BotException(codes.VALIDATION_FAILED, "This is not the id of a Meta app.", field="app_id")
    pair = ApiPair(app_id=app_id, name=name, capacity=capacity)
    pair.sealed_secret = vault.seal(app_secret.encode(), **_place(pair))
    try:
        with transaction.atomic():
            pair.save(force_insert=True)
    except IntegrityError:
        raise BotException(codes.API_PAIR_EXISTS) from None
    with tenancy.platform(ALL):
        log_activity("api_pair_added", user=by, by=str(by.pk), pair=str(pair.pk), app=app_id, capacity=capacity)
    return pair


def find(named: str) -> ApiPair:
    """The pair of this id, or of this app id. Raises API_PAIR_NOT_FOUND."""
    try:
        by: dict[str, Any] = {"pk": UUID(named)}
    except ValueError:
        by = {"app_id": named} if _APP_ID.fullmatch(named) else {"pk": None}
    with tenancy.platform(ALL):
        found = pairs().filter(**by).first()
    if found is None:
        raise BotException(codes.API_PAIR_NOT_FOUND)
    return found


def secret_of(pair: ApiPair) -> str:
    """The unsealed secret. Never log, show or send it anywhere but to Meta."""
    return vault.unseal(pair.sealed_secret, **_place(pair)).decode()


def assign(bot: Bot, wanted: str, by: User) -> ApiPair:
    """Give a bot the pair of this id, or (`AUTO`) the one with the least used share of its room, in place of a former.

    Raises API_PAIR_NOT_FOUND, API_PAIR_NO_ROOM.
    """
    with tenancy.platform(ALL), transaction.atomic():
        _one_at_a_time()
        others = ApiPair.objects.exclude(status=ApiPair.Status.PAUSED)
        used = dict(
            Bot.objects.filter(api_pair__isnull=False)
            .exclude(pk=bot.pk)
            .values_list("api_pair")
            .annotate(bots=Count("pk"))
            .order_by()
        )
        if wanted != AUTO:
            others = others.filter(pk=find(wanted).pk)
        free = [pair for pair in others.order_by("created_at") if used.get(pair.pk, 0) < pair.capacity]
        if not free:
            raise BotException(codes.API_PAIR_NO_ROOM)
        pair = min(free, key=lambda one: used.get(one.pk, 0) / one.capacity)
        Bot.objects.filter(pk=bot.pk).update(api_pair=pair)
        bot.api_pair = pair
        _note("api_pair_assigned", bot, pair, by)
    return pair


def release(bot: Bot, by: User) -> None:
    """Let a bot give its pair back."""
    if bot.api_pair is None:
        return
    with tenancy.platform(ALL), transaction.atomic():
        pair = bot.api_pair
        Bot.objects.filter(pk=bot.pk).update(api_pair=None)
        bot.api_pair = None
        _note("api_pair_released", bot, pair, by)


def delete(pair: ApiPair, by: User, *, force: bool = False) -> None:
    """Throw a pair away. Raises API_PAIR_IN_USE while bots or connected accounts have it, unless `force`.

    Then the bots are without one, and the accounts must be connected again, which their owners are told.
    """
    from bots import official

    with tenancy.platform(ALL), transaction.atomic():
        _one_at_a_time()
        bots, accesses = Bot.objects.filter(api_pair=pair).select_related("api_pair"), connected_by(pair)
        if not force and (bots.exists() or accesses.exists()):
            raise BotException(codes.API_PAIR_IN_USE)
        for bot in bots:
            release(bot, by)
        for access in accesses:
            official.lose(access)
        ApiPair.objects.filter(pk=pair.pk).delete()
        log_activity("api_pair_deleted", user=by, by=str(by.pk), pair=str(pair.pk), app=pair.app_id)


def connected_by(pair: ApiPair) -> QuerySet[OfficialAccess]:
    """The accesses that end with a pair; to be read inside `tenancy.platform`. The installation's own app stays."""
    return OfficialAccess.objects.filter(app_id=pair.app_id).exclude(app_id=settings.META_APP_ID)


def _place(pair: ApiPair) -> dict[str, Any]:
    return {"table": "api_pair", "row": pair.pk, "column": "sealed_secret"}


def _one_at_a_time() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('api pairs'))")


def _note(deed: str, bot: Bot, pair: ApiPair, by: User) -> None:
    log_activity(
        deed,
        workspace=bot.workspace_id,
        user=by,
        account=bot.account_id,
        by=str(by.pk),
        bot=str(bot.pk),
        pair=str(pair.pk),
    )
