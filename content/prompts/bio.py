"""A profile's bio, written anew."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, language, material
from content.wording import clean

VERSION = "bio-1"
LONGEST = 150  # letters, Instagram's limit
Short = Annotated[str, AfterValidator(lambda text: clean(text)[:LONGEST].strip())]


class Bio(BaseModel):
    """One variant."""

    text: Short
    why: Line


class Answer(BaseModel):
    """Three variants."""

    variants: Annotated[list[Bio], Field(min_length=3, max_length=3)]


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask for three bios."""
    told = material(about=facts.get("about"), bio=facts.get("bio"), voice=facts.get("voice"))
    words = (
        f"Write three variants of a bio for this Instagram account, each at most {LONGEST} letters: who it is for, what"
        f" people find, why follow. Keep what is true in the present one; invent nothing. {language(facts)}"
    )
    return Prompt(words, told, Answer, VERSION, 500)


def pieces(answer: Answer) -> list[dict[str, Any]]:
    """Each variant is one piece."""
    return [{"title": each.why, "text": each.text, "hashtags": [], "first_comment": ""} for each in answer.variants]
