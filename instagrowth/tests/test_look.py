"""What the tags draw, and what no page may contain."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone

from errors import codes
from errors.codes import REGISTRY, Then
from instagrowth.templatetags import look

TEMPLATES = Path(settings.BASE_DIR) / "templates"
PAGES = [path for path in sorted(TEMPLATES.rglob("*.html")) if "mail" not in path.relative_to(TEMPLATES).as_posix()]
SPRITE = set(re.findall(r'<symbol id="(\w+)"', (Path(settings.BASE_DIR) / "static/icons.svg").read_text()))


def draw(template: str, **context: object) -> str:
    return Template("{% load look %}" + template).render(Context(context))


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# ── Statuses ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("looks", [look.HEALTH, look.OUTCOME])
def test_each_state_has_a_shape_and_a_word_of_its_own(looks):
    assert len({one.icon for one in looks.values()}) == len({one.word for one in looks.values()}) == len(looks)


def test_a_state_is_drawn_as_shape_word_and_colour():
    html = draw("{% health 'needs_you' %}")

    assert words(html) == "Needs you"
    assert "#hand" in html
    assert "badge-bad" in html


def test_what_is_in_flight_turns():
    assert "spin" in draw("{% outcome 'intent' %}")


def test_a_state_that_nobody_drew_says_its_own_word():
    assert words(draw("{% task_status 'half_done' %}")) == "Half done"


def test_every_shape_that_is_named_is_in_the_sprite():
    statuses = {
        one.icon for looks in (look.HEALTH, look.OUTCOME, look.BOT, look.TASK, look.SEVERITY) for one in looks.values()
    }
    written = {name for page in PAGES for name in re.findall(r'{% icon "(\w+)"', page.read_text())}

    assert (statuses | written | {item.icon for item in look.NAV} | set(look.SHAPE.values())) - {""} <= SPRITE


def test_no_class_is_born_twice():
    source = (TEMPLATES / "app.src.css").read_text()
    born = Counter(re.findall(r"^  (\.[a-z][a-z0-9-]*) \{", source, re.MULTILINE))

    assert len(born) > 50
    assert [name for name, times in born.items() if times > 1] == []


def test_every_reaction_of_the_engine_has_its_sentence():
    assert set(look.REACTION) == {then.value for then in Then}


def test_every_severity_of_a_code_has_its_badge():
    assert {code.severity for code in REGISTRY.values()} <= set(look.SEVERITY)


# ── Codes ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_code_links_to_its_help_page():
    assert 'href="/help/errors/E-AUTH-E-0001/"' in draw("{% code code %}", code=codes.INVALID_CREDENTIALS)
    assert words(draw("{% code '' %}")) == "–"


def test_codes_in_a_sentence_become_links_and_the_rest_is_escaped():
    html = draw("{{ text|codes }}", text="<b>No</b> session E-SESS-E-0001, send `accept_risk`")

    assert html.startswith("&lt;b&gt;No&lt;/b&gt; session <a ")
    assert "<code>accept_risk</code>" in html


# ── Time ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (42, "42 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (22080, "6 h 8 min ago"),
        (86400, "1 day ago"),
        (3 * 86400, "3 days ago"),
        (-30, "in 30 s"),
        (-600, "in 10 min"),
    ],
)
def test_an_age_is_said_in_two_units_at_most(seconds, said):
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)

    assert look.relative(now - timedelta(seconds=seconds), now) == said


def test_an_age_carries_its_moment_for_the_script():
    html = draw("{% ago then %}", then=timezone.now() - timedelta(minutes=14, seconds=5))

    assert words(html) == "14 min ago"
    assert re.search(r'<time datetime="[\d:T+-]+" title="[^"]+ UTC" data-ago>', html)


def test_what_never_happened_says_so():
    assert draw("{% ago then 'not tested yet' %}", then=None) == "not tested yet"


def test_a_moment_with_a_zone_is_told_in_that_zone_and_left_alone_by_the_script():
    then = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)

    assert words(draw("{% when then 'full' 'Europe/Oslo' %}", then=then)) == "Sat 21 Nov 00:30"
    assert "data-when" not in draw("{% when then 'full' 'Europe/Oslo' %}", then=then)
    assert 'data-when="time"' in draw("{% when then 'time' %}", then=then)


# ── Numbers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_meter_warns_from_four_fifths_of_the_limit():
    assert "meter-warn" not in draw("{% meter 7 10 %}")
    assert "meter-warn" in draw("{% meter 8 10 %}")
    assert words(draw("{% near 8 10 %}{% near 10 10 %}{% near 7 10 %}")) == "Near Full"


@pytest.mark.parametrize(
    ("used", "limit", "percent"), [(0, 0, 100), (5, 0, 100), (12, 10, 100), (-1, 10, 0), (1, 3, 33.3)]
)
def test_a_meter_stays_in_its_track(used, limit, percent):
    assert look.share(used, limit) == percent


def test_a_meter_says_its_numbers_to_the_ear():
    assert 'aria-label="Follow: 41 of 63"' in draw("{% meter 41 63 'Follow' %}")


def test_a_line_leaves_out_what_is_unknown_instead_of_drawing_nothing():
    assert look.points([1, None, 3]) == [(0, 21), (100, 3)]
    assert draw("{% sparkline values 'Followers' %}", values=[None, 4]) == ""


def test_a_level_line_is_grey():
    assert "spark-flat" in draw("{% sparkline values 'Followers' %}", values=[4, 4, 4])


def test_a_single_refusal_among_hundreds_is_still_seen():
    html = draw("{% outcome_bar 500 0 1 0 %}")

    assert re.search(r'class="refused"[^>]* width="1.1%"', html)
    assert 'aria-label="500 confirmed, 0 unknown, 1 refused, 0 absent"' in html


# ── Forms ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class TaskForm(forms.Form):
    """A form with one field of each kind."""

    hashtag = forms.CharField(help_text="Without spaces.", widget=forms.TextInput({"placeholder": "stoneware"}))
    note = forms.CharField(required=False, widget=forms.Textarea)
    order = forms.ChoiceField(choices=[("new", "Newest first"), ("top", "Top first")], widget=forms.RadioSelect)
    private = forms.BooleanField(required=False, label="Skip private accounts")


def test_a_field_ties_its_help_and_its_error_to_the_input():
    html = draw("{% field form.hashtag %}", form=TaskForm({"hashtag": ""}))

    assert 'aria-describedby="id_hashtag_helptext id_hashtag_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_hashtag_helptext"' in html
    assert 'id="id_hashtag_error"' in html
    assert words(html) == "Hashtag Without spaces. This field is required."


def test_a_field_takes_another_label_and_drops_an_attribute():
    html = draw("{% field form.hashtag label='Tag' help='' placeholder=False inputmode='text' %}", form=TaskForm())

    assert words(html) == "Tag"
    assert "placeholder" not in html
    assert "aria-describedby" not in html
    assert 'inputmode="text"' in html


def test_a_field_that_may_stay_empty_says_so():
    assert words(draw("{% field form.note %}", form=TaskForm())) == "Note (optional)"


def test_a_box_may_look_like_a_switch():
    assert 'role="switch"' in draw("{% field form.private switch=True %}", form=TaskForm())
    assert words(draw("{% field form.private %}", form=TaskForm())) == "Skip private accounts"


def test_choices_are_drawn_as_a_group_with_its_question():
    html = draw("{% field form.order %}", form=TaskForm({"order": "top"}))

    assert words(html) == "Order Newest first Top first"
    assert re.search(r'value="top"[^>]* checked', html)


def test_what_is_wrong_with_the_whole_form_links_its_code():
    form = TaskForm({})
    form.add_error(None, "No session. E-SESS-E-0001")

    assert "/help/errors/E-SESS-E-0001/" in draw("{% form_errors form %}", form=form)


# ── Pieces of a page ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_page_we_are_in_is_marked_in_the_menu():
    html = Template("{% load look %}{% nav %}").render(Context({"request": RequestFactory().get("/settings/x/")}))

    assert re.findall(r'href="([^"]+)"[^>]* aria-current="page"', html) == ["/settings/"]


def test_crumbs_end_with_the_page_itself():
    html = draw("{% crumbs 'Automation' '/automation/' '@somebody' %}")

    assert words(html) == "Automation @somebody"
    assert '<span aria-current="page">@somebody</span>' in html


@pytest.mark.parametrize(
    ("name", "letters"), [("northlight.ceramics", "NC"), ("studio", "ST"), ("Maya Ørn", "MØ"), ("é", "É")]
)
def test_an_avatar_has_the_first_letters(name, letters):
    assert words(draw("{% avatar name %}", name=name)) == letters


def test_a_block_escapes_what_it_holds_exactly_once():
    html = draw(
        "{% codeblock %}{{ text }}{% endcodeblock %}{% nothing title %}{{ text }}{% endnothing %}",
        text="a < b",
        title="<i>",
    )

    assert html.count("a &lt; b") == 2
    assert "&lt;i&gt;" in html
    assert "&amp;lt;" not in html


def test_an_empty_list_can_teach_inside_a_loop():
    assert (
        words(draw("{% for x in none %}{% empty %}{% nothing 'No task yet' %}Make one.{% endnothing %}{% endfor %}"))
        == "No task yet Make one."
    )


def test_paging_without_a_page_is_greyed_out():
    html = draw("{% pager '' '?before=9' '50 rows' %}")

    assert words(html) == "50 rows Newer Older"
    assert '<span class="btn btn-sm" aria-disabled="true">Newer</span>' in html
    assert "Newer" not in draw("{% pager note='2 rows' %}")


# ── Whole pages ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(TEMPLATES).as_posix())
def test_no_page_has_a_style_or_a_script_in_its_lines(page):
    html = page.read_text()

    assert not re.search(r"\sstyle\s*=|<style|\son\w+\s*=\s*[\"']|javascript:", html)
    assert [
        tag for tag in re.findall(r"<script[^>]*>", html) if "src=" not in tag and "application/json" not in tag
    ] == []


def test_an_error_page_needs_neither_a_visitor_nor_a_database():
    html = render_to_string(
        "errors/error.html",
        {
            "code": codes.DATABASE_UNAVAILABLE,
            "message": codes.DATABASE_UNAVAILABLE.what,
            "correlation_id": "c-1",
            "status": 503,
        },
    )

    assert words(html).count("The database does not answer.") == 2  # the title and the page
    assert 'href="/help/errors/E-DB-C-0001/"' in html
    assert 'data-copy="c-1"' in html


def test_the_shell_stands_without_anything_to_say():
    html = render_to_string("styleguide.html")

    assert "Every token" in html
    assert "data-socket" in html


def test_the_offline_worker_keeps_no_page_of_a_person():
    kept = re.search(r"KEPT = \[([^\]]+)\]", render_to_string("sw.js"))[1]

    assert [path for path in re.findall(r'"([^"]+)"', kept) if not path.startswith("/static/")] == ["/offline"]
