"""A person's authenticator app and passkey, as the tests hold them."""

import base64
import hashlib
import json
import os
import time
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import generate_totp_secret
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django_otp.oath import hotp
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

from accounts import second_factor
from accounts.models import User
from instagrowth.testing import PASSWORD


def with_app(user: User) -> str:
    """Give a person an app of which no code was used yet; its secret."""
    secret = generate_totp_secret()
    data = {"secret": second_factor.seal(secret, user), "last_step": 0}
    Authenticator.objects.create(user=user, type="totp", data=data)
    return secret


def recovery_codes_of(user: User) -> list[str]:
    """Give a person recovery codes."""
    with second_factor.belonging_to(user):
        return RecoveryCodes.activate(user).get_unused_codes()


def code_of(secret: str, *, later: int = 0) -> str:
    """What the app shows, now or some steps of 30 seconds later."""
    step = int(time.time()) // 30 + later
    return f"{hotp(base64.b32decode(secret), step, 6):06}"


def next_code(secret: str) -> str:
    """What the app shows next: taken already, for clocks that are a little off."""
    return code_of(secret, later=1)


def reauthenticate(client: Client) -> None:
    """Prove once more, by the password, who this is."""
    assert client.post("/accounts/reauthenticate/", {"password": PASSWORD}).status_code == 302


class Device:
    """A device with a passkey, as a browser speaks for it: one key, and whoever holds it is its owner."""

    def __init__(self, origin: str = "http://localhost:8000") -> None:
        self.origin = origin
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.credential_id = os.urandom(16)

    def register(self, options: dict[str, Any], *, alone: bool = True) -> str:
        """What the browser sends when a passkey is made from the page's `creation_options`."""
        asked = options["publicKey"]
        public = ES256.from_cryptography_key(self.key.public_key())
        held = AttestedCredentialData.create(Aaguid.NONE, self.credential_id, public)
        data = self._data(asked["rp"]["id"], held)
        return self._said(
            {
                "clientDataJSON": self._client("webauthn.create", asked["challenge"]),
                "attestationObject": websafe_encode(AttestationObject.create("none", data, {})),
            },
            clientExtensionResults={"credProps": {"rk": alone}},
        )

    def sign(self, options: dict[str, Any], owner: User | None = None) -> str:
        """What the browser sends when the passkey answers the page's `request_options`."""
        asked = options["publicKey"]
        client = self._client("webauthn.get", asked["challenge"])
        data = self._data(asked["rpId"])
        words = data + hashlib.sha256(websafe_decode(client)).digest()
        return self._said(
            {
                "clientDataJSON": client,
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(self.key.sign(words, ec.ECDSA(hashes.SHA256()))),
                "userHandle": websafe_encode(owner.pk.hex.encode()) if owner else None,
            }
        )

    def _data(self, site: str, held: AttestedCredentialData | None = None) -> AuthenticatorData:
        flags = AuthenticatorData.FLAG
        seen = flags.UP | flags.UV | (flags.AT if held else flags(0))
        return AuthenticatorData.create(hashlib.sha256(site.encode()).digest(), seen, 0, held or b"")

    def _client(self, kind: str, challenge: str) -> str:
        said = {"type": kind, "challenge": challenge, "origin": self.origin}
        return websafe_encode(json.dumps(said).encode())

    def _said(self, response: dict[str, Any], **more: Any) -> str:
        name = websafe_encode(self.credential_id)
        said = {"id": name, "rawId": name, "type": "public-key", "response": response, "clientExtensionResults": {}}
        return json.dumps(said | more)
