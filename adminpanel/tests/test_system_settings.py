"""System settings: each changes what the product does, without a restart, by whoever may, and the log says so."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts import farewell, notifications, teams, tenancy
from accounts.models import Notification, User, Workspace
from adminpanel import presence, roles
from adminpanel.models import AdminLog, SystemSetting
from adminpanel.tests.control_room import do, inside, key_of
from billing import mirror
from bots import dispatch
from bots import tasks as engine
from content import ai, metering, publishing
from content import tasks as content_tasks
from content.prompts import captions
from errors import alerts, codes, partitions
from errors import tasks as error_tasks
from errors.exceptions import BotException
from errors.models import ErrorGroup
from instagrowth import system
from instagrowth.testing import everywhere


@pytest.fixture(autouse=True)
def _as_by_default(db: None) -> Iterator[None]:
    yield
    SystemSetting.objects.update(value=None)
    cache.delete(system._KEY)
    system.forget()


def set_to(setting: system.Setting[Any], value: Any) -> None:
    """What staff's page does, without the page."""
    assert SystemSetting.objects.filter(key=setting.key).update(value=setting.clean(value))
    system.refresh()


def asked(client: Client, setting: system.Setting[Any], deed: str = "set", **given: str) -> Any:
    return do(client, SystemSetting.objects.get(key=setting.key), deed, **given)


def alices() -> Workspace:
    with everywhere():
        return Workspace.objects.get()


# ── What each of them changes: what is seen with the default, and what with another value ──


def sign_up() -> object:
    return "closed for now" in Client().get("/signup").content.decode()


def maintenance() -> object:
    open_doors = [Client().get(path).status_code for path in ("/healthz", "/admin/login/", "/help/errors/")]
    assert open_doors == [200, 200, 200]
    answer = Client().get("/api/auth/me")
    return Client().get("/login").status_code, answer.json().get("error_code") == codes.MAINTENANCE.id


def free_workspaces() -> object:
    owner = User.objects.get(email="alice@example.com")
    try:
        return teams.make_workspace(owner, "One more").name
    except BotException as refused:
        return refused.code


def bots_run() -> object:
    sent: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "rooms", lambda: {"bots": 1})
        patch.setattr(dispatch, "claim", lambda *_: sent.append("asked") or [])
        engine.dispatch()
    return sent


def publishes() -> object:
    sent: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "claim", lambda *_: sent.append("asked") or [])
        content_tasks.dispatch_posts()
    return sent


def ai_answers() -> object:
    try:
        with tenancy.scope(place := alices()):
            metering.check(place)
        ai.ask(captions.prompt({"about": "stoneware"}))
    except BotException as refused:
        return refused.code


def ai_budget() -> object:
    with tenancy.scope(place := alices()):
        return metering.budget_micros(place)


def ai_model() -> object:
    return ai._Telling(captions.prompt({"about": "stoneware"})).model


def grace() -> object:
    return mirror.grace()


def log_kept() -> object:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ensure_activity_partitions(1, %s)", [now() - timedelta(days=300)])
    return bool(partitions.turn_over()[1])


def notifications_kept() -> object:
    with everywhere():
        owner = User.objects.get(email="alice@example.com")
        old = Notification.objects.create(workspace=alices(), user=owner, kind="team", title="Old")
        Notification.objects.filter(pk=old.pk).update(created_at=now() - timedelta(days=60))
        notifications.forget_old()
        return Notification.objects.filter(pk=old.pk).exists()


def deletion_waits() -> object:
    return farewell.waits()


def support() -> object:
    return "help@example.com" in Client().get("/no-such-page").content.decode()


