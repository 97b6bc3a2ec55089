"""The look as template tags: what a status is called, which shape it has and which colour it wears.

`/styleguide/` shows each tag in each state.
"""

import functools
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import is_valid_path
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

NEAR = 0.8  # of a limit: where the engine slows down and says so (E-FLW-W-0002)
BADGE = {"ok": "badge-ok", "warn": "badge-warn", "bad": "badge-bad", "info": "badge-info", "accent": "badge-accent"}
TEXT = {
    "ok": "text-ok",
    "warn": "text-warn",
    "bad": "text-bad",
    "info": "text-info",
    "accent": "text-accent",
    "": "text-faint",
}
NOTE = {"ok": "note-ok", "warn": "note-warn", "bad": "note-bad", "info": "note-info"}
NONE = SafeString('<span class="text-faint">–</span>')
SPIN = SafeString('<span class="spin size-3.5"></span>')
SHAPE = {"ok": "ok", "warn": "warn", "bad": "bad", "info": "info", "": "info"}
MESSAGE_TONE = {"success": "ok", "error": "bad", "warning": "warn", "info": "info", "debug": ""}


class Look(NamedTuple):
    """How one status is shown. Shape, word, colour, in that order: the page must read in grey."""

    word: str
    icon: str
    tone: str = ""


HEALTH = {
    "active": Look("Active", "ok", "ok"),
    "warming": Look("Warming up", "trend", "info"),
    "slowed": Look("Slowed", "gauge", "warn"),
    "cooling": Look("Cooling", "timer", "warn"),
    "needs_login": Look("Needs login", "key", "bad"),
    "needs_you": Look("Needs you", "hand", "bad"),
    "frozen": Look("Frozen", "snowflake", "bad"),
    "banned": Look("Banned", "ban", "bad"),
}
OUTCOME = {
    "intent": Look("In flight", ""),
    "confirmed": Look("Confirmed", "ok", "ok"),
    "unknown": Look("Unknown", "unknown", "warn"),
    "refused": Look("Refused", "bad", "bad"),
    "absent": Look("Absent", "x"),
}
BOT = {
    "running": Look("Running", "play", "ok"),
    "stopped": Look("Stopped", "stop"),
    "parked": Look("Parked", "warn", "bad"),
}
TASK = {
    "queued": Look("Queued", "timer"),
    "running": Look("Running", "play", "ok"),
    "waiting": Look("Waiting", "timer", "warn"),
    "paused": Look("Paused", "pause"),
    "done": Look("Done", "ok", "ok"),
    "failed": Look("Failed", "bad", "bad"),
    "stopped": Look("Stopped", "stop"),
}
POST = {
    "idea": Look("Idea", "info"),
    "draft": Look("Draft", "content"),
    "proposed": Look("Waits for an owner", "hand", "warn"),
    "scheduled": Look("Scheduled", "timer", "info"),
    "publishing": Look("Publishing", ""),
    "published": Look("Published", "ok", "ok"),
    "failed": Look("Not published", "bad", "bad"),
    "unknown": Look("Unknown", "unknown", "warn"),
}
LOG = {
    "ok": Look("Done", "ok", "ok"),
    "info": Look("Note", "info", "info"),
    "warning": Look("Warning", "warn", "warn"),
    "error": Look("Error", "bad", "bad"),
}
SEVERITY = {
    "I": Look("For information", "info", "info"),
    "W": Look("Warning", "warn", "warn"),
    "E": Look("Error", "bad", "bad"),
    "C": Look("Critical", "bad", "bad"),
}
# What the engine does on its own when it meets an error: `errors.codes.Then`, told to the account's owner.
REACTION = {
    "tell": "Nothing on your accounts changes because of it.",
    "skip": "This one target is left alone, the reason is kept, and the work goes on.",
    "retry": "A read may be repeated twice. An action is never sent again: we look up later whether it arrived.",
    "wait": "The task waits until a limit or a clock allows it again, then goes on by itself.",
    "cool_1h": "Everything on the account rests for 1 hour. If it comes back, the rest doubles, up to 24 hours.",
    "cool_24h": "Everything on the account rests for 24 hours: we neither do nor ask anything for it.",
    "block_kind": "This kind of action rests for 24 hours, the second time in 7 days for 72, the third until you act.",
    "needs_login": "Everything on the account stopped within one request. We never log in by ourselves.",
    "freeze": "Everything on the account stopped within one request, until you have solved it in the Instagram app.",
    "ban": "Everything on the account stopped for good. The session is kept as it was.",
    "alert": "Our operators are told. You do not need to report it.",
}


