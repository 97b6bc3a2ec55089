"""The registry: the only place where a code is born. A number is never reused, not even after its error is gone."""

from dataclasses import dataclass
from enum import StrEnum


class Then(StrEnum):
    """What the engine does when the error is met while it works for an account."""

    TELL = "tell"  # tell the person; nothing else changes
    SKIP = "skip"  # leave this target alone, remember why, go on
    RETRY = "retry"  # a read may be repeated twice with backoff; a write becomes `unknown`
    WAIT = "wait"  # the task waits until a clock allows it again
    COOL_1H = "cool_1h"  # all of the account rests 1 h, doubling to 24 h when it comes back
    COOL_24H = "cool_24h"  # all writes of the account rest 24 h
    BLOCK_KIND = "block_kind"  # this kind of action rests 24 h; again within 7 days 72 h; a third time freezes
    NEEDS_LOGIN = "needs_login"  # the session is dead; only the owner can log in again
    FREEZE = "freeze"  # Instagram wants a person; nothing is sent until they solved it in the app
    BAN = "ban"  # Instagram suspended the account
    ALERT = "alert"  # our own fault or drift: operators are told


@dataclass(frozen=True)
class Code:
    """One registered error: its id, its name in answers, what happened, what to do next, and the engine's reaction."""

    id: str
    name: str
    what: str
    do_next: str
    then: Then = Then.TELL
    http: int = 400

    @property
    def module(self) -> str:
        """AUTH, FLW, …: the second part of the id."""
        return self.id.split("-")[1]

    @property
    def severity(self) -> str:
        """I, W, E or C: the third part of the id."""
        return self.id.split("-")[2]


REGISTRY: dict[str, Code] = {}  # by id, in the order of this file
# Errors that nothing brings about any more: their numbers serve no other.
RETIRED = frozenset(
    {
        "E-AUTH-E-0016",  # NOT_AN_ADMIN
        "E-AUTH-W-0031",  # REAUTHENTICATION_REQUIRED
        "E-LIKE-I-0004",  # ALREADY_LIKED
        "E-DM-I-0004",  # DM_ALREADY_SENT
        "E-SCH-W-0001",  # BOT_ALREADY_RUNNING
        "E-SCH-W-0002",  # BOT_STOPPED
        "E-SCH-W-0006",  # TASK_EXPIRED
        "E-SCH-W-0008",  # PARALLEL_LIMIT
        "E-SCH-W-0009",  # ACCOUNT_AT_WORK
        "E-BILL-E-0003",  # PLAN_INACTIVE
        "E-BILL-W-0004",  # PLAN_LIMIT_REACHED
    }
)
_BY_NAME: dict[str, Code] = {}


def by_id(code_id: str) -> Code | None:
    """Find the code with this id, such as `E-AUTH-E-0001`, in any case; None if nobody registered it."""
    return REGISTRY.get(code_id.upper())


def by_name(name: str) -> Code | None:
    """Find the code with this name, such as `INVALID_CREDENTIALS`, in any case; None if nobody registered it."""
    return _BY_NAME.get(name.upper())


def _code(code_id: str, name: str, what: str, do_next: str, then: Then = Then.TELL, http: int = 400) -> Code:
    """Register one code; a second use of an id or a name refuses to import."""
    if code_id in REGISTRY or code_id in RETIRED or name in _BY_NAME:
        raise ValueError(f"{code_id} {name}: the id or the name is taken")
    REGISTRY[code_id] = _BY_NAME[name] = code = Code(code_id, name, what, do_next, then, http)
    return code


# ── AUTH: signing in to InstaGrowth OS ──────────────────────────────────────────────────────────────────────────────
INVALID_CREDENTIALS = _code(
    "E-AUTH-E-0001",
    "INVALID_CREDENTIALS",
    "The login or the password is not right.",
    "Check both and try again. If you do not remember the password, reset it.",
    http=401,
)
SECOND_FACTOR_REQUIRED = _code(
    "E-AUTH-I-0002",
    "SECOND_FACTOR_REQUIRED",
    "The password is right, and this person also uses a second factor.",
    "Enter the 6-digit code of the authenticator app, or one recovery code.",
    http=401,
)
SECOND_FACTOR_WRONG = _code(
    "E-AUTH-E-0003",
    "SECOND_FACTOR_WRONG",
    "The code of the second factor is not right, or it was already used.",
    "Wait for the next code in your authenticator app and enter that one. Check that the clock of your phone is right.",
    http=401,
)
SECOND_FACTOR_EXPIRED = _code(
    "E-AUTH-E-0004",
    "SECOND_FACTOR_EXPIRED",
    "The sign-in waited too long for its code.",
    "Sign in again from the start.",
    http=401,
)
TOO_MANY_TRIES = _code(
    "E-AUTH-W-0005",
    "TOO_MANY_TRIES",
    "There were too many tries.",
    "Wait as long as the answer says, then try again. The door opens by itself.",
    then=Then.WAIT,
    http=429,
)
MUST_CHANGE_PASSWORD = _code(
    "E-AUTH-W-0006",
    "MUST_CHANGE_PASSWORD",
    "The password was given to you by somebody else and must be changed first.",
    "Choose your own password. After that everything opens.",
    http=403,
)
NOT_SIGNED_IN = _code(
    "E-AUTH-E-0007",
    "NOT_SIGNED_IN",
    "Nobody is signed in.",
    "Sign in first. A program sends its token in the header `Authorization: Bearer`.",
    http=401,
)
NO_PERMISSION = _code(
    "E-AUTH-E-0008",
    "NO_PERMISSION",
    "Your role does not allow this.",
    "Ask an owner or an admin of the workspace to do it or to change your role.",
    http=403,
)
TOKEN_INVALID = _code(
    "E-AUTH-E-0009",
    "TOKEN_INVALID",
    "The token is unknown, expired or revoked.",
    "Sign in again for a new token.",
    http=401,
)
PASSWORD_WEAK = _code(
    "E-AUTH-E-0010",
    "PASSWORD_WEAK",
    "The new password is too easy to guess.",
    "Use at least 12 characters that are not a common password and not your name or e-mail address.",
)
PASSWORD_WRONG = _code(
    "E-AUTH-E-0011",
    "PASSWORD_WRONG",
    "The present password is not right.",
    "Enter the password you sign in with now. If you do not remember it, reset it.",
)
USER_BLOCKED = _code(
    "E-AUTH-E-0012",
    "USER_BLOCKED",
    "This person's access is switched off.",
    "Ask the administrator of this installation to switch it on again.",
    http=403,
)
WORKSPACE_NOT_FOUND = _code(
    "E-AUTH-E-0013",
    "WORKSPACE_NOT_FOUND",
    "There is no such workspace among yours.",
    "Choose one of your workspaces. If somebody removed you, ask them for a new invitation.",
    http=404,
)
WORKSPACE_REQUIRED = _code(
    "E-AUTH-E-0014",
    "WORKSPACE_REQUIRED",
    "You belong to no workspace.",
    "Make one on the page `/workspace/new`, or ask an owner of another to invite you.",
)
ADMIN_BOOTSTRAP_EXPIRED = _code(
    "E-AUTH-E-0015",
    "ADMIN_BOOTSTRAP_EXPIRED",
    "The first password of this administrator was not changed in time and is no longer valid.",
    "Run `manage.py createadmin` again on the server for a new one.",
    http=403,
)
ADDRESS_NOT_ALLOWED = _code(
    "E-AUTH-W-0017",
    "ADDRESS_NOT_ALLOWED",
    "The control room is not open to your network address.",
    "Connect from an allowed network, or add yours on the server with `manage.py allowlist add`.",
    http=403,
)
SECOND_FACTOR_MISSING = _code(
    "E-AUTH-E-0018",
    "SECOND_FACTOR_MISSING",
    "This needs a second factor and none is set up.",
    "Set up an authenticator app in your security settings, then try again.",
    http=403,
)
RESET_LINK_INVALID = _code(
    "E-AUTH-E-0019",
    "RESET_LINK_INVALID",
    "The link to reset the password is wrong, used or older than one hour.",
    "Ask for a new link and use it within the hour.",
)
LOGIN_TAKEN = _code(
    "E-AUTH-E-0020",
    "LOGIN_TAKEN",
    "Another person already uses this e-mail address or access code.",
    "Choose another one, or sign in as that person.",
    http=409,
)
INVITATION_INVALID = _code(
    "E-AUTH-E-0021",
    "INVITATION_INVALID",
    "The invitation is wrong, used or expired.",
    "Ask the person who invited you to send a new one.",
)

