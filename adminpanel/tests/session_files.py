"""Session files to upload: made up, or of a real login at the sandbox."""

import itertools
import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import MULTIPART_CONTENT

from bots.instagram.private import LoggedIn, login
from instagrowth.testing import INSTAGRAM_PASSWORD, Program
from sandbox.testing import Control

_numbers = itertools.count(7_000_000_001)


def settings(username: str = "", **changes: Any) -> dict[str, Any]:
    """What `dump_settings` writes, of a login that no Instagram knows."""
    number = str(next(_numbers))
    dump: dict[str, Any] = {
        "uuids": {"phone_id": number, "uuid": f"uuid-{number}"},
        "authorization_data": {"ds_user_id": number, "sessionid": f"{number}%3Acanary{number}%3A7"},
        "cookies": {},
        "user_agent": "Instagram 449.0.0.52.84 Android (34/14; 480dpi; 1344x2992; Google/google; Pixel 8 Pro)",
    }
    return dump | ({"username": username} if username else {}) | changes


def real_settings(instagram: Control, username: str, **fields: Any) -> dict[str, Any]:
    """Log somebody in at the sandbox; what there is to upload then."""
    instagram.account(username, password=INSTAGRAM_PASSWORD, **fields)
    result = login(username, INSTAGRAM_PASSWORD)
    assert isinstance(result, LoggedIn)
    return result.settings


def token_of(dump: dict[str, Any]) -> str:
    """The secret in it."""
    return str(dump["authorization_data"]["sessionid"])


def file(dump: object, name: str = "session.json") -> SimpleUploadedFile:
    """A file of this content, which may be bytes."""
    raw = dump if isinstance(dump, bytes) else json.dumps(dump).encode()
    return SimpleUploadedFile(name, raw, "application/json")


def send(program: Program, path: str, **fields: Any) -> Any:
    """Send a form with files."""
    return program.post(path, fields, content_type=MULTIPART_CONTENT)


def upload(program: Program, *files: SimpleUploadedFile) -> Any:
    """Upload files."""
    return send(program, "/api/admin/sessions/upload", files=list(files))


def uploaded(program: Program, dump: dict[str, Any], name: str = "session.json") -> dict[str, Any]:
    """Upload one that is taken; the session as the answer tells it."""
    answer = upload(program, file(dump, name))
    assert answer.status_code == 200, answer.json()
    session: dict[str, Any] = answer.json()["results"][0]["session"]
    return session
