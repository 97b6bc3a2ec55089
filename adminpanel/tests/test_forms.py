"""Every form and every deed of the control room, taken from its pages: what it must not take, it refuses with words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django import forms
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.safestring import mark_safe

from accounts.models import User, Workspace
from adminpanel import roles
from adminpanel.models import AdminLog
from adminpanel.site import site
from adminpanel.tests import session_files
from adminpanel.tests.control_room import inside
from adminpanel.tests.test_roles import quiet as quiet
from adminpanel.tests.test_roles import rows as rows  # a row of each table
from billing.models import Plan
from bots.models import Bot, Session
from instagrowth.testing import everywhere, undone

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quiet")]
RAW = "<script>alert(1)</script>"
HOSTILE = f"""{RAW}"'>{{{{7*7}}}}"""
ODD = {"script": HOSTILE, "long": "x" * 10_000, "nul": "a\0b", "unseen": "\u202ea\u200bb\ufeff"}
FOREIGN = {"somebody's": str(uuid4()), "no id": "not-a-uuid", "huge": "9" * 40}
SMUGGLED = {"is_superuser": "on", "is_staff": "on", "role_hidden": "admin", "password": "x", "id": str(uuid4()),
            "workspace_id": str(uuid4()), "created_at": "2001-01-01", "hash": "0", "is_active": "on"}  # fmt: skip


@dataclass
class Filled:
    """A form as a browser would send it."""

    label: str
    where: str
    fields: dict[str, forms.Field]
    data: dict[str, Any]

    def naming(self, kind: type | tuple[type, ...]) -> list[str]:
        """Fields of one kind that are sent."""
        return [name for name, field in self.fields.items() if isinstance(field, kind) and name in self.data]


def filled_forms(client: Client, rows: dict[type, Any]) -> Iterator[Filled]:
    """Each form there is for an owner: those that make a row, those that change one, and those of deeds."""
    for model, page in site._registry.items():
        opts, may = model._meta, roles.MAY[page.page]
        name, row = f"admin:{opts.app_label}_{opts.model_name}", rows[model]
        if "add" in may:
            yield _filled(client, f"{page.page} add", reverse(f"{name}_add"))
        if "change" in may:
            yield _filled(client, f"{page.page} change", reverse(f"{name}_change", args=[row.pk]))
        for deed in page.deeds:
            with everywhere():
                fits = deed.fits(row)
            if fits:
                where = reverse(f"{name}_do", kwargs={"object_id": row.pk, "deed": deed.name})
                yield _filled(client, f"{page.page} {deed.name}", where)


def _filled(client: Client, label: str, where: str) -> Filled:
    answer = client.get(where)
    assert answer.status_code == 200, (label, answer.status_code)
    context = answer.context
    form = context["adminform"].form if "adminform" in context else context["form"]
    data: dict[str, Any] = {}
    for name, field in form.fields.items():
        data |= _sample(name, field, form[name].value())
    if context.get("versions"):
        data["version"] = next(iter(context["versions"].values()))
    return Filled(label, where, form.fields, data)


def _sample(name: str, field: forms.Field, value: Any) -> dict[str, Any]:
    if isinstance(field, forms.FileField):
        return {name: session_files.file(session_files.settings())}
    if isinstance(field, forms.SplitDateTimeField):
        return {f"{name}_0": "2030-01-01", f"{name}_1": "10:00:00"}
    if isinstance(field, forms.MultipleChoiceField):
        return {name: []}
    if value not in (None, "", []) and not isinstance(value, dict):
        return {name: value}
    if isinstance(field, forms.ChoiceField | forms.ModelChoiceField):
        return {name: next((str(key) for key, _ in field.choices if key not in ("", None)), "")}
    if isinstance(field, forms.IntegerField | forms.FloatField):
        return {name: str(max(1, getattr(field, "min_value", None) or 1))}
    if isinstance(field, forms.BooleanField):
        return {}
    if isinstance(field, forms.JSONField):
        return {name: "{}"}
    if isinstance(field, forms.EmailField):
        return {name: "new@example.com"}
    return {name: "sample"}


def sent(client: Client, where: str, data: dict[str, Any]) -> tuple[Any, list[str]]:
    """Post it, look at where its words may show, and undo it all."""
    shown = []
    for value in data.values():
        if hasattr(value, "seek"):
            value.seek(0)
    with undone():
        answer = client.post(where, {key: value for key, value in data.items() if value is not None})
        if RAW in str(data.values()) or any(RAW in str(value) for value in data.values()):
            shown = [where] if _is_raw(answer) else []
            if answer.status_code == 302:
                for path in (answer["Location"], where.split("/do/")[0].split("/add/")[0] + "/", *SEEN_AT):
                    shown += [path] if _is_raw(client.get(path, follow=True)) else []
    return answer, shown


SEEN_AT = ("/admin/", "/admin/adminpanel/adminlog/", "/admin/errors/activitylog/")


