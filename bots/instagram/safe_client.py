"""instagrapi, made safe: the only module that imports it.

What the library does by itself and must not do for us: repeat a request (after 408, after a short read, after an error
handler), go on after Instagram said stop, ask again without a login, ask on stdin, wait for ever, log answers.
"""

import logging
import time
from copy import deepcopy
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import instagrapi
import requests
from curl_cffi import CurlECode, CurlHttpVersion, CurlOpt
from django.conf import settings
from instagrapi.exceptions import BadPassword, ClientGraphqlError
from instagrapi.transports import _CurlH2Adapter

from bots.instagram import reactions
from errors import steps

TIMEOUT = (3, 10)  # seconds: to connect, then for the whole answer; the library itself would wait for ever
HOSTS = ("i.instagram.com", "b.i.instagram.com", "www.instagram.com", "rupload.facebook.com")
# What a stored session may say. Not: transport, retries, sleeps, and TLS verification, which a file could switch off.
IDENTITY = (
    "uuids",
    "usdid",
    "mid",
    "device_settings",
    "user_agent",
    "country",
    "country_code",
    "locale",
    "timezone_offset",
    "timezone_name",
    "push_disabled",
)
LOGIN = ("authorization_data", "cookies", "ig_u_rur", "ig_www_claim", "last_login")
# Errors of one call, all translated by `reactions`; a soft time limit of Celery is none of them and passes through.
LIBRARY_ERRORS = (
    instagrapi.exceptions.ClientError,
    OSError,  # requests and curl
    AssertionError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,  # pydantic and json
)

NEVER_SENT = {
    CurlECode.COULDNT_RESOLVE_PROXY,
    CurlECode.COULDNT_RESOLVE_HOST,
    CurlECode.COULDNT_CONNECT,
    CurlECode.SSL_CONNECT_ERROR,
    CurlECode.PEER_FAILED_VERIFICATION,
}

_SILENT = logging.Logger("instagrapi")  # noqa: LOG001  (its own, so that nobody can switch it on)
_SILENT.disabled = True  # the library logs bodies, at ERROR too; `reactions` reports what we need
for _name in ("instagrapi", "private_request", "public_request", "graphql_request"):
    logging.getLogger(_name).setLevel(logging.WARNING)


def awake_clock() -> float:
    """Seconds on a clock that nobody sets, and that goes on while the process, or the whole machine, is frozen."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class TooLate(BaseException):
    """The process was frozen for so long that nothing may be sent any more; nothing was. Passes through the library."""


class Halted(BaseException):
    """Instagram said stop. Not an Exception, because the library swallows those and goes on; it ends in `private`."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(type(cause).__name__)
        self.cause = cause


class Unreachable(requests.ConnectionError):
    """No connection came about, so nothing was sent."""


class Wire(_CurlH2Adapter):
    """One request for one call, cut after `TIMEOUT`: to Instagram, or to the stand-in at `INSTAGRAM_PRIVATE_URL`."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        if base:
            self.client.http_version = CurlHttpVersion.V1_1

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send once. A POST gets its own connection: on a reused one that breaks, libcurl silently sends it again."""
        self.client.curl_options[CurlOpt.FRESH_CONNECT] = int(request.method == "POST")
        if self.base:
            url = urlsplit(str(request.url))
            request = request.copy()
            request.headers.setdefault("Host", url.netloc)
            request.url = self.base + urlunsplit(("", "", url.path, url.query, ""))
        try:
            return super().send(request, timeout=TIMEOUT, verify=verify, cert=cert, proxies=proxies)
        except requests.RequestException as error:
            if getattr(error.__cause__, "code", None) in NEVER_SENT:
                raise Unreachable(str(error), request=request) from error
            raise


