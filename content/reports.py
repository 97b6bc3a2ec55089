"""An audit as a PDF, by fpdf2: the same words and numbers as the page."""

import unicodedata

from content import audits, figures, reading
from content.models import Audit


def pdf(audit: Audit) -> bytes:
    """Draw the report: A4, text only."""
    from fpdf import FPDF

    paper = FPDF(format="A4")
    paper.set_margin(18)
    paper.add_page()

    def line(words: str, size: int = 10, bold: bool = False, gap: float = 0) -> None:
        paper.set_font("Helvetica", "B" if bold else "", size)
        paper.multi_cell(0, size * 0.5, latin(words), new_x="LMARGIN", new_y="NEXT")
        paper.ln(gap)

    line(f"Audit of @{audit.account.username}", 18, True, 1)
    line(
        f"Read on {audit.read_at:%d %B %Y, %H:%M} UTC through {reading.DOORS.get(audit.door, audit.door)}:"
        f" {audit.facts['posts_read']} posts. Numbers are measured by us; what is missing is unknown.",
        9, gap=4,
    )  # fmt: skip
    score = figures.whole(audit.scores)
    line(f"Score: {'unknown' if score is None else score} of 100", 14, True, 2)
    for each in audit.scores:
        line(f"{each['word']}: {'unknown' if each['score'] is None else each['score']} - {each['reason']}")
    paper.ln(4)
    line("What stands out (worded by a language model)", 13, True, 1)
    line(audit.findings["summary"], gap=2)
    for fix in audit.findings["fixes"]:
        line(fix["title"], 11, True)
        line(f"{fix['reason']} {fix['how']}", gap=2)
    line("Then and now", 13, True, 1)
    for row in audits.compare(audit, audits.before(audit)):
        line(f"{row['word']}: {_figure(row['now'], row['digits'])} (before: {_figure(row['then'], row['digits'])})")
    return bytes(paper.output())


def _figure(value: float | None, digits: int | str) -> str:
    if value is None:
        return "unknown"
    return f"{value:.2%}" if digits == "%" else f"{value:,.{digits}f}"


def latin(words: str) -> str:
    """The letters that the PDF's own fonts have; a script they lack becomes question marks, and the page has it all."""
    plain = words.translate(
        {0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"', 0x2013: "-", 0x2014: "-", 0x2026: "..."}
    )
    return unicodedata.normalize("NFC", plain).encode("latin-1", "replace").decode("latin-1")
