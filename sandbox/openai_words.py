"""A model of no brain that writes to any JSON schema: each field gets words that suit its name, about what was asked.

The same question gives the same answer, so that screens and tests can be compared.
"""

import json
import re
from typing import Any

from sandbox.people import digest

# By the field's name. {t} is the topic, {o} another word of the question.
# fmt: off
PHRASES: dict[str, tuple[str, ...]] = {
    "hashtags": ("{t}", "{o}", "studiolife", "makers", "{t}lovers", "slowcraft", "handmade", "behindthescenes"),
    "greets_with": ("nothing",),
    "language": ("English",),
    "summary": ("{T} is what this account does best, and people answer when it shows how things are made.",
                "A month about {t}: first the work, then the people behind it, then what it is for."),
    "angle": ("Opens with the moment", "Opens with the wait", "Opens with a question", "Opens with a confession"),
    "hook": ("Wait for the last second.", "We nearly threw this away.", "Three tries, one {t}."),
    "first_comment": ("Which one would you keep?", "What should we try next?", "Tell us yours below."),
    "picture": ("Hands at work, close, in daylight", "The finished piece on a plain table", "The mess on the bench"),
    "shows": ("Hands close to the work", "The whole table from above", "The finished piece turning"),
    "says": ("This is where it usually goes wrong.", "Slowly now.", "And that is it."),
    "reason": ("The measured numbers show it: see the score beside.", "Your median is lower on these days."),
    "why": ("Posts like this were answered more often than your others.", "It shows the work, not just the result.",
            "It asks something people like to answer."),
    "how": ("Write the next three at once, on one evening.", "Say what people find in the first line.",
            "Answer for ten minutes right after posting."),
    "name": ("Warm hello", "Short thanks", "A question"),
    "title": ("The day {t} went right", "What nobody tells you about {t}", "{T}, from the first cut to the last",
              "Ask us anything about {t}", "A small mistake with {t}", "How {t} begins"),
    "heading": ("{T} in five steps", "First, the boring part", "Where it goes wrong", "What it looks like done"),
    "outline": ("Show the first step without words. Say what can go wrong. End with the piece in somebody's hands.",
                "Begin with the finished thing. Walk back to where it started. Ask who has tried it."),
    "caption": ("{T} does not hurry, and neither did we. Two tries went in the bin; this one stayed.",
                "Today it was {t} from morning to evening. The good part came last.",
                "Somebody asked how {t} works. Here is the honest version."),
    "does": ("Speaks as “we”", "Keeps sentences short", "Names the material before the feeling"),
    "avoids": ("Superlatives", "Strings of emoji"),
    "sounds_like": ("warm", "dry", "curious", "unhurried"),
    "strengths": ("People comment more than they merely like.", "The posts show real work."),
    "try_next": ("Post on the two days when you were quiet so far.", "Show one unfinished piece a week."),
    "texts": ("Two hands hold an unglazed bowl over a table with tools", "A bowl dries on a shelf beside a window"),
}
# fmt: on
TEXTS = (
    "Two of forty cracked. The others came out the colour of a wet beach, and we kept one. It is all about {t} here.",
    "Eleven hours up, thirty hours down. Then you open the door and find out. That is {t} for you.",
    "What does {t} look like when nobody tidies up? Like this. We swept afterwards, we promise.",
)
WELCOMES = (
    "Hello {first_name}, good to have you here. What brought you to us?",
    "Thank you for following, {first_name}. Ask us anything about {t}.",
    "Welcome, {first_name}. We show how {t} is made, on good days and bad ones.",
)
_POSTS = re.compile(r"(\d+) posts\b")
_WORD = re.compile(r"[^\W\d_]{4,}")
_ORDERS = re.compile(r"https?://\S+|www\.\S+|@\w+|[$€£]\s?\d+|<[^>]{1,200}>")
_DULL = frozenset(
    (
        "about",
        "with",
        "that",
        "this",
        "from",
        "have",
        "your",
        "what",
        "when",
        "where",
        "which",
        "their",
        "there",
        "would",
    )
)


