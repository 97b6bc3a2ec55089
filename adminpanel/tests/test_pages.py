"""What staff do on their pages, step by step, and what it does for members."""

import json
from datetime import timedelta
from typing import Any, cast

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import PROTECT
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Membership, User, Workspace
from adminpanel import roles
from adminpanel.models import AdminLog
from adminpanel.site import site
from adminpanel.tests.control_room import do, inside
from adminpanel.tests.session_files import settings as session
from billing import entitlements
from billing.models import Plan, Subscription
from bots.models import ApiPair, Bot, DailyLimit, InstagramAccount, Session
from instagrowth.testing import PASSWORD, everywhere, member, read, workspace_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(nobody_guessed: None) -> Client:
    return inside("olga")


def test_a_member_without_an_e_mail_signs_in_by_the_access_code(owner: Client) -> None:
    page = owner.post(reverse("admin:accounts_user_add"), {"name": "Zed", "email": "", "plan": "starter"})
    told = dict(page.context["facts"])
    made = User.objects.get(access_code=told["Access code"])
    with everywhere():
        plan = entitlements.plan_of(workspace_of(made)).key
    answer = Client().post("/login", {"login": told["Access code"].lower(), "password": told["One-time password"]})

    assert (plan, made.must_change_password, answer.status_code) == ("starter", True, 302)
    assert "no-store" in page["Cache-Control"]
    entry = AdminLog.objects.get(action="users.add")
    assert told["One-time password"] not in json.dumps(entry.changes)


@pytest.mark.parametrize("given", [{"email": "alice@example.com"}, {"email": "no address"}, {"plan": "gold"}])
def test_a_member_that_cannot_be_is_refused_in_the_form(owner: Client, alice: User, given: dict) -> None:
    before = User.objects.count()
    answer = owner.post(reverse("admin:accounts_user_add"), {"email": "", "plan": "free"} | given)

    assert (answer.status_code, User.objects.count()) == (400, before)


def test_fields_that_the_form_does_not_have_change_nothing(owner: Client) -> None:
    more = {"role": "admin", "is_staff": "1", "is_superuser": "1", "groups": "1", "id": "1", "password": "x"}
    owner.post(reverse("admin:accounts_user_add"), {"email": "zed@example.com", "plan": "free"} | more)

    zed = User.objects.get(email="zed@example.com")
    assert (zed.role, zed.is_superuser, zed.groups.count(), zed.check_password("x")) == ("user", False, 0, False)


def test_blocking_signs_out_and_stops_bots_of_theirs_alone(owner: Client, alice: User, alices_bot: Bot) -> None:
    browser = Client()
    browser.force_login(alice)
    with everywhere():
        Bot.objects.update(status=Bot.Status.RUNNING)

    do(owner, alice, "block")

    with everywhere():
        stopped = Bot.objects.get().status
    assert (browser.get("/dashboard/").status_code, stopped) == (302, "stopped")
    assert Client().post("/login", {"login": alice.email, "password": PASSWORD}).status_code == 200
    do(owner, alice, "unblock")
    assert Client().post("/login", {"login": alice.email, "password": PASSWORD}).status_code == 302


def test_a_reset_password_is_for_one_sign_in(owner: Client, alice: User) -> None:
    page = do(owner, alice, "reset_password")
    password = dict(page.context["facts"])["One-time password"]

    assert Client().post("/login", {"login": alice.email, "password": PASSWORD}).status_code == 200
    browser = Client()
    browser.post("/login", {"login": alice.email, "password": password})
    assert browser.get("/dashboard/")["Location"] == "/profile/change-password"


def test_a_changed_plan_shows_on_the_members_page(owner: Client, alice: User, alices_workspace: Workspace) -> None:
    do(owner, alice, "change_plan", plan="enterprise", days="")
    browser = Client()
    browser.force_login(alice)

    assert "Enterprise" in browser.get("/dashboard/").content.decode()
    entry = AdminLog.objects.get(action="workspaces.plan")
    assert entry.target_id == str(alices_workspace.pk)


def test_what_is_paid_for_does_not_change_here(owner: Client, alice: User, alices_workspace: Workspace) -> None:
    with everywhere():
        Subscription.objects.update(stripe_subscription_id="sub_1", status="active")

    answer = do(owner, alice, "change_plan", plan="free", days="")

    assert (answer.status_code, "E-BILL" in answer.content.decode()) == (400, True)


