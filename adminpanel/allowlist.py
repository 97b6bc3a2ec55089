"""From where the control room may be reached: the environment's networks and the rows that owners keep."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.limits import client_address
from accounts.models import User
from adminpanel.models import AllowedNetwork
from errors import codes
from errors.exceptions import BotException


def check(request: HttpRequest) -> None:
    """Raise ADDRESS_NOT_ALLOWED unless the visitor's address is in the list."""
    if not allows(client_address(request)):
        raise BotException(codes.ADDRESS_NOT_ALLOWED)


def allows(address: str) -> bool:
    """Whether the list lets this address in; an empty list lets in all."""
    networks = everything()
    return not networks or is_in(address, networks)


def everything() -> list[str]:
    """All networks: ADMIN_ALLOWED_NETWORKS and the rows."""
    return [*settings.ADMIN_ALLOWED_NETWORKS, *AllowedNetwork.objects.values_list("network", flat=True)]


def rows() -> QuerySet[AllowedNetwork]:
    """The networks that owners keep."""
    return AllowedNetwork.objects.order_by("network")


def is_in(address: str, networks: list[str]) -> bool:
    """Tell whether an address is in one of the networks; what is no address is in none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return any(mapped in ip_network(network.strip(), strict=False) for network in networks)


def normal(network: str) -> str:
    """One form of a network or address, such as 203.0.113.0/24. Raises VALIDATION_FAILED."""
    try:
        return str(ip_network(network.strip(), strict=False))
    except ValueError:
        sentence = "This is no network. Write one such as 203.0.113.0/24 or 2001:db8::/48, or a single address."
        raise BotException(codes.VALIDATION_FAILED, sentence, field="network") from None


def add(network: str, note: str = "", *, by: User | None = None, here: str | None = None) -> AllowedNetwork:
    """Allow a network. `here` is the address of whoever asks: they must still be let in afterwards.

    Raises VALIDATION_FAILED, ALLOW_LIST_LOCKS_OUT.
    """
    network = normal(network)
    with transaction.atomic():
        _keep(here, [*everything(), network])
        try:
            with transaction.atomic():
                return AllowedNetwork.objects.create(network=network, note=note, created_by=by.pk if by else None)
        except IntegrityError:
            raise BotException(codes.VALIDATION_FAILED, f"{network} is allowed already.", field="network") from None


def remove(network: str, *, here: str | None = None) -> AllowedNetwork:
    """Take a network off the list. Raises VALIDATION_FAILED where it is not on it, ALLOW_LIST_LOCKS_OUT."""
    network = normal(network)
    with transaction.atomic():
        row = AllowedNetwork.objects.filter(network=network).first()
        if row is None:
            where = " It stands in ADMIN_ALLOWED_NETWORKS." if network in map(normal, everything()) else ""
            raise BotException(codes.VALIDATION_FAILED, f"{network} is not among the rows.{where}", field="network")
        left = list(AllowedNetwork.objects.exclude(pk=row.pk).values_list("network", flat=True))
        _keep(here, [*settings.ADMIN_ALLOWED_NETWORKS, *left])
        row.delete()
    return row


def _keep(here: str | None, networks: list[str]) -> None:
    if here is not None and networks and not is_in(here, networks):
        raise BotException(codes.ALLOW_LIST_LOCKS_OUT, f"You come from {here}, which this list would not let in.")