def _look(looks: dict[str, Look], value: object) -> Look:
    # A status that nobody has drawn yet still says its own word; the tests of its app notice.
    text = str(getattr(value, "value", value) or "")
    return looks.get(text) or Look(text.replace("_", " ").capitalize() or "Unknown", "unknown")


@register.simple_tag
@functools.lru_cache(maxsize=256)  # the same few shapes, dozens of times a page
def icon(name: str, extra: str = "") -> SafeString:
    """Draw a shape of the sprite. It is silent: the word stands beside it. `extra` adds classes (`icon-lg text-ok`)."""
    return format_html(
        '<svg class="icon{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f" {extra}" if extra else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
def badge(word: str, tone: str = "", shape: str = "") -> SafeString:
    """Set a word on a soft ground. Tones: ok, warn, bad, info, accent, or none."""
    return format_html(
        '<span class="badge{}">{}{}</span>', f" {BADGE[tone]}" if tone else "", icon(shape) if shape else "", word
    )


@register.simple_tag
def state(word: str, tone: str = "", shape: str = "") -> SafeString:
    """Write a word with its shape and colour, for rows. Without a shape it turns, for what is in flight."""
    return format_html(
        '<span class="state {}">{}{}</span>',
        TEXT[tone],
        icon(shape) if shape else SPIN,
        word,
    )


@register.simple_tag
def health(value: object) -> SafeString:
    """Show an account's health as a badge: `{% health account.health %}`."""
    look = _look(HEALTH, value)
    return badge(look.word, look.tone, look.icon)


@register.simple_tag
def outcome(value: object) -> SafeString:
    """Show how an action ended: intent (in flight), confirmed, unknown, refused, absent."""
    look = _look(OUTCOME, value)
    return state(look.word, look.tone, look.icon)


@register.simple_tag
def bot_status(value: object) -> SafeString:
    """Show what a bot does: running, stopped, parked."""
    look = _look(BOT, value)
    return state(look.word, look.tone, look.icon)


@register.simple_tag
def task_status(value: object, word: str = "") -> SafeString:
    """Show where a task stands. `word` may say more than the status: `Waits, 16:00`."""
    look = _look(TASK, value)
    return state(word or look.word, look.tone, look.icon)


@register.simple_tag
def log_status(value: object) -> SafeString:
    """How a line of the activity log ended: ok, info, warning, error."""
    look = _look(LOG, value)
    return state(look.word, look.tone, look.icon)


@register.simple_tag
def severity(value: str) -> SafeString:
    """Show the third part of an error's id (I, W, E, C) as a badge."""
    look = _look(SEVERITY, value)
    return badge(look.word, look.tone, look.icon)


@register.simple_tag
def reaction(value: object) -> str:
    """Say what the engine did by itself (`errors.codes.Then`), as a sentence."""
    return REACTION.get(str(getattr(value, "value", value)), "")


# ── Codes ───────────────────────────────────────────────────────────────────────────────────────────────────────────

CODE = re.compile(r"\bE-[A-Z]{2,4}-[IWEC]-\d{4}\b")
PLANS = re.compile(r"\b(billing|pricing) page\b")
TICKS = re.compile(r"`([^`]+)`")


def _code_link(code: str, extra: str = "") -> SafeString:
    return format_html('<a class="code {}" href="/help/errors/{}/">{}</a>', extra or "text-accent", code, code)


@register.simple_tag
def code(value: object, extra: str = "") -> SafeString:
    """Link an error's id to its help page; a quiet dash where there is none."""
    text = str(getattr(value, "id", value) or "")
    return _code_link(text, extra) if text else NONE


@register.filter(needs_autoescape=True)
def codes(text: object, autoescape: bool = True) -> SafeString:
    """Dress a sentence of ours: error ids and the pages of plans become links, words in `ticks` become code."""
    plain = str(escape(text) if autoescape else text)
    plain = PLANS.sub(lambda found: f'<a class="link" href="/{found[1]}/">{found[0]}</a>', plain)
    return SafeString(TICKS.sub(r"<code>\1</code>", CODE.sub(lambda found: _code_link(found[0]), plain)))


@register.inclusion_tag("components/correlation.html")
def correlation(value: object) -> dict[str, Any]:
    """Show a correlation id with a button that copies it."""
    return {"value": value}


# ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────

WHEN = {"time": "H:i:s", "short": "H:i", "day": "D j M", "full": "D j M H:i"}


def age(seconds: float) -> str:
    """How long ago in words, at most two units; app.js says it in the same words as time goes on."""
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if seconds < 10:
        return "just now"
    if minutes < 1:
        return f"{int(seconds)} s ago"
    if hours < 1:
        return f"{minutes} min ago"
    if days < 1:
        return f"{hours} h {minutes % 60} min ago" if minutes % 60 else f"{hours} h ago"
    return "1 day ago" if days == 1 else f"{days} days ago"


def left(seconds: float) -> str:
    """How long until then in words."""
    if seconds < 60:
        return f"in {max(int(seconds), 1)} s"
    return "in " + age(seconds).removesuffix(" ago")


def relative(then: datetime, now: datetime) -> str:
    """`14 min ago` or `in 14 min`."""
    seconds = (now - then) / timedelta(seconds=1)
    return age(seconds) if seconds >= 0 else left(-seconds)


@register.simple_tag
def ago(then: datetime | None, never: str = "never") -> SafeString:
    """Tell how old something is (or how long until it comes): it keeps counting in the page."""
    if then is None:
        return SafeString(escape(never))
    return format_html(
        '<time datetime="{}" title="{} UTC" data-ago>{}</time>',
        then.isoformat(timespec="seconds"),
        then.astimezone(UTC).strftime("%a %-d %b %Y %H:%M:%S"),
        relative(then, timezone.now()),
    )


@register.simple_tag
def when(then: datetime | None, form: str = "full", zone: str = "") -> SafeString:
    """Tell a moment: `time` 15:04:12, `short` 15:04, `day` Thu 19 Nov, `full` Thu 19 Nov 15:04.

    With a zone (an IANA name: the account's own) it is told in that zone; without one in the reader's, by the script.
    """
    if then is None:
        return NONE
    text = template.defaultfilters.date(then.astimezone(ZoneInfo(zone) if zone else UTC), WHEN[form])
    return format_html(
        '<time datetime="{}"{}>{}</time>',
        then.isoformat(timespec="seconds"),
        "" if zone else format_html(' data-when="{}"', form),
        text,
    )


# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def share(used: float, limit: float) -> float:
    """Per cent of a limit that is used, between 0 and 100. A limit of nothing is full."""
    return 100.0 if limit <= 0 else round(max(0.0, min(100.0, 100 * used / limit)), 1)


@register.simple_tag
def meter(used: float, limit: float, label: str = "", extra: str = "") -> SafeString:
    """Draw what is used of a limit. From 80 % on it warns; say so in a word beside it (`{% near used limit %}`).

    `extra` such as `meter-off` (not deciding) or `meter-lg` goes with the class.
    """
    tone = "" if extra else (" meter-warn" if near_limit(used, limit) else "")
    name = f"{label}: {used} of {limit}" if label else f"{used} of {limit}"
    return format_html(
        '<svg class="meter{}{}" role="img" aria-label="{}"><rect class="track" width="100%" height="100%"/>'
        '<rect class="fill" width="{}%" height="100%" rx="3"/></svg>',
        tone,
        f" {extra}" if extra else "",
        name,
        share(used, limit),
    )


def near_limit(used: float, limit: float) -> bool:
    """Whether so much is used that the person should know."""
    return limit > 0 and used >= NEAR * limit


@register.simple_tag
def near(used: float, limit: float) -> SafeString:
    """Write the word beside a meter: Near, Full, or nothing."""
    if not near_limit(used, limit):
        return SafeString("")
    return state("Full" if used >= limit else "Near", "warn", "warn")


@register.inclusion_tag("components/progress.html")
def progress(done: float, total: float, label: str) -> dict[str, Any]:
    """Show how far long work has come, readable by machine and ear."""
    return {"done": done, "total": total, "label": label, "percent": share(done, total)}


def points(
    values: Sequence[float | None], width: float = 100, top: float = 3, bottom: float = 21
) -> list[tuple[float, float]]:
    """Where each known value stands in a box; unknown ones are left out, not drawn as nothing."""
    known = [float(value) for value in values if value is not None]
    low, high = (min(known), max(known)) if known else (0, 0)
    step = width / max(len(values) - 1, 1)
    scale = (bottom - top) / (high - low) if high > low else 0
    return [
        (round(i * step, 1), round(bottom - (float(value) - low) * scale, 1))
        for i, value in enumerate(values)
        if value is not None
    ]


@register.simple_tag
def sparkline(values: Iterable[float | None], label: str) -> SafeString:
    """Draw a line of some days, the last one with a dot. The label says what and how long: `Followers, last 8 days`."""
    line = points(list(values))
    if len(line) < 2:
        return SafeString("")
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in line)
    flat = " spark-flat" if len({y for _, y in line}) == 1 else ""
    return format_html(
        '<svg class="spark{}" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path d="{}"/><path class="dot" d="M{} {}h0"/></svg>',
        flat,
        label,
        path,
        *line[-1],
    )


