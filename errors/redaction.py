"""Secrets never leave the process: by the name of the field that holds them, and by the look of the value."""

import logging
import re
from collections.abc import Mapping, MutableMapping
from math import isfinite
from typing import Any

from django.conf import settings

HIDDEN = "[redacted]"

# Parts of field names, after lower-casing: `new_password`, `csrfmiddlewaretoken`, `Set-Cookie` are all caught.
_WORDS = (
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "sessionid",
    "authorization",
    "cookie",
    "credential",
    "otpauth",
)
# Whole field names. `settings` is what instagrapi calls its session with all its keys.
_NAMES = {
    "settings",
    "otp",
    "totp",
    "pin",
    "signature",
    "api_key",
    "private_key",
    "secret_key",
    "vault_keys",
    "verification_code",
    "otp_code",
    "backup_code",
    "recovery_codes",
    "authorization_data",
    "session_blob",
    "usdid",
}
_ONE_TIME_CODE = re.compile(r"[0-9A-Za-z]{2}[0-9A-Za-z -]{4,10}")  # `code` is also our word for a status or an error id

# Our own, which we know by their value wherever they stand.
_OURS = (
    "SECRET_KEY",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "OPENAI_API_KEY",
    "META_APP_SECRET",
    "META_WEBHOOK_VERIFY_TOKEN",
    "ALERT_WEBHOOK_URL",
    "SENTRY_DSN",
)
_SHORTEST = 12  # letters; a shorter one may be a word that says something

_QUOTED_OR_WORD = r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"'&,;})\]]+)"""
_PATTERNS = [
    (re.compile(r"#PWD_INSTAGRAM[^\s\"'&]*"), HIDDEN),
    (re.compile(r"IGT:2:[\w+/=%-]+"), HIDDEN),
    (re.compile(r"(?i)\b(authorization\\*[\"']?\s*[:=]\s*\\*[\"']?)(?:\w+\s+)?[^\s\"',;}]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\bbearer\s+[\w.~+/=:-]{8,}"), f"Bearer {HIDDEN}"),
    (re.compile(r"\b(?:sk|rk|pk)_(?:live|test)_\w+|\bwhsec_[\w+/=]+|\bsk-[\w-]{16,}|\bre_\w{16,}"), HIDDEN),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), HIDDEN),
    (re.compile(r"(?i)otpauth://\S+"), HIDDEN),
    (re.compile(r"(?i)(://)[^\s/@:]*:[^\s/@]+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"(?i)(/reset/key/|/confirm-email/|/calendar/feed/|/analytics/shared/)[^\s/\"']+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)((?:/|%2F)invitations(?:/|%2F))[\w-]{40,}"), rf"\1{HIDDEN}"),
    (
        re.compile(
            r"(?i)((?:[\w-]*(?:password|passwd|secret|token|sessionid|cookie)[\w-]*|api_?key|private_key)\\*[\"']?\s*[=:]\s*)\\*"
            + _QUOTED_OR_WORD
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b((?:\w*code|t?otp)\\*[\"']?\s*[=:]\s*\\*[\"']?)\d{6,8}\b"), rf"\1{HIDDEN}"),
    (re.compile(r"\b[0-9a-f]{64}\b"), HIDDEN),  # API tokens
    # PostgreSQL tells the whole row that it refused, whatever is in it.
    (re.compile(r"(?s)(Failing row contains \().*?(\)\.(?=\s|\\n|\Z)|\Z)"), rf"\1{HIDDEN})."),
]


def redact_text(text: str) -> str:
    """Give `text` without what looks like a secret, and without NUL and half characters, which cannot be stored."""
    text = text.replace("\0", "\ufffd").encode(errors="replace").decode()
    for name in _OURS if settings.configured else ():
        if len(ours := getattr(settings, name, "")) >= _SHORTEST:
            text = text.replace(ours, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def redact(value: Any, name: str = "") -> Any:
    """Copy `value`, held by a field called `name`, as a tree that JSON can hold and without secrets."""
    if _hides(name, value):
        return HIDDEN
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return redact_text(value.decode(errors="replace"))
    if isinstance(value, Mapping):
        return {redact_text(str(key)): redact(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redact(item, name) for item in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    return redact_text(str(value))


def _hides(name: str, value: object) -> bool:
    """Tell whether a field of this name holds a secret. Counts (`total_tokens`) and flags stay."""
    if not name or value is None or value == "" or isinstance(value, bool):
        return False
    plain = name.lower().replace("-", "_")
    if plain in _NAMES:
        return True
    if plain == "code":
        return isinstance(value, str) and _ONE_TIME_CODE.fullmatch(value) is not None
    return not isinstance(value, int | float) and any(word in plain for word in _WORDS)


def redact_event(_: object, __: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    """Redact a whole event: the structlog processor right before the renderer."""
    return {key: redact(value, key) for key, value in event.items()}


class RedactingFilter(logging.Filter):
    """For handlers of the standard library that do not render through structlog."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without its secrets."""
        record.msg = redact(record.msg) if isinstance(record.msg, dict) else redact_text(record.getMessage())
        record.args = ()
        return True
