"""Carousels: a cover, slides, and the caption below."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, Tags, Words, language, material

VERSION = "carousel-1"


class Slide(BaseModel):
    """One slide."""

    heading: Line
    text: Line
    picture: Line


class Answer(BaseModel):
    """One carousel."""

    title: Line
    slides: Annotated[list[Slide], Field(min_length=4, max_length=10)]
    caption: Words
    hashtags: Tags


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask for one carousel."""
    told = material(about=facts.get("about"), voice=facts.get("voice"), bio=facts.get("bio"))
    words = (
        "Outline an Instagram carousel about the material: a cover that makes people swipe, four to ten slides in all,"
        " each with a heading, one sentence and what its picture shows, then a caption and 3 to 8 hashtags."
        f" Invent no facts. {language(facts)}"
    )
    return Prompt(words, told, Answer, VERSION, 1800)


def pieces(answer: Answer) -> list[dict[str, Any]]:
    """The carousel is one piece."""
    slides = [f"{n}. {each.heading}\n{each.text}\n({each.picture})" for n, each in enumerate(answer.slides, 1)]
    text = "\n\n".join([answer.caption, *slides])
    return [{"title": answer.title, "text": text, "hashtags": answer.hashtags, "first_comment": ""}]