@register.simple_tag
def percent(value: float) -> str:
    """A share as per cent, with one digit below ten."""
    digits = 1 if value and abs(value) < 0.0995 else 0
    return f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%".replace("-", "\N{MINUS SIGN}")


@register.simple_tag
def money(minor: int, currency: str) -> str:
    """An amount in minor units with its currency; all currencies we sell in have two digits behind the point."""
    return f"{minor / 100:,.2f} {currency.upper()}"


@register.inclusion_tag("components/chart.html")
def chart(days: Iterable[tuple[date, float | None]], label: str) -> dict[str, Any]:
    """Draw a line over days with its lowest and highest value and its first and last day; gaps stay gaps."""
    known = [(day, value) for day, value in days]
    values = [value for _, value in known if value is not None]
    parts: list[list[tuple[int, float]]] = []
    run: list[tuple[int, float]] = []
    for position, (_, value) in enumerate(known):
        if value is None:
            parts.append(run)
            run = []
        else:
            run.append((position, value))
    low, high = (min(values), max(values)) if values else (0, 0)
    step, scale = 600 / max(len(known) - 1, 1), 160 / (high - low) if high > low else 0
    lines = [
        "M" + "L".join(f"{x * step:.1f} {160 - (value - low) * scale if scale else 80:.1f}" for x, value in run)
        for run in (*parts, run)
        if run
    ]
    return {"label": label, "lines": lines, "low": low, "high": high, "days": known, "enough": len(values) > 1}


