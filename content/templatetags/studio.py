"""How the content tools' figures are written."""

from django import template

register = template.Library()


@register.simple_tag
def micros(value: int | None) -> str:
    """Millionths of a dollar: with cents from a dollar on, finer below, where one call lives."""
    dollars = (value or 0) / 1_000_000
    return f"${dollars:,.2f}" if dollars >= 1 or not dollars else f"${dollars:.4f}"


@register.simple_tag
def seconds(milliseconds: int) -> str:
    """Milliseconds as seconds."""
    return f"{milliseconds / 1000:.1f} s"


@register.simple_tag
def rate(value: float | str | None, digits: int = 2) -> str:
    """A share as per cent; what is not known says so."""
    return "unknown" if value in (None, "") else f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"


@register.simple_tag
def figure(value: float | str | None, digits: int = 0) -> str:
    """A number; what is not known says so."""
    return "unknown" if value in (None, "") else f"{value:,.{digits}f}"


@register.simple_tag
def points(share: float) -> str:
    """A difference of two shares, in percentage points."""
    return f"{100 * share:+.2f} points"
