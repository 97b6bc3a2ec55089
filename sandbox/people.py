"""The people of the stand-in: endless, plausible, and always the same.

Nobody is stored. A generated person is a number: their key (`pk`) is FIRST_PK plus a slot, everything about them is
read from a hash of it, and their username is a bijection of the slot, so `usernameinfo` finds a person after a
restart as well. A hashtag owns a run of slots; so do "the followers of X" and "the people X follows".

On purpose, some people lack what real answers sometimes lack: about 1 in 40 has no counts (null, or the keys are
absent), 1 in 25 no biography, 1 in 20 no picture, 1 in 30 no `is_private` in lists. A client must take that as unknown.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

FIRST_NAMES_TEXT = """
anna ben carla david elena felix greta hugo ines jonas katja luca maria noah olga paul quinn rosa sven tara ulla
viktor wanda xenia yara zoe amir bianca chloe diego emilia fatima gabriel hana ivan julia karim lena mateo nina
oscar priya rafael sofia tomas uma valentina wesley yusuf zara aiko bruno camila dario esther farid giulia heidi
isak jana kenji laura milan nadia otto paula ravi selma theo ursula vera willem ximena yann zita alba boris clara
dante edith fiona georg helga igor joana klaus lotte marco nils oriol pilar rene silke timo vito
"""
WORDS_TEXT = """
clay bakes studio travels paints runs cooks frames rides brews makes knits surfs hikes grows shoots sails climbs
reads writes draws dances glazes kiln oven flour crumb garden meadow harbor river coast alpine forest desert urban
nordic vintage slow daily tiny wild quiet golden indigo copper velvet linen cotton paper ink lens light shadow color
craft atelier workshop kitchen table bread coffee tea wine olive citrus honey herbs petals leaves bloom moss stone
timber glass metal thread loom canvas pixel film vinyl bikes trails waves peaks maps postcards notes diary world
life home
"""
FIRST_NAMES = FIRST_NAMES_TEXT.split()
WORDS = WORDS_TEXT.split()
SHAPES = ("{a}.{b}", "{a}_{b}", "{b}.{a}", "{b}_{a}", "{a}__{b}", "its.{a}.{b}", "the_{b}_{a}", "{a}.{b}.")
NUMBERS = 1400
SLOTS = len(FIRST_NAMES) * len(WORDS) * len(SHAPES) * NUMBERS
# A prime larger than SLOTS, so it has an inverse there; it keeps neighbours of a run from looking alike.
STRIDE = 2_147_483_647
FIRST_PK = 10_000_000_000
MEDIA_BASE = 3_000_000_000_000_000_000
MEDIA_EACH = 100_000
FIRST_STORY = 90_000
BIOGRAPHIES = (
    "Ceramics, slow mornings and too much coffee.",
    "Mother of two. Sourdough since 2016. Berlin.",
    "Keramik aus der Werkstatt im Hinterhof. Kurse ab Mai.",
    "Fotografie, Berge, Kaffee. Kooperationen per Mail.",
    "Pan casero y recetas de mi abuela.",
    "Hago cosas con las manos. Envíos a toda España.",
    "Voyages lents et carnets de route.",
    "Céramiste à Lyon, atelier ouvert le samedi.",
    "Fatto a mano, con calma. Firenze.",
    "Сделано вручную. Заказы в сообщениях.",
    "手作りの器と暮らし。",
    "el yapımı seramik, İstanbul",
    "Free followers and crypto tips, link below!!!",
    "",
)
CATEGORIES = ("Artist", "Bakery", "Photographer", "Local business", "Personal blog", "Sports club", "Shopping & retail")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_SHAPE_OF = {name: number for number, name in enumerate(SHAPES)}
_FIRST_OF = {name: number for number, name in enumerate(FIRST_NAMES)}
_WORD_OF = {word: number for number, word in enumerate(WORDS)}
_BACK = pow(STRIDE, -1, SLOTS)


@dataclass(slots=True)
class Person:
    """Somebody on Instagram. None means that Instagram's answer does not say."""

    pk: int
    username: str
    full_name: str = ""
    biography: str | None = ""
    followers: int | None = 0
    following: int | None = 0
    media: int | None = 12
    stories: int = 0
    pinned: int = 0  # of the oldest posts, before all others
    private: bool = False
    verified: bool = False
    business: bool = False
    category: str | None = None
    external_url: str | None = None
    picture: bool = True
    accepts_messages: bool = True
    # Lists leave out `is_private` and the name of a terse person.
    terse: bool = False


