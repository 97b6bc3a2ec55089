"""Meta's Graph API as its clients speak it, on both login hosts: who is asking, which endpoint, which fault.

| call | what it is |
|---|---|
| `GET /oauth/authorize`, `GET /vN/dialog/oauth` | the page that asks (Instagram, Facebook); `POST` chooses |
| `POST /oauth/access_token`, `GET /vN/oauth/access_token` | a code for a token (Instagram, Facebook) |
| `GET /access_token`, `GET /refresh_access_token` | Instagram: 60 days, and 60 more |
| `GET /vN/me`, `/vN/<IG>` | the profile; `business_discovery.username(NAME)` on graph.facebook.com |
| `/vN/<IG>/media`, `/media_publish`, `/stories`, `/insights`, `/content_publishing_limit`, `/subscribed_apps` | |
| `/vN/<MEDIA>`, `/insights`, `/comments`; `/vN/<COMMENT>`, `/replies`; `/vN/<CONTAINER>` | |
| `/vN/me/messages`, `/vN/me/conversations`, `/vN/<PERSON>` | |

`me` and `<IG>` name the same account. Faults are ordered by `path` behind the version: `me/media_publish` is matched by
`.*media_publish`. See `sandbox.graph_errors` for their names, `sandbox.graph_control` for what else can be arranged.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox import graph_oauth, graph_reads, graph_writes
from sandbox.faults import Fault, fault_answer
from sandbox.graph_errors import EMPTY, STATUS_FAULTS, error, known, ordered
from sandbox.graph_world import Token, pk_of
from sandbox.wire import Answer, BadRequest, Receive, Request, Send, answer_json, drop, send_answer, wait
from sandbox.world import Account, World

HOSTS = frozenset({"graph.instagram.com", "graph.facebook.com", "api.instagram.com", "www.facebook.com"})
VERSION = re.compile(r"^/v\d+\.\d+/")
PREFIXES = ("/oauth/", "/access_token", "/refresh_access_token", *(f"/v{number}" for number in range(20, 40)))
DISCOVERY = re.compile(r"business_discovery\.username\(([\w.]+)\)")
NOTHING = Token("", 0, "", "", 0, 0)


@dataclass(slots=True)
class Call:
    """One request to the Graph API."""

    world: World
    request: Request
    path: str  # behind the version
    token: Token = NOTHING
    account: Account | None = None
    fault: str = ""
    words: list[str] = field(default_factory=list)

    @property
    def facebook(self) -> bool:
        """Whether the request was meant for graph.facebook.com."""
        return "facebook" in self.request.host

    @property
    def who(self) -> Account:
        """The account of the token."""
        if self.account is None:
            raise BadRequest("This call needs the token of an account.")
        return self.account

    @property
    def fields(self) -> dict[str, Any]:
        """What the body and the address say."""
        return self.request.query | (self.request.form if self.request.method == "POST" else {})


async def serve(world: World, request: Request, receive: Receive, send: Send) -> None:
    """Answer one request, or do what the fault on order says."""
    call = Call(world, request, VERSION.sub("", request.path).strip("/"))
    identify(call)
    name = call.account.username if call.account else ""
    world.ledger.count(name, f"graph {request.method} {call.path.split('/')[-1]}")
    fault = world.faults.take(request.method, call.path, name)
    if fault is None or fault.kind in STATUS_FAULTS or fault.kind == EMPTY:
        call.fault = fault.kind if fault else ""
        await send_answer(send, perform(call))
    else:
        await suffer(call, fault, receive, send)


def identify(call: Call) -> None:
    """Read the token: whose it is."""
    found = call.world.graph.token(graph_oauth.bearer(call.request))
    if found is not None:
        call.token = found
        call.account = call.world.by_pk.get(found.pk)


def perform(call: Call) -> Answer:
    """Do what the request asks, write it down, and give the answer."""
    try:
        answer = signing_in(call) or refused(call) or route(call)
    except (BadRequest, ValueError, TypeError, AttributeError) as wrong:
        answer = error(100, 0, f"(#100) {wrong}")
    record(call, answer)
    answer.headers |= {"x-app-usage": '{"call_count":1,"total_time":1,"total_cputime":1}'}
    return answer


async def suffer(call: Call, fault: Fault, receive: Receive, send: Send) -> None:
    """Let a request meet its fault; with `apply`, what it asked for has happened before."""
    late = fault.kind in ("hang", "slow")
    if late and not fault.apply and not await wait(fault.seconds, receive):
        return
    answer = perform(call) if fault.apply or fault.kind == "slow" else None
    if late and fault.apply and not await wait(fault.seconds, receive):
        return
    if fault.kind in ("hang", "reset"):
        await drop(send, receive)
        return
    answer = (
        answer if fault.kind == "slow" and answer else ordered(fault.kind) if known(fault.kind) else fault_answer(fault)
    )
    await send_answer(send, answer)
    if answer.missing:
        await drop(send, receive, reset=False)


# Signing in


def signing_in(call: Call) -> Answer | None:
    """The calls that need no token yet."""
    path, method, world, request = call.path, call.request.method, call.world, call.request
    if path in ("oauth/authorize", "dialog/oauth"):
        login = "instagram" if path == "oauth/authorize" else "facebook"
        return (graph_oauth.decide if method == "POST" else graph_oauth.consent)(world, request, login)
    if path == "oauth/access_token":
        return graph_oauth.exchange(world, request, "instagram" if method == "POST" else "facebook")
    if path == "access_token":
        return graph_oauth.longer(world, request)
    return graph_oauth.refreshed(world, request) if path == "refresh_access_token" else None


def refused(call: Call) -> Answer | None:
    """Refuse what has no good token, or no proof of the app's secret where Facebook wants one."""
    token = call.token
    if token is NOTHING:
        return error(190)
    if call.world.graph.is_revoked(token):
        return error(190, 458)
    if token.expires and token.expires < call.world.graph.now():
        return error(190, 463)
    if (token.login == "facebook") != call.facebook:
        return error(190, 0, "Invalid OAuth access token - it belongs to the other login.")
    if call.facebook:
        secret = call.world.graph.apps.get(token.app, "")
        text = graph_oauth.bearer(call.request)
        proof = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        if call.fields.get("appsecret_proof") != proof:
            return error(100, 0, "API calls from the server require an appsecret_proof argument")
    return None


