"""The voice of an account, described from its own captions."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, material

VERSION = "voice-1"


class Answer(BaseModel):
    """How it sounds."""

    summary: Line
    sounds_like: Annotated[list[Line], Field(min_length=3, max_length=5)]
    does: Annotated[list[Line], Field(min_length=2, max_length=5)]
    avoids: Annotated[list[Line], Field(min_length=1, max_length=5)]
    language: Line


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask how the captions sound."""
    told = material(captions=facts.get("captions"), measured=facts.get("measured"))
    words = (
        "Describe the voice of these Instagram captions so that somebody else could write like them: a summary in one"
        " sentence, three to five words it sounds like, what it does, what it avoids, and its language in English."
        " Describe how it is written, not what it is about."
    )
    return Prompt(words, told, Answer, VERSION, 700)
