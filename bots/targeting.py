"""Who is worth contacting. What is not known is unknown: never zero, never no."""

import hashlib
from dataclasses import asdict, dataclass

from bots.instagram.private import Person
from bots.models import Bot
from errors import codes
from errors.exceptions import BotException

FACTS = ("private", "verified", "business", "followers", "following", "media_count")
RANGES = ("followers", "following", "media_count")
FLAGS = ("private", "verified", "business", "contacted")


@dataclass(frozen=True)
class Verdict:
    """Keep or skip, with the reason; `unknown` names the facts that a filter asks for and nobody told."""

    keep: bool
    reason: str = ""
    unknown: tuple[str, ...] = ()


def facts_of(person: Person) -> dict[str, object]:
    """What is known of a person, without what is not."""
    return {name: value for name, value in asdict(person).items() if name in FACTS and value is not None}


def judge(facts: dict[str, object], filters: dict[str, object]) -> Verdict:
    """Weigh what is known against a task's filters, such as `{"min_followers": 100, "private": false}`.

    A fact that speaks against the person decides at once; a missing one makes the verdict unknown, which is not a yes.
    """
    unknown = []
    for name, wanted in filters.items():
        bound, _, fact = name.partition("_") if name.startswith(("min_", "max_")) else ("is", "", name)
        known = facts.get(fact)
        if known is None:
            unknown.append(fact)
        elif bound == "min" and known < wanted:  # type: ignore[operator]
            return Verdict(False, f"{fact.replace('_', ' ')} {known:,}, below {wanted:,}")
        elif bound == "max" and known > wanted:  # type: ignore[operator]
            return Verdict(False, f"{fact.replace('_', ' ')} {known:,}, above {wanted:,}")
        elif bound == "is" and known != wanted:
            return Verdict(False, f"{'is' if known else 'is not'} {fact}")
    if unknown:
        return Verdict(False, f"unknown: {', '.join(name.replace('_', ' ') for name in unknown)}", tuple(unknown))
    return Verdict(True)


def is_held(bot: Bot, target_pk: int) -> bool:
    """Whether a person is one of the few who are left alone, to compare with: always the same for one account."""
    mark = hashlib.sha256(f"{bot.account_id}:{target_pk}".encode()).digest()
    return int.from_bytes(mark[:4]) % 100 < bot.holdout


def clean_filters(filters: dict[str, object]) -> dict[str, object]:
    """The filters as `judge` reads them. Raises VALIDATION_FAILED for a name or value that means nothing."""
    allowed = {f"{bound}_{name}" for bound in ("min", "max") for name in RANGES}
    for name, value in filters.items():
        whole = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
        if not ((name in allowed and whole) or (name in FLAGS and isinstance(value, bool))):
            raise BotException(
                codes.VALIDATION_FAILED,
                f"The filter {name} is not one we know, or its value is not right.",
                field="filters",
            )
    return filters
