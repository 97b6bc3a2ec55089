"""What strangers send to the doors: nothing is told, nobody is led astray, and nothing costs much."""

import gzip
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import bcrypt
import pytest
from django.contrib.auth import password_validation
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils.encoding import iri_to_uri

from accounts import limits, sign_in
from accounts.models import User
from errors.exceptions import BotException
from instagrowth.testing import FULL_PRICE, JSON, NOBODY, PASSWORD

pytestmark = pytest.mark.django_db
HERE = "http://localhost:8000"
FORM = "application/x-www-form-urlencoded"
OFFSITE = [
    "//evil.example", "///evil.example", "////evil.example", "http://evil.example", "https://evil.example",
    "https:evil.example", "https:/evil.example", "http:///evil.example", "http:\\\\evil.example", "\\\\evil.example",
    "\\/evil.example", "/\\evil.example", "/\\/evil.example", "//evil.example/%2e%2e", "//evil.example@localhost",
    "http://localhost@evil.example", "http://localhost:8000@evil.example", "http://localhost.evil.example",
    "http://evil.example#localhost", "http://evil.example?localhost", "http://evil.example\\@localhost",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "\tjavascript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "vbscript:x", "ftp://evil.example", "file:///etc/passwd",
    "\x00//evil.example", "\t//evil.example", " //evil.example", "/\t/evil.example", "/\n/evil.example",
    "\r\n//evil.example",
    "//evil%E3%80%82example", "//evil\u3002example", "//\u0435vil.example", "http://[::1]evil.example",
    "http://127.0.0.1.evil.example",
]  # fmt: skip
HOSTS = [
    "evil.example", "localhost.evil.example", "evil.example:8000", "localhost@evil.example", "evil.example#localhost",
    "evil.example/localhost", "xn--lcalhost-ez3c.example", "127.0.0.1.evil.example", "169.254.169.254", "0.0.0.0",
    "10.0.0.1", "[::2]", "[fe80::1%25eth0]", "local host", "localhost,evil.example", "localhost\tevil.example",
    "localhost:evil", "-", "..", "localhost:80:80",
]  # fmt: skip
DOORS = [  # path, JSON or form, the fields that take a password
    ("/login", False, {"login": "alice@example.com"}, ("password",)),
    ("/signup", False, {"email": "new@example.com"}, ("password1",)),
    ("/profile/change-password", False, {}, ("oldpassword", "password1", "password2")),
    ("/accounts/reauthenticate/", False, {}, ("password",)),
    ("/api/auth/login", True, {"login": "alice@example.com"}, ("password",)),
    ("/api/auth/password/reset/confirm", True, {"key": "1-1"}, ("new_password",)),
    ("/api/admin/login", True, {"login": "alice@example.com", "code": "000000"}, ("password",)),
]


@pytest.fixture(autouse=True)
def _fresh(nobody_guessed: None) -> None:
    """Each test with its own counts."""


def lands(answer: Any, path: str) -> str:
    """The host a browser would go to."""
    place = urljoin(HERE + path, iri_to_uri(answer.get("Location", "")).replace("\\", "/"))
    return urlsplit(place).netloc + ("" if place.startswith("http") else place)


def test_nobody_is_led_to_another_site(alice: User) -> None:
    offsite = []
    for payload in OFFSITE:
        limits.forgive(limits.GUESS, alice.email)
        form = {"login": alice.email, "password": PASSWORD, "next": payload}
        browser = Client()
        answers = [("/login", browser.post("/login", form)), ("/login", browser.get("/login", {"next": payload}))]
        answers += [("/logout", browser.post("/logout", {"next": payload}))]
        browser.force_login(alice)
        answers += [("/accounts/email/", browser.post("/accounts/email/", {"next": payload}))]
        offsite += [payload for path, answer in answers if lands(answer, path) != "localhost:8000"]

    print({"payloads": len(OFFSITE), "offsite": len(offsite)})
    assert len(OFFSITE) == 40
    assert offsite == []


def test_another_host_is_refused(client: Client) -> None:
    answers = [
        client.post("/accounts/password/reset/", {"email": "a@example.com"}, headers={"Host": host}).status_code
        for host in HOSTS
    ]

    print({"hosts": len(HOSTS), "400": answers.count(400)})
    assert answers == [400] * 20


