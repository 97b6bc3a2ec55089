"""The part of the control interface that arranges Meta's Graph API.

| `POST /_control/graph/…` | body | answer |
|---|---|---|
| `apps` | `{app_id, secret}` | the app exists |
| `hooks` | `{app_id, url, verify_token}` | its webhooks go there, after a handshake |
| `token` | `{username, app_id?, login?, age_days?, scopes?}` | `{token, ig_id, page_id}`, without the pages |
| `comments` | `{username, text, by, media?, parent?}` (the newest post) | the comment; `sent`: the signed webhooks |
| `messages` | `{username, text, by}` | `sent`: the signed webhooks |
| `insights` | `{media, ...numbers}` | the numbers of a post published here, from now on |
| `story_end` | `{media}` | `sent`: the webhook with a story's last numbers |
| `revoke` | `{username, app_id?}` | the person removes the app; `signed_request` for the callback |
| `settings` | `{limit?, fetches?}` | posts in 24 hours; whether pictures are fetched |
"""

import time
from typing import Any

from sandbox import graph_hooks, graph_reads, graph_writes
from sandbox.graph_world import DEMO_APP, Hook, ig_id
from sandbox.wire import BadRequest, Request
from sandbox.world import Account, World

SCOPES = ["basic", "content_publish", "manage_comments", "manage_messages", "manage_insights"]


def put_app(world: World, fields: dict[str, Any]) -> object:
    """Make an app."""
    world.graph.apps[str(fields["app_id"])] = str(fields["secret"])
    return {"app_id": fields["app_id"]}


def put_hook(world: World, fields: dict[str, Any]) -> object:
    """Set where an app's webhooks go."""
    app = _app(world, fields)
    graph_hooks.shake_hands(str(fields["url"]), str(fields["verify_token"]))
    world.graph.hooks[app] = Hook(str(fields["url"]), str(fields["verify_token"]))
    return {"app_id": app, "verified": True}


def give_token(world: World, fields: dict[str, Any]) -> object:
    """A token without the pages, as old as wanted."""
    account, app = _account(world, fields), _app(world, fields)
    login = str(fields.get("login", "instagram"))
    issued = int(time.time() - float(fields.get("age_days", 0)) * 86400)
    prefix = "instagram_business_" if login == "instagram" else "instagram_"
    scopes = fields.get("scopes") or [prefix + scope for scope in SCOPES]
    kind = "long" if login == "instagram" else "page"
    more = {"issued": issued} | ({"expires": issued + 60 * 86400} if kind == "long" else {})
    token = world.graph.issue(app, account.pk, login, kind, scopes=scopes, **more)
    return {"token": token, "ig_id": ig_id(account.pk), "page_id": f"1{account.pk}"}


def somebody_comments(world: World, fields: dict[str, Any]) -> object:
    """A person comments on a post."""
    account = _account(world, fields)
    media = str(fields.get("media", "")) or next((post.id for post in graph_reads.posts_of(world, account)), "")
    post = graph_reads.find(world, media)
    if post is None:
        raise BadRequest("There is no such post.")
    event = graph_writes.somebody_comments(
        world, post, _person(world, fields), str(fields["text"]), str(fields.get("parent", ""))
    )
    comment = event["entry"][0]["changes"][0]["value"]
    return {"comment": comment["id"], "media": post.id, "sent": graph_hooks.deliver(world, event, account.pk)}


def somebody_writes(world: World, fields: dict[str, Any]) -> object:
    """A person writes to the account."""
    account = _account(world, fields)
    event = graph_writes.somebody_writes(world, account, _person(world, fields), str(fields["text"]))
    return {"sent": graph_hooks.deliver(world, event, account.pk)}


def set_insights(world: World, fields: dict[str, Any]) -> object:
    """Give a published post its numbers."""
    post = world.graph.posts.get(str(fields.pop("media", "")))
    if post is None:
        raise BadRequest("There is no such post published here.")
    post.insights = {name: int(value) for name, value in fields.items()}
    return graph_reads.measured(world, post)


def end_story(world: World, fields: dict[str, Any]) -> object:
    """A story ends: its last numbers go out."""
    post = graph_reads.find(world, str(fields["media"]))
    if post is None or post.product != "STORY":
        raise BadRequest("There is no such story.")
    event = graph_hooks.story_event(post, {"shares": 0, "replies": 0} | graph_reads.measured(world, post))
    return {"sent": graph_hooks.deliver(world, event, post.pk)}


def revoke(world: World, fields: dict[str, Any]) -> object:
    """The person removes the app."""
    account, app = _account(world, fields), _app(world, fields)
    world.graph.revoke(app, account.pk)
    told = {"user_id": ig_id(account.pk), "issued_at": int(time.time())}
    return {"signed_request": graph_hooks.signed_request(told, world.graph.apps[app])}


def settings(world: World, fields: dict[str, Any]) -> object:
    """Set what Meta allows and does."""
    world.graph.limit = int(fields.get("limit", world.graph.limit))
    world.graph.fetches = bool(fields.get("fetches", world.graph.fetches))
    return {"limit": world.graph.limit, "fetches": world.graph.fetches}


def _app(world: World, fields: dict[str, Any]) -> str:
    app = str(fields.get("app_id") or DEMO_APP)
    if app not in world.graph.apps:
        raise BadRequest(f"There is no app {app}.")
    return app


def _account(world: World, fields: dict[str, Any]) -> Account:
    account = world.accounts.get(str(fields.get("username", "")).lower())
    if account is None or not account.business:
        raise BadRequest("There is no professional account of this name.")
    return account


def _person(world: World, fields: dict[str, Any]) -> int:
    person = world.named(str(fields.get("by", "")))
    if person is None:
        raise BadRequest("There is nobody of this name.")
    return person.pk


# What each call takes: what must be given, and what may be.
CALLS: dict[str, tuple[Any, set[str], set[str]]] = {
    "graph/apps": (put_app, {"app_id", "secret"}, set()),
    "graph/hooks": (put_hook, {"app_id", "url", "verify_token"}, set()),
    "graph/token": (give_token, {"username"}, {"app_id", "login", "age_days", "scopes"}),
    "graph/comments": (somebody_comments, {"username", "text", "by"}, {"media", "parent"}),
    "graph/messages": (somebody_writes, {"username", "text", "by"}, set()),
    "graph/insights": (set_insights, {"media"}, {"views", "reach", "likes", "saved", "shares", "total_interactions"}),
    "graph/story_end": (end_story, {"media"}, set()),
    "graph/revoke": (revoke, {"username"}, {"app_id"}),
    "graph/settings": (settings, set(), {"limit", "fetches"}),
}


def handle(world: World, request: Request, *, name: str, document: Any) -> object:
    """Answer one of CALLS; `document` reads the body with known fields only."""
    call, required, allowed = CALLS[name]
    try:
        return call(world, document(request, required | allowed, required))
    except (TypeError, ValueError) as wrong:
        raise BadRequest(f"{wrong}") from wrong
