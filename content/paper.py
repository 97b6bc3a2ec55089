"""A sheet of A4 that prints any script we have letters for: the only importer of fpdf2, imported where one is drawn.

FiraGO (OFL) has Latin, Greek, Cyrillic, Georgian, Arabic, Hebrew, Devanagari and Thai; Noto Sans CJK (OFL), which is
heavy, is opened only where a text asks for it. Both are embedded as far as they are used; HarfBuzz joins the letters
and puts right-to-left in order.
"""

import unicodedata
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pymupdf_fonts
from fpdf import FPDF

MARGIN = 18  # millimetres
_MAIN, _CJK = "main", "cjk"
_FACES = {"": "figo", "B": "figbo"}


class Paper(FPDF):
    """A document of one kind of type, in which text may be of any script."""

    def __init__(self) -> None:
        super().__init__(format="A4")
        self.set_margin(MARGIN)
        for style, face in _FACES.items():
            self.add_font(_MAIN, style, Path(_fonts().name, f"{face}.ttf"))
        self.set_text_shaping(True)
        self.add_page()

    def type(self, size: float, *, bold: bool = False) -> None:
        """Choose the size, in points, and the weight of what comes next."""
        self.set_font(_MAIN, "B" if bold else "", size)

    def say(self, words: str, size: int = 10, bold: bool = False, gap: float = 0) -> None:
        """Write a paragraph from the margin its script begins at, and leave a gap (mm) below."""
        self.type(size, bold=bold)
        align = "R" if _runs_left(words) else "L"
        self.multi_cell(0, size * 0.5, self.printable(words), align=align, new_x="LMARGIN", new_y="NEXT")
        self.ln(gap)

    def printable(self, words: str) -> str:
        """The words as our letters can print them: without emoji, and with a question mark for what we lack."""
        words = unicodedata.normalize("NFC", words)
        missing = {one for one in words if ord(one) not in self._main and one.isprintable()}
        if missing and _CJK not in self.fonts and any(map(_is_east_asian, missing)):
            self.add_font(_CJK, "", str(files("noto_cjk_sans_jp_regular").joinpath("NotoSansCJKjp-Regular.otf")))
            self.set_fallback_fonts([_CJK], exact_match=False)
        known = self.fonts[_CJK].cmap if _CJK in self.fonts else {}  # type: ignore[union-attr]
        return "".join(one for each in words for one in _shown(each, each not in missing or ord(each) in known))

    @property
    def _main(self) -> dict[int, Any]:
        return self.fonts[_MAIN].cmap  # type: ignore[union-attr]


@cache
def _fonts() -> "TemporaryDirectory[str]":
    """The faces as files, as fpdf2 wants them: unpacked once in a process, and gone with it."""
    folder = TemporaryDirectory(prefix="fonts-")
    for face in _FACES.values():
        Path(folder.name, f"{face}.ttf").write_bytes(pymupdf_fonts.myfont(face))
    return folder


def _shown(letter: str, known: bool) -> str:
    if known:
        return letter if letter.isprintable() or letter == "\n" else " "
    return "" if unicodedata.category(letter) in ("So", "Sk", "Cf", "Mn", "Me") else "?"


def _is_east_asian(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF" and unicodedata.category(letter) != "So"


def _runs_left(words: str) -> bool:
    """Whether the first letter that says so belongs to a script that is read from right to left."""
    strong = (unicodedata.bidirectional(one) for one in words)
    return next((way != "L" for way in strong if way in ("L", "R", "AL")), False)
