"""What an account can look at: itself, people, hashtags, posts, stories, followers, messages."""

import base64
import binascii
import json
from itertools import islice
from typing import Any

from sandbox import people
from sandbox.faults import failure
from sandbox.instagram_routes import Call, Routes
from sandbox.instagram_shapes import current_user, friendship, full_user, post, short_user, story, thread
from sandbox.people import Person
from sandbox.wire import Answer, BadRequest, answer_json

routes = Routes()
TAG_PAGE = 27
FEED_PAGE = 33
LIST_PAGE = 200
NO_USER = {"message": "User not found", "status": "fail"}
NO_MEDIA = {"message": "Media not found or unavailable", "status": "fail"}


@routes("POST", "feed/reels_tray")
def reels_tray(call: Call) -> Answer:
    """Show an empty tray."""
    return answer_json({"tray": [], "status": "ok"})


@routes("POST", "feed/timeline")
def timeline(call: Call) -> Answer:
    """Show an empty feed."""
    return answer_json({"feed_items": [], "num_results": 0, "more_available": False, "status": "ok"})


@routes("GET", "accounts/current_user")
def account_info(call: Call) -> Answer:
    """Show who is signed in."""
    return answer_json({"user": current_user(call, call.viewer), "status": "ok"})


# People


@routes("GET", "users/([^/]+)/usernameinfo")
def username_info(call: Call) -> Answer:
    """Show a profile by name."""
    return _profile(call, call.world.named(call.words[0]))


@routes("GET", r"users/(\d+)/info")
def user_info(call: Call) -> Answer:
    """Show a profile by key."""
    return _profile(call, call.person())


def _profile(call: Call, person: Person | None) -> Answer:
    return answer_json({"user": full_user(call, person), "status": "ok"} if person else NO_USER, 200 if person else 404)


@routes("GET", "users/search")
def search_users(call: Call) -> Answer:
    """Find accounts by part of their name, and anybody by the whole of it."""
    query = call.query.get("query", "").lower()
    found: list[Person] = [account for name, account in call.world.accounts.items() if query and query in name]
    exact = call.world.named(query)
    if exact and exact not in found:
        found.insert(0, exact)
    return answer_json({"users": [short_user(call, person) for person in found[:50]], "status": "ok"})


# Who follows whom


@routes("GET", r"friendships/show/(\d+)")
def friendship_show(call: Call) -> Answer:
    """Tell how the viewer and somebody stand to each other."""
    person = call.person()
    return answer_json(friendship(call, person) | {"status": "ok"} if person else NO_USER, 200 if person else 404)


@routes("POST", "friendships/show_many")
def friendships_show_many(call: Call) -> Answer:
    """Tell it for several people at once."""
    keys = [key.strip() for key in str(call.form.get("user_ids", "")).split(",")]
    if not all(key.isdigit() for key in keys):
        raise BadRequest("user_ids must be numbers between commas.")
    names = ("following", "incoming_request", "is_bestie", "is_private", "is_restricted", "outgoing_request")
    statuses = {}
    for key in keys:
        if person := call.world.person(int(key)):
            whole = friendship(call, person)
            statuses[key] = {name: whole[name] for name in names} | {"is_feed_favorite": False}
    return answer_json({"friendship_statuses": statuses, "status": "ok"})


@routes("GET", r"friendships/(\d+)/(followers|following)")
def follow_list(call: Call) -> Answer:
    """Show a page of followers, or of whom somebody follows."""
    person = call.person()
    if person is None:
        return answer_json({"message": "unable to fetch followers", "status": "fail"}, 400)
    if not may_see(call, person):
        return failure("private")
    start, size = (_number(call, "max_id", 0), min(_number(call, "count", LIST_PAGE) or LIST_PAGE, LIST_PAGE))
    world = call.world
    keys = world.follower_keys(person.pk) if call.words[1] == "followers" else world.following_keys(person.pk)
    page = list(islice(keys, start, start + size + 1))
    shown = [short_user(call, found) for pk in page[:size] if (found := world.person(pk))]
    if query := call.query.get("query"):
        shown = [user for user in shown if query.lower() in user["username"]]
    next_page = str(start + size) if len(page) > size else None
    return answer_json({"users": shown, "next_max_id": next_page, "big_list": bool(next_page), "status": "ok"})


