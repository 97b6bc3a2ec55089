"""People and things that tests share. The root conftest loads this module as a plugin.

Alice owns a workspace, Bob is on her team, Charlie has a workspace of his own and must not see hers. Nothing set means
nothing visible: a test that reads rows itself does so inside `everywhere()`.
"""

import functools
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from allauth.account.models import EmailAddress
from asgiref.sync import async_to_sync
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.contrib.auth.models import Group
from django.core.cache import cache, caches
from django.db import connection, transaction
from django.test import Client, TransactionTestCase
from django.utils import timezone
from django_redis import get_redis_connection
from django_redis.cache import RedisCache

from accounts import sign_in, teams, tenancy
from accounts.models import ApiToken, Mail, Membership, User, Workspace
from adminpanel.models import AdminLog
from billing import entitlements
from billing.models import Invoice, Plan, Subscription
from bots import connecting, official, sessions, ways
from bots.models import ApiPair, Bot, InstagramAccount, OfficialAccess, Session
from errors import codes, steps
from errors.models import ErrorCode, ErrorGroup, StoryStep
from errors.steps import Step
from instagrowth import system
from instagrowth.models import LiveEvent
from instagrowth.settings import google_provider

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker
    from pytest_django.fixtures import Settings

    from sandbox.testing import Control, Sandbox

PASSWORD = "correct horse battery 9"  # noqa: S105  (of everybody here; it guards nothing)
INSTAGRAM_PASSWORD = "instagram-password-1"  # noqa: S105  (at the sandbox; it guards nothing)
GOOGLE_CLIENT = {"id": "sandbox.apps.googleusercontent.com", "secret": "sandbox-google-secret"}
META_APP = {"id": "sandbox-meta-app", "secret": "sandbox-meta-secret", "verify": "sandbox-verify-token"}
JSON = "application/json"
# A hash is made to cost a tenth of a second: here it costs nothing, but where that price is what is tested.
FULL_PRICE = {name: getattr(Argon2PasswordHasher, name) for name in ("time_cost", "memory_cost", "parallelism")}
Argon2PasswordHasher.time_cost, Argon2PasswordHasher.memory_cost, Argon2PasswordHasher.parallelism = 1, 8, 1
PLANS: list[Plan] = []  # as they are where nothing was changed
NOBODY = sign_in._NOBODY  # made at full price
sign_in._NOBODY = make_password(PASSWORD)
_hash = functools.cache(lambda: make_password(PASSWORD))


def everywhere() -> AbstractContextManager[None]:
    """See the rows of all workspaces."""
    return tenancy.platform("a test looks at everything")


def member(name: str, *, plan: str = "growth") -> User:
    """Make a person with a workspace of their own on a plan."""
    user = _confirmed(User.objects.create(email=f"{name}@example.com", name=name.title(), password=_hash()))
    workspace = teams.open_workspace(user)
    with everywhere():
        entitlements.subscribe(workspace, plan)
    return user


def _confirmed(user: User) -> User:
    EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
    return user


def workspace_of(user: User) -> Workspace:
    """Find the workspace a person came to first."""
    with everywhere():
        return Workspace.objects.filter(memberships__user=user).earliest("memberships__created_at")


def warm_account(workspace: Workspace, username: str, **fields: Any) -> InstagramAccount:
    """Make an Instagram account whose warm-up is over, with a sealed session that no Instagram knows."""
    long_ago = timezone.now() - timedelta(days=60)
    known = {
        "instagram_pk": zlib.crc32(username.encode()),
        "timezone": "Europe/Oslo",
        "health": InstagramAccount.Health.ACTIVE,
        "warmup_started_at": long_ago,
        "risk_accepted_at": long_ago,
    }
    with everywhere():
        account = InstagramAccount.objects.create(workspace=workspace, username=username, **known | fields)
        login = {"ds_user_id": str(account.instagram_pk), "sessionid": f"{account.instagram_pk}%3Afake%3A1"}
        account.session = sessions.keep(account, {"authorization_data": login})
    return account


@contextmanager
def undone() -> Iterator[None]:
    """Undo what the block wrote, and let go of its savepoint: thousands in one another slow each question."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)
        transaction.savepoint_commit(point)


class Program(Client):
    """Sends JSON. What one request was allowed to see ends with it, as it does outside of a test's transaction."""

    post = functools.partialmethod(Client.post, content_type=JSON)
    put = functools.partialmethod(Client.put, content_type=JSON)
    patch = functools.partialmethod(Client.patch, content_type=JSON)

    def request(self, **request: Any) -> Any:
        """Ask, with nothing visible before and after."""
        tenancy.look_at()
        try:
            return super().request(**request)
        finally:
            tenancy.look_at()