def alert_emails() -> object:
    sent: list[object] = []
    fields: dict[str, object] = {"action": "walk", "correlation_id": "c-1"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(error_tasks, "send_mail", lambda *given, **_: sent.append(given[3]))
        patch.setattr(error_tasks.mail_alert, "delay", error_tasks.mail_alert)
        alerts.send(alerts._message(codes.INTERNAL_ERROR, fields, ErrorGroup(code="E-API-E-0009"), 1))
    return sent


def alert_storm() -> object:
    told: list[object] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alerts, "_count", lambda _: 25)
        patch.setattr(alerts, "send", told.append)
        patch.setattr(alerts, "_message", lambda *_: "told")
        patch.setattr(alerts.sentry, "capture", lambda *_: None)
        alerts.consider(codes.INTERNAL_ERROR, {}, ErrorGroup(code=codes.INTERNAL_ERROR.id))
    return told


# setting -> (another value, what shows it, what it shows by default, what it shows then)
PROBES: dict[system.Setting[Any], tuple[Any, Callable[[], object], object, object]] = {
    system.SIGN_UP_OPEN: (False, sign_up, False, True),
    system.MAINTENANCE: (True, maintenance, (200, False), (503, True)),
    system.FREE_WORKSPACES: (1, free_workspaces, "One more", codes.WORKSPACE_LIMIT),
    system.BOTS_RUN: (False, bots_run, ["asked"], []),
    system.CALENDAR_PUBLISHES: (False, publishes, ["asked"], []),
    system.AI_ANSWERS: (False, ai_answers, codes.AI_NOT_SET_UP, codes.AI_OFF),
    system.AI_MODEL: ("gpt-5-mini", ai_model, "gpt-4o", "gpt-5-mini"),
    system.AI_BUDGET: (7, ai_budget, 5000 * metering.CENT, 7 * metering.CENT),
    system.PAYMENT_GRACE: (3, grace, timedelta(days=7), timedelta(days=3)),
    system.LOG_KEPT: (6, log_kept, False, True),
    system.NOTIFICATIONS_KEPT: (30, notifications_kept, True, False),
    system.DELETION_WAITS: (2, deletion_waits, timedelta(days=14), timedelta(days=2)),
    system.SUPPORT_EMAIL: ("help@example.com", support, False, True),
    system.ALERT_EMAILS: ("a@example.com, b@example.com", alert_emails, [], [["a@example.com", "b@example.com"]]),
    system.ALERT_STORM: (1000, alert_storm, ["told"], []),
}  # fmt: skip


def test_each_setting_has_a_proof_that_something_reads_it() -> None:
    assert {setting.key for setting in PROBES} == set(system.ALL)


@pytest.mark.parametrize("setting", PROBES, ids=lambda setting: setting.key)
def test_a_setting_changes_what_the_product_does(setting: system.Setting[Any], alices_workspace: Workspace) -> None:
    value, seen, before, after = PROBES[setting]
    assert seen() == before
    if setting is system.FREE_WORKSPACES:
        before = codes.WORKSPACE_LIMIT
    set_to(setting, value)
    assert seen() == after


# ── Staff's page ──


def test_a_change_that_did_not_reach_the_cache_counts_all_the_same_in_a_while() -> None:
    """The process died after its commit, or two changed at one moment: what is kept there does not stay."""
    system.refresh()

    assert 0 < cache.ttl(system._KEY) <= system.REBUILT


