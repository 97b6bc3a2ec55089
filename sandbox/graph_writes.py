"""What can be written through the Graph API: containers, posts, comments, messages. Each write is in the ledger."""

import json
import time
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from sandbox import graph_hooks
from sandbox.graph_errors import error
from sandbox.graph_reads import find, talks_of
from sandbox.graph_world import Comment, Container, Post, Said
from sandbox.people import digest
from sandbox.wire import Answer, answer_json
from sandbox.world import Account, World

WINDOW = 24 * 3600  # seconds after a person's last message in which one may answer
PRIVATE_WINDOW = 7 * 24 * 3600
MOST_CAPTION, MOST_TAGS, MOST_CHILDREN = 2200, 30, 10
POLLS = {"VIDEO": 2, "REELS": 2, "CAROUSEL": 1}


def kind_of(fields: dict[str, Any]) -> str:
    """What a container becomes: IMAGE, VIDEO, REELS, STORIES or CAROUSEL."""
    return str(fields.get("media_type") or ("VIDEO" if fields.get("video_url") else "IMAGE"))


def content_of(fields: dict[str, Any]) -> str:
    """What a post is, in one number: the same caption with the same media has the same."""
    parts = [str(fields.get(name, "")) for name in ("media_type", "caption", "image_url", "video_url", "children")]
    return f"{digest('graph content', *parts):x}"[:24]


def create_container(world: World, account: Account, fields: dict[str, Any]) -> Answer:
    """The first step of a post. The picture's address must answer when the sandbox fetches as Meta does."""
    if refused := _malformed(world, fields):
        return refused
    key = world.graph.next("176", account.pk)
    world.graph.containers[key] = Container(key, account.pk, dict(fields), POLLS.get(kind_of(fields), 0))
    return answer_json({"id": key})


def children_of(fields: dict[str, Any]) -> list[str]:
    """The containers of a carousel."""
    children = fields.get("children", [])
    if isinstance(children, str):
        children = json.loads(children) if children.startswith("[") else children.split(",")
    return [str(child) for child in children]


def _malformed(world: World, fields: dict[str, Any]) -> Answer | None:
    caption = str(fields.get("caption", ""))
    if len(caption) > MOST_CAPTION or caption.count("#") > MOST_TAGS:
        return error(36004, 2207010, "The caption is too long, or has too many tags")
    if kind_of(fields) == "CAROUSEL":
        children = children_of(fields)
        if not 2 <= len(children) <= MOST_CHILDREN or any(child not in world.graph.containers for child in children):
            return error(100, 0, "A carousel needs 2 to 10 children that exist")
        return None
    url = str(fields.get("video_url") or fields.get("image_url") or "")
    if not url.startswith(("http://", "https://")):
        return error(100, 0, "Either image_url or video_url is required")
    return None if not world.graph.fetches or _answers(url) else error(9004, 2207052)


def _answers(url: str) -> bool:
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=5) as answer:
            return bool(answer.read(16))
    except (URLError, OSError):
        return False


def publish(world: World, account: Account, fields: dict[str, Any]) -> Answer:
    """The last step of a post: once for each container."""
    found = world.graph.containers.get(str(fields.get("creation_id", "")))
    if found is None or found.pk != account.pk:
        return error(24, 2207006)
    if found.status in ("ERROR", "EXPIRED"):
        return error(24, 2207008, "The media builder with this creation id has expired or failed")
    if found.polls < found.needs and found.status != "FINISHED":
        return error(9007, 2207027)
    if world.graph.published_since(account.pk, time.time() - WINDOW) >= world.graph.limit:
        return error(9, 2207042)
    if found.media:
        return error(24, 2207006, "The container was already published")
    kind = kind_of(found.fields)
    product = {"STORIES": "STORY", "REELS": "REELS", "VIDEO": "REELS"}.get(kind, "FEED")
    shape = {"CAROUSEL": "CAROUSEL_ALBUM", "IMAGE": "IMAGE"}.get(
        kind, "VIDEO" if found.fields.get("video_url") else "IMAGE"
    )
    key = world.graph.next("180", account.pk)
    caption = str(found.fields.get("caption", ""))
    world.graph.posts[key] = Post(key, account.pk, shape, product, caption, int(time.time()))
    found.status, found.media = "PUBLISHED", key
    return answer_json({"id": key})


