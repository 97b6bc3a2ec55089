"""Ideas for posts, from what an account did before and what its people liked."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, Words, language, material

VERSION = "ideas-1"


class Idea(BaseModel):
    """One idea."""

    title: Line
    outline: Words
    kind: Literal["image", "carousel", "reel", "story"]
    why: Line


class Answer(BaseModel):
    """Five ideas."""

    ideas: Annotated[list[Idea], Field(min_length=5, max_length=5)]


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask for five ideas."""
    told = material(
        about=facts.get("about"), voice=facts.get("voice"), best_posts=facts.get("best_posts"), bio=facts.get("bio")
    )
    words = (
        "You plan posts for an Instagram account. Give five ideas that this account could really make, each with a"
        " title, an outline of three sentences, the kind of post, and one sentence that says why, citing only what the"
        f" material shows. Promise no growth. {language(facts)}"
    )
    return Prompt(words, told, Answer, VERSION, 1500)


def pieces(answer: Answer) -> list[dict[str, Any]]:
    """Each idea is one piece."""
    return [
        {"title": idea.title, "text": f"{idea.outline}\n\n{idea.why}", "hashtags": [], "first_comment": ""}
        for idea in answer.ideas
    ]