@register.simple_tag
def outcome_bar(confirmed: int, unknown: int, refused: int, absent: int, scale: int = 0) -> SafeString:
    """Draw how the actions of a day ended, as one bar; with `scale`, the table's largest day, bars compare."""
    whole = max(scale, confirmed + unknown + refused + absent, 1)
    x, parts = 0.0, []
    for name, count in (("confirmed", confirmed), ("unknown", unknown), ("refused", refused), ("absent", absent)):
        if not count:
            continue
        width = max(98 * count / whole, 1.1)  # a single action must still be seen
        y, height, fill = (
            (33, 34, "")
            if name == "absent"
            else (0, 100, SafeString(' fill="url(#hatch)"') if name == "unknown" else "")
        )
        parts.append((name, round(x, 1), y, round(width, 1), height, fill))
        x += width + 0.5
    label = f"{confirmed} confirmed, {unknown} unknown, {refused} refused, {absent} absent"
    rects = format_html_join("", '<rect class="{}" x="{}%" y="{}%" width="{}%" height="{}%" rx="1"{}/>', parts)
    return format_html('<svg class="bar min-w-12 md:min-w-24" role="img" aria-label="{}">{}</svg>', label, rects)


@register.inclusion_tag("components/stat.html")
def stat(
    name: str, value: object, more: str = "", source: object = "", values: Iterable[float | None] | None = None
) -> dict[str, Any]:
    """Show one figure with its name, what it is of, its source and its age."""
    return {"name": name, "value": value, "more": more, "source": source, "values": values}


