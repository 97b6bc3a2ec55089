"""The errors of Meta's Graph API, as it writes them, and the faults that bring each of them on order.

A fault is called `graph_<code>` or `graph_<code>_<subcode>`, with any numbers: `graph_190_460`, `graph_9007_2207027`.
Those that Meta explains carry its words (developers.facebook.com, Instagram Platform, "Error codes"); others say so.
Further faults: `container_error`, `container_expired` and `container_stuck` are what a container's status says, and
`insights_empty` is an answer without data, which is how Meta says that it has none.
"""

import re

from sandbox.wire import Answer, answer_json

NAME = re.compile(r"graph_(-?\d{1,7})(?:_(\d{1,9}))?")
STATUS_FAULTS = {"container_error": "ERROR", "container_expired": "EXPIRED", "container_stuck": "IN_PROGRESS"}
EMPTY = "insights_empty"
THROTTLED = {4, 17, 32, 613, 80002}
WORDS = {
    (-2, 2207003): "It takes too long to download the media.",
    (-2, 2207020): "The media you are trying to access has expired. Please try to upload again.",
    (-1, 2207001): "Instagram server error. Try again.",
    (-1, 2207032): "Create media fail, please try to re-create media",
    (-1, 2207053): "unknown upload error",
    (1, 2207057): "Thumbnail offset must be greater than or equal to 0 and less than video duration",
    (4, 2207051): "We restrict certain activity to protect our community.",
    (24, 2207008): "The media builder with this creation id does not exist or has expired.",
    (100, 2207023): "The media type is unknown.",
    (100, 2207028): "Your post won't work as a carousel.",
    (100, 2207035): "Product tag positions should not be specified for video media.",
    (100, 2207036): "Product tag positions are required for photo media.",
    (100, 2207037): "We couldn't add all of your product tags.",
    (100, 2207040): "Cannot use more than the allowed number of tags.",
    (36004, 2207010): "The caption was too long.",
    (1, 0): "An unknown error occurred",
    (2, 0): "Service temporarily unavailable",
    (4, 0): "Application request limit reached",
    (10, 0): "Application does not have permission for this action",
    (10, 2534022): "This message is sent outside of allowed window.",
    (17, 0): "User request limit reached",
    (24, 2207006): "The requested resource does not exist",
    (32, 0): "Page request limit reached",
    (100, 0): "Invalid parameter",
    (100, 33): "Unsupported get request. Object does not exist, cannot be loaded due to missing permissions",
    (100, 2108006): "Invalid parameter",  # "Media posted before business account conversion", in another field
    (100, 2534014): "The requested user cannot be found",
    (190, 0): "Invalid OAuth access token - Cannot parse access token",
    (190, 458): "The user has not authorized the application",
    (190, 460): "The session has been invalidated because the user changed their password",
    (190, 463): "Session has expired",
    (190, 467): "The access token is invalid since the user has logged out",
    (200, 0): "Permissions error",
    (352, 2207026): "Unsupported video format",
    (551, 1545041): "This person isn't available right now.",
    (613, 0): "Calls to this api have exceeded the rate limit",
    (9004, 2207052): "The media could not be fetched from this uri",
    (9007, 2207027): "Media ID is not available",
    (36000, 2207004): "The image is too large to download",
    (36001, 2207005): "The image format is not supported",
    (36003, 2207009): "The image aspect ratio is not supported",
    (80002, 0): "There have been too many calls to this Instagram account",
    (9, 2207042): "The user has reached the maximum number of posts",
    (25, 2207050): "The Instagram account is restricted",
}


def known(name: object) -> bool:
    """Whether this is a fault of the Graph API."""
    return isinstance(name, str) and (name in STATUS_FAULTS or name == EMPTY or NAME.fullmatch(name) is not None)


def error(code: int, subcode: int = 0, words: str = "", status: int = 0) -> Answer:
    """One error as Meta writes it."""
    told = {
        "message": words or WORDS.get((code, subcode), "The stand-in was told to answer with this error."),
        "type": "OAuthException" if code in (190, 102, 10, 200) else "IGApiException",
        "code": code,
        "error_subcode": subcode,
        "fbtrace_id": "sandbox",
    }
    if not subcode:
        told.pop("error_subcode")
    return answer_json({"error": told}, status or (403 if code in (10, 200) or code in THROTTLED else 400))


def ordered(name: str) -> Answer:
    """The error that a fault of this name brings."""
    found = NAME.fullmatch(name)
    if found is None:
        return error(1)
    return error(int(found[1]), int(found[2] or 0))
