"""Texts for welcomes, drafted by the model: what a draft may hold, how it reads for real people, how it is taken over.

The model's words are never sent by themselves. A draft becomes a message template like any other: a person takes it
over, an owner approves it, and what is sent is exactly that approved text with a name filled in.
"""

from typing import Any

from accounts.models import Membership, Workspace
from bots import welcomes
from bots.actions.welcome_dm import check_text, worded
from bots.models import Action, MessageTemplate
from content import wording
from content.models import Piece, Run
from content.runs import keep_pieces
from errors.exceptions import BotException

PEOPLE = ("mira.clay", "j.ostberg_77", "kiln")  # to show it with, until the account has met people


def keep(run: Run, answer: Any, facts: dict[str, Any]) -> None:
    """Keep the drafts that hold no link, @name or price. Raises AI_TEXT_UNSAFE where none is left."""
    good, bad = [], None
    for message in answer.messages:
        try:
            wording.check_message(f"{message.name} {check_text(message.text)}")
            good.append(message)
        except BotException as refused:
            bad = refused
    if not good and bad is not None:
        raise bad
    keep_pieces(run, answer.model_copy(update={"messages": good}), facts)


def people(workspace: Workspace) -> list[str]:
    """Whom a text is shown with: people the bots met last, else made-up names."""
    met = Action.objects.filter(workspace=workspace).order_by("-created_at").values_list("target_username", flat=True)
    return list(dict.fromkeys(met[:20]))[:3] or list(PEOPLE)


def previews(text: str, names: list[str]) -> list[tuple[str, str]]:
    """How the text reads for each of these people."""
    return [(name, worded(text, name)) for name in names]


def take_over(membership: Membership, piece: Piece, name: str, text: str) -> MessageTemplate:
    """Make a message template of a draft, as a person changed it.

    A link or a price is not taken over from here at all: who wants one writes it on the page of texts.
    Raises AI_TEXT_UNSAFE, DM_TEXT_INVALID, VALIDATION_FAILED.
    """
    wording.check_message(text)
    return welcomes.write(membership, name, text)