# ── Pieces of a page ────────────────────────────────────────────────────────────────────────────────────────────────


class NavItem(NamedTuple):
    """A page of the sidebar and the key that jumps to it after `g`."""

    path: str
    icon: str
    word: str
    key: str


NAV = [
    NavItem("/dashboard/", "dashboard", "Dashboard", "d"),
    NavItem("/instagram/", "accounts", "Instagram", "i"),
    NavItem("/automation/", "automation", "Automation", "a"),
    NavItem("/content/", "content", "Studio", "w"),
    NavItem("/calendar/", "calendar", "Calendar", "c"),
    NavItem("/analytics/", "analytics", "Analytics", "n"),
    NavItem("/inbox/", "inbox", "Inbox", "b"),
    NavItem("/activity/", "ledger", "Activity", "l"),
    NavItem("/billing/", "billing", "Billing", "b"),
    NavItem("/settings/", "settings", "Settings", "s"),
]


@cache
def _pages() -> list[NavItem]:
    return [item for item in NAV if is_valid_path(item.path)]


@register.inclusion_tag("components/nav.html", takes_context=True)
def nav(context: template.Context) -> dict[str, Any]:
    """List the sidebar's pages, the one we are in marked. A page appears here once it exists."""
    request = context.get("request")
    here = request.path if request else ""
    return {"items": [(item, here.startswith(item.path)) for item in _pages()]}


@register.inclusion_tag("components/keys.html")
def keys() -> dict[str, Any]:
    """List what the keyboard can do, for the help dialog."""
    return {"items": _pages()}


@register.simple_tag
def crumbs(*words: str) -> SafeString:
    """Say where we are: word, address, word, address, …, and the word of this page last."""
    *trail, here = words
    pairs = zip(trail[::2], trail[1::2], strict=True)
    way = format_html_join(
        "",
        '<a class="max-md:hidden" href="{}">{}</a>{}',
        [(address, word, icon("chevron", "icon-sm max-md:hidden")) for word, address in pairs],
    )
    return format_html('{}<span aria-current="page">{}</span>', way, here)


@register.simple_tag
def avatar(name: object, extra: str = "") -> SafeString:
    """Draw the first letters of a name: the name itself stands beside it."""
    parts = [part for part in re.split(r"[\W_]+", str(name)) if part]
    letters = "".join(part[0] for part in parts[:2]) if len(parts) > 1 else str(name).strip()[:2]
    return format_html(
        '<span class="avatar{}" aria-hidden="true">{}</span>', f" {extra}" if extra else "", letters.upper()
    )


@register.inclusion_tag("components/stepper.html")
def stepper(words: str, current: int) -> dict[str, Any]:
    """Draw steps across: `{% stepper "Door, Login, Code" 2 %}`; steps before the current one are done."""
    return {"steps": [word.strip() for word in words.split(",")], "current": current}


@register.inclusion_tag("components/pager.html")
def pager(newer: str = "", older: str = "", note: str = "") -> dict[str, Any]:
    """Page by key: addresses of the newer and the older page, empty where there is none, and what is shown now."""
    return {"newer": newer, "older": older, "note": note}


