"""Who has a Google account at the stand-in, and what it has handed out: codes and tokens, in memory."""

import secrets
import time
from dataclasses import dataclass, field

from sandbox.people import digest

CODE_SECONDS = 60
TOKEN_SECONDS = 3599


@dataclass(slots=True)
class GooglePerson:
    """Somebody with a Google account. `sub` is Google's own number for them and never changes; the rest may."""

    sub: str
    email: str | None
    email_verified: bool = True
    name: str = ""

    @property
    def claims(self) -> dict[str, object]:
        """What Google tells about them."""
        given, _, family = self.name.partition(" ")
        told = {
            "sub": self.sub,
            "name": self.name,
            "given_name": given,
            "family_name": family,
            "picture": f"https://pictures.example/{self.sub}",
            "email": self.email,
            "email_verified": self.email_verified if self.email else None,
        }
        return {name: value for name, value in told.items() if value not in (None, "")}


@dataclass(slots=True, frozen=True)
class Grant:
    """A code on its way: who consented, to what request, until when."""

    sub: str
    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str
    scope: str
    ends: float


@dataclass(slots=True)
class GooglePeople:
    """The people of Google, and the codes and tokens that are out."""

    people: dict[str, GooglePerson] = field(default_factory=dict)
    grants: dict[str, Grant] = field(default_factory=dict)
    used: dict[str, str] = field(default_factory=dict)  # a code that was used, and the token it gave
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)  # whose, until when

    def put(self, email: str | None, **fields: object) -> GooglePerson:
        """Create or change the person with this `sub`; without one, the one with this address."""
        sub = str(fields.pop("sub", "") or sub_of(email))
        person = self.people.setdefault(sub, GooglePerson(sub, email, name=(email or "").partition("@")[0].title()))
        person.email = email
        for name, value in fields.items():
            setattr(person, name, value)
        return person

    def grant(self, sub: str, **request: str) -> str:
        """A new code for somebody who consented; it works once, for a minute."""
        code = f"4/{secrets.token_urlsafe(32)}"
        self.grants[code] = Grant(sub, **request, ends=time.time() + CODE_SECONDS)
        return code

    def redeem(self, code: str) -> Grant | None:
        """What a code stands for, once. Who tries it again ends the token of the first time, as at Google."""
        if again := self.used.get(code):
            self.tokens.pop(again, None)
        grant = self.grants.pop(code, None)
        return grant if grant and grant.ends > time.time() else None

    def token(self, code: str, sub: str) -> str:
        """A new access token, for an hour."""
        token = f"ya29.{secrets.token_urlsafe(48)}"
        self.used[code] = token
        self.tokens[token] = (sub, time.time() + TOKEN_SECONDS)
        return token

    def owner(self, token: str) -> GooglePerson | None:
        """Whose access token this is."""
        sub, ends = self.tokens.get(token, ("", 0.0))
        return self.people.get(sub) if ends > time.time() else None


def sub_of(email: str | None) -> str:
    """A number of 21 digits, the same for the same address, in the look of Google's."""
    return f"1{digest('google', (email or '').lower()) % 10**20:020}"


DEMO_PEOPLE = (
    {"email": "robin.vale@gmail.example", "name": "Robin Vale"},
    {"email": "sasha.brook@gmail.example", "name": "Sasha Brook"},
    {"email": "kim.unsure@gmail.example", "name": "Kim Unsure", "email_verified": False},
)


def demo() -> GooglePeople:
    """Google as it is at the start."""
    google = GooglePeople()
    for person in DEMO_PEOPLE:
        google.put(**person)
    return google