# Everything else


def route(call: Call) -> Answer:
    """Find the endpoint by the object's id and the edge behind it."""
    call.words = call.path.split("/")
    thing, edge = call.words[0], "/".join(call.words[1:])
    handler = None
    if call.facebook and thing == "me" and edge == "accounts":
        return graph_reads.pages(call.world, call.token)
    if call.facebook and thing == "me" and edge == "permissions":
        return answer_json({"data": [{"permission": one, "status": "granted"} for one in call.token.scopes]})
    if call.facebook and thing == "me" and not edge and not call.token.pk:
        return answer_json({"id": str(7_000_000_000 + sum(call.token.granted) % 10**9), "name": "Somebody"})
    if thing == "me" or pk_of(thing) or _is_page(call, thing):
        if thing != "me" and pk_of(thing) not in (0, call.who.pk):
            return error(100, 33)
        handler = ACCOUNT.get((call.request.method, edge))
    elif thing in call.world.graph.containers:
        return graph_reads.container(
            call.world, call.world.graph.containers[thing], call.request, STATUS_FAULTS.get(call.fault, "")
        )
    elif thing in call.world.graph.comments:
        handler = COMMENT.get((call.request.method, edge))
    elif graph_reads.find(call.world, thing):
        handler = MEDIA.get((call.request.method, edge))
    elif call.request.method == "GET" and not edge and (told := graph_reads.person(call.world, thing)):
        return told
    return handler(call) if handler else error(100, 33)


def _is_page(call: Call, thing: str) -> bool:
    return call.facebook and call.account is not None and thing == f"1{call.account.pk}"


def _profile(call: Call) -> Answer:
    name = DISCOVERY.search(call.request.query.get("fields", ""))
    if name and not call.facebook:
        return error(100, 0, "(#100) Tried accessing nonexisting field (business_discovery)")
    if name:
        return graph_reads.discovery(call.world, call.who, name[1], call.request)
    return graph_reads.me(call.world, call.who, call.token, call.request)