def may_see(call: Call, person: Person) -> bool:
    """Private people show their posts and lists to followers only."""
    viewer = call.viewer.pk
    return not person.private or person.pk == viewer or call.world.relation(viewer, person.pk) == "following"


def _number(call: Call, name: str, default: int) -> int:
    value = call.query.get(name, "")
    if value and not value.isdigit():
        raise BadRequest(f"{name} must be a number.")
    return int(value or default)


# Hashtags


@routes("GET", "tags/([^/]+)/info")
def tag_info(call: Call) -> Answer:
    """Show a tag."""
    name = tag_name(call.words[0])
    tag = call.world.hashtag(name)
    key = str(17_800_000_000_000_000 + people.digest("tag", name) % 10**14)
    return answer_json({"id": key, "name": name, "media_count": tag.size * 41, "allow_following": 1, "status": "ok"})


@routes("POST", "tags/([^/]+)/sections")
def tag_sections(call: Call) -> Answer:
    """A page of posts, each by somebody else; "top" shows the same people from the other end."""
    name = tag_name(call.words[0])
    tab = call.form.get("tab", "top")
    if tab not in ("top", "recent", "clips"):
        raise BadRequest("tab must be top, recent or clips.")
    tag = call.world.hashtag(name)
    start, page = _cursor(call), 1
    if start:
        page = start // TAG_PAGE + 1
    if tab == "recent":
        keys = tag.slice(start, start + TAG_PAGE)
    else:
        keys = tag.slice(max(0, tag.size - start - TAG_PAGE), max(0, tag.size - start))[::-1]
    posts = [_newest(call, person) for pk in keys if (person := call.world.person(pk))]
    more = start + TAG_PAGE < tag.size
    sections = [
        {"layout_type": "media_grid", "feed_type": "media", "layout_content": {"medias": posts[at : at + 3]}}
        for at in range(0, len(posts), 3)
    ]
    document = {"sections": sections, "more_available": more, "status": "ok"}
    if more:
        document |= {
            "next_max_id": base64.b64encode(f"{name}:{start + TAG_PAGE}".encode()).decode(),
            "next_media_ids": [item["media"]["pk"] for item in posts[-3:]],
            "next_page": page,
        }
    return answer_json(document)


def _newest(call: Call, person: Person) -> dict[str, Any]:
    media = post(call, person, max(0, (person.media or 1) - 1))
    media["user"]["friendship_status"] = friendship(call, person)
    return {"media": media}


def _cursor(call: Call) -> int:
    """Where a page starts: next_max_id and next_media_ids come back together or not at all."""
    cursor, ids = call.form.get("max_id"), call.form.get("next_media_ids")
    if not cursor:
        return 0
    try:
        start = int(base64.b64decode(str(cursor), validate=True).decode().rpartition(":")[2])
        known = isinstance(json.loads(str(ids)), list)
    except (ValueError, binascii.Error):
        known, start = False, 0
    if not known or start < 0:
        raise BadRequest("max_id and next_media_ids do not lead to a page.")
    return start


def tag_name(name: str) -> str:
    """A tag is letters, digits and underscores, and not digits alone."""
    plain = name.replace("_", "a")
    if not plain.isalnum() or name.isdigit() or len(name) > 100:
        raise BadRequest("That is not a hashtag.")
    return name.lower()


# Posts and stories


@routes("GET", r"feed/user/(\d+)")
def user_feed(call: Call) -> Answer:
    """Show a page of somebody's posts, the newest first."""
    person = call.person()
    if person is None:
        return answer_json(NO_USER, 404)
    if not may_see(call, person):
        return failure("private")
    size = min(_number(call, "count", FEED_PAGE) or FEED_PAGE, FEED_PAGE)
    newest = (person.media or 0) - _number(call, "max_id", 0)
    pinned = range(person.pinned) if newest == person.media else ()
    others = range(newest - 1, max(-1, newest - 1 - size), -1)
    numbers = [*pinned, *(number for number in others if number >= person.pinned)]
    document = {
        "items": [post(call, person, number) for number in numbers],
        "num_results": len(numbers),
        "more_available": newest > size,
        "status": "ok",
    }
    if newest > size:
        document["next_max_id"] = str((person.media or 0) - newest + size)
    return answer_json(document)


