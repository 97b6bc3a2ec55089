"""What a token with scopes may do, at every door of the API."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.permissions import BasePermission

from accounts import sign_in, tokens
from accounts.api_auth import InPerson, IsMember, IsStaff, MayDecide, MayWork
from accounts.models import ApiToken, Membership, User
from instagrowth.testing import PASSWORD, Program, everywhere

WRITES = ("post", "put", "patch", "delete")
OWNERS = {"MayInvite": "decide"}  # what a deed is that depends on the role: Alice is an owner
OUTSIDE = {"api_login", "api_logout", "schema", "api_docs"}  # no token is asked for, or each may end itself


@pytest.fixture
def scoped(alice: User) -> Callable[..., Program]:
    def program(*scopes: str, days: int = 7) -> Program:
        _, words = tokens.make(alice, "+".join(scopes), list(scopes), days, HttpRequest())
        return Program(headers={"Authorization": f"Bearer {words}"})

    return program


def doors(resolver: URLResolver | None = None, at: str = "/") -> Iterator[tuple[str, type[Any], str]]:
    """Address, view class and name of every door of the API that guards itself with a member's token."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = at + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from doors(entry, path)
        elif isinstance(entry, URLPattern) and path.startswith("/api/") and entry.name not in OUTSIDE:
            view = getattr(entry.callback, "cls", None) or getattr(entry.callback, "view_class", None)
            if view and view.authentication_classes and not issubclass(_guard(view), IsStaff):
                yield path, view, entry.name or ""


def _guard(view: Any) -> type[BasePermission]:
    return (*view.permission_classes, BasePermission)[0]


def filled(path: str) -> str:
    for part, value in (("<uuid:", str(uuid4())), ("<slug:", "abc"), ("<str:", "abc"), ("<int:", "1")):
        while part in path:
            start = path.index(part)
            path = path[:start] + value + path[path.index(">", start) + 1 :]
    return path


def refused(answer: Any) -> bool:
    return bool(answer.status_code == 403 and answer.json()["error"] == "TOKEN_SCOPE_MISSING")


@pytest.mark.parametrize("scope", [*tokens.SCOPES])
def test_every_door_opens_to_the_scopes_it_needs_and_to_no_others(scoped: Any, scope: str) -> None:
    program, cells, wrong = scoped(scope), 0, []
    for path, view, _ in doors():
        guard = _guard(view)
        assert issubclass(guard, IsMember), f"{path} has a guard that does not know scopes"
        for method in ("get", *WRITES):
            needed = "look" if method == "get" else guard.deed or OWNERS.get(guard.__name__)
            if issubclass(guard, InPerson):
                needed = None
            if not hasattr(view, method):
                continue
            cells += 1
            if refused(getattr(program, method)(filled(path))) == (needed == scope):
                wrong.append((method, path, scope))
    print(f"cells={cells} wrong={len(wrong)}")
    assert wrong == []
    assert cells > 15


def test_a_token_that_looks_does_not_act(scoped: Any) -> None:
    program = scoped("look")

    assert program.get("/api/bots/").status_code == 200
    answer = program.post("/api/bot/actions/follow-hashtag", {"hashtag": "clay", "amount": 1})
    assert (answer.status_code, answer.json()["error"]) == (403, "TOKEN_SCOPE_MISSING")
    assert "It needs the scope `act`." in answer.json()["message"]


def test_a_token_with_every_scope_does_not_touch_the_person(scoped: Any, alice: User) -> None:
    program = scoped("look", "act", "decide")

    change = {"old_password": PASSWORD, "new_password": "another horse, battery 10"}
    answers = [
        program.put(f"/api/users/{alice.pk}/change-password", change),
        program.get("/api/tokens/"),
        program.post("/api/tokens/", {"password": PASSWORD, "name": "More", "scopes": ["look"], "days": 7}),
        program.delete("/api/tokens/abc/"),
    ]

    assert all(refused(answer) for answer in answers)
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
    assert ApiToken.objects.count() == 1


def test_a_token_may_end_itself(scoped: Any) -> None:
    program = scoped("act")

    assert program.post("/api/auth/logout").status_code == 200
    assert program.get("/api/bots/").status_code == 401


