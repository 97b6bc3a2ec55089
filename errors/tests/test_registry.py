"""The registry is the only place where a code is born."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis.exceptions
from django.core.management import call_command
from django.db import OperationalError
from django.utils.module_loading import import_string

from errors import codes
from errors.causes import code_of
from errors.codes import REGISTRY, Then
from errors.why import WHY

ROOT = Path(codes.__file__).parent.parent
ROOMS = ("accounts", "adminpanel", "billing", "bots", "content", "errors", "instagrowth")
MODULES = {"AUTH", "FLW", "LIKE", "STO", "DM", "SCH", "DB", "API", "NET", "BILL", "AI", "IG", "PUB", "SESS", "SEC"}


def _raised_codes() -> Iterator[tuple[str, str]]:
    """Every `codes.X`, and every X imported from errors.codes, in the whole tree: (where, X)."""
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            tree = ast.parse(path.read_text(), str(path))
            for node in ast.walk(tree):
                where = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
                if isinstance(node, ast.ImportFrom) and node.module == "errors.codes":
                    yield from ((where, alias.name) for alias in node.names if alias.name.isupper())
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "codes"
                    and node.attr.isupper()
                ):
                    yield where, node.attr


def test_every_code_in_the_tree_is_registered() -> None:
    names = {code.name for code in REGISTRY.values()} | {"REGISTRY", "RETIRED"}

    assert [(where, name) for where, name in _raised_codes() if name not in names] == []


def test_every_exception_is_raised_with_a_code_and_not_with_a_sentence() -> None:
    literal = []
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "BotException":
                    continue
                if not node.args or isinstance(node.args[0], ast.Constant | ast.JoinedStr):
                    literal.append(f"{path.relative_to(ROOT)}:{node.lineno}")

    assert literal == []


def test_every_code_says_what_usually_lies_behind_it() -> None:
    causes = [cause for found in WHY.values() for cause in found]

    assert WHY.keys() == {code.name for code in REGISTRY.values()}
    assert all(found and len(set(found)) == len(found) for found in WHY.values())
    assert all(cause[0].isupper() or cause[0] == "`" for cause in causes)
    assert all(cause.endswith((".", "?")) for cause in causes)


def test_each_code_is_a_constant_of_its_own_name() -> None:
    assert [code.name for code in REGISTRY.values() if getattr(codes, code.name, None) is not code] == []


def test_ids_have_the_form_of_the_house() -> None:
    form = re.compile(r"E-([A-Z]{2,4})-([IWEC])-(\d{4})")
    parts = [form.fullmatch(code.id) for code in REGISTRY.values()]

    assert all(parts)
    assert {part[1] for part in parts if part} == MODULES
    assert not [part[0] for part in parts if part and int(part[3]) >= 9000]


def test_a_number_serves_once_in_a_module_whatever_its_severity() -> None:
    numbers = [(code_id.split("-")[1], code_id[-4:]) for code_id in (*REGISTRY, *codes.RETIRED)]

    assert len(set(numbers)) == len(numbers)


def test_every_code_is_born_somewhere() -> None:
    """One that nothing brings about is a promise of the help pages that is not kept."""
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "tests" not in path.parts]
    texts = [path.read_text() for path in files if path.name not in ("codes.py", "why.py")]
    texts += [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    spoken = {word for text in texts for word in re.findall(r"\b[A-Z][A-Z0-9_]+\b", text)}

    assert [code.name for code in REGISTRY.values() if code.name not in spoken] == []


def test_a_used_id_or_name_refuses_to_register() -> None:
    used = ("E-AUTH-E-0001", "NEW_NAME"), ("E-AUTH-E-8999", "INVALID_CREDENTIALS"), (min(codes.RETIRED), "NEW_NAME")
    for code_id, name in used:
        with pytest.raises(ValueError, match="taken"):
            codes._code(code_id, name, "What.", "Next.")

    assert "E-AUTH-E-8999" not in REGISTRY


def test_the_ids_that_programs_rely_on_stay() -> None:
    known = (
        "INVALID_CREDENTIALS FOLLOW_LIMIT_NEAR SESSION_INVALID CHALLENGE_REQUIRED INSTAGRAM_THROTTLED OUTCOME_UNKNOWN"
    )

    assert [(code.id, code.http) for name in known.split() if (code := codes.by_name(name))] == [
        ("E-AUTH-E-0001", 401),
        ("E-FLW-W-0002", 200),
        ("E-SESS-E-0001", 409),
        ("E-SESS-E-0004", 409),
        ("E-API-W-0429", 409),
        ("E-NET-W-0003", 202),
    ]


def test_every_code_says_what_happened_and_what_to_do_in_whole_sentences() -> None:
    for code in REGISTRY.values():
        for text in (code.what, code.do_next):
            assert text[0].isupper(), code.id
            assert text.endswith("."), code.id
            assert "!" not in text, code.id


def test_every_reaction_is_used_by_some_code() -> None:
    assert {code.then for code in REGISTRY.values()} == set(Then)


def test_lookups_do_not_mind_the_case() -> None:
    assert codes.by_id("e-auth-e-0001") is codes.by_name("invalid_credentials") is codes.INVALID_CREDENTIALS
    assert codes.by_id("E-AUTH-E-8998") is codes.by_name("NOBODY") is None


def test_the_registry_is_exported_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("error_codes", "--json")

    exported = json.loads(capsys.readouterr().out)
    assert [row["code"] for row in exported] == list(REGISTRY)
    assert exported[0] == {
        "code": "E-AUTH-E-0001",
        "name": "INVALID_CREDENTIALS",
        "module": "AUTH",
        "severity": "E",
        "description": "The login or the password is not right.",
        "causes": list(WHY["INVALID_CREDENTIALS"]),
        "recommended_action": "Check both and try again. If you do not remember the password, reset it.",
        "reaction": "tell",
        "http": 401,
    }


# What outside libraries raise wherever we are, and the code that it has; each door to a service has its own table.
FORESEEN = {
    "redis.exceptions.ConnectionError": codes.QUEUE_UNAVAILABLE,
    "redis.exceptions.BusyLoadingError": codes.QUEUE_UNAVAILABLE,
    "redis.exceptions.TimeoutError": codes.QUEUE_UNAVAILABLE,
    "kombu.exceptions.OperationalError": codes.QUEUE_UNAVAILABLE,
    "django.db.OperationalError": codes.DATABASE_UNAVAILABLE,
    "django.db.InterfaceError": codes.DATABASE_UNAVAILABLE,
    "psycopg.errors.QueryCanceled": codes.DATABASE_TOO_SLOW,
    "psycopg.errors.LockNotAvailable": codes.DATABASE_CONFLICT,
    "psycopg.errors.DeadlockDetected": codes.DATABASE_CONFLICT,
    "psycopg.errors.SerializationFailure": codes.DATABASE_CONFLICT,
    "requests.ConnectTimeout": codes.NET_TIMEOUT,
    "requests.ReadTimeout": codes.NET_TIMEOUT,
    "requests.ConnectionError": codes.NET_REFUSED,
    "billiard.exceptions.SoftTimeLimitExceeded": codes.TURN_TIMED_OUT,
    "billiard.exceptions.WorkerLostError": codes.WORKER_LOST,
}


@pytest.mark.parametrize("name", FORESEEN)
def test_what_a_library_raises_has_its_code_also_where_django_wraps_it(name: str) -> None:
    kind = import_string(name)
    bare, wrapped = kind.__new__(kind), OperationalError("wrapped")
    wrapped.__cause__ = bare

    assert code_of(bare) is FORESEEN[name]
    if name.startswith("psycopg"):
        assert code_of(wrapped) is FORESEEN[name]


def test_what_nobody_foresaw_has_a_generated_code() -> None:
    assert re.fullmatch(r"E-API-E-9\d{3}", code_of(redis.exceptions.DataError("odd")).id)


# Raised by our code without a code, and who takes it.
OTHERS = {
    "an answer of Django, of its forms or of allauth": {
        "Http404", "PermissionDenied", "BadRequest", "RequestDataTooBig", "ValidationError", "AuthenticationFailed",
        "ImmediateHttpResponse", "OAuth2Error", "DisallowedModelAdminLookup",
    },
    "words for whoever types a command": {
        "CommandError", "BackupError", "EmbeddedError", "Ill", "ImproperlyConfigured", "PermissionError", "Stop",
    },
    "caught by who called": {
        "DropEvent", "Fenced", "FileNotFoundError", "Halted", "NotOursError", "TooLate", "Unreachable", "_Misfit",
    },
    "a BotException by another name": {"NoAnswer"},
    "a mistake of ours, which is unforeseen": {
        "AssertionError", "NotImplementedError", "OtherWorkspaceError", "TypeError", "ValueError",
    },
}  # fmt: skip


def test_whatever_our_code_raises_has_a_code_or_somebody_who_takes_it() -> None:
    raised = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "tests" in path.parts or path.stem.startswith("testing"):
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Raise) and node.exc is not None:
                    made = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
                    raised.add(getattr(made, "id", "") or getattr(made, "attr", ""))

    classes = {name for name in raised if name.lstrip("_")[:1].isupper()}
    assert classes - {"BotException"} == set().union(*OTHERS.values())


def test_the_tables_for_outside_exceptions_name_registered_codes_alone() -> None:
    named = {name for room in TABLES for name in _upper_names(ROOT / room)}

    assert len(named) > 30
    assert sorted(named - {code.name for code in REGISTRY.values()}) == []


TABLES = ("bots/instagram/reactions.py", "bots/instagram/graph_errors.py", "billing/gateway.py", "errors/causes.py",
          "errors/api.py", "errors/answers.py")  # fmt: skip


def _upper_names(path: Path) -> set[str]:
    return {
        node.attr
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "codes" and node.attr.isupper()
    } - {"REGISTRY", "RETIRED"}