@routes("GET", r"feed/user/(\d+)/story")
def user_story(call: Call) -> Answer:
    """Show somebody's stories."""
    person = call.person()
    if person is None:
        return answer_json(NO_USER, 404)
    if not person.stories or not may_see(call, person):
        return answer_json({"reel": None, "broadcast": None, "status": "ok"})
    items = [story(call, person, number) for number in range(person.stories)]
    reel = {"id": person.pk, "user": short_user(call, person), "items": items, "media_count": len(items)}
    reel["seen"] = call.world.seen[call.viewer.pk].get(person.pk, 0)
    return answer_json({"reel": reel, "broadcast": None, "status": "ok"})


def find_media(call: Call, key: str) -> tuple[Person, int] | None:
    """The owner and number of a post or story named `pk` or `pk_owner`; None when there is none."""
    pk = key.partition("_")[0]
    if not pk.isdigit() or int(pk) < people.MEDIA_BASE:
        return None
    owner, number = people.media_owner(int(pk))
    person = call.world.person(owner)
    if person is None:
        return None
    first, end = (people.FIRST_STORY, people.FIRST_STORY + person.stories) if number >= people.FIRST_STORY else (0, 0)
    # A post without a known count exists at least once: the one that a hashtag showed.
    return (person, number) if first <= number < (end or max(1, person.media or 1)) else None


@routes("GET", r"media/(\d+(?:_\d+)?)/info")
def media_info(call: Call) -> Answer:
    """Show one post or story."""
    found = find_media(call, call.words[0])
    if found is None:
        return answer_json(NO_MEDIA, 404)
    person, number = found
    is_story = number >= people.FIRST_STORY
    item = story(call, person, number - people.FIRST_STORY) if is_story else post(call, person, number)
    return answer_json({"items": [item], "num_results": 1, "more_available": False, "status": "ok"})


@routes("GET", r"media/(\d+(?:_\d+)?)/likers")
def media_likers(call: Call) -> Answer:
    """Show who likes a post."""
    found = find_media(call, call.words[0])
    if found is None:
        return answer_json(NO_MEDIA, 404)
    pk = int(call.words[0].partition("_")[0])
    fans = [account for account in call.world.accounts.values() if pk in call.world.liked[account.pk]]
    run = people.run_start("likers", pk)
    crowd = [people.generated(people.run_member(run, position)) for position in range(people.digest("post", pk) % 900)]
    users = [short_user(call, person) for person in (*fans, *crowd[:100])]
    return answer_json({"users": users, "user_count": len(crowd) + len(fans), "status": "ok"})


@routes("GET", r"media/(\d+(?:_\d+)?)/comments")
def media_comments(call: Call) -> Answer:
    """Show no comments."""
    document = {"comments": [], "has_more_comments": False, "has_more_headload_comments": False, "status": "ok"}
    return answer_json(document)


# Messages


@routes("GET", "direct_v2/(inbox|pending_inbox)")
def inbox(call: Call) -> Answer:
    """Show the viewer's conversations, the newest first."""
    own = call.world.threads_of[call.viewer.pk] if call.words[0] == "inbox" else {}
    threads = [thread(call, talk, 10) for talk in reversed(own.values())][: _number(call, "limit", 20)]
    box = {"threads": threads, "has_older": False, "oldest_cursor": None, "unseen_count": 0}
    return answer_json({"inbox": box, "status": "ok"})


@routes("GET", "direct_v2/threads/get_by_participants")
def thread_by_participants(call: Call) -> Answer:
    """Find the conversation with these people."""
    keys = key_list(call.query.get("recipient_users", "[]"))
    talk = next((t for t in call.world.threads_of[call.viewer.pk].values() if set(keys) <= set(t.members)), None)
    users = [short_user(call, person) for key in keys if (person := call.world.person(key))]
    document = {"users": users, "thread": thread(call, talk) if talk else None, "status": "ok"}
    return answer_json(document)


@routes("GET", r"direct_v2/threads/(\d+)")
def thread_info(call: Call) -> Answer:
    """Show one conversation."""
    talk = call.world.threads_of[call.viewer.pk].get(int(call.words[0]))
    if talk is None:
        return answer_json({"message": "Thread does not exist", "status": "fail"}, 404)
    return answer_json({"thread": thread(call, talk, 1000), "status": "ok"})


def key_list(text: object) -> list[int]:
    """The keys in a JSON list, or in a list of lists."""
    try:
        document = json.loads(str(text))
        return [int(key) for part in document for key in (part if isinstance(part, list) else [part])]
    except (TypeError, ValueError) as error:
        raise BadRequest("Recipients must be a JSON list of numbers.") from error
