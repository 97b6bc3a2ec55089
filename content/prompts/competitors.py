"""What the numbers of other accounts say. Each sentence cites a number that we measured."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, Words, material

VERSION = "competitors-2"


class Point(BaseModel):
    """One thing to learn, and which number of the material it rests on: we write the number beside it."""

    says: Line
    account: Line
    figure: Literal["followers", "posts_a_week", "engagement", "likes", "comments", "longest_gap_days"]


class Answer(BaseModel):
    """A summary in points."""

    summary: Words
    points: Annotated[list[Point], Field(min_length=2, max_length=5)]
    try_next: Annotated[list[Line], Field(min_length=1, max_length=3)]


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask what stands out."""
    told = material(name=facts.get("name"), own=facts.get("own"), others=facts.get("others"))
    words = (
        "Compare these Instagram accounts for the owner of `own`, which is called `name`. Use only numbers of the"
        " material; for each point name the account as it is called there and the figure that it rests on. Say what is"
        " unknown where numbers are missing. Suggest one to three things to try. Promise no growth, suggest copying"
        " nobody. Write in English."
    )
    return Prompt(words, told, Answer, VERSION, 1000)