def test_extending_and_ending_what_was_given(owner: Client, alices_workspace: Workspace) -> None:
    with everywhere():
        row = Subscription.objects.get(workspace=alices_workspace)
        do(owner, row, "extend", days="30")
        row.refresh_from_db()
        assert row.current_period_end is None  # it was given for good: there is no button
        do(owner, row, "change_plan", plan="growth", days="10")
        do(owner, row, "extend", days="30")
        row.refresh_from_db()
        assert (row.plan.key, (row.current_period_end - timezone.now()).days) == ("growth", 39)
        do(owner, row, "end")
        row.refresh_from_db()
        assert not row.is_alive


def test_what_was_used_once_is_not_deleted_and_nothing_breaks(owner: Client, alices_workspace: Workspace) -> None:
    """Each table that a page deletes from, with what holds its rows."""
    holders = {
        (page.page, held.related_model.__name__)
        for model, page in site._registry.items()
        for held in model._meta.get_fields(include_hidden=True)
        if getattr(held, "on_delete", None) is PROTECT and any(deed.name == "delete" for deed in page.deeds)
    }
    with everywhere():
        for key in ("enterprise", "growth"):
            entitlements.subscribe(alices_workspace, key)
    answer = do(owner, Plan.objects.get(key="enterprise"), "delete")

    assert holders == {("plans", "Subscription"), ("plans", "SubscriptionChange"), ("api_pairs", "Bot")}
    assert (answer.status_code, "deactivate it" in answer.content.decode()) == (400, True)
    assert Plan.objects.filter(key="enterprise").exists()


def test_a_plan_in_use_is_deactivated_not_deleted(owner: Client, alice: User) -> None:
    plan = Plan.objects.get(key="growth")
    assert do(owner, plan, "delete").status_code == 400
    assert do(owner, plan, "deactivate").status_code == 302

    assert Plan.objects.get(pk=plan.pk).status == "inactive"
    assert "growth" not in str(owner.get(reverse("admin:accounts_user_add")).context["form"])


def test_the_second_of_two_who_edit_one_row_is_told(owner: Client) -> None:
    other, row = inside("paula"), DailyLimit.objects.filter(workspace=None, kind="follow").first()
    where = reverse("admin:bots_dailylimit_change", args=[row.pk])  # type: ignore[union-attr]
    first, second = (client.get(where).context["adminform"].form.initial for client in (owner, other))
    given = {"hourly": 7, "daily": 41, "weekly": 210}

    assert owner.post(where, given | {"version": first.get("version")}).status_code == 302
    late = other.post(where, given | {"daily": 99, "version": second.get("version")})

    assert "olga@staff.example.com changed this" in late.content.decode()
    assert DailyLimit.objects.get(pk=row.pk).daily == 41  # type: ignore[union-attr]
    assert AdminLog.objects.filter(action="limits.change").first().changes["daily"][1] == 41  # type: ignore[union-attr]


def test_files_are_judged_one_by_one_and_a_bot_is_made_of_a_session(owner: Client, alice: User) -> None:
    files = [
        SimpleUploadedFile("nova.cat.json", json.dumps(session("nova.cat")).encode()),
        SimpleUploadedFile("<script>alert(1)</script>.json", b"{not json"),
    ]
    page = owner.post(reverse("admin:bots_session_add"), {"session_files": files}).content.decode()
    assert ("1 of 2 taken" in page, "E-SESS-" in page, "<script>alert(1)" in page) == (True, True, False)
    with everywhere():
        kept = Session.objects.get(username="nova.cat")
    owner.post(reverse("admin:bots_apipair_add"), {"app_id": "4242", "app_secret": "f" * 32, "name": "", "capacity": 5})
    wanted = {
        "user": alice.email, "plan_type": "starter", "cycle_delay": 120, "sessions": [str(kept.pk)],
        "display_name": "Nova", "api_pair": "auto",
    }  # fmt: skip

    assert owner.post(reverse("admin:bots_bot_add"), wanted).status_code == 302

    with everywhere():
        bot = Bot.objects.select_related("account__session", "api_pair").get()
        facts = (bot.display_name, bot.cycle_delay, bot.account.session.status, bot.api_pair.app_id, bot.user_id)
        assert facts == ("Nova", 120, "assigned", "4242", alice.pk)
        assert ApiPair.objects.get().status == "active"
    assert set(AdminLog.objects.values_list("action", flat=True)) >= {
        "sessions.upload", "sessions.add", "api_pairs.add", "bots.add",
    }  # fmt: skip
    kept = AdminLog.objects.filter(action="sessions.add")
    assert all(entry.target_id and entry.changes["status"] == [None, "unused"] for entry in kept)


