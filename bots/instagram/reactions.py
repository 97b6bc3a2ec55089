"""One table from every error that the private door can meet to our own code, which carries the engine's reaction.

By class name along the class's ancestors, so that requests, curl, pydantic and instagrapi 3.2.2 (92 classes) fit in one
table; a test fails when the library gains a class that is not here.
"""

import traceback

from errors import codes
from errors.codes import Code, Then
from errors.exceptions import BotException

_BY_CODE: dict[Code, str] = {
    # Transport. Something answered, or nothing did.
    codes.NET_REFUSED: "Unreachable",
    codes.NET_TIMEOUT: "ClientRequestTimeout Timeout ConnectTimeout",
    codes.NET_RESET: "ClientConnectionError ClientIncompleteReadError ConnectionError ChunkedEncodingError",
    codes.NET_NO_ANSWER: "RequestException OSError",
    codes.INSTAGRAM_NOT_JSON: "ClientJSONDecodeError JSONDecodeError TooManyRedirects",
    # Slow down, or stop.
    codes.INSTAGRAM_THROTTLED: "ClientThrottledError RateLimitError",
    codes.INSTAGRAM_PLEASE_WAIT: "PleaseWaitFewMinutes",
    codes.ACTION_BLOCKED: "FeedbackRequired SignupSpamError",
    codes.INSTAGRAM_SENTRY_BLOCK: "SentryBlock",
    codes.ACCOUNT_SUSPENDED: "AccountSuspended",
    codes.CHALLENGE_REQUIRED: "ChallengeError ChallengeRequired ChallengeRedirection ChallengeUnknownStep "
    "SelectContactPointRecoveryForm SubmitPhoneNumberForm RecaptchaChallengeForm ChallengeSelfieCaptcha "
    "CaptchaChallengeRequired",
    codes.PASSWORD_CHANGE_FORCED: "LegacyForceSetNewPasswordForm",
    # The session, and the login.
    codes.SESSION_NEEDS_LOGIN: "LoginRequired ClientLoginRequired ClientUnauthorizedError",
    codes.SESSION_RELOGIN_LOOP: "ReloginAttemptExceeded",
    codes.IG_CODE_REQUIRED: "TwoFactorRequired",
    codes.IG_BAD_PASSWORD: "BadPassword",
    codes.IG_CREDENTIALS_MISSING: "BadCredentials",
    codes.IG_UNKNOWN_USER_OR_NETWORK: "ProxyAddressIsBlocked",
    codes.INSTAGRAM_APP_OUTDATED: "ClientNeedsUpgradeError",
    # This person, post or place cannot be used; the next one can.
    codes.IG_TARGET_PRIVATE: "PrivateAccount",
    codes.IG_TARGET_GONE: "NotFoundError UserNotFound UserError InvalidTargetUser InvalidMediaId MediaNotFound "
    "MediaUnavailable MediaError StoryNotFound CommentNotFound CommentUnavailable CommentsDisabled LocationNotFound "
    "LocationError HighlightNotFound NoteNotFound TrackNotFound CollectionNotFound CollectionError",
    codes.HASHTAG_NOT_FOUND: "HashtagNotFound HashtagError",
    codes.DM_NOT_POSSIBLE: "DirectMessageRequestsDisabled DirectThreadNotFound DirectMessageNotFound DirectError",
    codes.IG_PROFILE_EDIT_REFUSED: "AccountEditError AccountContactPointRequired",
    codes.PUB_UPLOAD_FAILED: "VideoTooLongException VideoNotDownload VideoNotUpload VideoConfigureError "
    "VideoConfigureStoryError PhotoNotUpload PhotoConfigureError PhotoConfigureStoryError ClipNotUpload "
    "ClipConfigureError IGTVNotUpload IGTVConfigureError AlbumNotDownload AlbumUnknownFormat AlbumConfigureError",
    # Refused, in words that the library does not know.
    codes.INSTAGRAM_UNCLASSIFIED: "ClientError PrivateError UnknownError ClientBadRequestError ClientForbiddenError "
    "ClientNotFoundError",
    # The library or Instagram changed, or we asked for what we should not.
    codes.INSTAGRAM_GRAPHQL_REFUSED: "ClientGraphqlError",
    codes.INSTAGRAM_UNEXPECTED: "EmailInvalidError EmailNotAvailableError EmailVerificationSendError "
    "AgeEligibilityError ResetPasswordError GenericRequestError ClientStatusFail ClientErrorWithTitle "
    "ClientUnknownError",
    codes.INSTAGRAM_DRIFT: "WrongCursorError RelatedProfileRequired ValidationError AssertionError Exception",
}
TABLE: dict[str, Code] = {name: code for code, names in _BY_CODE.items() for name in names.split()}

