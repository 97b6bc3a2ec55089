"""Google's OpenID Connect as its clients speak it: discovery, consent, code for tokens, signing keys, userinfo.

| call | what it is |
|---|---|
| `GET /.well-known/openid-configuration` | where everything is |
| `GET /o/oauth2/v2/auth` | the page that asks who you are; `POST` to the same address chooses |
| `POST /oauth2/v4/token` | a code and its PKCE verifier for an access token and an RS256-signed id_token |
| `GET /oauth2/v3/certs` | the public keys |
| `GET /oauth2/v3/userinfo` | the person of an access token |

The one client is CLIENT_ID with CLIENT_SECRET; people are sent back to this machine only. Google's bad days are orders
of `/_control/faults` whose `path` begins with one of the paths above (without the slash): see `sandbox.faults`.
"""

import base64
import functools
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from sandbox import google_page
from sandbox.faults import Fault, fault_answer
from sandbox.google_people import TOKEN_SECONDS, Grant, sub_of
from sandbox.wire import Answer, BadRequest, Receive, Request, Send, answer_json, drop, send_answer, wait
from sandbox.world import World

HOSTS = frozenset(
    {"accounts.google.com", "oauth2.googleapis.com", "openidconnect.googleapis.com", "www.googleapis.com"}
)
PREFIXES = ("/.well-known/openid-configuration", "/o/oauth2/", "/oauth2/")
CLIENT_ID = "sandbox.apps.googleusercontent.com"
CLIENT_SECRET = "sandbox-google-secret"
BACK_TO = {"localhost", "127.0.0.1", "::1", "testserver"}
KEY_ID = "sandbox-1"
NO_STORE = {"cache-control": "no-store"}


@dataclass(slots=True)
class Call:
    """One request to Google, and the fault it meets, if one is on order."""

    world: World
    request: Request
    fault: str = ""


async def serve(world: World, request: Request, receive: Receive, send: Send) -> None:
    """Answer one request, or do what the fault on order says."""
    fault = world.faults.take(request.method, request.path.lstrip("/"), "")
    call = Call(world, request, fault.kind if fault else "")
    if fault is None or fault.kind in SPOILS or fault.kind == "consent_denied":
        await send_answer(send, perform(call))
    else:
        await suffer(call, fault, receive, send)


def perform(call: Call) -> Answer:
    """Do what the request asks."""
    handler = ROUTES.get((call.request.method, call.request.path))
    if handler is None:
        return answer_json({"error": "not_found", "error_description": f"There is no {call.request.path}."}, 404)
    try:
        return handler(call)
    except BadRequest as error:
        return answer_json({"error": "invalid_request", "error_description": str(error)}, 400)


async def suffer(call: Call, fault: Fault, receive: Receive, send: Send) -> None:
    """Let a request meet its fault."""
    if fault.kind in ("hang", "slow") and not await wait(fault.seconds, receive):
        return
    if fault.kind in ("hang", "reset"):
        await drop(send, receive)
        return
    answer = perform(call) if fault.kind == "slow" else fault_answer(fault)
    await send_answer(send, answer)
    if answer.missing:
        await drop(send, receive, reset=False)


# What Google says about itself


def discovery(call: Call) -> Answer:
    """Where everything is, in Google's own words."""
    at = call.request.own_url
    return answer_json(
        {
            "issuer": at,
            "authorization_endpoint": f"{at}/o/oauth2/v2/auth",
            "token_endpoint": f"{at}/oauth2/v4/token",
            "userinfo_endpoint": f"{at}/oauth2/v3/userinfo",
            "jwks_uri": f"{at}/oauth2/v3/certs",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "email", "profile"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
            "claims_supported": ["aud", "email", "email_verified", "exp", "family_name", "given_name", "iat", "iss",
                                 "name", "picture", "sub"],
            "code_challenge_methods_supported": ["plain", "S256"],
            "grant_types_supported": ["authorization_code"],
        }
    )  # fmt: skip