INVITATION_FOREIGN = _code(
    "E-AUTH-E-0022",
    "INVITATION_FOREIGN",
    "The invitation is for another e-mail address than yours.",
    "Sign in as the person whose address it was sent to, or ask for an invitation to yours.",
    http=403,
)
TEAM_FULL = _code(
    "E-AUTH-W-0023",
    "TEAM_FULL",
    "The plan of this workspace has no room for another person.",
    "Remove somebody, take back an invitation that waits, or choose a larger plan on the billing page.",
    http=402,
)
LAST_OWNER = _code(
    "E-AUTH-E-0024",
    "LAST_OWNER",
    "A workspace must keep at least one owner.",
    "Make somebody else an owner first, or delete the workspace.",
    http=409,
)
ALREADY_MEMBER = _code(
    "E-AUTH-E-0025",
    "ALREADY_MEMBER",
    "This person belongs to the workspace already.",
    "Change their role in the list of people instead.",
    http=409,
)
APPROVAL_NEEDED = _code(
    "E-AUTH-I-0026",
    "APPROVAL_NEEDED",
    "This workspace wants an owner's approval for this; your proposal waits for one.",
    "An owner sees it on the approvals page. You are told how it was decided.",
    http=202,
)
PROPOSAL_DECIDED = _code(
    "E-AUTH-E-0027",
    "PROPOSAL_DECIDED",
    "Somebody has decided about this proposal already.",
    "Look at the approvals page for how. You can propose it again.",
    http=409,
)
EMAIL_UNCONFIRMED = _code(
    "E-AUTH-W-0028",
    "EMAIL_UNCONFIRMED",
    "The e-mail address of this person is not confirmed yet.",
    "Open the link in the mail we sent. If there is none, sign in on the page once more for a new one.",
    http=403,
)
GOOGLE_REFUSED = _code(
    "E-AUTH-E-0029",
    "GOOGLE_REFUSED",
    "Google did not confirm who you are.",
    "Try once more. If it does not help, sign in with your password.",
    http=401,
)
GOOGLE_NOT_LINKED = _code(
    "E-AUTH-E-0030",
    "GOOGLE_NOT_LINKED",
    "The e-mail address of this Google account belongs to somebody who has not linked it.",
    "Sign in with your password, then link Google in your security settings.",
    http=409,
)
FACTOR_EXISTS = _code(
    "E-AUTH-E-0032",
    "FACTOR_EXISTS",
    "The second factor is on already.",
    "Turn it off first if you want to set up a new phone.",
    http=409,
)
UPLOAD_REFUSED = _code(
    "E-SEC-E-0006",
    "UPLOAD_REFUSED",
    "The file is not a picture that we can take.",
    "Choose a PNG, JPEG or WebP picture of at most 1 MB and 4,000 pixels a side.",
)
TOKEN_SCOPE_MISSING = _code(
    "E-AUTH-E-0033",
    "TOKEN_SCOPE_MISSING",
    "The token was not made for this.",
    "Make a token with the scope that this call needs, or sign in for one that may do all that you may.",
    http=403,
)
BEING_DELETED = _code(
    "E-AUTH-W-0034",
    "BEING_DELETED",
    "This is about to be deleted, so nothing new is started.",
    "Undo the deletion on the privacy page first.",
    http=409,
)
EXPORT_GONE = _code(
    "E-AUTH-E-0035",
    "EXPORT_GONE",
    "This archive is not there any more.",
    "Make a new one on the privacy page; an archive is kept for 7 days.",
    http=404,
)
TOKENS_FULL = _code(
    "E-AUTH-W-0036",
    "TOKENS_FULL",
    "You have as many API tokens as a person may have.",
    "Revoke one that nothing uses any more, then make the new one.",
    http=409,
)
WORKSPACE_LIMIT = _code(
    "E-AUTH-W-0037",
    "WORKSPACE_LIMIT",
    "You own as many workspaces on the free plan as a person may own.",
    "Delete one that you do not use, or put one on a larger plan.",
    http=409,
)
FACTOR_NOT_BEGUN = _code(
    "E-AUTH-E-0038",
    "FACTOR_NOT_BEGUN",
    "No second factor waits for its first code, or it waited longer than ten minutes.",
    "Begin again: you get a new secret for your authenticator app.",
    http=409,
)
PASSKEY_REFUSED = _code(
    "E-AUTH-E-0039",
    "PASSKEY_REFUSED",
    "The passkey could not be confirmed.",
    "Try once more, or sign in another way.",
    http=401,
)
GOOGLE_LINKED_ALREADY = _code(
    "E-AUTH-E-0040",
    "GOOGLE_LINKED_ALREADY",
    "This Google account is linked to somebody, or you have linked another one.",
    "Unlink the one that is linked, in the security settings of whoever has it, then try again.",
    http=409,
)
GOOGLE_ONLY_WAY_IN = _code(
    "E-AUTH-E-0041",
    "GOOGLE_ONLY_WAY_IN",
    "Google is your only way in.",
    "Set a password first, then unlink Google.",
    http=409,
)

LAST_STAFF_OWNER = _code(
    "E-AUTH-E-0050",
    "LAST_STAFF_OWNER",
    "This is the last active owner of the control room.",
    "Make somebody else an owner first.",
    http=409,
)

# ── FLW: following and unfollowing ──────────────────────────────────────────────────────────────────────────────────
HASHTAG_INVALID = _code(
    "E-FLW-E-0001",
    "HASHTAG_INVALID",
    "This is not a hashtag that Instagram knows.",
    "Write one word of letters, digits and underscores, with or without #, at most 100 characters and not digits only.",
)
FOLLOW_LIMIT_NEAR = _code(
    "E-FLW-W-0002",
    "FOLLOW_LIMIT_NEAR",
    "An account has used nearly all the follows it may make in this hour, this day or these 7 days.",
    "Usually nothing: the task waits and goes on by itself. The automation page shows which limit decides today.",
    then=Then.WAIT,
    http=200,
)
FOLLOW_LIMIT_REACHED = _code(
    "E-FLW-W-0003",
    "FOLLOW_LIMIT_REACHED",
    "The account has made all the follows it may make in this hour, this day or these 7 days.",
    "Wait: the hour frees itself within 60 minutes, the day at midnight of the account. The task goes on by itself.",
    then=Then.WAIT,
    http=409,
)
FOLLOW_CAP_REACHED = _code(
    "E-FLW-W-0004",
    "FOLLOW_CAP_REACHED",
    "The account follows about 7,500 people, the most Instagram allows.",
    "Unfollow people first, for example with the unfollow task.",
    then=Then.WAIT,
    http=409,
)
HASHTAG_NOT_FOUND = _code(
    "E-FLW-W-0005",
    "HASHTAG_NOT_FOUND",
    "Instagram shows no such hashtag, or hides it.",
    "Check the spelling or choose another hashtag.",
    http=404,
)
NO_PEOPLE_FOUND = _code(
    "E-FLW-W-0006",
    "NO_PEOPLE_FOUND",
    "The search has come to its end, and your filters leave nobody more.",
    "Choose another hashtag, account or post, or leave fewer people out.",
)
FOLLOW_BLOCKED = _code(
    "E-FLW-W-0007",
    "FOLLOW_BLOCKED",
    "Instagram blocked a follow.",
    "Leave it alone: follows rest for 24 hours, longer if it happens again. Follow nobody by hand in the meantime.",
    then=Then.BLOCK_KIND,
    http=409,
)
ALREADY_FOLLOWING = _code(
    "E-FLW-I-0008",
    "ALREADY_FOLLOWING",
    "The account already follows this person or has asked to.",
    "Nothing: the person was left alone and no unit of a limit was used.",
    then=Then.SKIP,
    http=200,
)
AMOUNT_OUT_OF_RANGE = _code(
    "E-FLW-E-0009",
    "AMOUNT_OUT_OF_RANGE",
    "The amount is too small or larger than one task may have.",
    "Choose a whole number from 1 to 1,000.",
)
UNFOLLOW_LIMIT_REACHED = _code(
    "E-FLW-W-0010",
    "UNFOLLOW_LIMIT_REACHED",
    "The account has made all the unfollows it may make in this hour, this day or these 7 days.",
    "Wait: the task goes on by itself when the limit has room.",
    then=Then.WAIT,
    http=409,
)
UNFOLLOW_BLOCKED = _code(
    "E-FLW-W-0011",
    "UNFOLLOW_BLOCKED",
    "Instagram blocked an unfollow.",
    "Leave it alone: unfollows rest for 24 hours, longer if it happens again.",
    then=Then.BLOCK_KIND,
    http=409,
)
NOT_FOLLOWING = _code(
    "E-FLW-I-0012",
    "NOT_FOLLOWING",
    "The account does not follow this person.",
    "Nothing: the person was left alone and no unit of a limit was used.",
    then=Then.SKIP,
    http=200,
)
FILTERED_OUT = _code(
    "E-FLW-I-0013",
    "FILTERED_OUT",
    "The person does not fit the filters of the bot.",
    "Nothing: the person was left alone. Change the filters if too few people fit.",
    then=Then.SKIP,
    http=200,
)

