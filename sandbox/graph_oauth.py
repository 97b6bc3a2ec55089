"""Meta's two sign-ins: Instagram Login and Facebook Login, from the page that asks to a token that lasts.

Nobody proves who they are here: whoever opens the page chooses one of the sandbox's professional accounts, or refuses.
"""

import secrets
import time
from collections.abc import Iterable
from html import escape
from urllib.parse import parse_qsl, urlencode, urlsplit

from sandbox.google_page import HTML, STYLE
from sandbox.graph_errors import error
from sandbox.graph_world import CODE_SECONDS, LONG, REFRESH_AFTER, SHORT, Code, Token, ig_id
from sandbox.people import digest
from sandbox.wire import Answer, BadRequest, Request, answer_json
from sandbox.world import Account, World

BACK_TO = {"localhost", "127.0.0.1", "::1", "testserver"}


def professionals(world: World) -> list[Account]:
    """The accounts that Meta's API serves."""
    return [account for account in world.accounts.values() if account.business and not account.banned]


def consent(world: World, request: Request, login: str) -> Answer:
    """The page that asks; its forms post back to the same address."""
    asked = _wanted(world, request)
    return _page(professionals(world), urlsplit(asked["redirect_uri"]).netloc, asked.get("scope", ""), login)


def decide(world: World, request: Request, login: str) -> Answer:
    """Send the person back with a code, or with their refusal."""
    asked = _wanted(world, request)
    chosen = parse_qsl(request.body.decode())
    if ("deny", "1") in chosen:
        words = {"error": "access_denied", "error_reason": "user_denied", "error_description": "Permissions error"}
        return _back(asked, words)
    names = [value for name, value in chosen if name == "username"]
    pks = tuple(a.pk for name in names if (a := world.accounts.get(name)) and a.business)
    if not pks:
        raise BadRequest("Choose a professional account.")
    scopes = tuple(scope for scope in asked.get("scope", "").replace(",", " ").split() if scope)
    left_out = {value for name, value in chosen if name == "without"}
    code = f"AQ{secrets.token_urlsafe(40)}"
    world.graph.codes[code] = Code(
        asked["client_id"],
        asked["redirect_uri"],
        login,
        pks,
        tuple(scope for scope in scopes if scope not in left_out),
        time.time() + CODE_SECONDS,
    )
    return _back(asked, {"code": code + ("#_" if login == "instagram" else "")})


def exchange(world: World, request: Request, login: str) -> Answer:
    """A code, once, for a token: Instagram's lasts an hour, Facebook's too."""
    form = request.query if request.method == "GET" else request.form
    if refused := _app_refused(world, form):
        return refused
    if form.get("grant_type") == "fb_exchange_token":
        return _longer(world, str(form.get("fb_exchange_token", "")))
    code = world.graph.codes.pop(str(form.get("code", "")), None)
    if code is None or code.ends < time.time() or code.login != login or code.app != form.get("client_id"):
        return _refused(login, "This authorization code has expired or was used.")
    if code.redirect_uri != form.get("redirect_uri"):
        return _refused(login, "Error validating verification code. Please make sure your redirect_uri is identical.")
    if login == "facebook":
        token = world.graph.issue(code.app, 0, login, "short", scopes=code.scopes, granted=code.pks)
        return answer_json({"access_token": token, "token_type": "bearer", "expires_in": SHORT})
    token = world.graph.issue(code.app, code.pks[0], login, "short", scopes=code.scopes)
    return answer_json({"access_token": token, "user_id": int(ig_id(code.pks[0])), "permissions": list(code.scopes)})


def longer(world: World, request: Request) -> Answer:
    """Instagram: a short token for one of 60 days."""
    token = world.graph.token(request.query.get("access_token", ""))
    if request.query.get("grant_type") != "ig_exchange_token" or token is None or token.kind != "short":
        return error(190)
    if world.graph.apps.get(token.app) != request.query.get("client_secret"):
        return error(1, 0, "Error validating client secret.")
    return _lasting(world, token)


def refreshed(world: World, request: Request) -> Answer:
    """Instagram: another 60 days for a token that is at least a day old and has not ended."""
    text = request.query.get("access_token", "") or bearer(request)
    token = world.graph.token(text)
    if request.query.get("grant_type") != "ig_refresh_token" or token is None or token.kind != "long":
        return error(190)
    if world.graph.is_revoked(token):
        return error(190, 458)
    if token.expires < time.time():
        return error(190, 463)
    if token.issued + REFRESH_AFTER > time.time():
        return error(100, 0, "The access token must be at least 24 hours old to be refreshed.")
    return _lasting(world, token)


