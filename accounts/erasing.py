"""Forgetting: what was asked 14 days ago is done, and then nothing of a workspace or a person is left here.

Tables come along by themselves. What stays: billing rows without a workspace (`accounts.farewell.let_go_by`), and what
a person did in workspaces of others, as deeds of nobody. Sessions at Instagram are not logged out there: their sealed
settings go, and with them the only copy.
"""

from collections.abc import Iterator
from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import DO_NOTHING, SET_NULL, Exists, ForeignKey, Model, OuterRef, Q, UUIDField
from django.utils.timezone import now

from accounts import archives, farewell, notices, tenancy
from accounts.models import Invitation, Mail, Membership, User, Workspace
from errors import erasing
from errors.models import ActivityLog
from errors.recording import log_activity, record

Tables = Iterator[type[Model]]
_LEFT = Q(sent_at__isnull=False) | Q(failed_at__isnull=False)  # mails of which only the note is kept


def erase_due() -> None:
    """Erase every workspace and person whose day has come. One that cannot be erased is told, and tried again."""
    with tenancy.platform("whatever waits for its end is looked for everywhere"):
        workspaces = list(Workspace.objects.filter(delete_at__lte=now()).values_list("pk", flat=True))
        people = list(User.objects.filter(delete_at__lte=now()).values_list("pk", flat=True))
        forget_last_words()
    for erase, keys in ((erase_workspace, workspaces), (erase_person, people)):
        for key in keys:
            try:
                erase(key)
            except Exception as error:  # noqa: BLE001  (the others must not wait for this one)
                record(error, action=erase.__name__)


def erase_workspace(key: UUID) -> bool:
    """Erase one workspace, all or nothing; False if somebody kept it meanwhile."""
    with tenancy.platform("a workspace goes with all its rows"):
        _take_time()
        held = Workspace.objects.select_for_update().filter(pk=key, delete_at__lte=now()).first()
        if held is None:
            return False
        owners = list(User.objects.filter(memberships__workspace=held, memberships__role=Membership.Role.OWNER))
        _erase_workspace(held)
        for owner in owners:
            notices.notify(owner, "workspace_deleted", workspace=held.name)
        log_activity("workspace_erased")
    return True


def erase_person(key: UUID) -> bool:
    """Erase one person and the workspaces where nobody else is, all or nothing; False if they stay.

    They stay if they undid it, or became the last owner of a workspace with others: that is told each time.
    """
    with tenancy.platform("a person goes, from wherever they were"):
        _take_time()
        user = User.objects.select_for_update().filter(pk=key, delete_at__lte=now()).first()
        if user is None:
            return False
        farewell.refuse_to_leave(user)
        for workspace in Workspace.objects.select_for_update().filter(pk__in=farewell.alone(user).values("pk")):
            _erase_workspace(workspace)
        _erase_person(user)
        log_activity("person_erased")
    return True


def forget_last_words() -> None:
    """Throw away the notes of mails that left to somebody who is not here any more. Needs the platform's view."""
    here = (
        User.objects.filter(email__iexact=OuterRef("to")),
        EmailAddress.objects.filter(email__iexact=OuterRef("to")),
        Invitation.objects.filter(email__iexact=OuterRef("to")),
    )
    Mail.objects.filter(_LEFT).exclude(Exists(here[0])).exclude(Exists(here[1])).exclude(Exists(here[2])).delete()


def tenant_tables() -> Tables:
    """Every table with a column for its workspace, but the log, which has a way of its own (`errors.erasing`)."""
    return (model for model in apps.get_models() if archives.has(model, "workspace_id") and model is not ActivityLog)


def _erase_workspace(workspace: Workspace) -> None:
    farewell.part(workspace.pk)
    invited = Invitation.objects.filter(workspace=workspace).values("email")
    Mail.objects.filter(_LEFT | Q(to__in=invited), subject__icontains=workspace.name).delete()
    erasing.erase(workspaces=[workspace.pk])
    for model, field in _hanging_on():
        rows = model._default_manager.filter(**{f"{field.name}__workspace_id": workspace.pk})
        if field.remote_field.on_delete is SET_NULL:
            rows.update(**{field.name: None})
        elif field.remote_field.on_delete is not DO_NOTHING:  # that stays with the row it hangs on, which outlives too
            rows.delete()
    for model in tenant_tables():
        _empty(model, workspace.pk)
    workspace.delete()


def _erase_person(user: User) -> None:
    emails = {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)} - {None}
    for export in user.exports.all():
        archives.remove(export)
    Session.objects.filter(pk__in=UserSession.objects.filter(user=user).values("session_key")).delete()
    for email in emails:
        Mail.objects.filter(to__iexact=email).delete()
        Invitation.objects.filter(email__iexact=email).delete()
    Mail.objects.filter(_LEFT, subject__icontains=str(user)).delete()  # such as "Alice invites you"
    words = [*emails, user.access_code or ""]
    erasing.erase(users=[user.pk], words=words)
    _unname(user, words)
    notices.notify(user, "account_deleted")  # its note goes when it has left: `forget_last_words`
    user.delete()


def _unname(user: User, words: list[str]) -> None:
    """Take a person's id out of what others keep: where it is no foreign key, nobody else would."""
    for model in tenant_tables():
        for field in model._meta.concrete_fields:
            if isinstance(field, UUIDField) and field.null and not field.is_relation:
                model._default_manager.filter(**{field.name: user.pk}).update(**{field.name: None})
    events = apps.get_model("instagrowth", "LiveEvent")._default_manager
    for word in filter(None, [str(user.pk), *words]):
        events.filter(data__icontains=word).delete()


def _hanging_on() -> Iterator[tuple[type[Model], ForeignKey]]:
    """Tables without a workspace whose rows hang on a tenant's row, and by which key."""
    return (
        (model, field)
        for model in apps.get_models()
        if not archives.has(model, "workspace_id")
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and archives.has(field.related_model, "workspace_id")
    )


def _empty(model: type[Model], workspace: UUID) -> None:
    """Take a workspace's rows out of one table in a single statement: the ORM would fetch each of them first.

    Foreign keys between tenants are checked when all is done, so the order of tables does not matter.
    """
    column = next(field for field in model._meta.concrete_fields if field.attname == "workspace_id")
    to = column.remote_field
    table = connection.ops.quote_name(model._meta.db_table)
    outlives = to is not None and to.on_delete is SET_NULL
    deed = f"UPDATE {table} SET workspace_id = NULL" if outlives else f"DELETE FROM {table}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"{deed} WHERE workspace_id = %s", [workspace])


def _take_time() -> None:
    """Let a statement of this transaction take ten minutes: a workspace may have millions of rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '10min'")
