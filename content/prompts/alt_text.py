"""Alt text: what a picture shows, for people who do not see it. The model is only told of it."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, language, material

VERSION = "alt-text-1"


class Answer(BaseModel):
    """Two wordings."""

    texts: Annotated[list[Line], Field(min_length=2, max_length=2)]


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask for two wordings."""
    words = (
        "Write alt text for a picture that the material describes: two wordings of at most 120 letters that say what is"
        f" seen, plainly, without “picture of”, without anything that the material does not say. {language(facts)}"
    )
    return Prompt(words, material(about=facts.get("about")), Answer, VERSION, 400)


def pieces(answer: Answer) -> list[dict[str, Any]]:
    """Each wording is one piece."""
    return [{"title": "", "text": text, "hashtags": [], "first_comment": ""} for text in answer.texts]
