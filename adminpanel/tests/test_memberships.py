"""Staff change who belongs to a workspace: told there and to the person, and never without an owner left."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from accounts import teams, tenancy
from accounts.models import Membership, User, Workspace
from accounts.tests.team import role_of, words_to
from adminpanel.deeds import Asked
from adminpanel.pages import places
from adminpanel.tests.control_room import do, inside, staff_person
from errors import codes
from errors.exceptions import BotException
from errors.models import ActivityLog
from instagrowth.testing import everywhere, workspace_of

pytestmark = pytest.mark.django_db


def place_of(user: User, workspace: Workspace) -> Membership:
    with everywhere():
        return Membership.objects.select_related("workspace").get(user=user, workspace=workspace)


def test_the_workspace_and_the_person_are_told(bob: User, alices_workspace: Workspace) -> None:
    olga = staff_person("olga")
    client, place = inside(olga), place_of(bob, alices_workspace)
    assert do(client, place, "give_role", role="viewer").status_code == 302
    assert role_of(bob, alices_workspace) == "viewer"
    assert do(client, place, "remove").status_code == 302

    with everywhere():
        told = ActivityLog.objects.filter(workspace_id=alices_workspace.pk, action__startswith="team_").order_by("id")
        assert list(told.values_list("action", "user_id")) == [("team_role", olga.pk), ("team_remove", olga.pk)]
    first, second = words_to("bob@example.com")
    assert "Our support changed your role" in first
    assert "no longer belong" in second
    assert role_of(bob, alices_workspace) is None


def test_the_last_owner_stays(alice: User, alices_workspace: Workspace) -> None:
    client, place = inside("olga"), place_of(alice, alices_workspace)

    assert do(client, place, "remove").status_code == 400
    assert do(client, place, "give_role", role="viewer").status_code == 400
    assert role_of(alice, alices_workspace) == "owner"


def waiting() -> bool:
    """Whether some connection waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def test_of_two_owners_one_is_left_where_staff_take_out_one_and_the_other_goes(
    committed: None, alice: User, bob: User
) -> None:
    """Real connections: the other goes after staff began, and before they were done."""
    workspace, olga = workspace_of(alice), staff_person("olga")
    with everywhere():
        Membership.objects.filter(workspace=workspace).update(role="owner")

    def leave() -> str:
        try:
            with tenancy.scope(workspace):
                teams.leave(workspace, bob)
        except BotException as refused:
            return refused.code.name
        finally:
            connection.close()
        return "gone"

    with ThreadPoolExecutor(1) as other:
        with tenancy.platform("staff"), transaction.atomic():
            places._remove(place_of(alice, workspace), Asked(None, olga))  # type: ignore[arg-type]
            going = other.submit(leave)
            while not (going.done() or waiting()):
                pass
        ended = going.result(30)

    with everywhere():
        assert Membership.objects.filter(workspace=workspace, role="owner").count() == 1
    assert ended == codes.LAST_OWNER.name
