"""Welcome people who followed the account or wrote to it first. Nobody else is ever written to."""

import hashlib
import re
from datetime import date, timedelta

from bots.actions.people import search
from bots.instagram.private import Door, Outcome, State
from bots.models import Action, BotTask, Candidate, Source
from errors import codes
from errors.exceptions import BotException

SOURCES = (Source.OWN_FOLLOWERS,)
LONGEST = 1000  # letters, Instagram's own limit of a message
PLACEHOLDERS = ("username", "first_name")
CLOCKS = timedelta(minutes=5)  # Instagram's clock may be so far from ours
find = search


def once(task: BotTask, candidate: Candidate, today: date) -> str:
    """The campaign."""
    return task.campaign


def perform(door: Door, action: Action, task: BotTask) -> Outcome:
    """Send the welcome: one POST, none to somebody who neither follows the account nor wrote first."""
    pk = str(action.target_pk)
    if not door.relation(pk).followed_by and all(message.own for message in door.messages_with(pk)):
        return Outcome(State.SKIPPED, codes.DM_COLD)
    return door.send_dm(pk, text_for(task, action), context=action.pk)


def reconcile(door: Door, action: Action, task: BotTask | None) -> bool:
    """Whether the message arrived after all: it is in the conversation, by its text and time."""
    if task is None:
        return False
    text = text_for(task, action)
    since = action.created_at - CLOCKS
    messages = door.messages_with(str(action.target_pk))
    return any(message.own and message.text == text and message.sent_at >= since for message in messages)


def text_for(task: BotTask, action: Action) -> str:
    """What this person gets. Where two texts are compared (`options["split"]`), nobody chooses which: a lot does."""
    split = task.options.get("split")
    is_b = split and arm(split["seed"], str(action.target_pk)) == "B"
    return worded(split["text"] if is_b else task.message, action.target_username)


def arm(seed: str, unit: str) -> str:
    """A or B: the lot of one person or post of a test. It was fixed when the test got its seed."""
    return "AB"[hashlib.sha256(f"{seed}:{unit}".encode()).digest()[0] & 1]


def worded(text: str, username: str) -> str:
    """The text for one person. `first_name` is the first word of the username: names on Instagram are seldom names."""
    first = re.split(r"[._\d]+", username.strip("._0123456789"))[0].capitalize() or username
    return text.replace("{username}", f"@{username}").replace("{first_name}", first)


def check_text(text: str) -> str:
    """The text as it will be kept. Raises DM_TEXT_INVALID."""
    text = text.strip()
    unknown = [name for name in re.findall(r"\{([^{}]*)\}", text) if name not in PLACEHOLDERS]
    if not text or len(text) > LONGEST:
        raise BotException(codes.DM_TEXT_INVALID, f"Write 1 to {LONGEST:,} letters.", field="text")
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise BotException(
            codes.DM_TEXT_INVALID, f"{{{unknown[0]}}} is no placeholder. There are: {known}.", field="text"
        )
    return text