# The library types these only with the right HTTP status; Instagram also sends them with others.
_MESSAGES = {
    "challenge_required": codes.CHALLENGE_REQUIRED,
    "checkpoint_required": codes.CHALLENGE_REQUIRED,
    "consent_required": codes.CHALLENGE_REQUIRED,
    "login_required": codes.SESSION_NEEDS_LOGIN,
    "user_has_logged_out": codes.SESSION_NEEDS_LOGIN,
    "feedback_required": codes.ACTION_BLOCKED,
    "rate_limit_error": codes.INSTAGRAM_THROTTLED,
    "Please wait a few minutes": codes.INSTAGRAM_PLEASE_WAIT,
}
STOPS = {Then.COOL_1H, Then.COOL_24H, Then.BLOCK_KIND, Then.NEEDS_LOGIN, Then.FREEZE, Then.BAN}
# After these nobody knows whether a write took effect.
UNCERTAIN = {
    codes.NET_TIMEOUT,
    codes.NET_RESET,
    codes.NET_NO_ANSWER,
    codes.NET_BAD_ANSWER,
    codes.INSTAGRAM_NOT_JSON,
    codes.INSTAGRAM_DRIFT,
}


class NoAnswer(BotException):
    """A write may or may not have taken effect: it becomes `unknown`, is looked up later, and is never sent again."""


def code_for(error: BaseException) -> Code:
    """Our code for an error of the library, of its transport, or of reading an answer."""
    if type(error.__context__).__name__ == "Unreachable":  # the library wraps it into a ClientConnectionError
        return codes.NET_REFUSED
    code = next(TABLE[cls.__name__] for cls in (*type(error).__mro__, Exception) if cls.__name__ in TABLE)
    if code is codes.INSTAGRAM_UNCLASSIFIED:
        text = str(getattr(error, "message", ""))
        code = next((known for words, known in _MESSAGES.items() if words in text), code)
        if code is codes.INSTAGRAM_UNCLASSIFIED and (getattr(error, "code", None) or 0) >= 500:
            code = codes.NET_BAD_ANSWER
    if code is codes.CHALLENGE_REQUIRED and "/suspended/" in str(getattr(error, "challenge", "")):
        code = codes.ACCOUNT_SUSPENDED
    return code


def is_stop(error: BaseException) -> bool:
    """Whether nothing more may be sent for the account after this."""
    code = code_for(error)
    return code.then in STOPS or code is codes.INSTAGRAM_APP_OUTDATED


def translate(
    error: BaseException, *, writing: bool, blocked: Code = codes.ACTION_BLOCKED, endpoint: str = ""
) -> BotException:
    """The error in our words, without the answer's body. `writing`: a write was sent; `blocked`: its own block."""
    code = code_for(error)
    kind = NoAnswer if writing and code in UNCERTAIN else BotException
    meta: dict[str, object] = {"exception": type(error).__name__, "endpoint": endpoint}
    if status := getattr(error, "code", None):
        meta["status"] = status
    if words := getattr(error, "feedback_message", None):
        meta["feedback_message"] = str(words)[:300]
    if code is codes.INSTAGRAM_DRIFT and (steps := traceback.extract_tb(error.__traceback__)):
        meta["at"] = f"{steps[-1].filename.rsplit('/', 1)[-1]}:{steps[-1].lineno}"
    return kind(blocked if code is codes.ACTION_BLOCKED else code, "", **meta)
