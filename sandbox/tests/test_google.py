"""Google's OpenID Connect, asked as a client asks it."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest
import requests

from sandbox import google_people
from sandbox.google import CLIENT_ID, CLIENT_SECRET, HOSTS, challenge_of
from sandbox.google_people import GooglePeople
from sandbox.testing import Control, ControlError, Sandbox

BACK = "http://localhost:8000/accounts/oidc/google/login/callback/"
VERIFIER = "v" * 64
REQUEST = {
    "client_id": CLIENT_ID,
    "redirect_uri": BACK,
    "response_type": "code",
    "scope": "openid email profile",
    "state": "the-state",
    "nonce": "the-nonce",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


def consent_url(sandbox: Sandbox, **changed: str) -> str:
    return f"{sandbox.url}/o/oauth2/v2/auth?{urlencode(REQUEST | changed)}"


def code_for(sandbox: Sandbox, email: str = "ada@example.com", **fields: object) -> str:
    sub = sandbox.control.google_person(email, **fields)["sub"]
    back = urlsplit(sandbox.control.google_chooses(consent_url(sandbox), sub))
    words = parse_qs(back.query)
    assert (f"{back.scheme}://{back.netloc}{back.path}", words["state"]) == (BACK, ["the-state"])
    return words["code"][0]


def redeem(sandbox: Sandbox, code: str, **changed: str) -> requests.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "code_verifier": VERIFIER,
    }
    return requests.post(f"{sandbox.url}/oauth2/v4/token", form | changed, timeout=10)


def claims(sandbox: Sandbox, id_token: str) -> dict[str, Any]:
    """Check a token as a strict client does."""
    where = requests.get(f"{sandbox.url}/.well-known/openid-configuration", timeout=10).json()
    key = jwt.PyJWKClient(where["jwks_uri"]).get_signing_key_from_jwt(id_token).key
    return jwt.decode(id_token, key, ["RS256"], audience=CLIENT_ID, issuer=where["issuer"])


def test_discovery_leads_to_itself_and_answers_for_googles_host(sandbox: Sandbox) -> None:
    path = f"{sandbox.url}/.well-known/openid-configuration"
    answers = [requests.get(path, headers={"Host": host}, timeout=10).json() for host in ["", *sorted(HOSTS)]]

    assert {answer["issuer"] for answer in answers} == {sandbox.url}
    assert all(url.startswith(sandbox.url) for name, url in answers[0].items() if name.endswith(("endpoint", "_uri")))


def test_a_code_gives_a_signed_token_and_the_person(sandbox: Sandbox) -> None:
    answer = redeem(sandbox, code_for(sandbox, name="Ada Fern"))

    document = answer.json()
    told = claims(sandbox, document["id_token"])
    header = {"Authorization": f"Bearer {document['access_token']}"}
    person = requests.get(f"{sandbox.url}/oauth2/v3/userinfo", headers=header, timeout=10).json()
    assert (told["email"], told["email_verified"], told["nonce"]) == ("ada@example.com", True, "the-nonce")
    assert told["exp"] - told["iat"] == document["expires_in"]
    assert (person["sub"], person["name"], person["given_name"]) == (told["sub"], "Ada Fern", "Ada")
    assert answer.headers["cache-control"] == "no-store"


def test_a_code_works_once_and_its_second_use_ends_the_token(sandbox: Sandbox) -> None:
    code = code_for(sandbox)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: redeem(sandbox, code), range(8)))

    good = [answer for answer in answers if answer.status_code == 200]
    header = {"Authorization": f"Bearer {good[0].json()['access_token']}"}
    assert len(good) == 1
    assert {answer.json()["error"] for answer in answers if answer not in good} == {"invalid_grant"}
    assert requests.get(f"{sandbox.url}/oauth2/v3/userinfo", headers=header, timeout=10).status_code == 401


def test_a_code_lives_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    google = GooglePeople()
    request = {"client_id": "c", "redirect_uri": BACK, "challenge": "", "nonce": "", "scope": "openid"}
    codes = [google.grant(google.put("ada@example.com").sub, **request) for _ in range(2)]
    now = time.time()

    monkeypatch.setattr(google_people.time, "time", lambda: now + 59)
    assert google.redeem(codes[0]) is not None
    monkeypatch.setattr(google_people.time, "time", lambda: now + 61)
    assert google.redeem(codes[1]) is None


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": BACK + "x"}, "invalid_grant"),
        ({"code": "4/made-up"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "somebody-else"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_exchange_is_refused(sandbox: Sandbox, changed: dict[str, str], error: str) -> None:
    answer = redeem(sandbox, **{"code": code_for(sandbox)} | changed)

    assert (answer.status_code in (400, 401), answer.json()["error"]) == (True, error)


def test_the_secret_may_come_in_the_header(sandbox: Sandbox) -> None:
    form = {"grant_type": "authorization_code", "code": code_for(sandbox), "redirect_uri": BACK}
    secret = (CLIENT_ID, CLIENT_SECRET)
    url = f"{sandbox.url}/oauth2/v4/token"

    assert requests.post(url, form | {"code_verifier": VERIFIER}, auth=secret, timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"client_id": "x"}, "invalid_client"),
        ({"redirect_uri": "https://evil.example/"}, "redirect_uri_mismatch"),
        ({"redirect_uri": "javascript://localhost/"}, "redirect_uri_mismatch"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"code_challenge_method": "plain"}, "S256"),
    ],
)
def test_a_wrong_request_sends_nobody_anywhere(sandbox: Sandbox, changed: dict[str, str], words: str) -> None:
    url = consent_url(sandbox, **changed)
    answer = requests.get(url, timeout=10, allow_redirects=False)

    assert (answer.status_code, words in answer.text) == (400, True)
    with pytest.raises(ControlError, match=words):
        sandbox.control.google_chooses(url, sandbox.control.google_people()[0]["sub"])


def test_the_page_shows_the_people_and_takes_a_typed_address(sandbox: Sandbox) -> None:
    sandbox.control.google_person("x@example.com", name="<script>alert(1)</script>")
    page = requests.get(consent_url(sandbox), timeout=10).text
    back = requests.post(
        consent_url(sandbox), {"email": "new.person@example.com"}, timeout=10, allow_redirects=False
    ).headers["Location"]

    assert "Sandbox." in page
    assert "robin.vale@gmail.example" in page
    assert re.search("<script", page) is None
    code = parse_qs(urlsplit(back).query)["code"][0]
    assert claims(sandbox, redeem(sandbox, code).json()["id_token"])["email"] == "new.person@example.com"


def test_somebody_may_say_no(sandbox: Sandbox) -> None:
    by_hand = sandbox.control.google_chooses(consent_url(sandbox))
    sandbox.control.fault("consent_denied", path="o/oauth2/v2/auth")
    on_order = requests.get(consent_url(sandbox), timeout=10, allow_redirects=False).headers["Location"]

    assert by_hand == on_order == f"{BACK}?error=access_denied&state=the-state"


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        ("id_token_signature", jwt.InvalidSignatureError),
        ("id_token_aud", jwt.InvalidAudienceError),
        ("id_token_iss", jwt.InvalidIssuerError),
        ("id_token_expired", jwt.ExpiredSignatureError),
    ],
)
def test_a_spoilt_token_is_refused_by_a_strict_client(sandbox: Sandbox, fault: str, refusal: type[Exception]) -> None:
    code = code_for(sandbox)
    sandbox.control.fault(fault, path="oauth2/v4/token")
    spoilt = redeem(sandbox, code).json()["id_token"]

    with pytest.raises(refusal):
        claims(sandbox, spoilt)


def test_a_token_can_name_somebody_else(sandbox: Sandbox) -> None:
    own = sandbox.control.google_person("ada@example.com")["sub"]
    told = {}
    for fault in ("id_token_sub", "id_token_nonce", "id_token_no_nonce"):
        code = code_for(sandbox)
        sandbox.control.fault(fault, path="oauth2/v4/token")
        told[fault] = claims(sandbox, redeem(sandbox, code).json()["id_token"])

    assert told["id_token_sub"]["sub"] != own
    assert told["id_token_nonce"]["nonce"] == "somebody-elses-nonce"
    assert "nonce" not in told["id_token_no_nonce"]


def test_a_broken_google_is_broken_as_ordered(sandbox: Sandbox) -> None:
    sandbox.control.fault("503", path="oauth2/v4/token")
    sandbox.control.fault("hang", path="oauth2/v3/certs")
    assert redeem(sandbox, code_for(sandbox)).status_code == 503
    with pytest.raises(requests.Timeout):
        requests.get(f"{sandbox.url}/oauth2/v3/certs", timeout=0.3)
    assert requests.get(f"{sandbox.url}/oauth2/v3/certs", timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({}, "The field email is missing"),
        ({"email": None}, "email must be"),
        ({"email": "a@example.com", "email_verified": "yes"}, "email_verified must be"),
        ({"email": "a@example.com", "name": 7}, "name must be"),
    ],
)
def test_a_wrong_person_gets_a_sentence(control: Control, fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ControlError, match=sentence):
        control.call("POST", "google/people", fields)


def test_an_account_keeps_its_sub_when_its_address_changes(control: Control) -> None:
    control.google_person("old@example.com", sub="42")
    control.google_person("new@example.com", sub="42")
    control.google_person(None, sub="43")

    people = {person["sub"]: person["email"] for person in control.google_people()}
    control.reset()

    assert (people["42"], people["43"]) == ("new@example.com", None)
    assert "42" not in {person["sub"] for person in control.google_people()}
