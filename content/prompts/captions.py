"""Captions in the brand's voice, three to choose from."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, Tags, Words, language, material

VERSION = "captions-1"
TONES = {
    "ours": "Write as the voice in the material describes, and as its example captions sound.",
    "plain": "Write plainly: short sentences, no wordplay.",
    "playful": "Write playfully, with a light joke where it fits.",
}
LENGTHS = {"short": "at most 25 words", "medium": "40 to 80 words", "long": "120 to 180 words"}


class Caption(BaseModel):
    """One variant."""

    angle: Line
    text: Words
    hashtags: Tags
    first_comment: Line


class Answer(BaseModel):
    """Three variants that begin differently."""

    variants: Annotated[list[Caption], Field(min_length=3, max_length=3)]


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask for three captions."""
    told = material(
        about=facts.get("about"), voice=facts.get("voice"), examples=facts.get("examples"), bio=facts.get("bio")
    )
    words = (
        "You write captions for an Instagram account. Give three variants that open from different angles; name the"
        f" angle in a few words. {TONES.get(facts.get('tone', ''), TONES['ours'])} Each caption has"
        f" {LENGTHS.get(facts.get('length', ''), LENGTHS['medium'])}, 3 to 8 fitting hashtags apart from the text, and"
        f" a first comment that invites an answer. Invent no facts. {language(facts)}"
    )
    return Prompt(words, told, Answer, VERSION, 2200)


def pieces(answer: Answer) -> list[dict[str, Any]]:
    """Each variant is one piece."""
    return [
        {"title": each.angle, "text": each.text, "hashtags": each.hashtags, "first_comment": each.first_comment}
        for each in answer.variants
    ]
