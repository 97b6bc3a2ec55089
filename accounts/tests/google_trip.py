"""A browser's way to Google and back: our pages by Django's client, Google's over real HTTP."""

from typing import Any
from urllib.parse import urlsplit

from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts import tenancy
from accounts.models import User
from instagrowth.testing import PASSWORD
from sandbox.testing import Control

LOGIN = "/accounts/oidc/google/login/"
CALLBACK = f"{LOGIN}callback/"
CONNECTIONS = "/accounts/3rdparty/"
DASHBOARD = "/dashboard/"


class Trip(Client):
    """One browser. What one request was allowed to see ends with it."""

    def __init__(self, google: Control, **defaults: Any) -> None:
        super().__init__(**defaults)
        self.google = google

    def request(self, **request: Any) -> Any:
        tenancy.look_at()
        try:
            return super().request(**request)
        finally:
            tenancy.look_at()

    def to_google(self, process: str = "login", **words: str) -> str:
        """Press the button; where one is sent."""
        sent = self.post(LOGIN, {"process": process, **words})
        assert sent.status_code == 302, sent.content
        return str(sent["Location"])

    def chosen(self, consent_url: str, sub: str) -> str:
        """Be this person at Google; our own path with the answer."""
        back = urlsplit(self.google.google_chooses(consent_url, sub))
        assert (back.netloc, back.path) == ("testserver", CALLBACK)
        return f"{back.path}?{back.query}"

    def round_trip(self, sub: str, process: str = "login", **words: str) -> Any:
        """There and back."""
        return self.get(self.chosen(self.to_google(process, **words), sub))

    def proves_it(self, answer: Any) -> Any:
        """Enter the password where we ask for it once more."""
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/reauthenticate/"), answer["Location"]
        query = urlsplit(answer["Location"]).query
        return self.post(f"/accounts/reauthenticate/?{query}", {"password": PASSWORD})

    def link(self, sub: str) -> Any:
        """Link a Google account as the person who is signed in."""
        sent = self.proves_it(self.post(LOGIN, {"process": "connect"}))
        return self.get(self.chosen(sent["Location"], sub))

    @property
    def who(self) -> str | None:
        """Whose browser this is now."""
        return self.session.get("_auth_user_id")


def linked(user: User, sub: str) -> User:
    """Somebody who linked Google before."""
    SocialAccount.objects.create(user=user, provider="google", uid=sub)
    return user
