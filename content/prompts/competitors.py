"""What the numbers of other accounts say. Each sentence cites a number that we measured."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, Words, material

VERSION = "competitors-1"


class Point(BaseModel):
    """One thing to learn, and the name of the number it rests on."""

    says: Line
    rests_on: Line


class Answer(BaseModel):
    """A summary in points."""

    summary: Words
    points: Annotated[list[Point], Field(min_length=2, max_length=5)]
    try_next: Annotated[list[Line], Field(min_length=1, max_length=3)]


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask what stands out."""
    told = material(own=facts.get("own"), others=facts.get("others"))
    words = (
        "Compare these Instagram accounts for the owner of `own`. Use only numbers of the material; for each point name"
        " the account and the number it rests on, as it stands there. Say what is unknown where numbers are missing."
        " Suggest one to three things to try. Promise no growth, suggest copying nobody. Write in English."
    )
    return Prompt(words, told, Answer, VERSION, 1000)
