"""What the walls cost: opening the view, and finding membership, workspace and plan."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from instagrowth.testing import everywhere, member, warm_account, workspace_of

# Whatever sets or reads the view, or asks who you are here and on which plan; not the page's own questions.
ENTERING = re.compile(r"set_config|current_setting|FROM \"?(accounts_membership|subscriptions|plans)\"? ")


def entering(program: Any, where: str) -> list[str]:
    """The statements of a second visit, in transactions of its own as in production."""
    program.get(where)
    with CaptureQueriesContext(connection) as seen:
        assert program.get(where).status_code == 200
    return [query["sql"] for query in seen if ENTERING.search(query["sql"])]


@pytest.fixture
def alice(committed: None, nobody_guessed: None) -> Any:
    alice = member("alice")
    with everywhere():
        warm_account(workspace_of(alice), "alice.clay")
    return alice


@pytest.mark.parametrize("where", ["/dashboard/", "/instagram/", "/people/"])
def test_a_page_asks_twice(client: Any, alice: Any, where: str) -> None:
    client.force_login(alice)

    asked = entering(client, where)
    print(f"{where} asked={len(asked)}")
    assert len(asked) == 2, asked


def test_a_program_that_names_its_workspace_asks_twice_and_one_that_does_not_four_times(
    client: Any, api: Any, alice: Any
) -> None:
    token = api(alice).defaults["HTTP_AUTHORIZATION"]
    client.defaults["HTTP_AUTHORIZATION"] = token

    asked = entering(client, "/api/accounts/")
    client.defaults["HTTP_X_WORKSPACE"] = str(workspace_of(alice).pk)
    named = entering(client, "/api/accounts/")
    print(f"asked={len(asked)} named={len(named)}")
    assert (len(asked), len(named)) == (4, 2), asked
