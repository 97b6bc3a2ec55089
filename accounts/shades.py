"""Shades of a workspace's colour that can be read on our pages: the same hue, lighter or darker as far as it must be.

Contrast is WCAG 2.2's: words need 4.5 on what is behind them, the edge of a button 3 on the page. Lightness is moved in
OKLCH (https://bottosson.github.io/posts/oklab/), where a hue stays what it was.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

COLOUR = re.compile(r"#[0-9a-f]{6}\Z")
WORDS, EDGE = 4.5, 3.0
WHITE, BLACK = "#ffffff", "#000000"
Numbers = tuple[float, float, float]


@dataclass(frozen=True)
class Shades:
    """Each as #rrggbb; pairs are for light and for dark pages."""

    words: tuple[str, str]  # links, icons, ticks
    on_words: tuple[str, str]  # what is drawn on a ground of that colour
    soft: tuple[str, str]  # the ground of a badge
    body: str  # the main button: the very colour
    on_body: str  # its words
    edge: tuple[str, str]  # its border, which shows where it ends


@lru_cache(maxsize=256)
def shades_of(colour: str) -> Shades:
    """The shades of a colour, `#rrggbb`. Raises ValueError."""
    if not COLOUR.match(colour):
        raise ValueError(f"{colour!r} is not a colour such as #0a7f83.")
    _, chroma, hue = _lch(colour)
    soft = (_hex(0.958, min(chroma, 0.02), hue), _hex(0.252, min(chroma, 0.036), hue))
    # The least friendly grounds of templates/app.src.css: on light pages a row under the pointer or a soft badge, on
    # dark ones a soft badge; a button stands on the canvas, a card or a dialog.
    hovered, dialog = _hex(0.952, 0.005, 200), _hex(0.226, 0.009, 220)
    words = (
        _moved(colour, -1, lambda shade: min(contrast(shade, soft[0]), contrast(shade, hovered)) >= WORDS),
        _moved(colour, +1, lambda shade: contrast(shade, soft[1]) >= WORDS),
    )
    edge = (
        _moved(colour, -1, lambda shade: contrast(shade, hovered) >= EDGE),
        _moved(colour, +1, lambda shade: contrast(shade, dialog) >= EDGE),
    )
    return Shades(words, (_ink_on(words[0]), _ink_on(words[1])), soft, colour, _ink_on(colour), edge)


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours: 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _ink_on(ground: str) -> str:
    """White or black, whichever is read better: one of them always has 4.5."""
    return max(WHITE, BLACK, key=lambda ink: contrast(ink, ground))


def _moved(colour: str, way: int, readable: Callable[[str], bool]) -> str:
    """The nearest lighter (+1) or darker (-1) shade that is readable; the colour itself if it is."""
    if readable(colour):
        return colour
    light, chroma, hue = _lch(colour)
    near, far = light, 1.0 if way > 0 else 0.0
    for _ in range(14):
        middle = (near + far) / 2
        near, far = (near, middle) if readable(_hex(middle, chroma, hue)) else (middle, far)
    return _hex(far, chroma, hue)


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(colour: str) -> Numbers:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return _unbent(red), _unbent(green), _unbent(blue)


def _unbent(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _bent(part: float) -> float:
    return part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055


def _lch(colour: str) -> Numbers:
    """Lightness (0 to 1), chroma and hue (degrees)."""
    red, green, blue = _linear(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    light = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return light, math.hypot(a, b), math.degrees(math.atan2(b, a))


def _hex(light: float, chroma: float, hue: float) -> str:
    """The colour a screen has for this: with less chroma where it has none so strong."""
    least, most = 0.0, chroma
    if not _shown(_rgb(light, chroma, hue)):
        for _ in range(14):
            middle = (least + most) / 2
            least, most = (middle, most) if _shown(_rgb(light, middle, hue)) else (least, middle)
        chroma = least
    parts = (_bent(min(max(part, 0.0), 1.0)) for part in _rgb(light, chroma, hue))
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)


def _shown(rgb: Numbers) -> bool:
    return all(-0.0005 <= part <= 1.0005 for part in rgb)


def _rgb(light: float, chroma: float, hue: float) -> Numbers:
    """Linear red, green and blue; outside of 0 to 1 where no screen shows it."""
    a, b = chroma * math.cos(math.radians(hue)), chroma * math.sin(math.radians(hue))
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
