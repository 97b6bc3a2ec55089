"""Hashtag sets by how large their tags are."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, Tags, language, material

VERSION = "hashtags-1"


class TagSet(BaseModel):
    """Tags of one size."""

    size: Literal["large", "middle", "small"]
    hashtags: Tags
    why: Line


class Answer(BaseModel):
    """One set of each size."""

    sets: Annotated[list[TagSet], Field(min_length=3, max_length=3)]


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask for three sets."""
    told = material(about=facts.get("about"), bio=facts.get("bio"), used_before=facts.get("hashtags"))
    words = (
        "Give three sets of eight hashtags for the post in the material: large ones that millions use, middle ones of a"
        " field, and small ones of a niche or a place. Say for each set in one sentence what it is for. The sizes are"
        f" your estimate. {language(facts)}"
    )
    return Prompt(words, told, Answer, VERSION, 900)


def pieces(answer: Answer) -> list[dict[str, Any]]:
    """Each set is one piece."""
    return [
        {"title": f"{each.size.capitalize()} (the model's estimate)", "text": each.why, "hashtags": each.hashtags,
         "first_comment": ""}
        for each in answer.sets
    ]  # fmt: skip
