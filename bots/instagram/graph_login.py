"""Meta's two logins: where the person is sent, and how their code becomes a token that lasts.

Instagram Login: a code for a token of an hour, that for one of 60 days, and that again every 24 hours to 60 days.
Facebook Login: a code for a person's token, that for a longer one, and with it the tokens of their Pages, which do not
end by themselves. Raises BotException like the door itself.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from bots.instagram.graph import FACEBOOK, HOSTS, INSTAGRAM, App, ask

PAGES = {INSTAGRAM: "https://www.instagram.com", FACEBOOK: "https://www.facebook.com"}
API = "https://api.instagram.com"
# What we ask for, and why: shown before the person goes to Meta.
SCOPES = {
    INSTAGRAM: {
        "instagram_business_basic": "Your name, picture and posts.",
        "instagram_business_content_publish": "Publish what you planned in the calendar.",
        "instagram_business_manage_comments": "Read and answer comments; write planned first comments.",
        "instagram_business_manage_messages": "Read what people write and answer within 24 hours.",
        "instagram_business_manage_insights": "Read reach, views and interactions of the account and its posts.",
    },
    FACEBOOK: {
        "instagram_basic": "Your name, picture and posts.",
        "instagram_content_publish": "Publish what you planned in the calendar.",
        "instagram_manage_comments": "Read and answer comments; write planned first comments.",
        "instagram_manage_messages": "Read what people write and answer within 24 hours.",
        "instagram_manage_insights": "Read reach, views and interactions of the account and its posts.",
        "pages_show_list": "Find the Pages that your Instagram accounts are linked to.",
        "pages_read_engagement": "Read what belongs to those Pages.",
        "pages_manage_metadata": "Let Meta tell us of new comments and messages.",
    },
}


@dataclass(frozen=True)
class Given:
    """What a login gave us: a token for one account."""

    token: str
    scopes: list[str]
    person: str  # Meta's number for whoever signed in, for this app alone
    seconds: int | None = None  # until it ends; None: it does not by itself
    ig_id: str = ""  # known already with Facebook Login
    page_id: str = ""
    username: str = ""  # known already with Facebook Login


def consent_url(app: App, login: str, back: str, state: str) -> str:
    """Where the person is sent, to be asked by Meta."""
    asked = {
        "client_id": app.id,
        "redirect_uri": back,
        "response_type": "code",
        "scope": ",".join(SCOPES[login]),
        "state": state,
    }
    path = "/oauth/authorize" if login == INSTAGRAM else f"/{settings.GRAPH_API_VERSION}/dialog/oauth"
    return f"{settings.INSTAGRAM_GRAPH_URL or PAGES[login]}{path}?{urlencode(asked)}"


def redeem(app: App, login: str, back: str, code: str) -> list[Given]:
    """The accounts that a code opens: one with Instagram Login, all that were chosen with Facebook Login."""
    form = {"client_id": app.id, "client_secret": app.secret, "redirect_uri": back, "code": code.removesuffix("#_")}
    return _by_instagram(app, form) if login == INSTAGRAM else _by_facebook(app, form)


def renew(token: str) -> tuple[str, int]:
    """Another 60 days for an Instagram token that is at least a day old: the new token, and its seconds."""
    told, _ = ask("GET", f"{HOSTS[INSTAGRAM]}/refresh_access_token", params=_words("ig_refresh_token", token))
    return str(told["access_token"]), int(told["expires_in"])


def _by_instagram(app: App, form: dict[str, str]) -> list[Given]:
    short, _ = ask("POST", f"{API}/oauth/access_token", data=form | {"grant_type": "authorization_code"})
    short = short["data"][0] if "data" in short else short  # both forms are documented
    asked = _words("ig_exchange_token", str(short["access_token"])) | {"client_secret": app.secret}
    told, _ = ask("GET", f"{HOSTS[INSTAGRAM]}/access_token", params=asked)
    scopes = short.get("permissions", [])
    scopes = scopes.split(",") if isinstance(scopes, str) else list(scopes)
    return [Given(str(told["access_token"]), scopes, str(short["user_id"]), int(told["expires_in"]))]


def _by_facebook(app: App, form: dict[str, str]) -> list[Given]:
    at = f"{HOSTS[FACEBOOK]}/{settings.GRAPH_API_VERSION}"
    short, _ = ask("GET", f"{at}/oauth/access_token", params=form)
    exchange = {
        "grant_type": "fb_exchange_token",
        "client_id": app.id,
        "client_secret": app.secret,
        "fb_exchange_token": str(short["access_token"]),
    }
    told, _ = ask("GET", f"{at}/oauth/access_token", params=exchange)
    token = str(told["access_token"])
    proof = {"appsecret_proof": hmac.digest(app.secret.encode(), token.encode(), hashlib.sha256).hex()}

    def read(path: str, **query: str) -> dict[str, Any]:
        return ask("GET", f"{at}/{path}", headers={"Authorization": f"Bearer {token}"}, params=query | proof)[0]

    person = str(read("me", fields="id")["id"])
    scopes = [one["permission"] for one in read("me/permissions")["data"] if one["status"] == "granted"]
    pages = read("me/accounts", fields="id,name,access_token,instagram_business_account{id,username}", limit="100")
    return [
        Given(page["access_token"], scopes, person, None, str(own["id"]), str(page["id"]), str(own.get("username", "")))
        for page in pages["data"]
        if (own := page.get("instagram_business_account"))
    ]


def _words(grant: str, token: str) -> dict[str, str]:
    return {"grant_type": grant, "access_token": token}
