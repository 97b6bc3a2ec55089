"""From where the control room may be reached."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from accounts.limits import client_address
from errors import codes
from errors.exceptions import BotException


def check(request: HttpRequest) -> None:
    """Raise ADDRESS_NOT_ALLOWED unless the visitor's address is in ADMIN_ALLOWED_NETWORKS; an empty list allows all."""
    networks = settings.ADMIN_ALLOWED_NETWORKS
    if networks and not is_in(client_address(request), networks):
        raise BotException(codes.ADDRESS_NOT_ALLOWED)


def is_in(address: str, networks: list[str]) -> bool:
    """Tell whether an address is in one of the networks; what is no address is in none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None) or found
    return any(mapped in ip_network(network.strip(), strict=False) for network in networks)