def read(answer: Any) -> bytes:
    """All parts of an answer that streams."""

    async def parts() -> bytes:
        return b"".join([part async for part in answer.streaming_content])

    return async_to_sync(parts)()


@pytest.fixture
def committed(transactional_db: None) -> None:
    """Rows that other connections and processes see; gone afterwards, but for the log, which nobody can empty."""


@pytest.fixture(autouse=True)
def _nothing_set() -> None:
    """Each test begins with the defaults of the system settings, and without a database it need not ask for them."""
    cache.set(system._KEY, {}, timeout=None)
    system.forget()


@pytest.fixture
def nobody_guessed(db: None) -> Iterator[None]:
    """Each test begins, and leaves others, without counted guesses and requests."""
    _forget()
    yield
    _forget()


@pytest.fixture
def alice(nobody_guessed: None) -> User:
    """She owns the workspace."""
    return member("alice")


@pytest.fixture
def alices_workspace(alice: User) -> Workspace:
    """On the plan "growth"."""
    return workspace_of(alice)


@pytest.fixture
def bob(alices_workspace: Workspace) -> User:
    """He works in Alice's workspace, and has none of his own."""
    user = _confirmed(User.objects.create(email="bob@example.com", name="Bob", password=_hash()))
    with everywhere():
        Membership.objects.create(workspace=alices_workspace, user=user, role=Membership.Role.MANAGER)
    return user


@pytest.fixture
def charlie(nobody_guessed: None) -> User:
    """He must not see what is Alice's."""
    return member("charlie")


@pytest.fixture
def admin(nobody_guessed: None) -> User:
    """Staff, an owner of the control room, whose first password has been changed."""
    user = User.objects.create(email="admin@example.com", name="Admin", role=User.Role.ADMIN, password=_hash())
    user.groups.add(Group.objects.get(name="Owner"))
    return user


@pytest.fixture
def visitor(nobody_guessed: None) -> Program:
    """Give a program without a token."""
    return Program()


@pytest.fixture
def api(nobody_guessed: None) -> Callable[[User], Program]:
    """Give a person's program, with their token: `api(alice).get("/api/bots/")`."""

    def program_of(user: User) -> Program:
        realm = ApiToken.Realm.ADMIN if user.is_staff else ApiToken.Realm.USER
        return Program(headers={"Authorization": f"Bearer {sign_in.make_token(user, realm)}"})

    return program_of


@pytest.fixture
def alices_account(alices_workspace: Workspace) -> InstagramAccount:
    """@alice.clay, warmed up, in Oslo, with a session that no Instagram knows."""
    return warm_account(alices_workspace, "alice.clay")


@pytest.fixture
def alices_bot(alice: User, alices_account: InstagramAccount) -> Bot:
    """Make the stopped bot of @alice.clay."""
    with everywhere():
        return Bot.objects.create(workspace_id=alices_account.workspace_id, account=alices_account, user=alice)


@pytest.fixture
def instagram(sandbox: "Sandbox", settings: "Settings") -> "Control":
    """Our private door leads to the sandbox; arrange the world through this."""
    settings.INSTAGRAM_PRIVATE_URL = sandbox.url
    ways.forget()  # what other tests did to the line that all share
    return sandbox.control


@pytest.fixture
def meta(sandbox: "Sandbox", settings: "Settings") -> "Control":
    """Our official door leads to the sandbox's Graph API, as the app it knows; arrange the world through this."""
    settings.INSTAGRAM_GRAPH_URL = sandbox.url
    settings.META_APP_ID, settings.META_APP_SECRET = META_APP["id"], META_APP["secret"]
    settings.META_WEBHOOK_VERIFY_TOKEN = META_APP["verify"]
    return sandbox.control


@pytest.fixture
def alices_official(alices_account: InstagramAccount, meta: "Control") -> InstagramAccount:
    """@alice.clay, connected through Meta at the sandbox by Instagram Login."""
    return connect_officially(alices_account, meta)


