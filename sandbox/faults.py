"""Faults: what Instagram does on its bad days, on order.

`POST /_control/faults` takes one object, or a list of them:

| field | meaning | if left out |
|---|---|---|
| `fault` | one of the names below | required |
| `account` | username; also applies to sign-in requests naming it | every account |
| `path` | regular expression matched from the start of the path behind `/api/v1/` (so a prefix works) | every path |
| `method` | `GET` or `POST` | both |
| `times` | how many matching requests get it; null means until it is deleted | 1 |
| `after` | how many matching requests pass first | 0 |
| `apply` | true: the write is applied (and in the ledger as such) before the fault answers | false |
| `seconds` | for `hang`, `hang_after_apply` and `slow` | 600, 600, 2 |
| `status` | the status of `5xx` | 500 |

Answers, with what instagrapi 3.2.2 makes of them:

| fault | instagrapi raises |
|---|---|
| `challenge`, `scraping`, `bloks_challenge`, `challenge_404` (a bare "Not Found") | ChallengeRequired |
| `suspended`; `ban` (the same, and the account stays banned for good) | AccountSuspended |
| `feedback` | FeedbackRequired |
| `429` | ClientThrottledError |
| `please_wait` | PleaseWaitFewMinutes |
| `rate_limit` | RateLimitError |
| `sentry_block` | SentryBlock |
| `login_required` (this answer only; `/_control/sessions/kill` ends sessions) | LoginRequired |
| `unauthorized` | ClientUnauthorizedError |
| `forbidden` | ClientForbiddenError |
| `not_found` | ClientNotFoundError (UserNotFound, MediaNotFound by endpoint) |
| `checkpoint`, `consent` | UnknownError |
| `needs_upgrade` | ClientNeedsUpgradeError |
| `bad_password` | BadPassword |
| `private` | PrivateAccount |
| `invalid_target` | InvalidTargetUser |
| `media_gone` | MediaUnavailable |
| `dm_refused` (on `direct_v2/`) | DirectMessageRequestsDisabled |
| `fail` (200 with status fail) | ClientError |
| `5xx`, `500`, `502`, `503`, `504` | ClientError |
| `408` (instagrapi sleeps 60 s and sends again) | ClientRequestTimeout |
| `not_json` (an HTML page), `bad_json` (a JSON answer cut short) | ClientJSONDecodeError |
| `cut` (fewer bytes than promised; instagrapi then sends again after 2 s) | ClientIncompleteReadError |
| `reset`, `hang` (not applied, then the connection is reset) | ClientConnectionError, requests.Timeout |
| `reset_after_apply`, `hang_after_apply` | the same, but the write was applied |
| `slow` | nothing: the ordinary answer, late |

Google's, with a `path` of `oauth2/v4/token` but for the first; of those above, `5xx`, `not_json`, `bad_json`, `cut`,
`reset`, `hang` and `slow` are for Google too:

| fault | what Google does |
|---|---|
| `consent_denied` (on `o/oauth2/v2/auth`) | sends the person back with `access_denied` |
| `id_token_signature` | signs with a key that it did not publish |
| `id_token_nonce`, `id_token_no_nonce` | names another nonce, or none |
| `id_token_aud`, `id_token_iss` | names another client, or another issuer |
| `id_token_expired` | gives a token of the year 2020 |
| `id_token_sub`, `id_token_no_sub` | names somebody else, or nobody |

OpenAI's, with the path `v1/responses`, are told in `sandbox.openai`.

Stripe's have a `path` of `v1/...`: `429`, `5xx`, `not_json`, `bad_json`, `cut`, `reset`, `hang` and `slow`. On its way
to us a webhook meets those with a `path` of `webhooks/<type of event>`: `webhook_lost`, `webhook_twice`,
`webhook_late` (by `seconds`, 1 if left out).
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.wire import Answer, BadRequest, answer_json

CHALLENGE = {
    "message": "challenge_required",
    "challenge": {
        "url": "https://i.instagram.com/challenge/5000000001/sandbox/",
        "api_path": "/challenge/5000000001/sandbox/",
        "hide_webview_header": True,
        "lock": True,
        "logout": False,
        "native_flow": True,
    },
    "error_type": "checkpoint_challenge_required",
    "status": "fail",
}
SUSPENDED_URL = "https://i.instagram.com/accounts/suspended/?next=sandbox"
FAIL: dict[str, tuple[int, dict[str, Any]]] = {
    "challenge": (400, CHALLENGE),
    "scraping": (400, CHALLENGE | {"step_name": "scraping_warning"}),
    "bloks_challenge": (
        400,
        CHALLENGE
        | {
            "bloks_action": "com.bloks.www.ig.challenge.redirect.async",
            "challenge_context": "sandbox-challenge-context",
            "step_name": "",
        },
    ),
    "suspended": (
        400,
        {"message": "challenge_required", "challenge": {"url": SUSPENDED_URL, "api_path": "/accounts/suspended/"}},
    ),
    "feedback": (
        400,
        {
            "message": "feedback_required",
            "spam": True,
            "feedback_title": "Try again later",
            "feedback_message": "We limit how often you can do certain things on Instagram to protect our community.",
            "feedback_url": "repute/report_problem/sandbox/",
            "feedback_appeal_label": "Tell us",
            "feedback_ignore_label": "OK",
            "feedback_action": "report_problem",
        },
    ),
    "429": (429, {"message": "Too many requests."}),
    "please_wait": (400, {"message": "Please wait a few minutes before you try again.", "require_login": True}),
    "rate_limit": (400, {"message": "Rate limited.", "error_type": "rate_limit_error"}),
    "sentry_block": (400, {"message": "Sorry, there was a problem with your request.", "error_type": "sentry_block"}),
    "login_required": (403, {"message": "login_required", "error_title": "You've Been Logged Out", "logout_reason": 3}),
    "unauthorized": (401, {"message": "Unauthorized."}),
    "forbidden": (403, {"message": "Forbidden."}),
    "not_found": (404, {"message": "Not found."}),
    "checkpoint": (
        400,
        {
            "message": "checkpoint_required",
            "checkpoint_url": "https://i.instagram.com/challenge/5000000001/sandbox/",
            "error_type": "checkpoint_required",
        },
    ),
    "consent": (
        400,
        {"message": "consent_required", "consent_data": {"headline": "Updates to our terms"}, "error_type": "consent"},
    ),
    "needs_upgrade": (400, {"message": "Please update Instagram.", "error_type": "needs_upgrade"}),
    "bad_password": (400, {"message": "The password you entered is incorrect.", "error_type": "bad_password"}),
    "private": (400, {"message": "Not authorized to view user"}),
    "invalid_target": (400, {"message": "Invalid target user."}),
    "media_gone": (400, {"message": "Media not found or unavailable"}),
    "dm_refused": (400, {"message": "This account doesn't allow new message requests from everyone."}),
    "fail": (200, {"message": "Something went wrong."}),
    "408": (408, {"message": "Request timeout."}),
}
SERVER_ERRORS = ("5xx", "500", "502", "503", "504")
HTML = b"<!DOCTYPE html><html><head><title>Instagram</title></head><body>Sorry, something went wrong.</body></html>"
AFTER_APPLY = {"reset_after_apply": "reset", "hang_after_apply": "hang"}
SECONDS = {"hang": 600.0, "slow": 2.0, "webhook_late": 1.0}
SPOILT = ("signature", "nonce", "no_nonce", "aud", "iss", "expired", "sub", "no_sub")
GOOGLE = ("consent_denied", *(f"id_token_{what}" for what in SPOILT))
OPENAI = ("refusal", "truncated", "malformed", "off_schema", "drip", "obedient", "bad_key")
STRIPE = ("webhook_lost", "webhook_twice", "webhook_late")
BARE = ("ban", "challenge_404", "not_json", "bad_json", "cut", "reset")
NAMES = frozenset((*FAIL, *SERVER_ERRORS, *AFTER_APPLY, *SECONDS, *BARE, *GOOGLE, *OPENAI, *STRIPE))


@dataclass(slots=True)
class Fault:
    """One order of faults; `left` counts down from `times`, None is for ever."""

    id: int
    fault: str
    account: str | None
    path: str
    method: str | None
    times: int | None
    after: int
    apply: bool
    seconds: float
    status: int
    left: int | None
    hits: int = 0

    def matches(self, method: str, path: str, account: str) -> bool:
        """Tell whether this order is for such a request."""
        return (
            (self.account is None or self.account == account)
            and (self.method is None or self.method == method)
            and re.match(self.path, path) is not None
        )

    @property
    def kind(self) -> str:
        """What happens, without the question of when."""
        return AFTER_APPLY.get(self.fault, self.fault)


class Faults:
    """The faults on order, the oldest first."""

    def __init__(self) -> None:
        self.orders: list[Fault] = []
        self.last_id = 0

    def order(self, *, fault: str, **fields: Any) -> Fault:
        """Put a fault on order; the fields are those of the module's table, already checked."""
        self.last_id += 1
        times = fields.get("times", 1)
        new = Fault(
            id=self.last_id,
            fault=fault,
            account=fields.get("account"),
            path=fields.get("path", ""),
            method=fields.get("method"),
            times=times,
            after=fields.get("after", 0),
            apply=fields.get("apply", False) or fault in AFTER_APPLY,
            seconds=fields.get("seconds", SECONDS.get(AFTER_APPLY.get(fault, fault), 0.0)),
            status=int(fault) if fault.isdigit() else fields.get("status", 500),
            left=times,
        )
        self.orders.append(new)
        return new

    def take(self, method: str, path: str, account: str) -> Fault | None:
        """The fault for this request, if one is on order; it counts as used."""
        for fault in self.orders:
            if fault.left == 0 or not fault.matches(method, path, account):
                continue
            if fault.after > 0:
                fault.after -= 1
                continue
            fault.hits += 1
            if fault.left is not None:
                fault.left -= 1
            return fault
        return None

    def report(self) -> list[dict[str, object]]:
        """List the orders with what is left of them."""
        return [asdict(fault) for fault in self.orders]

    def clear(self, number: int | None = None) -> int:
        """Delete one order or all; returns how many went."""
        kept = [] if number is None else [fault for fault in self.orders if fault.id != number]
        gone = len(self.orders) - len(kept)
        self.orders = kept
        return gone


def failure(name: str) -> Answer:
    """Instagram's answer of this name."""
    status, document = FAIL[name]
    return answer_json({"status": "fail"} | document, status)


def fault_answer(fault: Fault) -> Answer:
    """The answer of a fault that answers at all."""
    match fault.kind:
        case "challenge_404":
            return Answer(404, b"Not Found", b"text/plain")
        case "not_json":
            return Answer(200, HTML, b"text/html; charset=utf-8")
        case "bad_json":
            return Answer(200, b'{"status": "ok", "user": {"pk": ')
        case "cut":
            return Answer(200, b'{"status": "ok"', missing=64)
        case "ban":
            return failure("suspended")
        case kind if kind in SERVER_ERRORS:
            return answer_json({"message": "Internal server error.", "status": "fail"}, fault.status)
        case kind:
            return failure(kind)


def known(names: Iterable[str] = NAMES) -> str:
    """The fault names for an error sentence."""
    return ", ".join(sorted(names))


def compiled(path: str) -> str:
    """Check that a fault's path is a regular expression."""
    try:
        re.compile(path)
    except re.error as error:
        raise BadRequest(f"path is not a regular expression: {error}.") from error
    return path