SOURCE_INVALID = _code(
    "E-FLW-E-0014",
    "SOURCE_INVALID",
    "This task cannot look for people there.",
    "Choose a hashtag, an Instagram username or the link of a post, as the kind of the task asks for.",
)
LISTED = _code(
    "E-FLW-I-0015",
    "LISTED",
    "The person is on the keep list or the block list of the workspace.",
    "Nothing: the person was left alone. Take them off the list if this is not meant.",
    then=Then.SKIP,
    http=200,
)
FOLLOWS_BACK = _code(
    "E-FLW-I-0016",
    "FOLLOWS_BACK",
    "The person follows the account, and the task spares who does.",
    "Nothing: the person was left alone and no unit of a limit was used.",
    then=Then.SKIP,
    http=200,
)

# ── LIKE: liking posts ──────────────────────────────────────────────────────────────────────────────────────────────
LIKE_LIMIT_NEAR = _code(
    "E-LIKE-W-0001",
    "LIKE_LIMIT_NEAR",
    "An account has used nearly all the likes it may give in this hour, this day or these 7 days.",
    "Usually nothing: the task waits and goes on by itself.",
    then=Then.WAIT,
    http=200,
)
LIKE_LIMIT_REACHED = _code(
    "E-LIKE-W-0002",
    "LIKE_LIMIT_REACHED",
    "The account has given all the likes it may give in this hour, this day or these 7 days.",
    "Wait: the task goes on by itself when the limit has room.",
    then=Then.WAIT,
    http=409,
)
LIKE_BLOCKED = _code(
    "E-LIKE-W-0003",
    "LIKE_BLOCKED",
    "Instagram blocked a like.",
    "Leave it alone: likes rest for 24 hours, longer if it happens again.",
    then=Then.BLOCK_KIND,
    http=409,
)

# ── STO: seeing stories ─────────────────────────────────────────────────────────────────────────────────────────────
STORY_LIMIT_NEAR = _code(
    "E-STO-W-0001",
    "STORY_LIMIT_NEAR",
    "An account has used nearly all the stories it may see in this hour, this day or these 7 days.",
    "Usually nothing: the task waits and goes on by itself.",
    then=Then.WAIT,
    http=200,
)
STORY_LIMIT_REACHED = _code(
    "E-STO-W-0002",
    "STORY_LIMIT_REACHED",
    "The account has seen all the stories it may see in this hour, this day or these 7 days.",
    "Wait: the task goes on by itself when the limit has room.",
    then=Then.WAIT,
    http=409,
)
STORY_BLOCKED = _code(
    "E-STO-W-0003",
    "STORY_BLOCKED",
    "Instagram blocked the viewing of stories.",
    "Leave it alone: stories rest for 24 hours, longer if it happens again.",
    then=Then.BLOCK_KIND,
    http=409,
)
NO_STORIES = _code(
    "E-STO-I-0004",
    "NO_STORIES",
    "The person has no story at this moment.",
    "Nothing: the person was left alone and no unit of a limit was used.",
    then=Then.SKIP,
    http=200,
)

# ── DM: direct messages ─────────────────────────────────────────────────────────────────────────────────────────────
DM_LIMIT_NEAR = _code(
    "E-DM-W-0001",
    "DM_LIMIT_NEAR",
    "An account has used nearly all the messages it may send in this hour, this day or these 7 days.",
    "Usually nothing: the task waits and goes on by itself.",
    then=Then.WAIT,
    http=200,
)
DM_LIMIT_REACHED = _code(
    "E-DM-W-0002",
    "DM_LIMIT_REACHED",
    "The account has sent all the messages it may send in this hour, this day or these 7 days.",
    "Wait: the task goes on by itself when the limit has room.",
    then=Then.WAIT,
    http=409,
)
DM_BLOCKED = _code(
    "E-DM-W-0003",
    "DM_BLOCKED",
    "Instagram blocked a message.",
    "Leave it alone: messages rest for 24 hours, longer if it happens again. Make the text more personal.",
    then=Then.BLOCK_KIND,
    http=409,
)
DM_TEXT_INVALID = _code(
    "E-DM-E-0005",
    "DM_TEXT_INVALID",
    "The text of the message is empty, too long or has an unknown placeholder.",
    "Correct the text; the form shows which part.",
)
DM_NOT_POSSIBLE = _code(
    "E-DM-W-0006",
    "DM_NOT_POSSIBLE",
    "This person does not take messages from the account.",
    "Nothing: the person is skipped and not written to again.",
    then=Then.SKIP,
    http=409,
)
DM_COLD = _code(
    "E-DM-I-0007",
    "DM_COLD",
    "The person neither follows the account nor wrote to it first.",
    "Nothing: strangers are never written to. The person was skipped and no unit of a limit was used.",
    then=Then.SKIP,
    http=200,
)
DM_NOT_APPROVED = _code(
    "E-DM-W-0008",
    "DM_NOT_APPROVED",
    "The text is not approved yet.",
    "An owner approves it on the page of message templates. A change of the text needs a new approval.",
    http=409,
)

# ── SCH: bots, turns and tasks ──────────────────────────────────────────────────────────────────────────────────────
BOT_PARKED = _code(
    "E-SCH-E-0003",
    "BOT_PARKED",
    "The bot failed 5 turns in a row and was parked.",
    "Read the last error in the activity log, repair its cause and start the bot again.",
    then=Then.ALERT,
    http=409,
)
LEASE_LOST = _code(
    "E-SCH-W-0004",
    "LEASE_LOST",
    "A worker lost its claim on the bot and stopped before it sent anything more.",
    "Nothing: the bot is claimed again within a minute. If this returns often, look at the load of the workers.",
    then=Then.RETRY,
    http=409,
)
TASK_NOT_FOUND = _code(
    "E-SCH-E-0005",
    "TASK_NOT_FOUND",
    "There is no such task in your workspace.",
    "Look for it in the list of tasks; it may belong to another workspace.",
    http=404,
)
BOT_NOT_FOUND = _code(
    "E-SCH-E-0007",
    "BOT_NOT_FOUND",
    "There is no such bot in your workspace.",
    "Look for it in the list of bots; it may belong to another workspace.",
    http=404,
)
TASK_TARGETS_POOR = _code(
    "E-SCH-W-0010",
    "TASK_TARGETS_POOR",
    "Hardly one in twenty of the people or posts of this task could be used, so it stopped.",
    "Choose another hashtag or loosen the filters, then create a new task.",
)
OUTSIDE_WORKING_HOURS = _code(
    "E-SCH-I-0011",
    "OUTSIDE_WORKING_HOURS",
    "It is outside the working hours of the bot.",
    "Nothing: it goes on when its hours begin.",
    then=Then.WAIT,
    http=200,
)
SETTINGS_INVALID = _code(
    "E-SCH-E-0012",
    "SETTINGS_INVALID",
    "The settings of the bot do not fit together.",
    "Correct the marked field; the message names the allowed values.",
)
TURN_TIMED_OUT = _code(
    "E-SCH-E-0013",
    "TURN_TIMED_OUT",
    "A turn took longer than it may and was stopped.",
    "Nothing: what it had sent is looked up before the bot goes on.",
    then=Then.RETRY,
    http=504,
)
TASK_STOPPED = _code(
    "E-SCH-I-0014",
    "TASK_STOPPED",
    "A person stopped the task.",
    "Nothing: what was done is in the activity log. Create a new task to go on.",
    http=409,
)
ENGINE_LATE = _code(
    "E-SCH-C-0015",
    "ENGINE_LATE",
    "Bots that are due have been waiting too long for their turn.",
    "Look at `manage.py engine_status`: it shows whether beat and workers are alive and whether Redis is full.",
    then=Then.ALERT,
    http=503,
)
WORKER_LOST = _code(
    "E-SCH-E-0016",
    "WORKER_LOST",
    "A worker process died in the middle of its work.",
    "Nothing: what it had sent is looked up before the bot goes on. If this returns, look at the workers' memory.",
    then=Then.RETRY,
    http=500,
)
BOT_EXISTS = _code(
    "E-SCH-E-0017",
    "BOT_EXISTS",
    "This Instagram account has a bot with a session already.",
    "Use the bot that is there: each account has one. To give it another session, take its present one away first.",
    http=409,
)