def _account_insights(call: Call) -> Answer:
    if call.fault == EMPTY:
        return answer_json({"data": []})
    return graph_reads.account_insights(call.who, call.request)


def _media(call: Call, handler: Callable[..., Answer], *more: Any) -> Answer:
    post = graph_reads.find(call.world, call.words[0])
    if post is None or post.pk != call.who.pk:
        return error(100, 33)
    return handler(call.world, post, *more)


def _media_insights(call: Call) -> Answer:
    if call.fault == EMPTY:
        return answer_json({"data": []})
    return _media(call, graph_reads.media_insights, call.request)


ACCOUNT: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("GET", ""): _profile,
    ("GET", "media"): lambda call: graph_reads.media_list(call.world, call.who, call.request),
    ("GET", "stories"): lambda call: graph_reads.stories(call.world, call.who, call.request),
    ("GET", "insights"): _account_insights,
    ("GET", "content_publishing_limit"): lambda call: graph_reads.publishing_limit(call.world, call.who),
    ("GET", "conversations"): lambda call: graph_reads.conversations(call.world, call.who),
    ("POST", "media"): lambda call: graph_writes.create_container(call.world, call.who, call.fields),
    ("POST", "media_publish"): lambda call: graph_writes.publish(call.world, call.who, call.fields),
    ("POST", "messages"): lambda call: graph_writes.send(call.world, call.who, call.fields),
    ("POST", "subscribed_apps"): lambda call: graph_writes.subscribe(call.world, call.who, call.token.app),
    ("DELETE", "subscribed_apps"): lambda call: graph_writes.subscribe(call.world, call.who, call.token.app, off=True),
}
MEDIA: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("GET", ""): lambda call: _media(call, graph_reads.media_one, call.request),
    ("GET", "insights"): _media_insights,
    ("GET", "comments"): lambda call: _media(call, graph_reads.comments),
    ("POST", "comments"): lambda call: graph_writes.comment(call.world, call.who, call.words[0], call.fields),
}
COMMENT: dict[tuple[str, str], Callable[[Call], Answer]] = {
    ("GET", ""): lambda call: answer_json(graph_reads.said(call.world, call.world.graph.comments[call.words[0]])),
    ("POST", "replies"): lambda call: graph_writes.reply(call.world, call.who, call.words[0], call.fields),
    ("POST", ""): lambda call: graph_writes.hide(call.world, call.words[0], call.fields),
    ("DELETE", ""): lambda call: graph_writes.delete(call.world, call.words[0]),
}


def record(call: Call, answer: Answer) -> None:
    """Write a write into the ledger: a post by its content, a reply by its comment, a message by its person."""
    if call.request.method != "POST" or call.account is None or call.path.endswith("oauth/access_token"):
        return
    edge = call.path.split("/")[-1]
    fields: dict[str, Any] = call.request.form if call.request.body else call.request.query
    applied = answer.status < 400
    target, detail = call.path.split("/")[0], {}
    if edge == "media_publish":
        found = call.world.graph.containers.get(str(call.fields.get("creation_id", "")))
        target = graph_writes.content_of(found.fields) if found else ""
        made = json.loads(answer.body).get("id", "") if applied else ""
        detail = {"caption": str(found.fields.get("caption", "")) if found else "", "media": str(made)}
    elif edge == "media":
        target = graph_writes.content_of(call.fields)
    elif edge == "messages":
        to = fields.get("recipient", {})
        target = str(to.get("comment_id") or to.get("id", "")) if isinstance(to, dict) else ""
        detail = {
            "text": str(fields.get("message", {}).get("text", "")) if isinstance(fields.get("message"), dict) else ""
        }
    else:
        detail = {"text": str(fields.get("message", ""))}
    kind = KINDS.get(edge, "hide_comment" if edge == target else f"graph_{edge}")
    call.world.ledger.write(call.account.username, kind, target, applied=applied, **detail)


KINDS = {
    "media": "container",
    "media_publish": "publish",
    "messages": "graph_message",
    "replies": "comment_reply",
    "comments": "own_comment",
    "subscribed_apps": "subscribe",
}
