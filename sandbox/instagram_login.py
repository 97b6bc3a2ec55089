"""Signing in: the CAA (Bloks) flow of today's app, its two second steps, and the older accounts/login.

The password is really encrypted to our RSA key and really checked. Which way a sign-in takes depends on the account:
`totp_secret` asks for a code after the password, `email_code` mails one, `legacy` sends it to accounts/login.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox.faults import failure
from sandbox.instagram_routes import Call, Routes, bearer, bloks_params
from sandbox.instagram_shapes import current_user
from sandbox.people import digest
from sandbox.wire import Answer, BadRequest, answer_json
from sandbox.world import Account

routes = Routes()
KEY_ID = 41
AAC = "sandbox-account-access-context"
AP = "com.bloks.www.ap.two_step_verification."
TWO_STEP = "com.bloks.www.two_step_verification."
CAA = r"bloks/async_action/com\.bloks\.www\.bloks\.caa\.login\."
OK = answer_json({"status": "ok"})


@cache
def private_key() -> rsa.RSAPrivateKey:
    """The key that passwords are encrypted to; a new one in each process."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def key_headers() -> dict[str, str]:
    """Tell the public key, the way qe/sync does."""
    pem = (
        private_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return {
        "ig-set-password-encryption-key-id": str(KEY_ID),
        "ig-set-password-encryption-pub-key": base64.b64encode(pem).decode(),
    }


def decrypt(sealed: object) -> str:
    """Open `#PWD_INSTAGRAM:4:<time>:<base64>`: 1, key id, IV, the RSA-wrapped AES key, GCM tag, text."""
    try:
        brand, version, stamp, payload = str(sealed).split(":", 3)
        raw = base64.b64decode(payload, validate=True)
        size = int.from_bytes(raw[14:16], "little")
        if (brand, version, raw[:2]) != ("#PWD_INSTAGRAM", "4", bytes((1, KEY_ID))):
            raise BadRequest("The password is not sealed to our key.")
        key = private_key().decrypt(raw[16 : 16 + size], padding.PKCS1v15())
        tag, text = raw[16 + size : 32 + size], raw[32 + size :]
        return AESGCM(key).decrypt(raw[2:14], text + tag, stamp.encode()).decode()
    except (ValueError, IndexError, binascii.Error, InvalidTag) as error:
        raise BadRequest("The password cannot be decrypted.") from error


# What the app does before it asks for a password


@routes("POST", "graphql_www", public=True)
def graphql(call: Call) -> Answer:
    """Answer the one query that a sign-in starts with."""
    if call.form.get("fb_api_req_friendly_name") == "IGUSDIDRegistrationMutation":
        return answer_json({"data": {"1$usdid_registration": {"success": True}}})
    return answer_json({"errors": [{"message": "The stand-in does not know this query."}], "data": None})


@routes("POST", CAA + r"process_client_data_and_redirect", public=True)
def process_client_data(call: Call) -> Answer:
    """Give the account access context."""
    data = [{"data": {"key": "CAA_ACCOUNT_ACCESS_CONTEXT:aac", "initial": AAC}}]
    return answer_json({"layout": {"bloks_payload": {"data": data}}, "status": "ok"})


@routes("POST", "attestation/create_android_keystore", public=True)
def create_keystore(call: Call) -> Answer:
    """Give the nonce that the sign-in must show."""
    nonce = f"{digest('nonce', call.form.get('app_scoped_device_id')):032x}"
    return answer_json({"challenge_nonce": nonce, "status": "ok"})


@routes("POST", r"bloks/async_action/com\.bloks\.www\.caa\.login\.oauth\.token\.fetch\.async", public=True)
@routes("POST", "launcher/sync", public=True)
@routes("POST", "accounts/contact_point_prefill", public=True)
@routes("POST", "accounts/get_prefill_candidates", public=True)
def nothing_to_say(call: Call) -> Answer:
    """Accept what we have no use for."""
    return OK


@routes("GET", "qe/sync", public=True)
@routes("POST", "qe/sync", public=True)
def qe_sync(call: Call) -> Answer:
    """Give the key for passwords."""
    return answer_json({"experiments": [], "status": "ok"}, headers=key_headers())


# The password


@dataclass(slots=True)
class Checked:
    """A sign-in form that was looked at: the account, or the answer that refuses it."""

    account: Account | None = None
    refusal: Answer | None = None


def check(call: Call, username: object, sealed: object) -> Checked:
    """Find the account and check its password."""
    account = call.world.accounts.get(str(username).strip().lower())
    if account is None or account.password is None:
        text = "The username you entered doesn't appear to belong to an account. Please check your username."
        return Checked(refusal=refuse(text, "invalid_user"))
    if decrypt(sealed) != account.password:
        call.world.ledger.write(account.username, "login", "", applied=False)
        text = "The password you entered is incorrect. Please try again or log in with Facebook."
        return Checked(refusal=refuse(text, "bad_password"))
    return Checked(refusal=failure("suspended")) if account.banned else Checked(account)


def refuse(message: str, error_type: str) -> Answer:
    """Refuse in Instagram's form."""
    return answer_json({"message": message, "error_type": error_type, "status": "fail"}, 400)


@routes("POST", CAA + r"async\.send_login_request", public=True)
def send_login_request(call: Call) -> Answer:
    """Check the password and lead to the next step, or sign in."""
    fields = bloks_params(call.form)["client_input_params"]
    if fields.get("aac") != AAC or "challenge_nonce" not in call.request.headers.get("x-ig-attest-params", ""):
        raise BadRequest("The sign-in skipped its preparation: no account access context or no attestation.")
    world = call.world
    account = world.accounts.get(call.claimed)
    if account and account.legacy:
        return bloks({"data": [{"data": {"key": "CAA_LOGIN_FALLBACK:ACCOUNTS_LOGIN", "initial": "1"}}]})
    checked = check(call, fields.get("contact_point"), fields.get("password"))
    if checked.account is None:
        return checked.refusal or OK
    account = checked.account
    if account.totp_secret:
        return lead_to(TWO_STEP + "entrypoint", "two_step_verification_context", world.remember("totp", account))
    if account.email_code:
        return lead_to(AP + "entrypoint_async", "context_data", world.remember("email1", account))
    return signed_in(call, account)


def signed_in(call: Call, account: Account) -> Answer:
    """The login payload of Bloks: JSON in JSON in a program text."""
    call.world.ledger.write(account.username, "login", "", applied=True)
    payload = {
        "login_response": json.dumps({"logged_in_user": current_user(call, account), "status": "ok"}),
        "headers": json.dumps({"IG-Set-Authorization": call.world.authorization(account)}),
        "cookies": "",
    }
    return bloks({"action": f"(bk.action.caa.HandleLoginResponse {json.dumps(json.dumps(payload))})"})


def lead_to(app: str, key: str, token: str) -> Answer:
    """A program that opens the next screen with a token for it."""
    inner = f'(f4i (dkc "{key}") (dkc "{token}"))'
    return bloks({"action": f'(bk.action.OpenScreen "{app}" (f4i (dkc "server_params") (dkc {inner})))'})


def bloks(payload: dict[str, Any]) -> Answer:
    """Wrap a payload in the layout that the app expects."""
    return answer_json({"layout": {"bloks_payload": payload}, "status": "ok"})


# Second step: authenticator app or backup code


@routes("POST", r"bloks/apps/com\.bloks\.www\.two_step_verification\.(?:entrypoint|method_picker)", public=True)
@routes("POST", r"bloks/apps/com\.bloks\.www\.two_factor_login\.enter_(?:totp|backup)_code", public=True)
@routes(
    "POST", r"bloks/async_action/com\.bloks\.www\.two_step_verification\.method_picker\.navigation\.async", public=True
)
def two_step_screen(call: Call) -> Answer:
    """Show a screen of the second step."""
    _recall(call, "totp", "two_step_verification_context")
    return OK


@routes("POST", r"bloks/async_action/com\.bloks\.www\.two_step_verification\.verify_code\.async", public=True)
def verify_code(call: Call) -> Answer:
    """Check the code of the second step."""
    account = _recall(call, "totp", "two_step_verification_context")
    if account.accepts(str(bloks_params(call.form)["client_input_params"].get("code", ""))):
        return signed_in(call, account)
    call.world.ledger.write(account.username, "login", "", applied=False)
    return refuse("Please check the security code and try again.", "sms_code_validation_code_invalid")


def _recall(call: Call, kind: str, key: str) -> Account:
    """The account of the step before; raises BadRequest for a token that was not given for this step."""
    account = call.world.recall(kind, bloks_params(call.form)["server_params"].get(key))
    if account is None:
        raise BadRequest("This sign-in step has expired. Start again.")
    return account


# Second step: a code by e-mail


@routes("POST", r"bloks/async_action/com\.bloks\.www\.ap\.two_step_verification\.entrypoint_async", public=True)
def email_entrypoint(call: Call) -> Answer:
    """Open the e-mail step."""
    return lead_to(
        AP + "code_entry", "context_data", call.world.remember("email2", _recall(call, "email1", "context_data"))
    )


@routes("POST", r"bloks/apps/com\.bloks\.www\.ap\.two_step_verification\.code_entry", public=True)
def email_code_entry(call: Call) -> Answer:
    """Show where to enter the code."""
    account = _recall(call, "email2", "context_data")
    return lead_to(AP + "code_entry_async", "context_data", call.world.remember("email3", account))


@routes("POST", r"bloks/async_action/com\.bloks\.www\.ap\.two_step_verification\.code_entry_async", public=True)
def email_submit(call: Call) -> Answer:
    """Check the code from the e-mail."""
    account = _recall(call, "email3", "context_data")
    if bloks_params(call.form)["client_input_params"].get("code") == account.email_code:
        return signed_in(call, account)
    call.world.ledger.write(account.username, "login", "", applied=False)
    return refuse("That code isn't valid. You can request a new one.", "invalid_code")


# The older way


@routes("POST", "accounts/login", public=True)
def legacy_login(call: Call) -> Answer:
    """Check a password the older way."""
    checked = check(call, call.form.get("username"), call.form.get("enc_password"))
    if checked.account is None:
        return checked.refusal or OK
    account = checked.account
    if not account.totp_secret:
        return legacy_signed_in(call, account)
    info = {
        "two_factor_identifier": call.world.remember("legacy", account),
        "username": account.username,
        "totp_two_factor_on": True,
        "sms_two_factor_on": False,
    }
    document = {"message": "", "error_type": "two_factor_required", "two_factor_info": info, "status": "fail"}
    return answer_json(document, 400)


@routes("POST", "accounts/two_factor_login", public=True)
def legacy_two_factor(call: Call) -> Answer:
    """Check a code the older way."""
    account = call.world.recall("legacy", call.form.get("two_factor_identifier"))
    if account is None:
        raise BadRequest("This sign-in step has expired. Start again.")
    if account.accepts(str(call.form.get("verification_code", ""))):
        return legacy_signed_in(call, account)
    call.world.ledger.write(account.username, "login", "", applied=False)
    return refuse("Please check the security code and try again.", "sms_code_validation_code_invalid")


def legacy_signed_in(call: Call, account: Account) -> Answer:
    """Sign in the older way: the session is in a header."""
    call.world.ledger.write(account.username, "login", "", applied=True)
    document = {"logged_in_user": current_user(call, account), "status": "ok"}
    return answer_json(document, headers={"ig-set-authorization": call.world.authorization(account)})


# Afterwards


@routes("POST", "accounts/logout")
def logout(call: Call) -> Answer:
    """End this session."""
    call.world.revoked.add(bearer(call.request.headers["authorization"])[1])
    call.world.ledger.write(call.viewer.username, "logout", "", applied=True)
    return OK


@routes("POST", r"bloks/apps/com\.instagram\.challenge\.navigation\.take_challenge", public=True)
def take_challenge(call: Call) -> Answer:
    """Close a challenge that was solved in the app."""
    return answer_json({"status": "ok", "action": "close"})