# ── DB: PostgreSQL ──────────────────────────────────────────────────────────────────────────────────────────────────
DATABASE_UNAVAILABLE = _code(
    "E-DB-C-0001",
    "DATABASE_UNAVAILABLE",
    "The database does not answer.",
    "Try again in a minute. Nothing was changed.",
    then=Then.RETRY,
    http=503,
)
DATABASE_CONFLICT = _code(
    "E-DB-W-0002",
    "DATABASE_CONFLICT",
    "Somebody else changed the same thing at the same moment.",
    "Load the page again and repeat your change if it is still needed.",
    then=Then.RETRY,
    http=409,
)
DATABASE_TOO_SLOW = _code(
    "E-DB-E-0003",
    "DATABASE_TOO_SLOW",
    "The answer took the database too long and was given up.",
    "Try again, with a narrower search if you searched. Nothing was changed.",
    then=Then.RETRY,
    http=503,
)

# ── API: requests to us, and Instagram's answers to us ──────────────────────────────────────────────────────────────
JSON_MALFORMED = _code(
    "E-API-E-0001",
    "JSON_MALFORMED",
    "The body of the request cannot be read.",
    "Send one JSON object in UTF-8 with the header `Content-Type: application/json`.",
)
VALIDATION_FAILED = _code(
    "E-API-E-0002",
    "VALIDATION_FAILED",
    "A field is missing or has a value that is not allowed.",
    "Correct the fields named in the answer and send it again.",
)
NOT_FOUND = _code(
    "E-API-E-0003",
    "NOT_FOUND",
    "There is nothing at this address, or it is not yours.",
    "Check the address. If somebody gave you the link, ask which workspace it belongs to.",
    http=404,
)
METHOD_NOT_ALLOWED = _code(
    "E-API-E-0004",
    "METHOD_NOT_ALLOWED",
    "This address does not take this kind of request.",
    "Use one of the methods in the header `Allow`; the API documentation lists them.",
    http=405,
)
UNSUPPORTED_MEDIA = _code(
    "E-API-E-0005",
    "UNSUPPORTED_MEDIA",
    "The body has a format that this address does not take.",
    "Send `application/json` unless the API documentation says otherwise.",
    http=415,
)
BAD_REQUEST = _code(
    "E-API-E-0006",
    "BAD_REQUEST",
    "The request cannot be understood.",
    "Load the page again and repeat what you did. A program: compare the request with the API documentation.",
)
TOO_MANY_REQUESTS = _code(
    "E-API-W-0007",
    "TOO_MANY_REQUESTS",
    "There were too many requests from you in a short time.",
    "Wait as long as the header `Retry-After` says, then go on more slowly.",
    then=Then.WAIT,
    http=429,
)
QUEUE_UNAVAILABLE = _code(
    "E-API-C-0008",
    "QUEUE_UNAVAILABLE",
    "The queue (Redis or Valkey) does not answer.",
    "Try again in a minute. What was already accepted is not lost: PostgreSQL keeps it.",
    then=Then.RETRY,
    http=503,
)
INTERNAL_ERROR = _code(
    "E-API-E-0009",
    "INTERNAL_ERROR",
    "Something went wrong on our side.",
    "Try again. If it happens again, send us the correlation id: it is enough to find everything that happened.",
    then=Then.ALERT,
    http=500,
)
INSTAGRAM_PLEASE_WAIT = _code(
    "E-API-W-0010",
    "INSTAGRAM_PLEASE_WAIT",
    "Instagram asks the account to wait a few minutes, which it means seriously.",
    "Nothing: we leave the account alone for 24 hours. Do not use it much by hand in that time.",
    then=Then.COOL_24H,
    http=409,
)
ACTION_BLOCKED = _code(
    "E-API-W-0011",
    "ACTION_BLOCKED",
    "Instagram blocked this kind of action for the account.",
    "Leave it alone: this kind of action rests for 24 hours, after a second time for 72 hours.",
    then=Then.BLOCK_KIND,
    http=409,
)
INSTAGRAM_APP_OUTDATED = _code(
    "E-API-C-0012",
    "INSTAGRAM_APP_OUTDATED",
    "Instagram no longer accepts the app version that we speak.",
    "Logins and the account's bot pause, an hour at a time, until the operators have upgraded. Your tasks are safe.",
    then=Then.ALERT,
    http=503,
)
INSTAGRAM_UNCLASSIFIED = _code(
    "E-API-W-0013",
    "INSTAGRAM_UNCLASSIFIED",
    "Instagram refused with an answer that we do not know.",
    "Nothing: this one was skipped. Three in a row rest the account for an hour.",
    then=Then.SKIP,
    http=502,
)
INSTAGRAM_UNCLASSIFIED_REPEATED = _code(
    "E-API-W-0014",
    "INSTAGRAM_UNCLASSIFIED_REPEATED",
    "Instagram refused three times in a row with answers that we do not know.",
    "Nothing: the account rests for an hour, then goes on.",
    then=Then.COOL_1H,
    http=502,
)
INSTAGRAM_NOT_JSON = _code(
    "E-API-W-0015",
    "INSTAGRAM_NOT_JSON",
    "Instagram answered with a web page where data was expected, often a sign of a check.",
    "Open the Instagram app and see whether it asks you for something. The account rests for an hour.",
    then=Then.COOL_1H,
    http=502,
)
INSTAGRAM_DRIFT = _code(
    "E-API-E-0016",
    "INSTAGRAM_DRIFT",
    "Instagram's answer has a shape that we cannot read.",
    "Nothing: this one was skipped and the operators were told.",
    then=Then.ALERT,
    http=502,
)
INSTAGRAM_GRAPHQL_REFUSED = _code(
    "E-API-E-0017",
    "INSTAGRAM_GRAPHQL_REFUSED",
    "Instagram refused a web query that the product should not use.",
    "Nothing: this one was skipped and the operators were told.",
    then=Then.ALERT,
    http=502,
)
INSTAGRAM_UNEXPECTED = _code(
    "E-API-E-0018",
    "INSTAGRAM_UNEXPECTED",
    "Instagram answered with something that belongs to signing up or resetting, which we never do.",
    "Nothing: the operators were told.",
    then=Then.ALERT,
    http=502,
)
BODY_TOO_LARGE = _code(
    "E-API-E-0019",
    "BODY_TOO_LARGE",
    "The request is larger than this address takes.",
    "Send less at once; the API documentation names the limits.",
    http=413,
)
NOT_ACCEPTABLE = _code(
    "E-API-E-0020",
    "NOT_ACCEPTABLE",
    "None of the formats you accept is offered here.",
    "Accept `application/json` unless the API documentation says otherwise.",
    http=406,
)
API_PAIR_NOT_FOUND = _code(
    "E-API-E-0021",
    "API_PAIR_NOT_FOUND",
    "There is no such API pair.",
    "Look for its id in the list of API pairs.",
    http=404,
)
API_PAIR_EXISTS = _code(
    "E-API-E-0022",
    "API_PAIR_EXISTS",
    "This app id is here already.",
    "Use the pair that is there, or delete it first if its secret has changed.",
    http=409,
)
API_PAIR_IN_USE = _code(
    "E-API-E-0023",
    "API_PAIR_IN_USE",
    "Bots use this API pair, or accounts are connected through it.",
    "Delete it with `force=1`: its bots are then without one, and its accounts must be connected again.",
    http=409,
)
API_PAIR_NO_ROOM = _code(
    "E-API-W-0024",
    "API_PAIR_NO_ROOM",
    "No API pair has room for another bot.",
    "Add a pair, or let a bot that no longer needs its pair give it back. Paused pairs take no bots.",
    http=409,
)
INSTAGRAM_THROTTLED = _code(
    "E-API-W-0429",
    "INSTAGRAM_THROTTLED",
    "Instagram says that the account made too many requests.",
    "Nothing: the account rests for an hour, longer if it returns, and does half as much tomorrow.",
    then=Then.COOL_1H,
    http=409,
)
GRAPH_REFUSED = _code(
    "E-API-E-0025",
    "GRAPH_REFUSED",
    "Meta refused the request with an answer that we do not know.",
    "Try again later. If it returns, tell the operators: the activity log has Meta's own code.",
    http=502,
)
GRAPH_THROTTLED = _code(
    "E-API-W-0026",
    "GRAPH_THROTTLED",
    "Meta says that there were too many requests for this account or this app.",
    "Nothing: we wait for an hour and go on by ourselves.",
    then=Then.WAIT,
    http=409,
)
GRAPH_UNAVAILABLE = _code(
    "E-API-W-0027",
    "GRAPH_UNAVAILABLE",
    "Meta could not answer just now.",
    "Reading is tried again by itself. What was being sent is looked up before anything else happens.",
    then=Then.RETRY,
    http=502,
)
GRAPH_NOT_UNDERSTOOD = _code(
    "E-API-E-0028",
    "GRAPH_NOT_UNDERSTOOD",
    "Meta did not understand what we asked, which is our fault.",
    "Nothing. The operators were told.",
    then=Then.ALERT,
    http=502,
)
GRAPH_NOT_FOUND = _code(
    "E-API-E-0029",
    "GRAPH_NOT_FOUND",
    "Meta does not know this post, comment or person any more.",
    "It may have been deleted in the Instagram app. Reload the page.",
    then=Then.SKIP,
    http=404,
)
GRAPH_APP_WRONG = _code(
    "E-API-E-0030",
    "GRAPH_APP_WRONG",
    "Meta does not accept the id or the secret of our app.",
    "The operators must check the API pair of this account, or META_APP_ID and META_APP_SECRET.",
    then=Then.ALERT,
    http=502,
)
MAINTENANCE = _code(
    "E-API-W-0031",
    "MAINTENANCE",
    "We are working on the product. Your data is safe.",
    "Come back in a few minutes.",
    then=Then.RETRY,
    http=503,
)
CHANGED_MEANWHILE = _code(
    "E-API-E-0032",
    "CHANGED_MEANWHILE",
    "Somebody changed this while you had it open.",
    "Look at it as it is now, and ask again if it is still right.",
    http=409,
)
DOES_NOT_FIT = _code(
    "E-API-E-0033",
    "DOES_NOT_FIT",
    "As it is now, this cannot be done to it.",
    "Look at it as it is now: it shows what can be done.",
    http=409,
)
ALERT_NOT_SENT = _code(
    "E-API-E-0035",
    "ALERT_NOT_SENT",
    "The operators' webhook did not take an alert.",
    "Operators: look whether its address answers, and try it with the button on the page of alerts.",
    http=409,
)
NETWORK_SLOWED = _code(
    "E-API-C-0034",
    "NETWORK_SLOWED",
    "Instagram slowed several accounts that come to it by one way, so all that go there rest for 15 minutes.",
    "Nothing: they go on by themselves. Operators: give accounts that matter a stable proxy of their own.",
    then=Then.WAIT,
    http=503,
)
GRAPH_NO_INSIGHTS = _code(
    "E-API-W-0036",
    "GRAPH_NO_INSIGHTS",
    "Meta keeps no numbers of this post.",
    "Nothing: they stay unknown, and all other numbers are read. A story has numbers once five people saw it.",
    then=Then.SKIP,
    http=404,
)

