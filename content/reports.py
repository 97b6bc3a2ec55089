"""An audit as a PDF, the same words and numbers as the page."""

from content import audits, figures, reading
from content.models import Audit


def pdf(audit: Audit) -> bytes:
    """Draw the report: A4, text only."""
    from content.paper import Paper

    paper = Paper()
    line = paper.say
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
    told = audit.facts.get("insights")
    line(f"Insights by Meta, {told['since']} to {told['until']}" if told else "Insights by Meta: missing", 13, True, 1)
    for row in told["figures"] if told else ():
        line(f"{row['word']}: {_figure(row['now'], 0)} (28 days before: {_figure(row['before'], 0)})")
    return bytes(paper.output())


def _figure(value: float | None, digits: int | str) -> str:
    if value is None:
        return "unknown"
    return f"{value:.2%}" if digits == "%" else f"{value:,.{digits}f}"