def test_a_session_at_work_is_not_deleted_without_force(owner: Client, alices_bot: Bot) -> None:
    with everywhere():
        Bot.objects.update(status=Bot.Status.RUNNING)
        session = Session.objects.get()

    assert do(owner, session, "delete").status_code == 400
    assert do(owner, session, "delete", force="on").status_code == 302
    with everywhere():
        assert (Session.objects.count(), Bot.objects.get().status) == (0, "stopped")


def test_the_challenge_desk_shows_who_waits_for_a_person(owner: Client, alices_account: InstagramAccount) -> None:
    where = reverse("admin:bots_instagramaccount_changelist") + "?desk=open"
    assert "alice.clay" not in owner.get(where).content.decode()
    with everywhere():
        InstagramAccount.objects.update(health="needs_you", health_code="E-IG-E-0003")

    assert "alice.clay" in owner.get(where).content.decode()


def test_deeds_to_many_rows_are_confirmed_once_and_logged_one_by_one(owner: Client, alice: User, charlie: User) -> None:
    where = reverse("admin:accounts_user_changelist")
    chosen = {
        "action": "block",
        "_selected_action": [str(alice.pk), str(charlie.pk)],
        "index": "0",
        "select_across": "0",
    }
    assert "deed-form" in owner.post(where, chosen).content.decode()
    assert User.objects.filter(is_active=False).count() == 0

    with everywhere():
        marks = cast(Any, site._registry[User]).marks([alice, charlie])
    sure = chosen | {"confirmed": "1", "reason": "spam", "version": [marks[key] for key in chosen["_selected_action"]]}
    owner.post(where, sure)

    assert User.objects.filter(is_active=False).count() == 2
    assert AdminLog.objects.filter(action="users.block", reason="spam").count() == 2
    assert owner.post(where, chosen | {"action": "unblock", "select_across": "1"}).status_code == 403
    billing = inside("bea", roles.Role.BILLING)
    billing.post(where, chosen | {"action": "unblock", "confirmed": "1", "reason": "x"})
    assert User.objects.filter(is_active=False).count() == 2


def test_a_workspace_keeps_an_owner(owner: Client, alice: User, bob: User) -> None:
    with everywhere():
        place = Membership.objects.get(user=alice)

    assert do(owner, place, "remove").status_code == 400
    assert do(owner, place, "give_role", role="viewer").status_code == 400


def test_lists_are_paged_by_key_both_ways(owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site._registry[User], "list_per_page", 3)
    for number in range(8):
        member(f"person{number}")
    where, seen, pages = reverse("admin:accounts_user_changelist"), [], []
    step = ""
    while step is not None:
        listed = owner.get(where + step).context["cl"]
        pages.append([row.email for row in listed.result_list])
        seen += pages[-1]
        step = listed.next_page or None
    back = owner.get(where + listed.last_page).context["cl"]

    assert seen == [f"person{number}@example.com" for number in reversed(range(8))]
    assert [row.email for row in back.result_list] == pages[-2]
    for broken in ("?after=nonsense", "?after=W10", "?before=WyJ4Il0", "?after=" + "A" * 500):
        assert owner.get(where + broken).status_code == 200


@pytest.mark.parametrize("model", list(site._registry), ids=lambda model: model.__name__)
def test_a_list_costs_the_same_for_one_row_and_for_many(
    owner: Client, model: Any, django_assert_max_num_queries: Any
) -> None:
    opts = model._meta
    where = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    for number in range(4):
        someone = member(f"person{number}")
        from instagrowth.testing import warm_account

        account = warm_account(workspace_of(someone), f"person{number}")
        with everywhere():
            Bot.objects.create(workspace_id=account.workspace_id, account=account, user=someone)
    with django_assert_max_num_queries(26):
        assert owner.get(where).status_code == 200


