"""A report of numbers as a PDF, the same figures as the page, under the workspace's own name and logo."""

import io
from datetime import date
from typing import TYPE_CHECKING

from accounts import brand
from accounts.models import Logo, Workspace
from content.analytics import Group, Report, kind_of

if TYPE_CHECKING:
    from content.paper import Paper

SOURCE = "As Meta's Graph API told. A dash is unknown: it was not measured, and is not zero."
WIDTH = 174  # millimetres between the margins of a sheet


def draw(found: Report, workspace: Workspace, whose: str) -> bytes:
    """Draw the report: A4, in black on white, with two lines over the days. In the workspace's view."""
    from content.paper import Paper

    paper = Paper()
    _head(paper, found, workspace, whose)
    _table(paper, ("", "Now", "Before", "Change", "Days known"), _totals(found), (50, 30, 30, 30, 34))
    if found.caveat:
        paper.say(found.caveat, 9, gap=4)
    for words, days in (("Followers", found.followers), ("Reach by day", found.reach)):
        paper.say(words, 12, True, 1)
        _line_of(paper, days)
    for words, groups in (("By kind", found.kinds), ("By hour", found.hours), ("By hashtag", found.tags)):
        if groups:
            paper.say(words, 12, True, 1)
            heads = ("", "Posts", "Reach each", "Interactions each", "Rate")
            _table(paper, heads, [_cells(group) for group in groups], (50, 24, 32, 40, 28))
    if found.best:
        paper.say("Best posts", 12, True, 1)
        best = [[f"{post.posted_at:%d %b} {kind_of(post)}: {post.words[:60]}", number(post.reach),
                 number(post.interactions)] for post in found.best]  # fmt: skip
        _table(paper, ("", "Reach", "Interactions"), best, (114, 30, 30))
    return bytes(paper.output())


def _head(paper: "Paper", found: Report, workspace: Workspace, whose: str) -> None:
    """Say whose report it is, of which days, and where the numbers are from."""
    label = brand.label_of(workspace)
    logo = Logo.objects.filter(workspace=workspace).first() if label.own and label.logo else None
    if logo:
        paper.image(io.BytesIO(bytes(logo.png)), h=12)
        paper.ln(4)
    measured = f"{found.measured_at:%d %B %Y, %H:%M} UTC" if found.measured_at else "never"
    paper.say(label.name, 10, gap=1)
    paper.say(f"Instagram report of {whose}", 18, True, 1)
    paper.say(f"{found.since:%d %B %Y} to {found.until:%d %B %Y}, beside the {found.length} days before.", gap=1)
    parted = [f"@{name} (last measured {at:%d %B %Y})" for name, at in found.parted]
    gone = f" No longer connected: {', '.join(parted)}." if parted else ""
    paper.say(f"{SOURCE} Last measured: {measured}.{gone}", 9, gap=4)


def _totals(found: Report) -> list[list[str]]:
    rows = [[one.name, number(one.value), number(one.before), change(one.change), f"{one.days} of {found.length}"]
            for one in found.figures]  # fmt: skip
    if found.grown:
        first, last, grown = found.grown
        rows.insert(0, ["Followers", number(last), number(first), f"{grown:+,}", "first and last day"])
    return rows


def _table(paper: "Paper", heads: tuple[str, ...], rows: list[list[str]], widths: tuple[int, ...]) -> None:
    paper.type(9)
    aligned = ("LEFT", *("RIGHT",) * (len(heads) - 1))
    with paper.table(col_widths=widths, text_align=aligned, line_height=5.5) as drawn:
        for cells in ([*heads], *rows):
            drawn.row([paper.printable(cell) for cell in cells])
    paper.ln(5)


def number(value: float | None) -> str:
    """A number for reading; a dash where it is unknown."""
    return "-" if value is None else f"{value:,.0f}"


def change(value: float | None) -> str:
    """A change as per cent."""
    return "-" if value is None else f"{value:+.0%}"


def _cells(group: Group) -> list[str]:
    rate = "-" if group.rate is None else f"{group.rate:.1%}"
    return [group.name, str(group.posts), number(group.reach), number(group.interactions), rate]


def _line_of(paper: "Paper", days: list[tuple[date, int | None]]) -> None:
    """Draw a line over days; a gap is a gap."""
    known = [value for _, value in days if value is not None]
    if len(known) < 2:
        paper.type(9)
        paper.cell(0, 5, "Not enough days yet.", new_x="LMARGIN", new_y="NEXT")
        paper.ln(4)
        return
    if paper.get_y() > 240:
        paper.add_page()
    low, high, top, left = min(known), max(known), paper.get_y(), paper.l_margin
    step, scale = WIDTH / max(len(days) - 1, 1), 28 / (high - low) if high > low else 0
    before: tuple[float, float] | None = None
    for place, (_, value) in enumerate(days):
        point = None if value is None else (left + place * step, top + 28 - (value - low) * scale)
        if before and point:
            paper.line(*before, *point)
        before = point
    paper.set_y(top + 29)
    paper.type(8)
    words = f"lowest {number(low)}, highest {number(high)}; {days[0][0]:%d %b %Y} to {days[-1][0]:%d %b %Y}"
    paper.cell(0, 5, words, new_x="LMARGIN", new_y="NEXT")
    paper.ln(4)