def bearer(request: Request) -> str:
    """The token of a request, in its header or its fields."""
    header = request.headers.get("authorization", "")
    return header.removeprefix("Bearer ").removeprefix("OAuth ") or request.query.get("access_token", "")


def _lasting(world: World, token: Token) -> Answer:
    fresh = world.graph.issue(token.app, token.pk, token.login, "long", scopes=token.scopes)
    return answer_json(
        {"access_token": fresh, "token_type": "bearer", "expires_in": LONG, "permissions": ",".join(token.scopes)}
    )


def _longer(world: World, text: str) -> Answer:
    token = world.graph.token(text)
    if token is None or token.login != "facebook":
        return error(190)
    fresh = world.graph.issue(token.app, 0, "facebook", "long", scopes=token.scopes, granted=token.granted)
    return answer_json({"access_token": fresh, "token_type": "bearer", "expires_in": LONG})


def _app_refused(world: World, form: dict[str, str]) -> Answer | None:
    secret = world.graph.apps.get(str(form.get("client_id", "")))
    if secret is None:
        return error(101, 0, "Error validating application. Cannot get application info due to a system error.")
    return None if secret == form.get("client_secret") else error(1, 0, "Error validating client secret.")


def _refused(login: str, words: str) -> Answer:
    if login == "facebook":
        return error(100, 36009, words)
    return answer_json({"error_type": "OAuthException", "code": 400, "error_message": words}, 400)


def _wanted(world: World, request: Request) -> dict[str, str]:
    """What the app asks for, checked. Raises BadRequest: then nobody is sent anywhere."""
    asked = request.query
    back = urlsplit(asked.get("redirect_uri", ""))
    if asked.get("client_id") not in world.graph.apps:
        raise BadRequest("Invalid platform app: there is no app of this id.")
    if back.hostname not in BACK_TO or back.scheme not in ("http", "https"):
        raise BadRequest("Invalid redirect_uri: the stand-in sends people back to this machine only.")
    if asked.get("response_type") != "code":
        raise BadRequest("response_type must be code.")
    return asked


def _back(asked: dict[str, str], words: dict[str, str]) -> Answer:
    query = urlencode(words | ({"state": asked["state"]} if "state" in asked else {}))
    return Answer(302, headers={"location": f"{asked['redirect_uri']}?{query}", "cache-control": "no-store"})


def _page(accounts: Iterable[Account], back_to: str, scope: str, login: str) -> Answer:
    who = "Instagram" if login == "instagram" else "Facebook"
    many = login == "facebook"
    rows = "".join(_box(account) if many else _row(account) for account in accounts)
    scopes = "".join(f"<li><small>{escape(one)}</small></li>" for one in scope.replace(",", " ").split())
    allow = '<div class="row"><span></span><button class="main">Continue</button></div>' if many else ""
    body = f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Sandbox {who}: connect an account</title><link rel="icon" href="data:,"><style>{STYLE}</style></head><body><main>
<p class="loud"><b>Sandbox.</b> This is not {who}. Nobody here is real.</p>
<h1>Choose an account</h1><p>{escape(back_to)} asks for:</p><ul>{scopes}</ul>
<form method="post"><ul>{rows or "<li>No account here is a professional one.</li>"}</ul>{allow}</form>
<form method="post"><div class="row"><button name="deny" value="1">Cancel</button></div></form>
</main></body></html>"""
    return Answer(200, body.encode(), HTML, {"cache-control": "no-store"})


def _row(account: Account) -> str:
    return f'<li><button class="who" name="username" value="{escape(account.username)}">{_face(account)}</button></li>'


def _box(account: Account) -> str:
    name = escape(account.username)
    return f'<li><label class="who"><input type="checkbox" name="username" value="{name}">{_face(account)}</label></li>'


def _face(account: Account) -> str:
    hue = digest("graph", account.pk) % 360
    return (
        f'<i style="background:hsl({hue} 45% 38%)" aria-hidden="true">{escape(account.username[0].upper())}</i>'
        f"<span><b>{escape(account.username)}</b><small>{escape(account.full_name)}</small></span>"
    )