class Client(instagrapi.Client):
    """One account at Instagram. The first stop signal latches it: from then on it refuses, and nothing is sent."""

    halted: Exception | None = None
    posts = 0  # POSTs that may have reached Instagram
    last_endpoint = ""
    last_error: Exception | None = None  # of the last request; None if it was answered well
    wants_code = ""  # "email" or "sms", when Instagram asked for a profile code
    mutation_token = ""
    send_before: float | None = None  # on `awake_clock`: after that nothing is POSTed

    def __init__(self, stored: dict[str, Any], username: str, proxy: str = "") -> None:
        super().__init__(
            settings={key: stored[key] for key in (*IDENTITY, *LOGIN) if key in stored},
            proxy=proxy or None,
            logger=_SILENT,
            request_timeout=0,  # a sleep before each call, not a timeout
            session_retry_total=0,
            with_challenge_flow=False,
        )
        self.username = username
        wire = Wire(settings.INSTAGRAM_PRIVATE_URL)
        for session in (self.private, self.public, self.graphql):
            session.max_redirects = 0  # a redirect would be a second request, a 307 even a second POST
            session.trust_env = not wire.base  # no proxy of the environment on the way to a stand-in
            for host in HOSTS:
                session.mount(f"https://{host}/", wire)
            steps.tell_of(session)

    def stored(self) -> dict[str, Any]:
        """What to seal: the device's identity and its login, nothing about how we send."""
        settings_now = self.get_settings()
        return deepcopy({key: settings_now[key] for key in (*IDENTITY, *LOGIN) if key in settings_now})

    def close(self) -> None:
        """Give the connections back."""
        for session in (self.private, self.public, self.graphql):
            session.close()

    def private_request(
        self,
        endpoint: str,
        data: Any = None,
        params: Any = None,
        login: bool = False,
        with_signature: bool = True,
        headers: dict[str, str] | None = None,
        extra_sig: Any = None,
        domain: str | None = None,
    ) -> dict[str, Any]:
        """The library's own without its second tries. All calls but two of the login go through here."""
        if self.halted:
            raise Halted(self.halted)
        if self.authorization:
            headers = {**(headers or {}), "Authorization": self.authorization}
        self.last_endpoint, self.last_error = endpoint, None
        if data and self.send_before is not None and awake_clock() > self.send_before:
            raise TooLate(endpoint)
        self.posts += bool(data)
        try:
            return self._send_private_request(
                endpoint,
                data=data,
                params=params,
                login=login,
                with_signature=with_signature,
                headers=headers,
                extra_sig=extra_sig,
                domain=domain,
            )
        except LIBRARY_ERRORS as error:
            self.last_error = error
            if isinstance(error.__context__, Unreachable):
                self.posts -= bool(data)
            if self._must_stop(error):
                self.halted = error
                raise Halted(error) from None
            raise

    def _must_stop(self, error: Exception) -> bool:
        """Also at a wrong password, which the library would submit again; not if the answer asks for a code."""
        if isinstance(error, BadPassword):
            return not self._extract_two_step_verification_context(self.last_json)
        return reactions.is_stop(error)

    def public_request(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse: the library falls back to anonymous web calls when Instagram said stop."""
        raise Halted(ClientGraphqlError("We ask nothing without a login."))

    graphql_request = public_request

    def request_log(self, response: requests.Response) -> None:
        """Say nothing: the library writes the username and the address of every call."""

    def challenge_code_handler(self, username: str, choice: Any = None) -> str:
        """Instead of asking on stdin: remember that a code is wanted, and let the login end."""
        self.wants_code = getattr(choice, "name", "email").lower()
        return ""

    def change_password_handler(self, username: str) -> str:
        """Instead of asking on stdin: a new password is for the owner to set, in the app."""
        raise Halted(instagrapi.exceptions.LegacyForceSetNewPasswordForm())

    def login_flow(self) -> bool:
        """What the app reads after a login; the session exists by now, so a failed read must not cost it."""
        try:
            return bool(super().login_flow())
        except LIBRARY_ERRORS:
            return False

    def generate_mutation_token(self) -> str:
        """The token of a message: the one that `send_dm` settled, so that the message can be recognised later."""
        return self.mutation_token or super().generate_mutation_token()
