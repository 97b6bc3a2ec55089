"""Who is worth contacting. What is not known is unknown: never zero, never no."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from langdetect import DetectorFactory, LangDetectException, detect_langs

from bots.instagram.private import Person
from bots.models import Bot
from errors import codes
from errors.exceptions import BotException

FACTS = ("private", "verified", "business", "followers", "following", "media_count", "bio", "language")
RANGES = ("followers", "following", "media_count", "ratio")
FLAGS = ("private", "verified", "business", "contacted")
WORDS = ("bio_words", "bio_without")  # lists of words: any of them, none of them
SURE = 0.9  # below it a bio's language is unknown
LEAST_WORDS = 3  # fewer say too little about a language


DetectorFactory.seed = 0  # the same bio always has the same language


@dataclass(frozen=True)
class Verdict:
    """Keep or skip, with the reason; `unknown` names the facts that a filter asks for and nobody told."""

    keep: bool
    reason: str = ""
    unknown: tuple[str, ...] = ()


def facts_of(person: Person) -> dict[str, object]:
    """What is known of a person, without what is not. The language is that of the bio, where it is long enough."""
    facts = {name: value for name, value in asdict(person).items() if name in FACTS and value is not None}
    if person.followers is not None and person.following:
        facts["ratio"] = round(person.followers / person.following, 2)
    if language := _language_of(person.bio or ""):
        facts["language"] = language
    return facts


def kept(facts: dict[str, object]) -> dict[str, object]:
    """The facts as they are stored: without a stranger's own words."""
    return {name: value for name, value in facts.items() if name != "bio"}


def judge(facts: dict[str, object], filters: dict[str, object]) -> Verdict:
    """Weigh what is known against a task's filters, such as `{"min_followers": 100, "private": false}`.

    A fact that speaks against the person decides at once; a missing one makes the verdict unknown, which is not a yes.
    """
    unknown = []
    for name, wanted in filters.items():
        fact, speaks_against = _QUESTIONS[name]
        if (known := facts.get(fact)) is None:
            unknown.append(fact)
        elif reason := speaks_against(fact.replace("_", " "), known, wanted):
            return Verdict(False, reason)
    if unknown:
        words = ", ".join(fact.replace("_", " ") for fact in dict.fromkeys(unknown))
        return Verdict(False, f"unknown: {words}", tuple(unknown))
    return Verdict(True)


def _below(fact: str, known: Any, least: Any) -> str:
    return f"{fact} {known:,}, below {least:,}" if known < least else ""


def _above(fact: str, known: Any, most: Any) -> str:
    return f"{fact} {known:,}, above {most:,}" if known > most else ""


def _differs(fact: str, known: Any, wanted: Any) -> str:
    return f"{'is' if known else 'is not'} {fact}" if known != wanted else ""


def _speaks_otherwise(fact: str, known: Any, wanted: Any) -> str:
    return f"writes {known}" if known not in wanted else ""


def _lacks_words(fact: str, known: Any, wanted: Any) -> str:
    return "" if _words_in(known, wanted) else "none of the words in the bio"


def _has_words(fact: str, known: Any, unwanted: Any) -> str:
    return f"bio says {found[0]}" if (found := _words_in(known, unwanted)) else ""


_QUESTIONS: dict[str, tuple[str, Callable[[str, Any, Any], str]]] = {
    **{f"min_{name}": (name, _below) for name in RANGES},
    **{f"max_{name}": (name, _above) for name in RANGES},
    **{name: (name, _differs) for name in FLAGS},
    "language": ("language", _speaks_otherwise),
    "bio_words": ("bio", _lacks_words),
    "bio_without": ("bio", _has_words),
}


def _words_in(bio: str, words: list[str]) -> list[str]:
    text = bio.casefold()
    return [word for word in words if re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", text)]


def _language_of(bio: str) -> str | None:
    words = re.findall(r"[^\W\d_]{2,}", re.sub(r"https?://\S+|[@#]\S+", " ", bio))
    if len(words) < LEAST_WORDS:
        return None
    try:
        best = detect_langs(" ".join(words))[0]
    except LangDetectException:
        return None
    return str(best.lang).partition("-")[0] if best.prob >= SURE else None


def is_held(bot: Bot, target_pk: int) -> bool:
    """Whether a person is one of the few who are left alone, to compare with: always the same for one account."""
    mark = hashlib.sha256(f"{bot.account_id}:{target_pk}".encode()).digest()
    return int.from_bytes(mark[:4]) % 100 < bot.holdout


def clean_filters(filters: dict[str, object]) -> dict[str, object]:
    """The filters as `judge` reads them. Raises VALIDATION_FAILED for a name or value that means nothing."""
    for name, value in filters.items():
        if name not in _QUESTIONS or not _fits(name, value):
            raise BotException(
                codes.VALIDATION_FAILED,
                f"The filter {name} is not one we know, or its value is not right.",
                field="filters",
            )
    return filters


def _fits(name: str, value: object) -> bool:
    if name in FLAGS:
        return isinstance(value, bool)
    if name == "language" or name in WORDS:
        short = isinstance(value, list) and 1 <= len(value) <= 50
        return short and all(isinstance(word, str) and 1 <= len(word.strip()) <= 40 for word in value)  # type: ignore[attr-defined]
    number = isinstance(value, int) or (name.endswith("_ratio") and isinstance(value, float) and isfinite(value))
    return number and not isinstance(value, bool) and 0 <= value < 2**31  # type: ignore[operator]
