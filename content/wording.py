"""What a model wrote, made harmless before anybody sees it: plain text, no links, nothing invisible."""

import re
import unicodedata
from typing import Any

from errors import codes
from errors.exceptions import BotException

# Controls that turn or hide text (bidirectional overrides, zero width), but not the joiner that emoji are made with.
_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_TLD = "com|net|org|io|co|me|ly|gl|app|dev|shop|store|link|info|biz|xyz|site|online|ru|de|uk|no|eu|us|tk|example"
LINK = re.compile(
    rf"(?:(?:https?|ftp|javascript|data)\s*:\s*/{{0,2}}\S+|www\.\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:{_TLD})\b(?:/\S*)?)",
    re.IGNORECASE,
)
# In a message also what looks like one, of any script and ending: a welcome can do without "word.word".
_SPELT_LINK = re.compile(
    rf"\b\w+\s*[\[(]?\s*(?:dot|punkt|\.)\s*[\])]?\s*(?:{_TLD})\b"
    rf"|\w\.[^\W\d_]{{2,}}|(?!l·l)[a-z0-9][。·‧][a-z]{{2,}}",
    re.IGNORECASE,
)
_NAME = re.compile(r"@\s*\w|＠")
_SIGN = "[$¢-¥֏؋฿₠-⃀]"  # of a currency; wider forms are made these before
_MONEY = (
    "usd|eur|gbp|nok|sek|dkk|chf|kr|dollars?|euros?|pounds?|bucks|zł|zloty|kč|ft|lei|lv|tl|lira|yen|yuan|won|rupees?|rs|"
    "reais|pesos?|rand|naira|руб|грн|円|元|원|(?-i:[A-Z]{3})"
)
PRICE = re.compile(
    rf"{_SIGN}\s*\d|\d\s*{_SIGN}|\b(?:{_MONEY})\.?\s*\d|\d\s*(?:{_MONEY})\b|\d\s*(?:[%٪]|percent)", re.IGNORECASE
)
_TAG = re.compile(r"[^\w]+")


def clean(text: str) -> str:
    """The text without links and without what one cannot see; other words stay as they are, in any script."""
    shown = _HIDDEN.sub("", unicodedata.normalize("NFC", text))
    return re.sub(r"[ \t]{2,}", " ", LINK.sub("", shown)).strip()


def cleaned(answer: Any) -> Any:
    """The same for every text in an answer, however deep."""
    if isinstance(answer, str):
        return clean(answer)
    if isinstance(answer, list):
        return [cleaned(part) for part in answer]
    if isinstance(answer, dict):
        return {name: cleaned(part) for name, part in answer.items()}
    return answer


def tags(words: list[str], most: int = 30) -> list[str]:
    """Hashtags without `#`, each once, in small letters; what is no word is left out. Instagram takes 30."""
    found = (_TAG.sub("", unicodedata.normalize("NFC", word)).lower()[:100] for word in words)
    return list(dict.fromkeys(tag for tag in found if tag and not tag.isdigit()))[:most]


def check_message(text: str) -> None:
    """Raise AI_TEXT_UNSAFE for words of a model that hold a link, an @name or a price, however they are spelt."""
    plain = unicodedata.normalize("NFKC", _HIDDEN.sub("", text))
    bare = plain.replace("{username}", "").replace("{first_name}", "")
    for pattern, what in ((LINK, "link"), (_SPELT_LINK, "link"), (_NAME, "@name"), (PRICE, "price")):
        if pattern.search(bare):
            raise BotException(codes.AI_TEXT_UNSAFE, f"The text holds a {what}.".replace("a @", "an @"), field="text")
