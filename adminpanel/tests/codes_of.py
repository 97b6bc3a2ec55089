"""The authenticator app of staff people."""

import base64
import time
from urllib.parse import parse_qs, urlsplit

from django_otp.oath import hotp


def code(otpauth_uri: str, steps: int = 0) -> str:
    """Give what the app shows now, or so many steps of 30 seconds later."""
    secret = parse_qs(urlsplit(otpauth_uri).query)["secret"][0]
    return f"{hotp(base64.b32decode(secret), int(time.time()) // 30 + steps):06}"
