"""Texts for welcomes. What the model writes is a draft: an owner approves each before it is ever sent."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, Words, language, material

VERSION = "dm-template-1"
TONES = {
    "warm": "Sound warm and personal.",
    "plain": "Sound plain and brief.",
    "playful": "Sound light and playful.",
    "formal": "Sound polite and formal.",
}


class Message(BaseModel):
    """One draft."""

    name: Line
    text: Words
    greets_with: Literal["{first_name}", "{username}", "nothing"]


class Answer(BaseModel):
    """Three drafts."""

    messages: Annotated[list[Message], Field(min_length=3, max_length=3)]


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask for three drafts."""
    told = material(about=facts.get("about"), voice=facts.get("voice"), bio=facts.get("bio"))
    words = (
        "Write three short messages that welcome somebody who has just followed this Instagram account: one or two"
        " sentences, no selling, no links, no @names, no prices, no numbers with a percent sign. They may use the"
        " placeholders {first_name} and {username}, and no others. Give each a name of two or three words."
        f" {TONES.get(facts.get('tone', ''), TONES['warm'])} {language(facts)}"
    )
    return Prompt(words, told, Answer, VERSION, 700)


def pieces(answer: Answer) -> list[dict[str, Any]]:
    """Each draft is one piece."""
    return [
        {"title": each.name[:40], "text": each.text[:1000], "hashtags": [], "first_comment": ""}
        for each in answer.messages
    ]