# ── NET: the way to Instagram and other services ────────────────────────────────────────────────────────────────────
NET_TIMEOUT = _code(
    "E-NET-W-0001",
    "NET_TIMEOUT",
    "The other side took too long to answer.",
    "A bot reads again by itself and looks a sent action up first. If you were connecting, try again in a minute.",
    then=Then.RETRY,
    http=504,
)
NET_REFUSED = _code(
    "E-NET-W-0002",
    "NET_REFUSED",
    "The other side could not be reached.",
    "A bot tries again by itself. If you were connecting, wait a minute. If it stays so, Instagram may be down.",
    then=Then.RETRY,
    http=502,
)
OUTCOME_UNKNOWN = _code(
    "E-NET-W-0003",
    "OUTCOME_UNKNOWN",
    "An action was sent and no answer came, so its outcome is being looked up.",
    "Nothing: it is never sent again. The lookup tells within minutes whether it happened.",
    then=Then.RETRY,
    http=202,
)
NET_RESET = _code(
    "E-NET-W-0004",
    "NET_RESET",
    "The connection broke in the middle of the answer.",
    "A bot reads again by itself and looks a sent action up first. If you were connecting, try again in a minute.",
    then=Then.RETRY,
    http=502,
)
OUTCOME_ABSENT = _code(
    "E-NET-I-0005",
    "OUTCOME_ABSENT",
    "The lookup showed that the action did not happen.",
    "Nothing: the unit of the limit stays used, and the action is not sent again.",
    then=Then.SKIP,
    http=200,
)
NET_UNSTABLE = _code(
    "E-NET-W-0006",
    "NET_UNSTABLE",
    "Five connections in a row failed for this account.",
    "Nothing: the account rests for an hour. If it has its own proxy, check that.",
    then=Then.COOL_1H,
    http=502,
)
OUTCOME_FOUND = _code(
    "E-NET-I-0007",
    "OUTCOME_FOUND",
    "The lookup showed that the action did happen.",
    "Nothing: it counts as done.",
    http=200,
)
NET_BAD_ANSWER = _code(
    "E-NET-W-0008",
    "NET_BAD_ANSWER",
    "The other side is in trouble and answered with a server error.",
    "A bot reads again by itself and looks a sent action up first. If you were connecting, try again in a minute.",
    then=Then.RETRY,
    http=502,
)
NET_NO_ANSWER = _code(
    "E-NET-W-0009",
    "NET_NO_ANSWER",
    "The other side gave no answer at all.",
    "A bot reads again by itself and looks a sent action up first. If you were connecting, try again in a minute.",
    then=Then.RETRY,
    http=504,
)

MAIL_NOT_SENT = _code(
    "E-NET-E-0010",
    "MAIL_NOT_SENT",
    "A mail could not be sent, not even after several tries.",
    "The operators should look at the mail service and its settings; whoever waits for the mail can ask for a new one.",
    then=Then.ALERT,
    http=502,
)
ADDRESS_NOT_PUBLIC = _code(
    "E-NET-E-0011",
    "ADDRESS_NOT_PUBLIC",
    "We do not send to this address: it must begin with https:// and lead to a public server.",
    "Give an address that the whole internet can reach, with a name and without login, such as https://hooks.example.com/.",
)

# ── BILL: plans and payments ────────────────────────────────────────────────────────────────────────────────────────
PLAN_ACCOUNT_LIMIT = _code(
    "E-BILL-W-0001",
    "PLAN_ACCOUNT_LIMIT",
    "Your plan has no room for another Instagram account.",
    "Disconnect one you no longer need, or choose a larger plan on the billing page.",
    http=402,
)
PLAN_FEATURE_MISSING = _code(
    "E-BILL-W-0002",
    "PLAN_FEATURE_MISSING",
    "Your plan does not include this.",
    "Choose a plan that includes it on the billing page.",
    http=402,
)
PLAN_IS_PAID = _code(
    "E-BILL-E-0005",
    "PLAN_IS_PAID",
    "The workspace pays for another plan.",
    "Let its owner change the plan on the billing page, or ask for the plan it pays for.",
    http=409,
)

STRIPE_UNREACHABLE = _code(
    "E-BILL-E-0006",
    "STRIPE_UNREACHABLE",
    "Stripe does not answer, so nothing was changed or charged.",
    "Try again in a few minutes. Your plan and your bots go on as they are.",
    then=Then.RETRY,
    http=503,
)
CARD_REFUSED = _code(
    "E-BILL-W-0007",
    "CARD_REFUSED",
    "The card was refused, so the plan stays as it is.",
    "Change the card under “Card and invoices” on the billing page, then try again.",
    http=402,
)
PRICE_GONE = _code(
    "E-BILL-E-0008",
    "PRICE_GONE",
    "Stripe does not sell this plan at the moment.",
    "Choose another plan, or try later: the operators have been told.",
    then=Then.ALERT,
    http=409,
)
BILLING_OFF = _code(
    "E-BILL-E-0009",
    "BILLING_OFF",
    "Payments are not set up on this server.",
    "Ask the operators: they set STRIPE_SECRET_KEY, or give your workspace a plan.",
    http=503,
)
STRIPE_REFUSED = _code(
    "E-BILL-E-0010",
    "STRIPE_REFUSED",
    "Stripe refused what we asked, so nothing was changed.",
    "Look at the billing page again. If it stays like this, write to the operators: they have been told.",
    then=Then.ALERT,
    http=502,
)
WEBHOOK_REFUSED = _code(
    "E-BILL-W-0011",
    "WEBHOOK_REFUSED",
    "The signature of this webhook is not right, or it is too old or too new.",
    "Nothing: Stripe sends again what is real. If real ones are refused, compare STRIPE_WEBHOOK_SECRET and the clock.",
    http=400,
)
SUBSCRIBED_ALREADY = _code(
    "E-BILL-W-0012",
    "SUBSCRIBED_ALREADY",
    "The workspace pays for a plan already.",
    "Change that plan on the billing page. Nothing was charged twice.",
    http=409,
)
NOT_SUBSCRIBED = _code(
    "E-BILL-W-0013",
    "NOT_SUBSCRIBED",
    "The workspace pays for no plan.",
    "Choose a plan on the pricing page first.",
    http=409,
)
COUPON_UNKNOWN = _code(
    "E-BILL-W-0014",
    "COUPON_UNKNOWN",
    "There is no such promotion code, or it is over.",
    "Check its letters. Nothing was changed.",
    http=409,
)
PLAN_NOT_SOLD = _code(
    "E-BILL-W-0015",
    "PLAN_NOT_SOLD",
    "This plan cannot be chosen, or not for this period.",
    "Choose one of the pricing page.",
    http=409,
)
BILLING_BUSY = _code(
    "E-BILL-W-0016",
    "BILLING_BUSY",
    "Another change of this plan is on its way.",
    "Look at the billing page in a moment. Nothing was changed or charged by this click.",
    http=409,
)
OFFER_EXPIRED = _code(
    "E-BILL-W-0017",
    "OFFER_EXPIRED",
    "What this change costs was computed too long ago, or is another amount by now.",
    "Choose the plan on the billing page again: it shows what the change costs now. Nothing was changed.",
    http=409,
)
PLAN_IS_GIVEN = _code(
    "E-BILL-W-0018",
    "PLAN_IS_GIVEN",
    "Our staff gave your workspace this plan or a larger one, and nothing is charged for it.",
    "Keep it. You can choose a larger plan now, and any plan in the last week before the given one ends.",
    http=409,
)
DAYS_ARE_GIVEN = _code(
    "E-BILL-W-0019",
    "DAYS_ARE_GIVEN",
    "Our staff gave your workspace days for nothing, and a dearer plan would cost nothing until they end.",
    "Choose it on the day the billing page names, when the next payment is due. Nothing was changed.",
    http=409,
)