# Comments


def comment(world: World, account: Account, media: str, fields: dict[str, Any]) -> Answer:
    """The account comments on a post, its own first comment for example."""
    post = find(world, media)
    if post is None:
        return error(100, 33)
    return answer_json({"id": add_comment(world, post, account.pk, str(fields.get("message", ""))).id})


def reply(world: World, account: Account, comment_id: str, fields: dict[str, Any]) -> Answer:
    """The account answers a comment in public."""
    found = world.graph.comments.get(comment_id)
    post = find(world, found.media) if found else None
    if found is None or post is None:
        return error(100, 33)
    return answer_json({"id": add_comment(world, post, account.pk, str(fields.get("message", "")), found.id).id})


def add_comment(world: World, post: Post, author: int, text: str, parent: str = "") -> Comment:
    """Put a comment under a post."""
    made = Comment(world.graph.next("178"), post.id, author, text, int(time.time()), parent)
    world.graph.comments[made.id] = made
    return made


def hide(world: World, comment_id: str, fields: dict[str, Any]) -> Answer:
    """Hide a comment, or show it again."""
    found = world.graph.comments.get(comment_id)
    if found is None:
        return error(100, 33)
    found.hidden = str(fields.get("hide", "")).lower() == "true"
    return answer_json({"success": True})


def delete(world: World, comment_id: str) -> Answer:
    """Throw a comment away."""
    found = world.graph.comments.get(comment_id)
    if found is None or found.gone:
        return error(100, 33)
    found.gone = True
    return answer_json({"success": True})


# Messages


def send(world: World, account: Account, fields: dict[str, Any]) -> Answer:
    """A message: to somebody who wrote within 24 hours, or once to somebody who commented within 7 days."""
    to, text = fields.get("recipient", {}), str(fields.get("message", {}).get("text", ""))
    if not text or len(text.encode()) > 1000:
        return error(100, 0, "The text must have 1 to 1000 bytes")
    if "comment_id" in to:
        return _privately(world, account, str(to["comment_id"]), text)
    person = str(to.get("id", ""))
    talk = talks_of(world, account).get(int(person)) if person.isdigit() else None
    if talk is None:
        return error(100, 2534014)
    last = max((one.at for one in talk if one.sender != account.pk), default=0)
    if last < time.time() - WINDOW:
        return error(10, 2534022)
    return _said(world, account, int(person), text)


def _privately(world: World, account: Account, comment_id: str, text: str) -> Answer:
    found = world.graph.comments.get(comment_id)
    if found is None or found.gone or found.author == account.pk:
        return error(100, 33)
    if found.answered_privately:
        return error(10, 2534023, "There is already a private reply to this comment.")
    if found.at < time.time() - PRIVATE_WINDOW:
        return error(10, 2534022)
    found.answered_privately = True
    talks_of(world, account).setdefault(found.author, [])
    return _said(world, account, found.author, text)


def _said(world: World, account: Account, person: int, text: str) -> Answer:
    made = Said(f"m_{world.graph.next('', account.pk)}", account.pk, text, int(time.time()))
    talks_of(world, account)[person].append(made)
    return answer_json({"recipient_id": str(person), "message_id": made.id})


def subscribe(world: World, account: Account, app: str, *, off: bool = False) -> Answer:
    """Whether an account's events come to the app."""
    apps = world.graph.subscribed.setdefault(account.pk, set())
    (apps.discard if off else apps.add)(app)
    return answer_json({"success": True})


# What happens to an account by other people, on order


def somebody_comments(world: World, post: Post, author: int, text: str, parent: str = "") -> dict[str, Any]:
    """A person comments, or answers a comment: the webhook that goes out for it."""
    made = add_comment(world, post, author, text, parent)
    return graph_hooks.comment_event(world, made, post)


def somebody_writes(world: World, account: Account, author: int, text: str) -> dict[str, Any]:
    """A person writes: the webhook that goes out for it."""
    made = Said(f"m_{world.graph.next('', account.pk)}", author, text, int(time.time()))
    talks_of(world, account).setdefault(author, []).append(made)
    return graph_hooks.message_event(account, made)