@register.inclusion_tag("components/field.html")
def field(
    bound: BoundField,
    label: str = "",
    help: str | None = None,  # noqa: A002 (the word in templates)
    switch: bool = False,
    link: str = "",
    link_word: str = "",
    optional: bool = True,
    **attrs: str | bool,
) -> dict[str, Any]:
    """Draw a form field: label above, help below, an error that says what to do.

    `link` and `link_word` stand at the end of the label's line. `optional=False` keeps “(optional)” away where all
    fields are. Further names become attributes of the input
    (`rows=4`, `inputmode="numeric"`, `placeholder=False` to drop one).
    """
    widget = bound.field.widget
    choices = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    kind = "check" if isinstance(widget, CheckboxInput) else "choices" if choices else "input"
    attrs = {name.replace("_", "-"): value for name, value in attrs.items()}
    css = ("switch" if switch else "check") if kind == "check" else "input"
    attrs["class"] = f"{css} {attrs.get('class', '')}".strip()
    if switch:
        attrs["role"] = "switch"
    if help is not None:
        bound.help_text = help
    control = "" if choices else bound.as_widget(attrs=attrs)
    return {
        "field": bound,
        "kind": kind,
        "label": label or bound.label,
        "control": control,
        "link": link,
        "link_word": link_word,
        "optional": optional and not bound.field.required,
    }


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: Any) -> dict[str, Any]:
    """Say what is wrong with the form as a whole, above its fields."""
    hidden = [error for bound in form.hidden_fields() for error in bound.errors] if form else []
    return {"errors": [*form.non_field_errors(), *hidden] if form else []}


@register.inclusion_tag("components/toast.html")
def toast(message: Any) -> dict[str, Any]:
    """Show one of Django's messages: its level decides shape and colour."""
    tone = MESSAGE_TONE.get(getattr(message, "level_tag", "info"), "")
    return {
        "text": str(message),
        "tone": TEXT[tone],
        "shape": SHAPE[tone],
        "role": "alert" if tone in ("bad", "warn") else "status",
    }


@register.simple_block_tag(takes_context=True)
def titled(context: template.Context, content: str) -> SafeString:
    """Let the title of a window end with the workspace's own name, where it has white label."""
    label = context.get("label")
    title = content or "InstaGrowth OS"
    if label and label.own:
        title = f"{title.removesuffix('InstaGrowth OS')}{escape(label.name)}"
    return SafeString(title)  # what a block holds is escaped already


@register.simple_block_tag
def note(content: str, title: str = "", tone: str = "", shape: str = "") -> SafeString:
    """Say something that must be read before going on: `{% note "Sandbox" "info" %}…{% endnote %}`.

    Tones: ok, warn, bad, info, or none.
    """
    look = {"css": NOTE.get(tone, ""), "shape": shape or SHAPE[tone], "colour": f"icon-lg {TEXT[tone]}"}
    return render_to_string("components/note.html", {"content": content, "title": title, **look})


@register.simple_block_tag
def nothing(content: str, title: str) -> SafeString:
    """Teach the next step where a list has nothing in it, in a sentence and one button.

    `{% nothing "No task yet" %}…{% endnothing %}`
    """
    return render_to_string("components/nothing.html", {"content": content, "title": title})


@register.simple_block_tag
def dialog(content: str, id: str, title: str) -> SafeString:  # noqa: A002 (the word in HTML)
    """Ask over the page: `<button data-open="its-id">` opens it, `<button data-close>` inside closes it."""
    return render_to_string("components/dialog.html", {"content": content, "id": id, "title": title})


@register.simple_block_tag
def drawer(content: str, id: str, title: str) -> SafeString:  # noqa: A002 (the word in HTML)
    """Show more about one thing, from the side. Opened and closed like a dialog."""
    return render_to_string("components/drawer.html", {"content": content, "id": id, "title": title})


@register.simple_block_tag
def codeblock(content: str, label: str = "Code") -> SafeString:
    """Show lines for programs, with a button that copies them."""
    lines = SafeString(content.strip())  # what a block holds is escaped already
    return render_to_string("components/codeblock.html", {"content": lines, "label": label})