# ── AI: words and plans by a language model ─────────────────────────────────────────────────────────────────────────
AI_UNAVAILABLE = _code(
    "E-AI-E-0001",
    "AI_UNAVAILABLE",
    "The AI service does not answer.",
    "Try again in a few minutes. Nothing was counted.",
    then=Then.RETRY,
    http=503,
)
AI_ANSWER_UNUSABLE = _code(
    "E-AI-W-0002",
    "AI_ANSWER_UNUSABLE",
    "The AI service gave an answer that we cannot use.",
    "Try again, or say more precisely what you want.",
    http=502,
)
AI_LIMIT_REACHED = _code(
    "E-AI-W-0003",
    "AI_LIMIT_REACHED",
    "The workspace has used all the AI runs that its plan gives it this month.",
    "Wait for the first of the next month (UTC), or choose a larger plan on the billing page.",
    then=Then.WAIT,
    http=402,
)
AI_BUDGET_REACHED = _code(
    "E-AI-W-0004",
    "AI_BUDGET_REACHED",
    "What AI calls may cost this workspace in a month is used up, or too little is left for this one.",
    "An owner raises the budget on the page of AI usage, or you wait for the first of the next month (UTC).",
    then=Then.WAIT,
    http=402,
)
AI_REFUSED = _code(
    "E-AI-W-0005",
    "AI_REFUSED",
    "The AI service declined to write this.",
    "Say it in another way, without what could be harmful or private. Nothing was counted.",
    http=422,
)
AI_TIMED_OUT = _code(
    "E-AI-W-0006",
    "AI_TIMED_OUT",
    "The AI service did not finish its answer within 30 seconds.",
    "Try again. Nothing was counted.",
    then=Then.RETRY,
    http=504,
)
AI_NOT_SET_UP = _code(
    "E-AI-C-0007",
    "AI_NOT_SET_UP",
    "The AI service does not take our key, our model or our request.",
    "Our operators are told. An operator checks `OPENAI_API_KEY`, `OPENAI_MODEL` and `OPENAI_BASE_URL`.",
    then=Then.ALERT,
    http=503,
)
AI_TEXT_UNSAFE = _code(
    "E-AI-W-0008",
    "AI_TEXT_UNSAFE",
    "The text holds a link, an @name or a price, which no text of the AI may bring into a message.",
    "Take it out. What a message links to or offers is written by a person, as a text of their own.",
)
AI_NOTHING_TO_READ = _code(
    "E-AI-W-0009",
    "AI_NOTHING_TO_READ",
    "There is nothing to read for this account: no connection lets us, or it shows no posts.",
    "Connect the account on the Instagram page, or publish a few posts first.",
    http=409,
)
EXPERIMENT_INVALID = _code(
    "E-AI-E-0010",
    "EXPERIMENT_INVALID",
    "This test cannot be run as it is.",
    "Change what the sentence names. A and B must differ, and only one test of a kind runs on an account at a time.",
)
AI_OFF = _code(
    "E-AI-W-0012",
    "AI_OFF",
    "The AI tools are switched off for now.",
    "Try again later. What was written before is there, and nothing was counted.",
    http=503,
)
AI_NOT_READY = _code(
    "E-AI-W-0011",
    "AI_NOT_READY",
    "This is not finished yet, or it was ended already.",
    "Load the page again and look at where it stands.",
    http=409,
)
NOTHING_TO_COMPARE = _code(
    "E-AI-W-0013",
    "NOTHING_TO_COMPARE",
    "None of the competitors of this account has been read yet.",
    "Add one on the page of competitors, or wait some minutes until the first is read. Nothing was counted.",
    http=409,
)
OTHERS_NOT_OPEN = _code(
    "E-AI-W-0014",
    "OTHERS_NOT_OPEN",
    "No connection of your account shows us other people's accounts.",
    "Connect your account through Facebook Login, or sign in to it for automation, on the Instagram page.",
    http=409,
)

# ── IG: connecting an Instagram account ─────────────────────────────────────────────────────────────────────────────
IG_BAD_PASSWORD = _code(
    "E-IG-E-0001",
    "IG_BAD_PASSWORD",
    "Instagram did not accept the password, or does not trust this network for the account.",
    "Check the password in the official app first. You have two tries a day here, so that the account stays safe.",
)
IG_UNKNOWN_USER_OR_NETWORK = _code(
    "E-IG-E-0002",
    "IG_UNKNOWN_USER_OR_NETWORK",
    "Instagram does not know this username, or does not trust this network.",
    "Check the spelling of the name. If it is right, log in once in the official app from the same network.",
    then=Then.NEEDS_LOGIN,
)
IG_CODE_REQUIRED = _code(
    "E-IG-I-0003",
    "IG_CODE_REQUIRED",
    "Instagram asks for a code to finish the login.",
    "Enter the code from your authenticator app, text message or e-mail.",
    http=200,
)
IG_CODE_WRONG = _code(
    "E-IG-E-0004",
    "IG_CODE_WRONG",
    "Instagram did not accept the code.",
    "Enter the newest code. A backup code of 8 digits works too.",
)
IG_CODE_EXPIRED = _code(
    "E-IG-E-0005",
    "IG_CODE_EXPIRED",
    "The login waited too long for its code.",
    "Start to connect the account again; Instagram then sends a new code.",
)
IG_RISK_NOT_ACCEPTED = _code(
    "E-IG-E-0006",
    "IG_RISK_NOT_ACCEPTED",
    "The notice about the risk of automation was not accepted.",
    "Read the notice and accept it if you agree. A program sends `accept_risk: true`.",
)
IG_ACCOUNT_TAKEN = _code(
    "E-IG-E-0007",
    "IG_ACCOUNT_TAKEN",
    "This Instagram account is already connected.",
    "Use the account where it is connected, or disconnect it there first.",
    http=409,
)
IG_ACCOUNT_NOT_FOUND = _code(
    "E-IG-E-0008",
    "IG_ACCOUNT_NOT_FOUND",
    "There is no such Instagram account in your workspace.",
    "Check the name, or connect the account first.",
    http=404,
)
IG_LOGIN_LOCKED = _code(
    "E-IG-W-0009",
    "IG_LOGIN_LOCKED",
    "Two logins of this account failed today, so we try no more.",
    "Make sure the login works in the official app, and connect again tomorrow.",
    then=Then.NEEDS_LOGIN,
    http=429,
)
IG_TARGET_PRIVATE = _code(
    "E-IG-I-0010",
    "IG_TARGET_PRIVATE",
    "The account of this person is private.",
    "Nothing: the person was skipped.",
    then=Then.SKIP,
    http=409,
)
IG_TARGET_GONE = _code(
    "E-IG-I-0011",
    "IG_TARGET_GONE",
    "The person or the post no longer exists or cannot be used.",
    "Nothing: it was skipped and is not tried again.",
    then=Then.SKIP,
    http=404,
)
IG_CREDENTIALS_MISSING = _code(
    "E-IG-E-0012",
    "IG_CREDENTIALS_MISSING",
    "We asked Instagram to log in without a name or a password, which is our fault.",
    "Connect the account again. The operators were told.",
    then=Then.ALERT,
    http=500,
)
IG_PROFILE_EDIT_REFUSED = _code(
    "E-IG-W-0013",
    "IG_PROFILE_EDIT_REFUSED",
    "Instagram refused the change of the profile.",
    "Make the change in the official app; it says what is missing, such as an e-mail address.",
)
IG_OFFICIAL_MISSING = _code(
    "E-IG-E-0014",
    "IG_OFFICIAL_MISSING",
    "This account is not connected through Meta.",
    "Connect it on the page Instagram, with “Connect through Meta”. It must be a professional account.",
    http=409,
)
IG_OFFICIAL_RECONNECT = _code(
    "E-IG-E-0015",
    "IG_OFFICIAL_RECONNECT",
    "Meta no longer accepts our access to this account: it ended, or it was taken back.",
    "Connect the account through Meta again. Nothing that was planned is lost.",
    http=409,
)
IG_OFFICIAL_STATE = _code(
    "E-IG-E-0016",
    "IG_OFFICIAL_STATE",
    "The answer from Meta does not belong to a request of this browser, or came too late.",
    "Start again from the page Instagram, and stay in the same browser.",
)
IG_OFFICIAL_DECLINED = _code(
    "E-IG-W-0017",
    "IG_OFFICIAL_DECLINED",
    "The connection through Meta was not allowed on Meta's page.",
    "Start again when you are ready. Nothing was stored.",
)
IG_OFFICIAL_SCOPE = _code(
    "E-IG-E-0018",
    "IG_OFFICIAL_SCOPE",
    "Meta does not let us do this: a permission was left out or taken back.",
    "Connect the account through Meta again and leave all permissions on.",
    http=409,
)
IG_OFFICIAL_NO_APP = _code(
    "E-IG-E-0019",
    "IG_OFFICIAL_NO_APP",
    "This installation has no Meta app, so no account can be connected through Meta.",
    "The operators set META_APP_ID and META_APP_SECRET, or give the account an API pair.",
    http=409,
)
IG_OFFICIAL_NO_ACCOUNT = _code(
    "E-IG-E-0020",
    "IG_OFFICIAL_NO_ACCOUNT",
    "Meta told of no professional Instagram account behind this login.",
    "Make the account a business or creator account in the Instagram app. For Facebook Login, link it to a Page.",
)
IG_OFFICIAL_AGING = _code(
    "E-IG-W-0021",
    "IG_OFFICIAL_AGING",
    "Our access through Meta ends within a week, and Meta did not renew it.",
    "Connect the account through Meta again before it ends.",
    http=409,
)
IG_WINDOW_CLOSED = _code(
    "E-IG-W-0022",
    "IG_WINDOW_CLOSED",
    "More than 24 hours have passed since this person wrote, so Meta allows no message.",
    "Wait until the person writes again. A comment can be answered in public at any time.",
    then=Then.SKIP,
    http=409,
)
IG_PRIVATE_REPLY_USED = _code(
    "E-IG-W-0023",
    "IG_PRIVATE_REPLY_USED",
    "This comment already has its one private reply, or it is older than 7 days.",
    "Answer in public instead.",
    then=Then.SKIP,
    http=409,
)
IG_REPLY_INVALID = _code(
    "E-IG-E-0024",
    "IG_REPLY_INVALID",
    "The text is empty or too long for Instagram.",
    "A message has at most 1,000 bytes, a comment at most 2,200 characters.",
)