def test_an_owner_changes_a_setting_and_the_log_says_what_it_was() -> None:
    owner = inside("olga")
    page = owner.get(reverse("admin:index")).content.decode()
    listed = reverse("admin:adminpanel_systemsetting_changelist")
    assert listed in page, "it is reached by clicking"
    assert "Anybody may sign up" in owner.get(listed).content.decode()

    answer = owner.get(asked(owner, system.FREE_WORKSPACES, value="3", reason="Too many empty")["Location"])

    system.refresh()  # the test's own transaction does not end
    assert "Free workspaces of one person: 3." in answer.content.decode()
    assert system.FREE_WORKSPACES.now() == 3
    entry = AdminLog.objects.latest("id")
    assert (entry.action, entry.admin, entry.reason) == ("settings.set", "olga@staff.example.com", "Too many empty")
    assert entry.changes["value"] == [None, 3]

    asked(owner, system.FREE_WORKSPACES, "default")
    system.refresh()
    assert system.FREE_WORKSPACES.now() == 5
    assert AdminLog.objects.latest("id").changes["value"] == [3, None]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        (system.FREE_WORKSPACES, "0"),
        (system.FREE_WORKSPACES, "many"),
        (system.BOTS_RUN, ""),
        (system.BOTS_RUN, "perhaps"),
        (system.SUPPORT_EMAIL, "nobody"),
        (system.ALERT_EMAILS, "a@example.com, nobody"),
        (system.AI_MODEL, "<script>"),
        (system.LOG_KEPT, "-1"),
    ],
)
def test_a_value_of_another_type_is_refused_at_its_field(setting: system.Setting[Any], value: str) -> None:
    answer = asked(inside("olga"), setting, value=value)

    assert answer.status_code == 400
    assert "value" in answer.context["form"].errors
    assert not SystemSetting.objects.filter(value__isnull=False).exists()


@pytest.mark.parametrize("role", [role for role in roles.Role if role != roles.Role.OWNER])
def test_nobody_but_an_owner_changes_one(role: str) -> None:
    answer = asked(inside("otto", role), system.BOTS_RUN, value="False")

    assert answer.status_code == 403
    assert not SystemSetting.objects.filter(value__isnull=False).exists()


def test_a_change_wants_a_fresh_code() -> None:
    owner = inside("olga")
    store = SessionStore(key_of(owner))
    store[presence.MARK] |= {"proved": 0}
    store.save()

    answer = asked(owner, system.BOTS_RUN, value="False")

    assert answer["Location"].startswith(reverse("admin:prove"))


# ── What is kept ──


def test_what_is_kept_but_not_valid_any_more_counts_as_not_kept() -> None:
    SystemSetting.objects.filter(key=system.FREE_WORKSPACES.key).update(value=100_000)
    system.refresh()

    assert system.FREE_WORKSPACES.now() == 5
    page = inside("olga").get(reverse("admin:adminpanel_systemsetting_changelist")).content.decode()
    assert "is not valid any more" in page


def test_an_update_adds_rows_for_new_settings_and_keeps_what_is_set() -> None:
    set_to(system.FREE_WORKSPACES, 9)
    SystemSetting.objects.filter(key=system.BOTS_RUN.key).delete()
    SystemSetting.objects.create(key="gone_by_now", value=1)

    system.sync()

    assert set(SystemSetting.objects.values_list("key", flat=True)) == set(system.ALL)
    assert system.FREE_WORKSPACES.now() == 9


def test_a_cache_that_was_emptied_forgets_nothing() -> None:
    set_to(system.FREE_WORKSPACES, 9)
    cache.clear()
    system.forget()

    assert system.FREE_WORKSPACES.now() == 9


_LISTENER = """
import sys, django
django.setup()
from instagrowth import system
for line in sys.stdin:
    print(system.BOTS_RUN.now(), flush=True)
"""


def test_another_process_knows_a_change_without_a_restart(committed: None) -> None:
    def ask() -> str:
        listener.stdin.write("\n")  # type: ignore[union-attr]
        listener.stdin.flush()  # type: ignore[union-attr]
        return listener.stdout.readline().strip()  # type: ignore[union-attr]

    name = connection.settings_dict["NAME"]
    url, _, _ = os.environ["DATABASE_URL"].rpartition("/")
    own = {"DATABASE_URL": f"{url}/{name}", "DJANGO_SETTINGS_MODULE": "instagrowth.settings"}
    command, pipe = [sys.executable, "-c", _LISTENER], subprocess.PIPE
    root = django_settings.BASE_DIR
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root, env=os.environ | own) as listener:
        assert ask() == "True"
        set_to(system.BOTS_RUN, False)
        answers = iter(ask, "False")  # until it knows; the test's own time limit ends it otherwise
        assert all(answer == "True" for answer in answers)
        listener.stdin.close()  # type: ignore[union-attr]