def digest(*parts: object) -> int:
    """A stable 128-bit number for some words; Python's own hash changes with every process."""
    return int.from_bytes(hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=16).digest(), "big")


def is_generated(pk: int) -> bool:
    """Whether this key belongs to the endless crowd."""
    return FIRST_PK <= pk < FIRST_PK + SLOTS


def username_of(pk: int) -> str:
    """The handle of a generated person."""
    rest, number = divmod((pk - FIRST_PK) * STRIDE % SLOTS, NUMBERS)
    rest, shape = divmod(rest, len(SHAPES))
    first, word = divmod(rest, len(WORDS))
    return SHAPES[shape].format(a=FIRST_NAMES[first], b=WORDS[word]) + (str(number) if number else "")


def pk_of(username: str) -> int | None:
    """The generated person with this handle, the inverse of `username_of`; None when nobody has it."""
    stem = username.rstrip("0123456789")
    digits = username[len(stem) :]
    if digits.startswith("0") or len(digits) > 4 or (digits and int(digits) >= NUMBERS):
        return None
    names = [part for part in stem.replace("_", ".").split(".") if part in _FIRST_OF or part in _WORD_OF]
    first = next((part for part in names if part in _FIRST_OF), "")
    word = next((part for part in names if part in _WORD_OF), "")
    shape = next((s for s in SHAPES if s.format(a=first, b=word) == stem), None)
    if not first or not word or shape is None:
        return None
    rest = (_FIRST_OF[first] * len(WORDS) + _WORD_OF[word]) * len(SHAPES) + _SHAPE_OF[shape]
    return FIRST_PK + (rest * NUMBERS + int(digits or 0)) * _BACK % SLOTS


@lru_cache(maxsize=50_000)
def generated(pk: int) -> Person:
    """Everything about one generated person, read from a hash of their key."""
    seed = digest("person", pk)

    def roll(sides: int) -> int:
        nonlocal seed
        seed, value = divmod(seed, sides)
        return value

    username = username_of(pk)
    # Most people are small, a few are huge: a random exponent gives 30 to about 200,000 followers.
    followers = int(30 * 1.01 ** roll(885))
    business = roll(5) == 0
    person = Person(
        pk=pk,
        username=username,
        full_name=" ".join(username.rstrip("0123456789").replace("_", " ").replace(".", " ").split()).title(),
        biography=BIOGRAPHIES[roll(len(BIOGRAPHIES))],
        followers=followers,
        following=20 + roll(1800),
        media=roll(400),
        stories=max(0, roll(6) - 1),
        private=roll(8) == 0,
        verified=followers > 50_000 and roll(4) == 0,
        business=business,
        category=CATEGORIES[roll(len(CATEGORIES))] if business else None,
        external_url=f"https://people.example/{username}" if roll(6) == 0 else None,
        picture=roll(20) != 0,
        terse=roll(30) == 0,
    )
    if roll(40) == 0:
        person.followers = person.following = person.media = None
    if roll(25) == 0:
        person.biography = None
    return person


def run_start(*name: object) -> int:
    """The first slot of the run of people that belongs to this name (a tag, somebody's followers)."""
    return digest("run", *name) % SLOTS


def run_member(start: int, position: int) -> int:
    """The key of one person of a run."""
    return FIRST_PK + (start + position) % SLOTS


def run_position(start: int, pk: int) -> int:
    """Where somebody stands in a run; any position past the run's length means that they are not in it."""
    return (pk - FIRST_PK - start) % SLOTS


def media_pk(owner: int, number: int) -> int:
    """The key of somebody's n-th post, or story from FIRST_STORY on; the owner can be read back from it."""
    return MEDIA_BASE + owner * MEDIA_EACH + number


def media_owner(pk: int) -> tuple[int, int]:
    """The owner's key and the number of a post or story."""
    return divmod(pk - MEDIA_BASE, MEDIA_EACH)


def shortcode(number: int) -> str:
    """Instagram's base64 of a media key, as in its links."""
    letters = ""
    while number:
        number, rest = divmod(number, 64)
        letters = ALPHABET[rest] + letters
    return letters