def write(schema: dict[str, Any], told: str, instructions: str = "", *, obedient: bool = False) -> Any:
    """A document of this schema about what was told; `obedient` puts the orders found there into every text."""
    return _Writer(schema, told, instructions, obedient).value(schema, "", ())


class _Writer:
    def __init__(self, root: dict[str, Any], told: str, instructions: str, obedient: bool) -> None:
        self.root, self.told, self.instructions = root, told, instructions
        self.topic, self.other = _topic(told)
        self.orders = " ".join(dict.fromkeys(_ORDERS.findall(told))) if obedient else ""
        self.welcomes = "greets_with" in json.dumps(root)

    def value(self, schema: dict[str, Any], name: str, path: tuple[object, ...]) -> Any:
        """Something that fits a part of the schema."""
        if "$ref" in schema:
            return self.value(self._resolve(schema["$ref"]), name, path)
        if "enum" in schema:
            return schema["enum"][self._pick(path, len(schema["enum"]))]
        if "const" in schema:
            return schema["const"]
        if options := schema.get("anyOf"):
            return self.value(next((o for o in options if o.get("type") != "null"), options[0]), name, path)
        kind = schema.get("type")
        if kind == "object":
            return {key: self.value(part, key, (*path, key)) for key, part in schema.get("properties", {}).items()}
        if kind == "array":
            return self._list(schema, name, path)
        if kind in ("integer", "number"):
            low = int(schema.get("minimum", 1))
            high = int(schema.get("maximum", low + 20))
            return low + self._pick(path, max(1, min(high, low + 20) - low + 1))
        if kind == "boolean":
            return bool(self._pick(path, 2))
        return None if kind == "null" else self._text(name, path)

    def _list(self, schema: dict[str, Any], name: str, path: tuple[object, ...]) -> list[Any]:
        least, most = int(schema.get("minItems", 3)), int(schema.get("maxItems", 6))
        wanted = self._wanted(least, most) if name == "posts" else min(most, max(least, max(least, 4)))
        return [self.value(schema["items"], name, (*path, number)) for number in range(wanted)]

    def _wanted(self, least: int, most: int) -> int:
        asked = _POSTS.search(self.instructions)
        return max(least, min(most, int(asked[1]) if asked else 12))

    def _text(self, name: str, path: tuple[object, ...]) -> str:
        if name == "account" and (named := _accounts(self.told)):
            return named[self._pick(path, len(named))]
        choices = PHRASES.get(name) or (WELCOMES if self.welcomes else TEXTS)
        # Neighbours in a list say different things.
        turn = next((step for step in reversed(path) if isinstance(step, int)), 0)
        start = 0 if choices in (WELCOMES, TEXTS) else self._pick((name,), len(choices))
        phrase = choices[(start + turn) % len(choices)]
        filled = phrase.replace("{T}", self.topic.capitalize()).replace("{t}", self.topic).replace("{o}", self.other)
        return f"{filled} {self.orders}".strip()

    def _pick(self, path: tuple[object, ...], sides: int) -> int:
        return digest("openai", self.told, *path) % sides

    def _resolve(self, ref: str) -> dict[str, Any]:
        found: Any = self.root
        for step in ref.removeprefix("#/").split("/"):
            found = found[step]
        return dict(found)


def _accounts(told: str) -> list[str]:
    """Whose numbers the question holds."""
    try:
        return sorted(json.loads(told)["others"])
    except (ValueError, TypeError, KeyError):
        return []


def _topic(told: str) -> tuple[str, str]:
    """What the question is about: the longest words of its `about`, `niche` or `goal`, else of all of it."""
    try:
        facts = json.loads(told)
    except ValueError:
        facts = {}
    about = next((facts[key] for key in ("about", "niche", "goal") if isinstance(facts, dict) and facts.get(key)), told)
    words = [word.lower() for word in _WORD.findall(str(about)) if word.lower() not in _DULL]
    first, second, *_ = [*sorted(dict.fromkeys(words), key=len, reverse=True)[:2], "handwork", "studio"]
    return first, second