# ── PUB: publishing posts ───────────────────────────────────────────────────────────────────────────────────────────
PUB_UPLOAD_FAILED = _code(
    "E-PUB-E-0001",
    "PUB_UPLOAD_FAILED",
    "Instagram did not accept the photo or the video.",
    "Check its format, size and length. Posts are published through the official connection: connect that first.",
    http=502,
)
PUB_MEDIA_NOT_READY = _code(
    "E-PUB-W-0002",
    "PUB_MEDIA_NOT_READY",
    "Instagram has not finished preparing the photo or the video.",
    "Nothing: we look again by ourselves and publish when it is ready.",
    then=Then.WAIT,
    http=409,
)
PUB_DAILY_LIMIT = _code(
    "E-PUB-W-0003",
    "PUB_DAILY_LIMIT",
    "Instagram takes no more posts of this account within 24 hours.",
    "Nothing: the post waits until there is room again.",
    then=Then.WAIT,
    http=409,
)
PUB_ACCOUNT_RESTRICTED = _code(
    "E-PUB-E-0004",
    "PUB_ACCOUNT_RESTRICTED",
    "Instagram has restricted this account, so nothing can be published.",
    "Open the Instagram app with this account and do what it asks.",
    http=409,
)
PUB_MEDIA_UNREACHABLE = _code(
    "E-PUB-E-0005",
    "PUB_MEDIA_UNREACHABLE",
    "Instagram could not fetch the photo or the video from our address.",
    "The operators must check that SITE_URL can be reached from the internet. Then try again.",
    http=502,
)
PUB_MEDIA_TOO_LARGE = _code(
    "E-PUB-E-0006",
    "PUB_MEDIA_TOO_LARGE",
    "The photo or the video is too large for Instagram.",
    "Photos have at most 8 MiB. Make it smaller and add it again.",
)
PUB_MEDIA_FORMAT = _code(
    "E-PUB-E-0007",
    "PUB_MEDIA_FORMAT",
    "Instagram does not take this format.",
    "Use JPEG for photos, and MP4 or MOV with H.264 for videos.",
)
PUB_MEDIA_RATIO = _code(
    "E-PUB-E-0008",
    "PUB_MEDIA_RATIO",
    "Instagram does not take this aspect ratio.",
    "Photos in the feed are between 4:5 and 1.91:1. Crop it and add it again.",
)
PUB_CAPTION_INVALID = _code(
    "E-PUB-E-0009",
    "PUB_CAPTION_INVALID",
    "Instagram does not take this caption: it is too long, or has too many hashtags or mentions.",
    "At most 2,200 characters, 30 hashtags and 20 mentions.",
)
PUB_CONTAINER_GONE = _code(
    "E-PUB-W-0010",
    "PUB_CONTAINER_GONE",
    "What Instagram had prepared for this post is gone: it expired, failed, or was used.",
    "Nothing: we look whether the post is there, and prepare it anew only if it is not.",
    then=Then.RETRY,
    http=409,
)
PUB_SPAM = _code(
    "E-PUB-E-0011",
    "PUB_SPAM",
    "Instagram takes this for spam and blocked it.",
    "Wait a day, change the post, and publish it by hand first to see whether Instagram takes it.",
    http=409,
)
PUB_POST_REFUSED = _code(
    "E-PUB-E-0012",
    "PUB_POST_REFUSED",
    "Instagram refused something in this post: its kind, its cover, its number of pictures or its tags.",
    "Change what the activity log names, and try again.",
)

PUB_MEDIA_REFUSED = _code(
    "E-PUB-E-0101",
    "PUB_MEDIA_REFUSED",
    "This file cannot be used.",
    "Choose a JPEG, PNG or WebP picture, or an MP4 or MOV video, within the sizes that the page names.",
)
PUB_NOT_READY = _code(
    "E-PUB-E-0102",
    "PUB_NOT_READY",
    "Instagram would not accept the post as it is.",
    "Mend what the message names, then schedule it again.",
)
PUB_STATE = _code(
    "E-PUB-E-0103",
    "PUB_STATE",
    "The post is in a state in which this cannot be done.",
    "Load the page again to see where it stands now. What is on its way to Instagram cannot be changed.",
    http=409,
)
PUB_MEDIA_IN_USE = _code(
    "E-PUB-E-0104",
    "PUB_MEDIA_IN_USE",
    "A post that is scheduled or on its way needs this file.",
    "Take the post out of the schedule first, or give it another file.",
    http=409,
)
PUB_NEVER_READY = _code(
    "E-PUB-E-0106",
    "PUB_NEVER_READY",
    "Instagram took the media and did not finish with it in time.",
    "Nothing was published. Check that the video is an H.264 MP4, then schedule the post again.",
    http=502,
)
PUB_ABSENT = _code(
    "E-PUB-E-0107",
    "PUB_ABSENT",
    "Instagram did not answer, and the post is not there.",
    "Look at the account once yourself. If the post is really missing, schedule it again.",
    http=502,
)
PUB_UNCLEAR = _code(
    "E-PUB-E-0108",
    "PUB_UNCLEAR",
    "Instagram did not answer, and we could not find out whether the post is there.",
    "Look at the account, then say on the post's page whether it is there. Until then it is not sent again.",
    http=409,
)
PUB_NO_SLOT = _code(
    "E-PUB-E-0109",
    "PUB_NO_SLOT",
    "The account has no free slot in the next 60 days.",
    "Add posting slots for the account, or choose the hour by hand.",
    http=409,
)
PUB_HOOK_FAILED = _code(
    "E-PUB-W-0110",
    "PUB_HOOK_FAILED",
    "The program did not take what we told it.",
    "We try again for a day, with growing pauses. Check that its address answers with a 2xx status within 10 seconds.",
    http=502,
)
PUB_COMMENT_MISSING = _code(
    "E-PUB-W-0111",
    "PUB_COMMENT_MISSING",
    "The post is out, and its first comment is not.",
    "Write it in the Instagram app. The activity log tells what Instagram said.",
    http=409,
)
PUB_COMMENT_UNCLEAR = _code(
    "E-PUB-W-0112",
    "PUB_COMMENT_UNCLEAR",
    "The post is out. Its first comment was sent, and no answer came.",
    "Look under the post. If the comment is missing, write it in the Instagram app; we do not send it again.",
    http=409,
)