@pytest.mark.parametrize(("path", "is_json", "body", "fields"), DOORS)
def test_ten_megabytes_of_password_are_refused_at_once_and_never_hashed(
    path: str,
    is_json: bool,
    body: dict[str, str],
    fields: tuple[str, ...],
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: list[int] = []
    monkeypatch.setattr(
        "django.contrib.auth.hashers.Argon2PasswordHasher.verify", lambda *_: bool(hashed.append(1)) or False
    )
    monkeypatch.setattr("django.contrib.auth.hashers.Argon2PasswordHasher.encode", lambda *_: str(hashed.append(1)))
    browser = Client(raise_request_exception=False)
    browser.force_login(alice)
    browser.post(path)  # whatever is only done once is done
    took, answers = [], []
    for _ in range(3):
        for size in (10_000_000, 300_000, 5_000):
            sent = body | dict.fromkeys(fields, "x" * size)
            data = json.dumps(sent) if is_json else urlencode(sent)
            began = time.process_time()
            answer = browser.post(path, data, content_type=JSON if is_json else FORM)
            if size > 5_000:
                took.append((time.process_time() - began) * 1000)
                answers.append(answer.status_code)
            limits.forgive(limits.GUESS, alice.email)

    print({"door": path, "median_ms": round(statistics.median(took)), "answers": sorted(set(answers))})
    assert hashed == []
    assert set(answers) <= {400, 413}
    assert statistics.median(took) < 200  # of processor time; one may meet a collection of garbage


def test_the_three_thousand_most_common_passwords_are_refused() -> None:
    known = Path(password_validation.__file__).parent / "common-passwords.txt.gz"
    common = gzip.decompress(known.read_bytes()).decode().splitlines()
    top = [word for word in common if len(word) >= 12][:3000]
    shorter = common[:3000]
    accepted = []
    for password in dict.fromkeys(shorter + top):
        try:
            sign_in.check_strength(password, User(email="a@example.com"))
        except BotException:
            continue
        accepted.append(password)

    print({"tried": len(dict.fromkeys(shorter + top)), "accepted": len(accepted)})
    assert accepted == []


def test_long_passwords_are_whole(alice: User) -> None:
    one = "correct horse battery staple " * 7
    one = one[:79] + "A" + one[80:200]
    other = one[:79] + "B" + one[80:]
    sign_in.change_password(alice, one)

    confused = sum(alice.check_password(wrong) for wrong in (other, one[:72], one[:79], one + " "))

    print({"length": len(one), "confused": confused})
    assert confused == 0
    assert alice.check_password(one)


def test_a_hash_by_bcrypt_is_taken_and_made_anew_at_the_next_sign_in(alice: User, client: Client) -> None:
    old = "bcrypt$" + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    User.objects.filter(pk=alice.pk).update(password=old)

    client.post("/login", {"login": alice.email, "password": "wrong password 1"})
    alice.refresh_from_db()
    assert alice.password == old
    client.post("/login", {"login": alice.email, "password": PASSWORD})

    alice.refresh_from_db()
    assert "_auth_user_id" in client.session
    assert alice.password.startswith("argon2$argon2id$")


@pytest.mark.parametrize("door", ["login", "reset", "sign-up"])
def test_known_and_unknown_addresses_take_the_same_time(door: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the page, in time of the processor: what else the machine does is no part of it."""
    monkeypatch.setattr(sign_in, "_NOBODY", NOBODY)
    # By the other doors a quarter of the price shows who does not pay it; an unknown name's hash has the whole one.
    price = FULL_PRICE if door == "login" else FULL_PRICE | {"memory_cost": FULL_PRICE["memory_cost"] // 4}
    for name, full in price.items():
        monkeypatch.setattr(Argon2PasswordHasher, name, full)
    monkeypatch.setattr(limits, "take", lambda *_: 4)
    forms: dict[str, tuple[str, Callable[[str], dict[str, str]]]] = {
        "login": ("/login", lambda email: {"login": email, "password": "wrong password 1"}),
        "reset": ("/accounts/password/reset/", lambda email: {"email": email}),
        "sign-up": ("/signup", lambda email: {"email": email, "password1": PASSWORD}),
    }
    path, form = forms[door]
    password = make_password(PASSWORD)
    for number in range(21):
        User.objects.create(email=f"known{number}@example.com", password=password)
    took: dict[str, list[float]] = {"known": [], "unknown": []}
    for number in range(21):
        for kind, times in took.items():
            browser, words = Client(), form(f"{kind}{number}@example.com")
            began = time.process_time()
            assert browser.post(path, words).status_code in (200, 302)
            times.append((time.process_time() - began) * 1000)
    middle = {kind: statistics.median(times) for kind, times in took.items()}
    delta = abs(middle["known"] - middle["unknown"])

    print({"door": door, "median_ms": {kind: round(ms, 1) for kind, ms in middle.items()}, "delta_ms": round(delta, 1)})
    assert delta < 10


def test_a_password_like_the_persons_own_name_is_refused() -> None:
    with pytest.raises(BotException):
        sign_in.check_strength("alicewonderland", User(email="alicewonderland@example.com"))
    with pytest.raises(ValidationError):
        password_validation.validate_password("short")
