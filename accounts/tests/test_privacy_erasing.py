"""After the 14 days nothing is left: proved on a row in every table, by a search through the whole database."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import EmailMessage
from django.test import Client
from django.utils.timezone import now

from accounts import archives, erasing, farewell, mails, tasks, tenancy
from accounts.models import Export, Invitation, Mail, Membership, User, Workspace
from accounts.tests.filling import Filling, hits
from billing.models import Subscription
from bots.models import Bot, BotTask
from errors import codes
from errors.models import ActivityLog
from instagrowth.models import LiveEvent
from instagrowth.testing import everywhere, workspace_of

pytestmark = pytest.mark.usefixtures("committed", "nobody_guessed")
MARK, KEPT = "zq7alice", "zq7charlie"
LONG_AGO = now() - timedelta(days=14) - timedelta(days=1)


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Any) -> None:
    private = settings.STORAGES["default"]
    options = private["OPTIONS"] | {"location": tmp_path}
    settings.STORAGES = settings.STORAGES | {"default": private | {"OPTIONS": options}}


def let_time_pass() -> None:
    """The 14 days are over for whoever asked."""
    with everywhere():
        Workspace.objects.filter(delete_at__isnull=False).update(delete_at=LONG_AGO)
        User.objects.filter(delete_at__isnull=False).update(delete_at=LONG_AGO)


def ask(user: User) -> None:
    with tenancy.person(user):
        farewell.ask_for_account(user)


def test_of_a_person_and_their_workspace_nothing_is_left_in_any_table(
    alice: User, charlie: User, client: Client, settings: Any
) -> None:
    settings.EMAIL_BACKEND, settings.MAIL_BACKEND = (
        "accounts.mails.Outbox",
        "django.core.mail.backends.locmem.EmailBackend",
    )
    workspace, charlies = workspace_of(alice), workspace_of(charlie)
    with everywhere():
        User.objects.filter(pk=alice.pk).update(name=f"{MARK} Clay")
        Subscription.objects.filter(workspace=workspace).update(stripe_customer_id=MARK, stripe_subscription_id=MARK)
        Workspace.objects.filter(pk=workspace.pk).update(name=f"{MARK} & Co", reply_to=f"{MARK}@example.com")
        mine, theirs = Filling(workspace, alice, MARK), Filling(charlies, alice, KEPT)
        mine.rows[Subscription] = workspace.subscription
        theirs.rows[Subscription] = charlies.subscription
        mine.rows[Membership] = Membership.objects.get(user=alice)
        tenant_tables = mine.tenants()
        tables = [*tenant_tables, *mine.persons()]
        theirs.tenants()  # where Alice works for Charlie: her id is in every column that can hold a person's
        Invitation.objects.create(workspace=charlies, email="alice@example.com", token_hash="c" * 64)
        LiveEvent.objects.create(workspace_id=charlies.pk, name="joined", data={"who": "alice@example.com"})
        ActivityLog.objects.create(
            workspace_id=charlies.pk,
            user_id=alice.pk,
            action="team",
            status="ok",
            error_message="alice@example.com in",
            metadata={"person": str(alice.pk), "email": "Alice@example.com"},
        )
        Mail.objects.create(to="Alice@Example.com", subject="To her", sent_at=now())
        Mail.objects.create(to="gone@example.com", subject=f"{MARK} Clay invites you", sent_at=now())
    client.force_login(alice)
    client.get("/settings/privacy/")
    with everywhere():
        UserSession.objects.create(user=alice, session_key=client.session.session_key, ip="203.0.113.7")
    words: tuple[object, ...] = (MARK, "alice@example.com", alice.pk, workspace.pk, client.session.session_key)
    with tenancy.person(alice):
        key = str(archives.ask(alice).pk)
    archives.make(key)
    words += tuple(mine.ids())
    found = {hit.partition(":")[0] for hit in hits(*words)}
    # The search finds what is there, in every table; the history of a subscription names nobody.
    assert {model._meta.db_table for model in tables} - {"subscription_changes"} <= found
    kept_before = len(hits(KEPT))

    ask(alice)
    let_time_pass()
    tasks.erase_due()

    left = hits(*words)
    assert [hit.partition(":")[0] for hit in left] == ["accounts_mail"], left  # the last, which must still find its way
    with everywhere():
        mails.send(str(Mail.objects.get(to="alice@example.com").pk))
    tasks.erase_due()
    assert hits(*words) == []
    assert default_storage.listdir(archives.FOLDER)[1] == []
    with everywhere():
        assert [one.stripe_customer_id for one in Subscription.objects.filter(workspace=None)] == [""]
        assert Subscription.objects.filter(workspace=charlies).exists()
        log = ActivityLog.objects.get(workspace_id=charlies.pk, action="team")
        assert (log.user_id, log.error_message) == (None, "erased in")
        assert log.metadata == {"person": "erased", "email": "erased"}
    # Whatever is Charlie's stays, but Alice's place with him, her news there and how she heard of them.
    assert len(hits(KEPT)) == kept_before - 2


def test_a_workspace_goes_alone_and_its_people_stay(
    alice: User, bob: User, alices_bot: Bot, mailoutbox: list[EmailMessage]
) -> None:
    workspace = workspace_of(alice)
    with tenancy.scope(workspace):
        farewell.ask_for_workspace(workspace, alice)
    let_time_pass()
    mailoutbox.clear()

    tasks.erase_due()

    assert hits(workspace.pk, alices_bot.pk, alices_bot.account_id) == []
    assert User.objects.filter(pk__in=[alice.pk, bob.pk]).count() == 2
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [(["alice@example.com"], "A workspace is deleted")]


def test_before_its_day_nothing_goes(alice: User, alices_bot: Bot) -> None:
    ask(alice)
    before = len(hits(alice.pk))

    tasks.erase_due()

    assert len(hits(alice.pk)) == before


def test_who_undid_it_a_moment_before_stays(alice: User, alices_bot: Bot) -> None:
    ask(alice)
    let_time_pass()
    with tenancy.person(alice):
        farewell.keep_account(alice)

    assert not erasing.erase_person(alice.pk)
    assert not erasing.erase_workspace(alices_bot.workspace_id)
    with everywhere():
        assert Bot.objects.filter(pk=alices_bot.pk).exists()


def test_an_erasing_that_fails_half_way_leaves_everything_and_the_others_go(
    alice: User, charlie: User, alices_bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(alice)
    ask(charlie)
    let_time_pass()
    empty = erasing._empty

    def faulty(model: Any, workspace: Any) -> None:
        empty(model, workspace)
        if workspace == alices_bot.workspace_id and model is Bot:
            raise OSError("The power is gone")

    monkeypatch.setattr(erasing, "_empty", faulty)

    tasks.erase_due()

    with everywhere():
        assert Bot.objects.filter(pk=alices_bot.pk).exists()
        assert not Workspace.objects.filter(memberships__user=charlie).exists()
    assert User.objects.filter(pk=alice.pk).exists()
    assert not User.objects.filter(pk=charlie.pk).exists()


def test_who_became_the_last_owner_meanwhile_stays_and_it_is_told(alice: User, charlie: User) -> None:
    workspace = workspace_of(alice)
    with everywhere():
        Membership.objects.create(workspace=workspace, user=charlie, role=Membership.Role.OWNER)
    ask(alice)
    with everywhere():
        Membership.objects.filter(user=charlie, workspace=workspace).update(role=Membership.Role.VIEWER)
    let_time_pass()

    tasks.erase_due()

    assert User.objects.filter(pk=alice.pk).exists()
    with everywhere():
        assert ActivityLog.objects.order_by("-id").first().error_code == codes.LAST_OWNER.id


def test_an_archive_left_over_by_a_killed_worker_goes_within_the_hour(alice: User) -> None:
    with everywhere():
        export = Export.objects.create(user=alice)
    default_storage.save(archives.name_of(export.pk), ContentFile(b"half"))
    ask(alice)
    let_time_pass()

    tasks.erase_due()
    tasks.forget_old_archives()

    assert not default_storage.exists(archives.name_of(export.pk))


def test_it_costs_the_same_statements_whatever_the_number_of_rows(
    alice: User, alices_bot: Bot, django_assert_max_num_queries: Any
) -> None:
    with everywhere():
        BotTask.objects.bulk_create(
            BotTask(workspace_id=alices_bot.workspace_id, bot=alices_bot, kind="like", amount=1) for _ in range(1000)
        )
    ask(alice)
    let_time_pass()

    with django_assert_max_num_queries(195):
        assert erasing.erase_person(alice.pk)

    assert hits(alices_bot.workspace_id, alices_bot.pk, alices_bot.account_id) == []