# ── SESS: the session of a connected account ────────────────────────────────────────────────────────────────────────
SESSION_INVALID = _code(
    "E-SESS-E-0001",
    "SESSION_INVALID",
    "The Instagram account has no valid session.",
    "Log in to Instagram on the accounts page, then try again.",
    then=Then.NEEDS_LOGIN,
    http=409,
)
SESSION_NEEDS_LOGIN = _code(
    "E-SESS-E-0002",
    "SESSION_NEEDS_LOGIN",
    "Instagram ended the session of the account.",
    "Log in again on the accounts page. We never log in by ourselves.",
    then=Then.NEEDS_LOGIN,
    http=409,
)
SESSION_FROZEN = _code(
    "E-SESS-E-0003",
    "SESSION_FROZEN",
    "The account is frozen because Instagram restricted it several times.",
    "Use the account only by hand in the official app for some days, then press “I solved it” on the accounts page.",
    then=Then.FREEZE,
    http=409,
)
CHALLENGE_REQUIRED = _code(
    "E-SESS-E-0004",
    "CHALLENGE_REQUIRED",
    "Instagram wants to see that it is you.",
    "Open the official app and follow its steps. Then press “I solved it” on the accounts page, or log in once more.",
    then=Then.FREEZE,
    http=409,
)
ACCOUNT_SUSPENDED = _code(
    "E-SESS-E-0005",
    "ACCOUNT_SUSPENDED",
    "Instagram suspended the account.",
    "Appeal in the official app. Everything here stays stopped until Instagram opens the account again.",
    then=Then.BAN,
    http=409,
)
SESSION_BUSY = _code(
    "E-SESS-W-0006",
    "SESSION_BUSY",
    "The account is being used by another task or request at this moment.",
    "Try again in a few seconds.",
    then=Then.WAIT,
    http=409,
)
SESSION_IN_USE = _code(
    "E-SESS-E-0007",
    "SESSION_IN_USE",
    "This session already belongs to another bot.",
    "Choose a free session, or take it from the other bot first.",
    http=409,
)
PASSWORD_CHANGE_FORCED = _code(
    "E-SESS-E-0008",
    "PASSWORD_CHANGE_FORCED",
    "Instagram wants the account to get a new password.",
    "Change it in the official app, then log in again on the accounts page.",
    then=Then.FREEZE,
    http=409,
)
SESSION_RELOGIN_LOOP = _code(
    "E-SESS-E-0009",
    "SESSION_RELOGIN_LOOP",
    "Instagram ends each new session of the account at once.",
    "Wait 24 hours, make sure the login works in the official app, then log in again.",
    then=Then.NEEDS_LOGIN,
    http=409,
)
INSTAGRAM_SENTRY_BLOCK = _code(
    "E-SESS-C-0010",
    "INSTAGRAM_SENTRY_BLOCK",
    "Instagram's guard blocked the account or its network.",
    "Leave the account alone for 72 hours, then log in once in the official app. The operators were told.",
    then=Then.FREEZE,
    http=409,
)
ACCOUNT_COOLING = _code(
    "E-SESS-W-0011",
    "ACCOUNT_COOLING",
    "The account rests because Instagram asked for it.",
    "Nothing: it goes on by itself at the time shown on the accounts page. A login or a test waits until then, too.",
    then=Then.WAIT,
    http=409,
)
SESSION_FILE_INVALID = _code(
    "E-SESS-E-0012",
    "SESSION_FILE_INVALID",
    "The file is not a session that we can read.",
    "Upload the JSON file that instagrapi's `dump_settings` wrote.",
)
SESSION_FILE_TOO_LARGE = _code(
    "E-SESS-E-0013",
    "SESSION_FILE_TOO_LARGE",
    "The file is larger than any session is.",
    "Upload the JSON file that instagrapi's `dump_settings` wrote: it has a few KB, and 64 KB are the most we take.",
    http=413,
)
SESSION_DUPLICATE = _code(
    "E-SESS-E-0014",
    "SESSION_DUPLICATE",
    "This session is here already.",
    "Nothing: look for it in the list of sessions. Each login is kept once, whatever its file is called.",
    http=409,
)
SESSION_POOL_FULL = _code(
    "E-SESS-W-0015",
    "SESSION_POOL_FULL",
    "There are 1,000 unused sessions, and the pool holds no more.",
    "Give some to bots, or delete those that are no longer good.",
    http=409,
)
SESSION_NOT_FOUND = _code(
    "E-SESS-E-0016",
    "SESSION_NOT_FOUND",
    "There is no such session.",
    "Look for its name or id in the list of sessions.",
    http=404,
)
SESSION_CANNOT_MOVE = _code(
    "E-SESS-E-0017",
    "SESSION_CANNOT_MOVE",
    "A session in this state cannot become what was asked.",
    "Look at its state in the list of sessions: what may follow on what is in the documentation of sessions.",
    http=409,
)
SESSION_AT_WORK = _code(
    "E-SESS-E-0018",
    "SESSION_AT_WORK",
    "The bot of this session is running.",
    "Stop the bot first, or ask for it with `force=1`: the bot is then stopped and its owner told.",
    http=409,
)
SESSION_OTHER_PERSON = _code(
    "E-SESS-E-0019",
    "SESSION_OTHER_PERSON",
    "The session belongs to another Instagram account than its file says.",
    "Delete it, and export the session again from the account it is for.",
    then=Then.NEEDS_LOGIN,
    http=409,
)

# ── SEC: secrets and defences ───────────────────────────────────────────────────────────────────────────────────────
VAULT_CANNOT_OPEN = _code(
    "E-SEC-C-0001",
    "VAULT_CANNOT_OPEN",
    "A stored secret cannot be opened: it was changed or moved.",
    "Connect the account again. The operators should find out who wrote to the database.",
    then=Then.ALERT,
    http=500,
)
VAULT_WRONG_KEY = _code(
    "E-SEC-C-0002",
    "VAULT_WRONG_KEY",
    "The key that sealed the stored secrets is not among the given keys.",
    "Put the old key back into `VAULT_KEYS`, after the newest, and start again.",
    then=Then.ALERT,
    http=500,
)
CSRF_FAILED = _code(
    "E-SEC-E-0003",
    "CSRF_FAILED",
    "The form was not sent from a page of ours, or the page was too old.",
    "Load the page again and repeat what you did. Cookies must be allowed.",
    http=403,
)
ORIGIN_REFUSED = _code(
    "E-SEC-E-0004",
    "ORIGIN_REFUSED",
    "The request comes from another site, or names a host that is not ours.",
    "Open the product at its own address.",
    http=403,
)
SIGNATURE_WRONG = _code(
    "E-SEC-E-0005",
    "SIGNATURE_WRONG",
    "The signature of the message is missing, wrong or too old.",
    "Check the shared secret on both sides and the clocks.",
)
ALLOW_LIST_LOCKS_OUT = _code(
    "E-SEC-E-0020",
    "ALLOW_LIST_LOCKS_OUT",
    "With this list you could not come back from where you are.",
    "Allow the network you are in first. On the server, `manage.py allowlist` changes the list without this check.",
    http=409,
)
VISIT_ONLY_LOOKS = _code(
    "E-SEC-E-0021",
    "VISIT_ONLY_LOOKS",
    "You see the product as a member does, and only look: nothing can be changed.",
    "Stop looking first. What staff can do for a member stands on the member's page in the control room.",
    http=403,
)
VISIT_HIDES = _code(
    "E-SEC-E-0022",
    "VISIT_HIDES",
    "This page shows or hands out what is only for the member.",
    "Go back. What staff may know of it stands on the member's page in the control room.",
    http=403,
)
VISIT_REFUSED = _code(
    "E-SEC-E-0023",
    "VISIT_REFUSED",
    "You cannot look at the product as this person.",
    "It works for members of the workspace who are not blocked and have chosen a password of their own.",
    http=409,
)
