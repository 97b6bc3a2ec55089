"""What a button stands for is done to the row that was looked at, or not at all; and the log has before and after."""

from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import User
from adminpanel import versions
from adminpanel.deeds import Deed
from adminpanel.models import AdminLog
from adminpanel.pages.people import UserPage
from adminpanel.tests.control_room import do, inside, staff_person
from billing.models import Subscription
from bots.models import ApiPair, Bot
from instagrowth.testing import everywhere, workspace_of


@pytest.fixture
def owner(nobody_guessed: None) -> Client:
    return inside("olga")


def button(client: Client, row: Any, deed: str) -> str:
    """The address behind a button on a row's page, as somebody has it on their screen."""
    opts = row._meta
    page = client.get(reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[row.pk]))
    return next(one["link"] for one in page.context["row_deeds"] if f"/do/{deed}/" in one["link"])


def sent(client: Client, link: str, **given: str) -> str:
    """Open a deed's form, send what it carries, and give what is said afterwards."""
    form = client.get(link)
    if form.status_code == 302:
        return client.get(form["Location"]).content.decode()
    return pressed(client, link, form, **given)


def pressed(client: Client, link: str, form: Any, **given: str) -> str:
    """Send a form that was opened earlier."""
    (version,) = form.context["versions"].values()
    assert f'name="version" value="{version}"' in form.content.decode()
    answer = client.post(link, {"version": version, "reason": "asked by phone"} | given, follow=True)
    return answer.content.decode()


@pytest.mark.django_db
def test_the_second_of_two_is_told_and_shown_the_row_as_it_is_now(owner: Client, alice: User) -> None:
    second = inside("paula")
    early, block = button(second, alice, "sign_out"), button(second, alice, "block")
    form = second.get(block)
    assert "is signed out and cannot sign in" in sent(owner, button(owner, alice, "block"))
    done = AdminLog.objects.count()

    told = [sent(second, early), pressed(second, block, form)]

    assert all("olga@staff.example.com changed this while you had it open. Nothing was done." in one for one in told)
    assert all("/do/unblock/" in one and "/do/block/" not in one for one in told)
    assert AdminLog.objects.count() == done
    assert "may sign in again" in sent(second, button(second, alice, "unblock"))


@pytest.mark.django_db
def test_a_deed_whose_trace_is_in_another_table_is_seen_too_and_logged_with_before_and_after(
    owner: Client, alice: User
) -> None:
    second = inside("paula")
    link = button(second, alice, "change_plan")
    sent(owner, button(owner, alice, "change_plan"), plan="starter")

    assert "changed this while you had it open" in sent(second, link, plan="growth")

    with everywhere():
        plan = Subscription.objects.select_related("plan").get(workspace=workspace_of(alice)).plan
    assert plan.key == "starter"
    changes = AdminLog.objects.get(action="workspaces.plan").changes
    assert changes["plan"] == ["growth", "starter"]


@pytest.mark.django_db
def test_ticked_rows_that_changed_are_left_out_and_named(owner: Client, alice: User, bob: User) -> None:
    where = reverse("admin:accounts_user_changelist")
    chosen = {"action": "sign_out", "_selected_action": [str(alice.pk), str(bob.pk)], "index": "0"}
    form = owner.post(where, chosen)
    do(inside("paula"), bob, "sign_out")
    keys, marks = zip(*form.context["versions"].items(), strict=True)
    more = {"confirmed": "1", "reason": "x", "_selected_action": keys, "version": marks}

    told = owner.post(where, chosen | more, follow=True).content.decode()

    assert "1 done. Not all: paula@staff.example.com changed this" in told
    assert [*AdminLog.objects.filter(action="users.sign_out", admin="olga@staff.example.com")
            .values_list("target_id", flat=True)] == [str(alice.pk)]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("version", ["", "nonsense", None])
def test_a_deed_sent_without_what_was_seen_is_not_done(owner: Client, alice: User, version: str | None) -> None:
    where = reverse("admin:accounts_user_do", args=[alice.pk, "block"])
    given = {"reason": "x"} | ({} if version is None else {"version": version})

    answer = owner.post(where, given, follow=True)

    assert "Nothing was done" in answer.content.decode()
    assert User.objects.get(pk=alice.pk).is_active


@pytest.mark.django_db
def test_no_deed_is_done_where_its_button_does_not_show(owner: Client) -> None:
    pair = ApiPair.objects.create(app_id="4711", name="Spare")
    where = reverse("admin:bots_apipair_do", args=[pair.pk, "resume"])

    looked, asked = owner.get(where, follow=True).content.decode(), do(owner, pair, "resume")

    assert "E-API-E-0033" in looked
    assert asked["Location"] == reverse("admin:bots_apipair_change", args=[pair.pk])
    assert not AdminLog.objects.filter(action="api_pairs.resume").exists()
    assert do(owner, pair, "pause").status_code == 302
    assert AdminLog.objects.get(action="api_pairs.pause").changes == {"status": ["active", "paused"]}


@pytest.mark.parametrize("unbound", [False, True])
def test_of_two_at_the_same_moment_one_does_it(
    committed: None, nobody_guessed: None, monkeypatch: pytest.MonkeyPatch, unbound: bool
) -> None:
    done: list[Any] = []
    together, told = Barrier(2, timeout=20), Queue[bool]()

    def slowly(row: User, asked: Any) -> None:
        done.append(row.pk)
        assert told.get(timeout=20)  # it is not over before the other one was told

    monkeypatch.setattr(UserPage, "deeds", (Deed("block", "Block", slowly, unbound=unbound),))
    with everywhere():
        victim = User.objects.create(email=f"{uuid4().hex}@example.com")
        clients = [inside(staff_person(f"staff{uuid4().hex[:8]}")) for _ in range(2)]

    def press(client: Client) -> str:
        try:
            link = button(client, victim, "block")
            form = client.get(link)
            together.wait()
            answer = pressed(client, link, form)
            told.put(True)
            return answer
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(press, clients))

    assert len(done) == 1
    assert sum("Block: done." in answer for answer in answers) == 1
    assert sum("Nothing was done" in answer for answer in answers) == 1


@pytest.mark.django_db
def test_a_hold_is_seen_by_others_and_ends_with_its_block(alice: User) -> None:
    with versions.held(alice, unbound=True), ThreadPoolExecutor(1) as other:

        def take() -> bool:
            try:
                return versions._try("pg_try_advisory_lock", alice)
            finally:
                connection.close()

        assert other.submit(take).result() is False
    with ThreadPoolExecutor(1) as other:
        assert other.submit(take).result() is True


@pytest.mark.django_db
def test_what_a_deed_changes_beside_its_row_is_logged_too(owner: Client, alices_bot: Bot) -> None:
    pair = ApiPair.objects.create(app_id="4711", name="Spare")
    with everywhere():
        Bot.objects.filter(pk=alices_bot.pk).update(api_pair=pair)

    key = str(pair.pk)
    assert do(owner, pair, "delete", force="on").status_code == 302

    log = AdminLog.objects.filter(action="api_pairs.delete").order_by("pk")
    assert [(row.target_type, row.reason) for row in log] == [
        ("bots.apipair", "asked by phone"), ("bots.bot", "asked by phone"),
    ]  # fmt: skip
    assert log[1].changes["api_pair_id"] == [key, None]
