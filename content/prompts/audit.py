"""What to do about the numbers of an account. The numbers and scores are ours; the model only words and orders."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, Words, material

VERSION = "audit-2"


class Fix(BaseModel):
    """One thing to do."""

    title: Line
    reason: Line
    how: Line
    area: Literal["bio", "rhythm", "engagement", "mix", "captions", "hashtags"]


class Answer(BaseModel):
    """A summary and the most useful fixes first."""

    summary: Words
    strengths: Annotated[list[Line], Field(min_length=1, max_length=3)]
    fixes: Annotated[list[Fix], Field(min_length=3, max_length=5)]


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask for a reading of the numbers."""
    told = material(
        profile=facts.get("profile"), numbers=facts.get("numbers"), scores=facts.get("scores"),
        captions=facts.get("captions"), before=facts.get("before"), insights=facts.get("insights"),
    )  # fmt: skip
    words = (
        "You review an Instagram account for its owner. The numbers and scores in the material are measured: use no"
        " others, change none, and say nothing of what is missing but that it is unknown. Give a summary of at most"
        " three sentences, what is good, and three to five fixes, the most useful first, each with its reason (cite a"
        " number), how to do it, and its area. Promise no growth. Write in English."
    )
    return Prompt(words, told, Answer, VERSION, 1500)
