"""What the model is asked, feature by feature: pure functions from known facts to a prompt, with a version.

A change of words or shape is a new version. `material` is the only way in for facts, and each prompt names those it
takes: what is not named never leaves us.
"""

import json
from types import ModuleType
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from content.wording import clean, tags

LONGEST = 1500  # letters of one text in the material


def _cut(most: int) -> AfterValidator:
    return AfterValidator(lambda text: clean(text)[:most].strip())


Line = Annotated[str, _cut(180)]
Words = Annotated[str, _cut(2200)]  # Instagram's limit of a caption
Tags = Annotated[list[str], Field(max_length=30), AfterValidator(tags)]


def material(**facts: Any) -> str:
    """The facts as JSON, long texts cut, unknown ones left out."""
    return json.dumps(_cut_down(facts), ensure_ascii=False, default=str)


def _cut_down(fact: Any) -> Any:
    if isinstance(fact, str):
        return fact[:LONGEST]
    if isinstance(fact, dict):
        return {name: _cut_down(part) for name, part in fact.items() if part not in (None, "", [], {})}
    if isinstance(fact, list | tuple):
        return [_cut_down(part) for part in fact[:60]]
    return fact


def language(facts: dict[str, Any]) -> str:
    """In which language to answer, in words."""
    return f"Write in {facts.get('language') or 'the language of the captions in the material, else English'}."


def of(feature: str) -> ModuleType:
    """The module of a feature: it has `VERSION`, `Answer`, `prompt(facts)` and, where people get variants, `pieces`."""
    from importlib import import_module

    return import_module(f"content.prompts.{feature}")
