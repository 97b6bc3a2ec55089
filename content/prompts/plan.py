"""Posts and routines of a month or a week. Days, hours and limits are ours; the model fills them with topics."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from content.ai import Prompt
from content.prompts import Line, Words, language, material

VERSION = "plan-2"


class Post(BaseModel):
    """One post."""

    title: Line
    kind: Literal["image", "carousel", "reel", "story"]
    caption: Words


class Routine(BaseModel):
    """What the person does by hand, and how long it takes."""

    title: Line
    how: Line
    minutes: Annotated[int, Field(ge=1, le=60)]
    weekly: Annotated[int, Field(ge=1, le=7)]


class Answer(BaseModel):
    """Posts in their order, and routines."""

    summary: Words
    posts: Annotated[list[Post], Field(min_length=1, max_length=31)]
    routines: Annotated[list[Routine], Field(min_length=2, max_length=5)]


def prompt(facts: dict[str, Any]) -> Prompt:
    """Ask for as many posts as the person has room for."""
    told = material(
        goal=facts.get("goal"), niche=facts.get("niche"), voice=facts.get("voice"), best_posts=facts.get("best_posts"),
        findings=facts.get("findings"), tested=facts.get("tested"), former_plan=facts.get("former_plan"),
        bio=facts.get("bio"),
    )  # fmt: skip
    words = (
        f"Plan {facts['posts']} posts in order for the next {facts['days']} days of this Instagram account, towards the"
        " goal in the material: title, kind, and what the caption says in at most 25 words. Then two to five routines"
        f" that a person does by hand in at most {facts['minutes']} minutes a day, with minutes and times a week. Say"
        " in the summary in two sentences what the plan is about. What was tested before, and what came of the"
        f" former plan, counts more than opinion. Promise no growth. {language(facts)}"
    )
    return Prompt(words, told, Answer, VERSION, 3500)