def connect_officially(account: InstagramAccount, meta: "Control", **fields: Any) -> InstagramAccount:
    """Give an account an access through the sandbox's Meta; `fields` go into its account there."""
    meta.account(account.username, **{"business": True, "followers": 900, "media": 30} | fields)
    given = meta.graph("token", username=account.username)
    with everywhere():
        access = OfficialAccess(
            workspace_id=account.workspace_id,
            account=account,
            login="instagram",
            ig_id=given["ig_id"],
            app_id=META_APP["id"],
            expires_at=timezone.now() + timedelta(days=60),
        )
        official.seal_token(access, given["token"])
        access.save(force_insert=True)
    return account


@pytest.fixture
def google(sandbox: "Sandbox", settings: "Settings") -> Iterator["Control"]:
    """Our sign-in leads to the sandbox's Google; arrange its people through this."""
    settings.SOCIALACCOUNT_PROVIDERS = google_provider(sandbox.url, GOOGLE_CLIENT["id"], GOOGLE_CLIENT["secret"])
    yield sandbox.control
    cache.delete(f"google:{sandbox.url}/.well-known/openid-configuration")


@pytest.fixture
def alices_connected_bot(alice: User, alices_workspace: Workspace, instagram: "Control") -> Iterator[Bot]:
    """Log @alice.real in at the sandbox for real; her bot is stopped, her warm-up over."""
    instagram.account("alice.real", password=INSTAGRAM_PASSWORD, followers=900, following=300)
    with tenancy.scope(alices_workspace):
        answer = connecting.connect(alices_workspace, alice, "alice.real", INSTAGRAM_PASSWORD, accept_risk=True)
        assert answer.bot is not None, answer
        InstagramAccount.objects.update(
            warmup_started_at=timezone.now() - timedelta(days=60), health=InstagramAccount.Health.ACTIVE
        )
        bot = Bot.objects.select_related("account__session", "workspace").get(pk=answer.bot.pk)
    yield bot
    sessions.forget(bot.account_id)


@pytest.fixture
def steps_here() -> Iterator[list[Step]]:
    """The steps of stories that the test's own thread walks."""
    gathered = steps.begin()
    assert gathered is not None
    yield gathered.steps
    gathered.steps.clear()
    steps.task_ended(gathered, "a test", "SUCCESS", asked=False, attempt=1)


@pytest.fixture(scope="session", autouse=True)
def _plans(django_db_setup: None, django_db_blocker: "DjangoDbBlocker") -> None:
    """Know the plans as the migrations made them."""
    with django_db_blocker.unblock():
        if Plan._meta.db_table in connection.introspection.table_names():  # not where no test asks for a database
            PLANS.extend(Plan.objects.all())


def _empty(_: object) -> None:
    """Django would truncate every table: plans and default limits too, and the log, which nobody may empty."""
    with tenancy.platform("a test cleans up"):
        Workspace.objects.all().delete()
        User.objects.all().delete()
        Subscription.objects.all().delete()  # they and their invoices outlive their workspace
        Session.objects.all().delete()
        Mail.objects.all().delete()
        ApiPair.objects.all().delete()
        ErrorGroup.objects.all().delete()
        StoryStep.objects.all().delete()
        LiveEvent.objects.all().delete()
        Invoice.objects.all().delete()
        for plan in PLANS:
            plan.save()
        # What tests made stays in the history of subscriptions, which nobody may empty; it is not sold any more.
        Plan.objects.exclude(key__in=("free", "starter", "growth", "enterprise")).update(status="inactive")
        if AdminLog.objects.exists():
            with connection.cursor() as cursor:  # as only the owner of the table can
                cursor.execute(
                    "GRANT DELETE ON admin_logs TO CURRENT_USER; ALTER TABLE admin_logs DISABLE TRIGGER USER;"
                    "DELETE FROM admin_logs;"
                    "ALTER TABLE admin_logs ENABLE TRIGGER USER; REVOKE DELETE ON admin_logs FROM CURRENT_USER"
                )
        ErrorCode.objects.exclude(pk__in=codes.REGISTRY).delete()  # of errors that nobody foresaw


# For every test with real transactions.
setattr(TransactionTestCase, "_fixture_teardown", _empty)  # noqa: B010  (Django's types do not tell of it)


def _forget() -> None:
    """Drop the counts of guesses and requests, and nothing else: the server may be a developer's own."""
    redis = get_redis_connection()
    if counters := list(redis.scan_iter("tries:*")):
        redis.delete(*counters)
    cast(RedisCache, caches["default"]).delete_pattern("throttle_*")
