"""A canary secret is never found again, however it was put into the log."""

import io
import logging

import pytest
import structlog

from errors.redaction import HIDDEN, RedactingFilter, redact, redact_text

CANARY = "c4n4ryc4n4ryc4n4ryc4n4ry"
BY_KEY = [
    {"password": CANARY},
    {"new_password": CANARY},
    {"PASSWORD1": CANARY},
    {"client_secret": CANARY},
    {"access_token": CANARY},
    {"csrfmiddlewaretoken": CANARY},
    {"sessionid": CANARY},
    {"Authorization": f"Digest {CANARY}"},
    {"Set-Cookie": CANARY},
    {"cookies": {"a": CANARY}},
    {"settings": {"uuids": {"phone_id": CANARY}}},
    {"headers": [{"Cookie": CANARY}]},
    {"private_key": CANARY},
    {"otp": "12" + CANARY},
    {"token": CANARY.encode()},
    {"recovery_codes": [CANARY]},
    {"api-key": CANARY},
]
BY_LOOK = [
    f"Authorization: Bearer IGT:2:{CANARY}==",
    f"authorization=Basic {CANARY}",
    f"got Bearer {CANARY}",
    f"IGT:2:{CANARY}",
    f"sk_live_{CANARY}",
    f"whsec_{CANARY}",
    f"sk-{CANARY}",
    f"re_{CANARY}",
    f"sessionid={CANARY}; path=/",
    f'{{"sessionid": "{CANARY}"}}',
    f"{{'password': '{CANARY}'}}",
    f'{{"password": "with space {CANARY}"}}',
    f'"{{\\"access_token\\": \\"{CANARY}\\"}}"',
    f"otpauth://totp/x?secret={CANARY}",
    f"GET /reset?token={CANARY}&x=1",
    f"/accounts/password/reset/key/1-{CANARY}/",
    f"redis://:{CANARY}@127.0.0.1:6379/0",
    f"postgres://me:{CANARY}@host/db",
    f"enc_password=#PWD_INSTAGRAM:4:1:{CANARY}",
    f"eyJhbGciOiJI.{CANARY}.{CANARY}",
    f"csrftoken={CANARY}",
]


@pytest.mark.parametrize("held", BY_KEY, ids=str)
def test_a_secret_is_known_by_the_name_of_its_field(held: dict[str, object]) -> None:
    assert CANARY not in str(redact(held))


@pytest.mark.parametrize("text", BY_LOOK)
def test_a_secret_is_known_by_its_look(text: str) -> None:
    assert CANARY not in redact_text(text)
    assert CANARY not in redact_text(redact_text(text))


@pytest.mark.parametrize("text", [*BY_LOOK, *(str(held) for held in BY_KEY[:8])])
def test_no_canary_reaches_the_log(text: str, log_text: io.StringIO) -> None:
    logging.getLogger("a.library").error("it said %s", text)
    structlog.get_logger("ours").error(text, path=text, deep={"list": [text]})
    try:
        int(text)
    except ValueError:
        structlog.get_logger("ours").exception("failed")

    assert len(log_text.getvalue().splitlines()) == 3
    assert CANARY not in log_text.getvalue()


def test_one_time_codes_are_hidden_but_codes_of_errors_are_not() -> None:
    assert redact({"code": "123456", "verification_code": "87654321", "error_code": "E-FLW-W-0002"}) == {
        "code": HIDDEN,
        "verification_code": HIDDEN,
        "error_code": "E-FLW-W-0002",
    }
    assert redact({"code": 404}) == {"code": 404}
    assert redact({"code": "E-FLW-W-0002"}) == {"code": "E-FLW-W-0002"}
    assert redact_text("code=123456") == f"code={HIDDEN}"


def test_flags_and_counts_about_secrets_stay() -> None:
    facts = {"must_change_password": True, "total_tokens": 812, "token": None, "name": "Bob", "share": 0.5}

    assert redact(facts) == facts


def test_ordinary_sentences_stay() -> None:
    for text in ("The password is wrong.", "Token expired", "code 12", "GET /api/tasks/7?page=2", "at 10:42: fine"):
        assert redact_text(text) == text


def test_what_the_database_cannot_hold_is_replaced() -> None:
    assert redact({"a\0": "b\0c", "d": "\ud800", "e": float("nan")}) == {"a\ufffd": "b\ufffdc", "d": "?", "e": "nan"}


def test_the_filter_serves_handlers_of_the_standard_library() -> None:
    handler = logging.StreamHandler(io.StringIO())
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("alone")
    logger.propagate = False
    logger.addHandler(handler)

    logger.error("sessionid=%s", CANARY)
    logger.error({"password": CANARY})

    assert handler.stream.getvalue().splitlines() == [f"sessionid={HIDDEN}", str({"password": HIDDEN})]
