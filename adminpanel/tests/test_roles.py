"""Every role at every address and every deed of the control room, by the one table: nobody gets more, nobody less."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import notifications, sign_in
from accounts.models import Announcement, Membership, StaffDevice, User
from adminpanel import audit, roles, staff
from adminpanel.models import AllowedNetwork, BulkJob
from adminpanel.pages.base import Page
from adminpanel.site import site
from adminpanel.tests.control_room import inside, staff_person
from billing.models import Drift, Invoice, Plan, Subscription
from bots.models import Action, ApiPair, Bot, BotTask, DailyLimit, InstagramAccount, Session
from content.models import AiCall
from errors import codes
from errors.exceptions import BotException
from errors.models import ActivityLog, ErrorCode, ErrorGroup
from errors.recording import log_activity
from instagrowth.testing import everywhere, read, undone

pytestmark = pytest.mark.django_db
CANARY = "canary-77"


@pytest.fixture
def rows(alices_bot: Bot, settings: Any) -> dict[type, Any]:
    """One row for each page."""
    settings.INSTAGRAM_PRIVATE_URL = "http://127.0.0.1:9"
    victim = staff_person("victim", roles.Role.SUPPORT)
    with everywhere():
        task = BotTask.objects.create(workspace_id=alices_bot.workspace_id, bot=alices_bot, kind="follow", amount=3)
        Action.objects.create(
            workspace_id=alices_bot.workspace_id, account=alices_bot.account, task=task, kind="follow", target_pk=5,
            target_username="somebody", fence=1,
        )  # fmt: skip
        pair = ApiPair.objects.create(app_id="42", sealed_secret=CANARY.encode())
        network = AllowedNetwork.objects.create(network="127.0.0.0/8")
        Invoice.objects.create(
            workspace_id=alices_bot.workspace_id, stripe_invoice_id="in_1", status="paid", total=1900, currency="usd",
            created_at=alices_bot.created_at,
        )  # fmt: skip
        log_activity("follow", workspace=alices_bot.workspace_id, account=alices_bot.account_id)
        audit.record("users.test", target=victim)
        # A journey's own beat would end a job that nobody has worked at for a minute: this one is of tomorrow.
        tomorrow = timezone.now() + timedelta(days=1)
        BulkJob.objects.create(page="users", model="accounts.user", deed="block", total=1, worked_at=tomorrow)
        Drift.objects.create(kind="stale", stripe_customer_id="cus_1")
        ErrorGroup.objects.create(fingerprint="f", code="E-API-E-9001", severity="E", action="a")
        Announcement.objects.create(title="Hello")
        notifications.notify(alices_bot.workspace_id, "news", "Hello")
        AiCall.objects.create(workspace_id=alices_bot.workspace_id, feature="ideas", month="2026-11-01", model="gpt-4o")
        found = {model: model._default_manager.all()[:1].get() for model in site._registry if model is not type(victim)}
        found |= {
            User: User.objects.get(email="alice@example.com"),
            Membership: Membership.objects.filter(user__email="alice@example.com").get(),
            ApiPair: pair,
            AllowedNetwork: network,
            InstagramAccount: alices_bot.account,
            Session: Session.objects.get(account=alices_bot.account),
            Subscription: Subscription.objects.get(workspace=alices_bot.workspace_id),
            Plan: Plan.objects.get(key="starter"),
            DailyLimit: DailyLimit.objects.filter(workspace=None).first(),
            ActivityLog: ActivityLog.objects.first(),
            ErrorCode: ErrorCode.objects.first(),
        }
        found |= {model: victim for model in site._registry if model._meta.model_name == "staffmember"}
    return found


@pytest.fixture
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def cells(page: Page, row: Any) -> Iterator[tuple[str, str, str]]:
    """Each address of a page: method, where, and the deed it asks for."""
    opts = page.model._meta
    name = f"admin:{opts.app_label}_{opts.model_name}"
    yield "get", reverse(f"{name}_changelist"), "look"
    yield "get", reverse(f"{name}_change", args=[row.pk]), "look"
    yield "get", reverse(f"{name}_export"), "export"
    yield "post", reverse(f"{name}_views"), "look"
    yield "get", reverse(f"{name}_add"), "add"
    yield "post", reverse(f"{name}_add"), "add"
    yield "post", reverse(f"{name}_change", args=[row.pk]), "change"
    for deed in page.deeds:
        where = reverse(f"{name}_do", kwargs={"object_id": row.pk, "deed": deed.name})
        yield "get", where, deed.name
        yield "post", where, deed.name
        if deed.bulk:
            where = reverse(f"{name}_all", args=[deed.name])
            yield "get", where, deed.name
            yield "post", where, deed.name
    yield "get", reverse(f"{name}_do", kwargs={"object_id": row.pk, "deed": "invented"}), "invented"


def asked(client: Client, method: str, where: str) -> tuple[HttpResponse, bool]:
    """Send it and undo it; whether something was written to the tables that matter."""
    with undone():
        answer = getattr(client, method)(where)
        if answer.streaming:
            read(answer)
    return answer, answer.status_code == 302 and method == "post"


def test_every_role_may_what_the_table_says_and_nothing_else(rows: dict[type, Any], quiet: None) -> None:
    leaks, missing, told, count = [], [], [], 0
    for role in (*roles.Role.values, ""):
        client = inside(role.lower() or "nobody", role)
        client.raise_request_exception = False
        for model, page in site._registry.items():
            for method, where, deed in cells(page, rows[model]):
                may = role in roles.MAY[page.page].get(deed, ())
                answer, _ = asked(client, method, where)
                count += 1
                if not may and answer.status_code != 403:
                    leaks.append(f"{role}: {method} {where} answered {answer.status_code}")
                if may and answer.status_code in (403, 404, 500):
                    missing.append(f"{role}: {method} {where} answered {answer.status_code}")
                if not answer.streaming and CANARY in answer.content.decode():
                    told.append(where)
    print(
        f"roles={len(roles.Role.values) + 1} cells={count} leaks={len(leaks)} missing={len(missing)} hits={len(told)}"
    )
    assert (leaks, missing, told) == ([], [], [])
    assert count > 900


def test_the_same_question_finds_a_page_that_asks_nobody(rows: dict[type, Any], monkeypatch: Any, quiet: None) -> None:
    page = site._registry[Plan]
    monkeypatch.setattr(type(page), "has_view_permission", lambda *_: True)
    monkeypatch.setattr(type(page), "_open", lambda self, _: list(self.deeds))
    client = inside("nobody", "")
    opened = [
        where for method, where, _ in cells(page, rows[Plan]) if asked(client, method, where)[0].status_code != 403
    ]

    assert len(opened) >= 2


def test_each_deed_of_the_table_can_be_done_on_its_page() -> None:
    unknown = []
    for page in site._registry.values():
        there = {"look", "export", *page.field_deeds.values(), *(deed.name for deed in page.deeds)}
        there |= {"add", "change"}
        unknown += [(page.page, deed) for deed in set(roles.MAY[page.page]) - there]
    assert unknown == []
    assert {page.page for page in site._registry.values()} | {
        "dashboard",
        "revenue",
        "ai_usage",
        "story",
        "alerts",
    } == set(roles.MAY)


def test_pages_without_a_table_follow_it_too(rows: dict[type, Any], quiet: None) -> None:
    for role in (*roles.Role.values, ""):
        client = inside(role.lower() or "nobody", role)
        for page in ("revenue", "ai_usage", "story", "alerts"):
            answer = client.get(reverse(f"admin:{page}"))
            assert answer.status_code == (200 if role in roles.MAY[page]["look"] else 403)
        assert client.post(reverse("admin:alerts")).status_code == (302 if role in roles.MAY["alerts"]["test"] else 403)


def test_no_page_opens_without_a_living_staff_session(rows: dict[type, Any], alice: User, quiet: None) -> None:
    unverified = Client()
    unverified.force_login(staff_person("unverified"))  # signed in by some other way: without a code
    member = Client()
    member.force_login(alice)
    leaks, count = [], 0
    for client in (Client(), unverified, member):
        client.raise_request_exception = False
        for model, page in site._registry.items():
            for method, where, _ in cells(page, rows[model]):
                count += 1
                if asked(client, method, where)[0].status_code not in (302, 401):
                    leaks.append(where)
    print(f"cells={count} leaks={len(leaks)}")
    assert leaks == []


def test_an_owner_who_never_came_in_is_no_other_owner(nobody_guessed: None) -> None:
    olga, handed = staff_person("olga"), staff.invite("new@staff.example.com", roles.Role.OWNER)
    for deed in (lambda: roles.give(olga, roles.Role.SUPPORT), lambda: staff.block(olga)):
        with pytest.raises(BotException) as refused:
            deed()
        assert refused.value.code is codes.LAST_STAFF_OWNER

    staff.enrol(handed.user)
    sign_in.change_password(handed.user, "a fresh battery staple 7")
    roles.give(olga, roles.Role.SUPPORT)
    assert roles.of(User.objects.get(pk=olga.pk)) == "Support"


@pytest.mark.parametrize(
    ("role", "field", "changes"),
    [("Billing", "price", 1), ("Operations", "price", 0), ("Operations", "queue", 1), ("Billing", "queue", 0)],
)
def test_a_field_asks_for_a_role_of_its_own(nobody_guessed: None, role: str, field: str, changes: int) -> None:
    plan, client = Plan.objects.get(key="starter"), inside("somebody", role)
    where = reverse("admin:billing_plan_change", args=[plan.pk])
    form = client.get(where).context["adminform"].form
    given = {name: form.initial.get(name, "") for name in form.fields}
    given = {name: value for name, value in given.items() if value is not None and value is not False} | {
        "action_limits": "{}"
    }

    answer = client.post(where, given | {field: {"price": 4321, "queue": "enterprise"}[field], "is_staff": "1"})

    assert answer.status_code == 302, answer.context["adminform"].form.errors
    now = getattr(Plan.objects.get(pk=plan.pk), field)
    assert (now != getattr(plan, field)) == bool(changes)


def test_programs_of_staff_follow_the_same_table(api: Any, quiet: None) -> None:
    calls = {
        "sessions/list": ("get", "sessions", "look"), "sessions/verify": ("post", "sessions", "verify"),
        "sessions/upload": ("post", "sessions", "add"), "api-pairs/list": ("get", "api_pairs", "look"),
        "api-pairs/add": ("post", "api_pairs", "add"), "bots/create": ("post", "bots", "add"),
        "users/create": ("post", "users", "add"),
    }  # fmt: skip
    wrong = []
    for role in (*roles.Role.values, ""):
        program = api(staff_person(role.lower() or "nobody", role))
        for path, (method, page, deed) in calls.items():
            refused = getattr(program, method)(f"/api/admin/{path}").status_code == 403
            wrong += [(role, path)] if refused == (role in roles.MAY[page][deed]) else []
    assert wrong == []


def test_only_an_owner_makes_administrators_by_program(api: Any) -> None:
    person = {"email": "x@example.com", "password": "staple horse battery 11", "role": "admin"}
    before = StaffDevice.objects.count()

    assert api(staff_person("sue", roles.Role.SUPPORT)).post("/api/admin/users/create", person).status_code == 403
    assert StaffDevice.objects.count() == before + 1