def _is_raw(answer: Any) -> bool:
    return not answer.streaming and RAW in answer.content.decode()


def took(answer: Any) -> bool:
    """Whether a form was taken: on to the next page, or what is shown once."""
    form = (answer.context or {}).get("form") if answer.status_code == 200 and answer.context else None
    return answer.status_code == 302 or (answer.status_code == 200 and form is None)


@pytest.fixture
def client(rows: dict[type, Any]) -> Client:
    """An owner's browser that shows failures instead of raising them."""
    found = inside("olga")
    found.raise_request_exception = False
    return found


def test_odd_words_are_refused_or_shown_as_words(client: Client, rows: dict[type, Any]) -> None:
    broken, raw, taken, asked = [], [], 0, 0
    for form in filled_forms(client, rows):
        texts = form.naming((forms.CharField,))
        texts = [name for name in texts if name != "version"]
        for odd, words in ODD.items():
            answer, shown = sent(client, form.where, form.data | dict.fromkeys(texts, words))
            asked += 1
            taken += took(answer)
            broken += [(form.label, odd, answer.status_code)] if answer.status_code >= 500 else []
            raw += [(form.label, path) for path in shown]
    assert (broken, raw) == ([], [])
    assert asked > 150
    assert taken > 20, "most forms refuse everything: the walk sees nothing"


def test_the_walk_sees_a_page_that_shows_markup(
    client: Client, rows: dict[type, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = site._registry[Plan]
    monkeypatch.setattr(page, "says", mark_safe(RAW))
    answer = client.get(reverse("admin:billing_plan_changelist"))
    assert _is_raw(answer)


def test_ids_of_others_and_of_nobody_are_refused(client: Client, rows: dict[type, Any]) -> None:
    wrong = []
    for form in filled_forms(client, rows):
        choices = form.naming((forms.ChoiceField, forms.ModelChoiceField))
        for what, value in FOREIGN.items() if choices else ():
            answer, _ = sent(client, form.where, form.data | dict.fromkeys(choices, value))
            if answer.status_code >= 500 or took(answer):
                wrong.append((form.label, what, answer.status_code))
    for model, page in site._registry.items():
        opts = model._meta
        name = f"admin:{opts.app_label}_{opts.model_name}"
        for key in (*FOREIGN.values(), "0", "%00", "<b>"):
            for where in (
                reverse(f"{name}_change", args=[key]),
                *(reverse(f"{name}_do", kwargs={"object_id": key, "deed": deed.name}) for deed in page.deeds[:1]),
            ):
                answer = client.get(where)
                if answer.status_code not in (302, 400, 403, 404):
                    wrong.append((where, "address", answer.status_code))
    assert wrong == []


def test_fields_that_a_form_does_not_have_change_nothing(client: Client, rows: dict[type, Any]) -> None:
    smuggled = []
    with everywhere():
        places = set(Workspace.objects.values_list("pk", flat=True))
    for form in filled_forms(client, rows):
        extra = {name: value for name, value in SMUGGLED.items() if name not in form.fields}
        for value in form.data.values():
            if hasattr(value, "seek"):
                value.seek(0)
        with undone():
            answer = client.post(form.where, form.data | extra)
            with everywhere():
                if User.objects.filter(is_superuser=True).exists():
                    smuggled.append((form.label, "is_superuser"))
                if User.objects.filter(role=User.Role.USER, groups__isnull=False).exists():
                    smuggled.append((form.label, "groups"))
                if User.objects.filter(created_at__year=2001).exists() or AdminLog.objects.filter(hash="0").exists():
                    smuggled.append((form.label, "columns"))
                if not set(Bot.objects.values_list("workspace_id", flat=True)) <= places:
                    smuggled.append((form.label, "workspace"))
            smuggled += [(form.label, str(answer.status_code))] if answer.status_code >= 500 else []
    assert smuggled == []


def test_looking_changes_nothing(client: Client, rows: dict[type, Any]) -> None:
    wrote = []
    for form in filled_forms(client, rows):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(form.where)
        changes = [one["sql"] for one in asked if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
        wrote += [(form.label, sql[:80]) for sql in changes if "django_session" not in sql]
    assert wrote == []


def test_a_plan_that_somebody_is_on_and_a_session_at_work_are_not_deleted(
    client: Client, rows: dict[type, Any]
) -> None:
    with everywhere():
        plan = Plan.objects.filter(subscriptions__isnull=False).first()
        session = Session.objects.get(pk=rows[Session].pk)
        Bot.objects.update(status=Bot.Status.RUNNING)
    assert plan is not None
    for row, words in ((plan, "Workspaces are on this plan"), (session, "running")):
        opts = type(row)._meta
        where = reverse(f"admin:{opts.app_label}_{opts.model_name}_do", args=[row.pk, "delete"])
        answer = client.post(where, _filled(client, "delete", where).data)
        assert (answer.status_code, words in answer.content.decode()) == (400, True)
        with everywhere():
            assert type(row)._default_manager.filter(pk=row.pk).exists()
