"""Scripts for reels: a hook, shots with words, an ending."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, Words, language, material

VERSION = "script-1"


class Shot(BaseModel):
    """A few seconds."""

    seconds: Annotated[int, Field(ge=1, le=60)]
    shows: Line
    says: Line


class Script(BaseModel):
    """One reel."""

    title: Line
    hook: Line
    shots: Annotated[list[Shot], Field(min_length=3, max_length=8)]
    caption: Words


class Answer(BaseModel):
    """Two scripts."""

    scripts: Annotated[list[Script], Field(min_length=2, max_length=2)]


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask for two scripts."""
    told = material(about=facts.get("about"), voice=facts.get("voice"), bio=facts.get("bio"))
    words = (
        "Write two different scripts for an Instagram reel of 15 to 40 seconds about the material: a hook for the first"
        " two seconds, three to eight shots (what is seen, what is said, how long) and a short caption."
        f" One person with a phone must be able to film it. {language(facts)}"
    )
    return Prompt(words, told, Answer, VERSION, 2200)


def pieces(answer: Answer) -> list[dict[str, Any]]:
    """Each script is one piece."""
    return [
        {
            "title": each.title,
            "text": "\n".join(
                [
                    each.hook,
                    "",
                    *(f"{shot.seconds} s: {shot.shows} “{shot.says}”" for shot in each.shots),
                    "",
                    each.caption,
                ]
            ),
            "hashtags": [],
            "first_comment": "",
        }
        for each in answer.scripts
    ]
