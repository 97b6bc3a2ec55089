"""What an endpoint of Instagram's private API gets to see, and how it declares itself."""

import base64
import json
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sandbox.people import Person
from sandbox.wire import Answer, BadRequest, Request
from sandbox.world import Account, World

# A capturing group of a pattern, with at most one group inside.
GROUP = r"\((?:[^()]|\([^()]*\))*\)"
BLOKS_GROUPS = ("client_input_params", "server_params")


@dataclass(slots=True)
class Call:
    """One request to an endpoint: `account` is who is signed in, `words` what its path pattern caught."""

    world: World
    request: Request
    words: tuple[str, ...] = ()
    account: Account | None = None
    # Whom the request is about even when nobody is signed in: a dead session's owner, or the name in a sign-in form.
    claimed: str = ""

    @property
    def viewer(self) -> Account:
        """Who is signed in, on a route that needs it."""
        if self.account is None:
            raise RuntimeError("This route is open to everybody and has no viewer.")
        return self.account

    @property
    def form(self) -> dict[str, Any]:
        """The fields of the body."""
        return self.request.form

    @property
    def query(self) -> dict[str, str]:
        """The fields of the address."""
        return self.request.query

    @property
    def claimed_pk(self) -> int:
        """The key of the account that the request is about, zero when there is none."""
        account = self.world.accounts.get(self.claimed)
        return account.pk if account else 0

    def person(self) -> Person | None:
        """The person whose key is the first word of the path."""
        return self.world.person(int(self.words[0]))


Handler = Callable[[Call], Answer]
# What a write is about: pairs of a target's key and details for the ledger.
Targets = Callable[[Call], list[tuple[str, dict[str, str]]]]


@dataclass(slots=True, frozen=True)
class Route:
    """One endpoint. `kind` and `targets` make it a write that the ledger knows."""

    label: str
    pattern: re.Pattern[str]
    handler: Handler
    public: bool
    kind: str | None
    targets: Targets


def first_word(call: Call) -> list[tuple[str, dict[str, str]]]:
    """Most writes name their target in the path."""
    return [(call.words[0], {})]


class Routes:
    """The endpoints of one module, found by method and the first word of the path."""

    def __init__(self, *others: "Routes") -> None:
        self.table: dict[tuple[str, str], list[Route]] = defaultdict(list)
        for other in others:
            for key, found in other.table.items():
                self.table[key] += found

    def __call__(
        self, method: str, pattern: str, *, public: bool = False, kind: str | None = None, targets: Targets = first_word
    ) -> Callable[[Handler], Handler]:
        """Declare an endpoint by the path behind `/api/v1/` without its last slash; `public` needs no session."""

        def declare(handler: Handler) -> Handler:
            label = f"{method} {re.sub(GROUP, '*', pattern)}".replace("\\", "")
            route = Route(label, re.compile(pattern + "/?"), handler, public, kind, targets)
            self.table[method, pattern.split("/", 1)[0]].append(route)
            return handler

        return declare

    def find(self, method: str, path: str) -> tuple[Route, tuple[str, ...]] | None:
        """The endpoint for a path, and the words in it."""
        for route in self.table.get((method, path.split("/", 1)[0]), ()):
            if match := route.pattern.fullmatch(path):
                return route, match.groups()
        return None


@lru_cache(maxsize=10_000)
def bearer(header: str) -> tuple[int, str]:
    """The person's key and the session id of an `Authorization` header; zero and nothing when it is not one of ours."""
    try:
        document = json.loads(base64.b64decode(header.removeprefix("Bearer IGT:2:"), validate=True))
        return int(document["ds_user_id"]), str(document["sessionid"])
    except (ValueError, KeyError, TypeError):
        return 0, ""


def bloks_params(form: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The two groups of a Bloks form's `params`."""
    try:
        params = json.loads(form.get("params", "{}"))
    except (TypeError, json.JSONDecodeError) as error:
        raise BadRequest(f"params is not JSON: {error}.") from error
    if not isinstance(params, dict) or not all(isinstance(params.get(name, {}), dict) for name in BLOKS_GROUPS):
        raise BadRequest("params must hold objects.")
    return {name: params.get(name, {}) for name in BLOKS_GROUPS}