def test_an_export_is_inert_and_logged(owner: Client) -> None:
    member("evil")
    User.objects.filter(email="evil@example.com").update(name="=cmd|' /C calc'!A0")
    answer = owner.get(reverse("admin:accounts_user_export"))
    text = read(answer).decode()

    assert "\"'=cmd" in text
    assert AdminLog.objects.filter(action="users.export").count() == 1


def test_names_with_script_are_shown_as_text(owner: Client, alice: User, alices_workspace: Workspace) -> None:
    payload = "<img src=x onerror=alert(1)>\"'{{7*7}}"
    User.objects.filter(pk=alice.pk).update(name=payload)
    with everywhere():
        Workspace.objects.filter(pk=alices_workspace.pk).update(name=payload)
    for name in ("accounts_user", "accounts_workspace", "accounts_membership", "billing_subscription"):
        page = owner.get(reverse(f"admin:{name}_changelist")).content.decode()
        assert "<img src=x" not in page
    assert "<img src=x" not in owner.get(reverse("admin:accounts_user_change", args=[alice.pk])).content.decode()


def test_everything_is_reached_by_clicking_from_the_first_page(owner: Client, alices_bot: Bot) -> None:
    import re

    seen, waiting = set(), ["/admin/"]
    while waiting:
        path = waiting.pop()
        if path in seen or len(seen) > 300:
            continue
        seen.add(path)
        answer = owner.get(path)
        if answer.status_code != 200 or answer.streaming:
            continue
        found = re.findall(r'href="(/admin/[^"#?]*)', answer.content.decode())
        waiting += [link for link in found if link not in seen and "/static/" not in link]
    opts = [model._meta for model in site._registry]
    lists = {reverse(f"admin:{one.app_label}_{one.model_name}_changelist") for one in opts}
    print(f"pages={len(seen)} unreachable={len(lists - seen)}")
    assert lists <= seen
    assert reverse("admin:revenue") in seen


def test_the_dashboard_asks_little_and_says_when(
    owner: Client, alices_bot: Bot, django_assert_max_num_queries: Any
) -> None:
    from django.core.cache import cache

    cache.delete("control-room:24h")
    with django_assert_max_num_queries(26):
        first = owner.get("/admin/")
    second = owner.get("/admin/")

    assert first.context["figures"]["asked_at"] == second.context["figures"]["asked_at"]
    assert "Counted at" in first.content.decode()
    for span in ("7d", "30d", "nonsense"):
        cache.delete(f"control-room:{span}")
        assert owner.get(f"/admin/?range={span}").status_code == 200


def test_a_number_and_a_bar_lead_to_the_rows_they_count(owner: Client, alices_bot: Bot) -> None:
    from django.core.cache import cache

    for number, hours in enumerate((1, 3, 30, 24 * 9)):
        User.objects.filter(pk=member(f"came{number}").pk).update(created_at=timezone.now() - timedelta(hours=hours))
    listed = reverse("admin:accounts_user_changelist")
    cache.delete("control-room:24h")
    figures = owner.get("/admin/").context["figures"]
    page = owner.get("/admin/").content.decode()

    def rows(link: str) -> int:
        return len(owner.get(link).context["cl"].result_list)

    assert f'href="{listed}?when=24h"' in page
    assert rows(f"{listed}?when=24h") == figures["sign_ups"]
    bars = [(bar["count"], f"{listed}?when={bar['when']}") for bar in figures["newcomers"] if bar["count"]]
    assert all(f'href="{link}"' in page for _, link in bars)
    assert [rows(link) for _, link in bars] == [count for count, _ in bars]
    cache.delete("control-room:7d")
    week = {bar["when"]: bar["count"] for bar in owner.get("/admin/?range=7d").context["figures"]["newcomers"]}
    day = f"{timezone.now() - timedelta(hours=30):%Y-%m-%d}"
    assert rows(f"{listed}?when={day}") == week[day] > 0
    assert rows(f"{listed}?when=nonsense") == User.objects.filter(role=User.Role.USER).count()
    assert "Times are in UTC." in owner.get(listed).content.decode()
    assert (
        "Times are in UTC."
        in owner.get(reverse("admin:accounts_user_change", args=[alices_bot.user_id])).content.decode()
    )
    for where in ("bots_action", "errors_activitylog"):
        found = owner.get(reverse(f"admin:{where}_changelist"), {"when": "24h"}).context["cl"]
        assert found.has_active_filters
