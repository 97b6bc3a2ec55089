"""Requests to addresses that people gave us: alerts, notices, webhooks. They reach public servers and nothing else.

The name is resolved once, the answer is checked, and the socket is opened to the checked address: a name that answers
otherwise a moment later (DNS rebinding) changes nothing. Redirects are not followed and proxies of the environment not
used. Resolving has the system's own time limit, so call this from a task, with no transaction open.
"""

import hashlib
import hmac
import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Timer
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from errors import codes, steps
from errors.exceptions import BotException

STEP = 5  # seconds to connect, and at most between two pieces of an answer
WHOLE = 10  # seconds from the connection to the end of the answer, however slowly it drips
ANSWER = 64 * 1024  # bytes of an answer: we only want its status
SIGNATURE = "X-InstaGrowth-Signature"

# What Python's `is_global` lets pass although nobody's server is there, or although it leads on to a private address:
# IETF protocols, 6to4 relays and 6to4, Teredo, documentation; and of IPv6 only what is global unicast at all.
_SPECIAL_4 = [ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "100.64.0.0/10", "198.18.0.0/15")]
_GLOBAL_6 = ip_network("2000::/3")
_SPECIAL_6 = [
    ip_network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]


def post(url: str, body: bytes, headers: Mapping[str, str] | None = None) -> int:
    """POST `body` and give the status of the answer, whatever it is.

    Raises ADDRESS_NOT_PUBLIC for an address that is not https or not public, NET_TIMEOUT, and NET_REFUSED for all other
    trouble on the way. With OUTBOUND_LOOPBACK (tests), http to this machine is allowed too.
    """
    parts = _parts(url)
    address = _resolve(parts)
    try:
        with steps.call("POST", url, secret_path=True) as told, _connection(parts, address) as line:
            line.request("POST", _target(parts), body, {"User-Agent": "InstaGrowthOS", **(headers or {})})
            answer = line.getresponse()
            told.outcome = str(answer.status)
            answer.read(ANSWER)
            return answer.status
    except TimeoutError as exc:
        raise BotException(codes.NET_TIMEOUT) from exc
    except (OSError, http.client.HTTPException) as exc:
        raise BotException(codes.NET_REFUSED) from exc


def signed(secret: str, body: bytes, at: int) -> str:
    """Give the value of the header SIGNATURE, `t=<unix seconds>,v1=<hex>`: HMAC-SHA256 of `<t>.<body>`, as Stripe does.

    Who receives it computes the same, compares in constant time, and refuses a `t` more than 5 minutes away.
    """
    told = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={told}"


def check(url: str) -> None:
    """Say at once, where an address is typed, that it can never be reached. Asks no name server.

    Raises ADDRESS_NOT_PUBLIC.
    """
    parts = _parts(url)
    try:
        literal = str(ip_address(parts.hostname or ""))
    except ValueError:
        return  # a name: what it means is asked when we connect
    if not _allowed(literal, parts):
        raise BotException(codes.ADDRESS_NOT_PUBLIC)


def must_be_public(host: str) -> None:
    """Refuse an address, or a name with any meaning, that is not public: for lines that others open, as a proxy's.

    A name that means nothing reaches nobody. With OUTBOUND_LOOPBACK (tests), this machine is fine. Raises
    ADDRESS_NOT_PUBLIC.
    """
    try:
        found = {str(place[0]) for *_, place in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return
    for address in found:
        if not is_public(address) and not (settings.OUTBOUND_LOOPBACK and ip_address(address).is_loopback):
            raise BotException(codes.ADDRESS_NOT_PUBLIC)


def _parts(url: str) -> SplitResult:
    """Take an address apart. Raises ADDRESS_NOT_PUBLIC."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in _schemes() and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:  # a port that is no number, a bracket that is never closed
        fine = False
    # `urlsplit` drops line breaks and tabs silently: what is left would not be what was typed.
    if not fine or len(url) > 2000 or any(not letter.isprintable() or letter in " \\" for letter in url):
        raise BotException(codes.ADDRESS_NOT_PUBLIC)
    return parts


def _schemes() -> tuple[str, ...]:
    return ("https", "http") if settings.OUTBOUND_LOOPBACK else ("https",)


def _target(parts: SplitResult) -> str:
    target = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    if not target.isascii():
        raise BotException(codes.ADDRESS_NOT_PUBLIC)
    return target


def _resolve(parts: SplitResult) -> str:
    """Ask the name server once; the first address that may be reached. Raises ADDRESS_NOT_PUBLIC and NET_REFUSED."""
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as exc:
        raise BotException(codes.NET_REFUSED) from exc
    for *_, place in found:
        if _allowed(address := str(place[0]), parts):
            return address
    raise BotException(codes.ADDRESS_NOT_PUBLIC)


def _allowed(address: str, parts: SplitResult) -> bool:
    if settings.OUTBOUND_LOOPBACK and parts.scheme == "http":
        return ip_address(address).is_loopback
    return is_public(address)


def is_public(address: str) -> bool:
    """Tell whether an IP address is of a server on the public internet; one inside of an IPv6 address counts too."""
    found = ip_address(address.partition("%")[0])
    if isinstance(found, IPv6Address):
        # Mapped (::ffff:), compatible (::) and translated (64:ff9b::) addresses lie outside of global unicast.
        return found in _GLOBAL_6 and not any(found in network for network in _SPECIAL_6)
    return found.is_global and not found.is_multicast and not any(found in network for network in _SPECIAL_4)


@contextmanager
def _connection(parts: SplitResult, address: str) -> Iterator[http.client.HTTPConnection]:
    """Open a line to exactly this address. The certificate must be of the name."""
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    plain = socket.create_connection((address, port), timeout=STEP)
    end = Timer(WHOLE, _shut, [wire := [plain]])
    end.daemon = True
    end.start()
    try:
        if secure:
            context = ssl.create_default_context()
            wire[0] = secured = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
            secured.do_handshake()
        line = http.client.HTTPConnection(host, port, timeout=STEP)
        line.default_port = 443 if secure else 80  # the Host header names only another port than that
        line.sock = wire[0]
        yield line
    finally:
        end.cancel()
        wire[0].close()


def _shut(wire: list[socket.socket]) -> None:
    """End every wait on the line from outside. Not by SSLSocket's own shutdown, which would first take TLS off it."""
    try:
        socket.socket.shutdown(wire[0], socket.SHUT_RDWR)
    except OSError:
        return  # it ended in the same moment