def test_a_scope_gives_no_more_than_the_role(bob: User, api: Any) -> None:
    with everywhere():
        Membership.objects.filter(user=bob).update(role=Membership.Role.VIEWER)
    _, words = tokens.make(bob, "Bob's", ["look", "act", "decide"], 7, HttpRequest())
    program = Program(headers={"Authorization": f"Bearer {words}"})

    answer = program.post("/api/bot/actions/follow-hashtag", {"hashtag": "clay", "amount": 1})

    assert (answer.status_code, answer.json()["error"]) == (403, "NO_PERMISSION")


def test_a_sign_in_may_do_all_that_its_person_may(api: Any, alice: User) -> None:
    program = api(alice)

    assert program.get("/api/tokens/").status_code == 200
    assert program.post("/api/bot/actions/follow-hashtag", {}).json()["error"] == "VALIDATION_FAILED"


def test_a_token_ends_on_its_day(scoped: Any) -> None:
    program = scoped("look", days=30)
    token = ApiToken.objects.get()

    ApiToken.objects.update(expiry=token.expiry - timedelta(days=30))

    assert program.get("/api/bots/").json()["error"] == "TOKEN_INVALID"


def test_it_is_noted_when_it_was_used_last(scoped: Any) -> None:
    program = scoped("look")
    assert ApiToken.objects.get().last_used_at is None

    program.get("/api/bots/")

    used = ApiToken.objects.get().last_used_at
    assert used is not None
    assert timezone.now() - used < timedelta(minutes=1)


def test_a_new_password_ends_every_token(scoped: Any, alice: User) -> None:
    program = scoped("look")

    sign_in.change_password(alice, "another horse, battery 10")

    assert program.get("/api/bots/").status_code == 401
    assert ApiToken.objects.count() == 0


def test_a_person_who_is_switched_off_has_no_programs(scoped: Any, alice: User) -> None:
    program = scoped("look")

    User.objects.filter(pk=alice.pk).update(is_active=False)

    assert program.get("/api/bots/").json()["error"] == "TOKEN_INVALID"


@pytest.mark.parametrize("guard", [IsMember, MayWork, MayDecide])
def test_looking_is_looking_everywhere(guard: type[IsMember]) -> None:
    class Asked:
        method = "GET"

    assert guard().deed_of(Asked()) == "look"  # type: ignore[arg-type]


def test_a_program_makes_lists_and_revokes_tokens(api: Any, alice: User, visitor: Client) -> None:
    program = api(alice)

    made = program.post("/api/tokens/", {"password": PASSWORD, "name": "CI", "scopes": ["look"], "days": 7})
    assert made.status_code == 201
    listed = program.get("/api/tokens/").json()["tokens"]
    assert [(token["name"], token["scopes"], token["last_used_at"]) for token in listed] == [("CI", ["look"], None)]
    assert made.json()["token"] not in str(listed)
    other = Program(headers={"Authorization": f"Bearer {made.json()['token']}"})
    assert other.get("/api/bots/").status_code == 200
    assert program.delete(f"/api/tokens/{listed[0]['id']}/").status_code == 200
    assert other.get("/api/bots/").status_code == 401
    assert program.delete(f"/api/tokens/{listed[0]['id']}/").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"password": "wrong"}, "PASSWORD_WRONG"),
        ({"scopes": []}, "VALIDATION_FAILED"),
        ({"scopes": ["root"]}, "VALIDATION_FAILED"),
        ({"days": 3650}, "VALIDATION_FAILED"),
        ({"name": ""}, "VALIDATION_FAILED"),
    ],
)
def test_a_token_that_is_not_right_is_not_made(api: Any, alice: User, wrong: dict[str, Any], error: str) -> None:
    asked = {"password": PASSWORD, "name": "CI", "scopes": ["look"], "days": 7} | wrong

    answer = api(alice).post("/api/tokens/", asked)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_person_does_not_revoke_the_token_of_another(api: Any, scoped: Any, charlie: User) -> None:
    scoped("look")
    key = ApiToken.objects.get().token_key

    assert api(charlie).delete(f"/api/tokens/{key}/").status_code == 404
