"""One table from Meta's error codes and subcodes to our own codes.

A pair that is listed wins over its code alone. Sources: Meta's "Error codes" of the Instagram Platform (2026-06-02),
and "Handling errors" of the Graph API for those without a subcode.
"""

from typing import Any

import requests

from bots.instagram.reactions import UNCERTAIN, NoAnswer
from errors import codes
from errors.codes import Code
from errors.exceptions import BotException

TABLE: dict[tuple[int, int | None], Code] = {
    # Meta itself
    (1, None): codes.GRAPH_UNAVAILABLE,
    (2, None): codes.GRAPH_UNAVAILABLE,
    (-1, 2207001): codes.GRAPH_UNAVAILABLE,
    (-1, None): codes.GRAPH_UNAVAILABLE,
    (4, None): codes.GRAPH_THROTTLED,
    (17, None): codes.GRAPH_THROTTLED,
    (32, None): codes.GRAPH_THROTTLED,
    (341, None): codes.GRAPH_THROTTLED,
    (368, None): codes.PUB_SPAM,
    (613, None): codes.GRAPH_THROTTLED,
    (80002, None): codes.GRAPH_THROTTLED,  # business use case limit of Instagram
    (101, None): codes.GRAPH_APP_WRONG,
    (104, None): codes.GRAPH_APP_WRONG,
    (100, None): codes.GRAPH_NOT_UNDERSTOOD,
    (100, 33): codes.GRAPH_NOT_FOUND,
    (100, 2108006): codes.GRAPH_NO_INSIGHTS,  # posted before the account was a professional one
    (110, None): codes.GRAPH_NOT_FOUND,
    (803, None): codes.GRAPH_NOT_FOUND,
    # Our access
    (190, None): codes.IG_OFFICIAL_RECONNECT,
    (102, None): codes.IG_OFFICIAL_RECONNECT,
    (10, None): codes.IG_OFFICIAL_SCOPE,
    (200, None): codes.IG_OFFICIAL_SCOPE,
    (3, None): codes.IG_OFFICIAL_SCOPE,
    # Messages
    (10, 2534022): codes.IG_WINDOW_CLOSED,
    (10, 2018278): codes.IG_WINDOW_CLOSED,
    (10, 2534023): codes.IG_PRIVATE_REPLY_USED,
    (10900, None): codes.IG_PRIVATE_REPLY_USED,
    (100, 2534014): codes.GRAPH_NOT_FOUND,
    (551, None): codes.DM_NOT_POSSIBLE,
    # Publishing
    (-2, 2207003): codes.PUB_MEDIA_UNREACHABLE,
    (-2, 2207020): codes.PUB_CONTAINER_GONE,
    (-1, 2207032): codes.PUB_CONTAINER_GONE,
    (-1, 2207053): codes.PUB_UPLOAD_FAILED,
    (1, 2207057): codes.PUB_POST_REFUSED,
    (4, 2207051): codes.PUB_SPAM,
    (9, 2207042): codes.PUB_DAILY_LIMIT,
    (9, None): codes.PUB_DAILY_LIMIT,
    (24, None): codes.PUB_CONTAINER_GONE,
    (25, None): codes.PUB_ACCOUNT_RESTRICTED,
    (100, 2207023): codes.PUB_POST_REFUSED,
    (100, 2207028): codes.PUB_POST_REFUSED,
    (100, 2207035): codes.PUB_POST_REFUSED,
    (100, 2207036): codes.PUB_POST_REFUSED,
    (100, 2207037): codes.PUB_POST_REFUSED,
    (100, 2207040): codes.PUB_POST_REFUSED,
    (100, 36009): codes.IG_OFFICIAL_STATE,  # Facebook Login: the code was used or is another's
    (352, None): codes.PUB_MEDIA_FORMAT,
    (9004, None): codes.PUB_MEDIA_UNREACHABLE,
    (9007, None): codes.PUB_MEDIA_NOT_READY,
    (36000, None): codes.PUB_MEDIA_TOO_LARGE,
    (36001, None): codes.PUB_MEDIA_FORMAT,
    (36003, None): codes.PUB_MEDIA_RATIO,
    (36004, None): codes.PUB_CAPTION_INVALID,
}


def code_for(code: int, subcode: int = 0, words: str = "") -> Code:
    """Our code for Meta's. Two refusals have no number of their own, so their words are read."""
    if code == 1 and "client secret" in words:
        return codes.GRAPH_APP_WRONG
    if code == 10 and "not enough viewers" in words.lower():  # of a story; no permission is missing
        return codes.GRAPH_NO_INSIGHTS
    return TABLE.get((code, subcode)) or TABLE.get((code, None)) or codes.GRAPH_REFUSED


def refusal(document: Any, status: int, *, writing: bool = False, endpoint: str = "") -> BotException:
    """Meta's refusal in our words; of its own, only numbers and the trace are kept."""
    told = document.get("error") if isinstance(document, dict) else None
    told = told if isinstance(told, dict) else {}
    if not told and isinstance(document, dict) and document.get("error_type") == "OAuthException":
        return BotException(codes.IG_OFFICIAL_STATE, status=status, endpoint=endpoint)  # api.instagram.com's own form
    meta_code, subcode = _number(told.get("code")), _number(told.get("error_subcode"))
    code = code_for(meta_code, subcode, str(told.get("message", "")))
    if not meta_code:
        code = codes.NET_BAD_ANSWER if status >= 500 else codes.GRAPH_REFUSED
    # After a fault of Meta's own nobody knows whether the write took effect.
    unknown = writing and code in (codes.GRAPH_UNAVAILABLE, codes.NET_BAD_ANSWER)
    facts = {
        "status": status,
        "meta_code": meta_code,
        "meta_subcode": subcode,
        "trace": str(told.get("fbtrace_id", "")),
    }
    return (NoAnswer if unknown else BotException)(code, "", endpoint=endpoint, **facts)


def lost(failed: Exception, *, writing: bool, endpoint: str) -> BotException:
    """No answer, or none that can be read."""
    code = codes.NET_NO_ANSWER
    if isinstance(failed, requests.ConnectTimeout):  # before anything was sent
        code = codes.NET_REFUSED
    elif isinstance(failed, requests.Timeout):
        code = codes.NET_TIMEOUT
    elif isinstance(failed, ValueError):
        code = codes.NET_BAD_ANSWER
    elif isinstance(failed, requests.ConnectionError):
        code = codes.NET_REFUSED if _never_sent(failed) else codes.NET_RESET
    kind = NoAnswer if writing and code in UNCERTAIN else BotException
    return kind(code, "", exception=type(failed).__name__, endpoint=endpoint)


def only_facebook(what: str) -> BotException:
    """What Meta gives to Facebook Login alone."""
    return BotException(
        codes.IG_OFFICIAL_SCOPE, "Meta tells this only to accounts connected by Facebook Login.", endpoint=what
    )


def _never_sent(failed: requests.ConnectionError) -> bool:
    """Whether the connection was never made, so that nothing can have happened."""
    return "NewConnectionError" in repr(failed) or "NameResolutionError" in repr(failed)


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