@functools.cache
def key(name: str) -> rsa.RSAPrivateKey:
    """The signing key of this process, or with another name one that nobody published."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certs(call: Call) -> Answer:
    """The public half of the signing key."""
    jwk = json.loads(RSAAlgorithm.to_jwk(key(KEY_ID).public_key()))
    return answer_json({"keys": [jwk | {"kid": KEY_ID, "use": "sig", "alg": "RS256", "key_ops": ["verify"]}]})


# Asking the person


def ask(call: Call) -> Answer:
    """The page that asks who you are, or what is wrong with the request: then nobody is sent back."""
    asked = wanted(call.request)
    if call.fault == "consent_denied":
        return sent_back(asked, error="access_denied")
    people = [person for person in call.world.google.people.values() if person.email]
    return google_page.chooser(people, urlsplit(asked["redirect_uri"]).netloc)


def choose(call: Call) -> Answer:
    """Send the person back with a code, or with their refusal."""
    asked, chosen = wanted(call.request), dict(parse_qsl(call.request.body.decode()))
    if chosen.get("deny") or call.fault == "consent_denied":
        return sent_back(asked, error="access_denied")
    google, sub, email = call.world.google, chosen.get("sub", ""), chosen.get("email", "").strip()
    if not sub and "@" in email:
        known = next((person for person in google.people.values() if person.email == email), None)
        sub = (known or google.put(email)).sub
    if sub not in google.people:
        raise BadRequest("Choose a person, or type an e-mail address.")
    code = google.grant(
        sub,
        client_id=asked["client_id"],
        redirect_uri=asked["redirect_uri"],
        challenge=asked.get("code_challenge", ""),
        nonce=asked.get("nonce", ""),
        scope=asked["scope"],
    )
    return sent_back(asked, code=code, scope=asked["scope"], authuser="0", prompt="consent")


def wanted(request: Request) -> dict[str, str]:
    """What the client asks for, checked. Raises BadRequest: with a wrong client, nobody is sent anywhere."""
    asked = request.query
    back = urlsplit(asked.get("redirect_uri", ""))
    if asked.get("client_id") != CLIENT_ID:
        raise BadRequest("invalid_client: The OAuth client was not found.")
    if back.hostname not in BACK_TO or back.scheme not in ("http", "https") or back.fragment:
        raise BadRequest("redirect_uri_mismatch: The stand-in sends people back to this machine only.")
    if asked.get("response_type") != "code":
        raise BadRequest("unsupported_response_type: Only `code` is spoken here.")
    if "openid" not in asked.get("scope", "").split():
        raise BadRequest("invalid_scope: The scope must have `openid`.")
    if asked.get("code_challenge") and asked.get("code_challenge_method") != "S256":
        raise BadRequest("The code_challenge_method must be S256.")
    return asked


def sent_back(asked: dict[str, str], **words: str) -> Answer:
    """A redirect to where the client wants its answer."""
    query = urlencode(words | ({"state": asked["state"]} if "state" in asked else {}))
    joint = "&" if "?" in asked["redirect_uri"] else "?"
    return Answer(302, headers={"location": f"{asked['redirect_uri']}{joint}{query}"} | NO_STORE)


# A code for tokens


def exchange(call: Call) -> Answer:
    """An access token and an id_token for a code, once."""
    form = dict(parse_qsl(call.request.body.decode(), keep_blank_values=True))
    if refused := client_refused(call.request, form):
        return refused
    if form.get("grant_type") != "authorization_code":
        return oauth_error("unsupported_grant_type", "Only authorization_code is spoken here.")
    code = form.get("code", "")
    grant = call.world.google.redeem(code)
    if grant is None or grant.redirect_uri != form.get("redirect_uri"):
        return oauth_error("invalid_grant", "Bad Request")
    if not proves(form.get("code_verifier", ""), grant.challenge):
        return oauth_error("invalid_grant", "Invalid code verifier.")
    token = call.world.google.token(code, grant.sub)
    document = {
        "access_token": token,
        "expires_in": TOKEN_SECONDS,
        "scope": grant.scope,
        "token_type": "Bearer",
        "id_token": id_token(call, grant, token),
    }
    return answer_json(document, headers=NO_STORE)


def client_refused(request: Request, form: dict[str, str]) -> Answer | None:
    """Check the client's secret, in the form or in the header."""
    name, secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, basic = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        name, _, secret = base64.b64decode(basic).decode().partition(":")
    if name != CLIENT_ID:
        return oauth_error("invalid_client", "The OAuth client was not found.", 401)
    if not hmac.compare_digest(secret, CLIENT_SECRET):
        return oauth_error("invalid_client", "The provided client secret is invalid.", 401)
    return None


def proves(verifier: str, challenge: str) -> bool:
    """Whether a PKCE verifier belongs to this S256 challenge; a code without one needs none."""
    return hmac.compare_digest(challenge_of(verifier), challenge) if challenge or verifier else True


def challenge_of(verifier: str) -> str:
    """RFC 7636: base64url of SHA-256, without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def oauth_error(error: str, words: str, status: int = 400) -> Answer:
    """Refuse as RFC 6749 says."""
    return answer_json({"error": error, "error_description": words}, status, NO_STORE)


def id_token(call: Call, grant: Grant, access_token: str) -> str:
    """Who signed in, for this client, signed; spoilt where a fault wants it so."""
    now = int(time.time())
    person = call.world.google.people[grant.sub]
    half = hashlib.sha256(access_token.encode()).digest()[:16]
    claims: dict[str, Any] = {
        "iss": call.request.own_url,
        "azp": grant.client_id,
        "aud": grant.client_id,
        **person.claims,
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        "iat": now,
        "exp": now + TOKEN_SECONDS,
    }
    if grant.nonce:
        claims["nonce"] = grant.nonce
    claims |= SPOILS.get(call.fault, {})
    claims = {name: value for name, value in claims.items() if value is not None}
    signer = key("nobody published me") if call.fault == "id_token_signature" else key(KEY_ID)
    return jwt.encode(claims, signer, algorithm="RS256", headers={"kid": KEY_ID})


def userinfo(call: Call) -> Answer:
    """The person of an access token."""
    token = call.request.headers.get("authorization", "").removeprefix("Bearer ")
    person = call.world.google.owner(token)
    if person is None:
        return answer_json({"error": "invalid_request", "error_description": "Invalid Credentials"}, 401)
    return answer_json(person.claims)


# What `sandbox.faults` can spoil in an id_token; None takes a claim out.
SPOILS: dict[str, dict[str, Any]] = {
    "id_token_signature": {},
    "id_token_nonce": {"nonce": "somebody-elses-nonce"},
    "id_token_no_nonce": {"nonce": None},
    "id_token_aud": {"aud": "another-client.apps.googleusercontent.com"},
    "id_token_iss": {"iss": "https://accounts.evil.example"},
    "id_token_expired": {"iat": 1_600_000_000, "exp": 1_600_003_599},
    "id_token_sub": {"sub": sub_of("somebody.else@gmail.example")},
    "id_token_no_sub": {"sub": None},
}
ROUTES: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("GET", "/.well-known/openid-configuration"): discovery,
    ("GET", "/o/oauth2/v2/auth"): ask,
    ("POST", "/o/oauth2/v2/auth"): choose,
    ("POST", "/oauth2/v4/token"): exchange,
    ("GET", "/oauth2/v3/certs"): certs,
    ("GET", "/oauth2/v3/userinfo"): userinfo,
}
