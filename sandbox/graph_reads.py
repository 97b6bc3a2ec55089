"""What can be read through the Graph API: profile, media, containers, insights, comments, conversations, discovery."""

import time
from datetime import UTC, datetime
from typing import Any

from sandbox.graph_errors import error
from sandbox.graph_world import Comment, Container, Post, Said, Token, ig_id
from sandbox.people import digest, run_member, run_start
from sandbox.wire import Answer, Request, answer_json
from sandbox.world import Account, World

DAY = 86400
LEAST_FOLLOWERS = 100  # below, follower_count has no data
LEAST_VIEWERS = 5  # of a story, before it has numbers
PAGE = 25
CONTAINER_LIVES = DAY
DEMO = "demo."  # accounts of this name find comments and conversations waiting
SAYINGS = (
    "This is beautiful, is it food safe?",
    "Do you ship to Spain?",
    "How long does the firing take?",
    "Love the colour of this one",
    "What is the price of the blue bowl?",
    "Where can I see more of these?",
    "Will there be a workshop in spring?",
)


def iso(at: float) -> str:
    """A moment as Meta writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")


def chosen(document: dict[str, Any], request: Request, always: tuple[str, ...] = ("id",)) -> dict[str, Any]:
    """The fields that were asked for; without `fields`, the ids alone."""
    asked = {part.split("{")[0].strip() for part in request.query.get("fields", "").split(",")}
    return {name: value for name, value in document.items() if name in asked or name in always}


def me(world: World, account: Account, token: Token, request: Request) -> Answer:
    """The account of the token. With Facebook Login the same fields, without `user_id`."""
    told = {
        "id": ig_id(account.pk) if token.login == "facebook" else str(9_000_000_000 + account.pk),
        "user_id": ig_id(account.pk),
        "username": account.username,
        "name": account.full_name,
        "account_type": "BUSINESS",
        "biography": account.biography,
        "profile_picture_url": f"{request.own_url}/avatars/{account.pk}.svg",
        "followers_count": world.follower_count(account),
        "follows_count": world.following_count(account),
        "media_count": (account.media or 0) + len(world.graph.own_posts(account.pk)),
    }
    if token.login == "facebook":
        told.pop("user_id")
    return answer_json(chosen(told, request))


def pages(world: World, token: Token) -> Answer:
    """Facebook: the Pages of a person, each with its Instagram account and a token of its own."""
    data = []
    for pk in token.granted:
        account = world.by_pk.get(pk)
        if account is not None:
            page = world.graph.issue(token.app, pk, "facebook", "page", scopes=token.scopes)
            told = {"id": ig_id(pk), "username": account.username}
            data.append(
                {"id": f"1{pk}", "name": account.full_name, "access_token": page, "instagram_business_account": told}
            )
    return answer_json({"data": data})


# Media


def posts_of(world: World, account: Account) -> list[Post]:
    """All posts of an account, stories apart, the newest first."""
    own = [post for post in world.graph.own_posts(account.pk) if post.product != "STORY"]
    return own + world.graph.old_posts(account.pk, account.media or 0, time.time())


def media_list(world: World, account: Account, request: Request) -> Answer:
    """The posts of an account, a page at a time; the cursor is the id of the last."""
    posts, after = posts_of(world, account), request.query.get("after", "")
    start = next((n + 1 for n, post in enumerate(posts) if post.id == after), 0)
    limit = min(int(request.query.get("limit", PAGE)), 100)
    part = posts[start : start + limit]
    answer: dict[str, Any] = {"data": [chosen(told(world, post, request), request) for post in part]}
    if start + limit < len(posts):
        answer["paging"] = {"cursors": {"after": part[-1].id}, "next": "https://graph.instagram.com/next"}
    return answer_json(answer)


def stories(world: World, account: Account, request: Request) -> Answer:
    """The stories of the last 24 hours."""
    data = [chosen(told(world, post, request), request) for post in living_stories(world, account)]
    return answer_json({"data": data})


def living_stories(world: World, account: Account) -> list[Post]:
    """Stories that still show: those published here, and for the demo people one of every eight hours."""
    now = time.time()
    own = [post for post in world.graph.own_posts(account.pk) if post.product == "STORY" and post.at > now - DAY]
    if not account.username.startswith(DEMO):
        return own
    latest = int(now // (8 * 3600))
    return own + [_story(account.pk, n) for n in range(latest, latest - 3, -1)]


def _story(pk: int, n: int) -> Post:
    return Post(f"177{pk:011d}{n:06d}", pk, "IMAGE", "STORY", "", n * 8 * 3600)


def find(world: World, media: str) -> Post | None:
    """A post or story by its id."""
    if media.startswith("177") and len(media) == 20:
        return _story(int(media[3:14]), int(media[14:]))
    return world.graph.post(media)


def told(world: World, post: Post, request: Request) -> dict[str, Any]:
    """A post with all its fields."""
    numbers = measured(world, post)
    return {
        "id": post.id,
        "caption": post.caption,
        "media_type": post.kind,
        "media_product_type": post.product,
        "media_url": f"{request.own_url}/pictures/{int(post.id) % 10**12}.svg",
        "permalink": f"https://www.instagram.com/p/{post.id}/",
        "timestamp": iso(post.at),
        "like_count": numbers["likes"],
        "comments_count": numbers["comments"],
        "username": world.by_pk[post.pk].username if post.pk in world.by_pk else "",
    }


def media_one(world: World, post: Post, request: Request) -> Answer:
    """One post."""
    return answer_json(chosen(told(world, post, request), request))


def container(world: World, found: Container, request: Request, forced: str = "") -> Answer:
    """How far a container is. A video needs a few looks; a fault may say otherwise."""
    found.polls += 1
    if forced:
        found.status = forced
    elif found.status == "IN_PROGRESS" and found.polls > found.needs:
        found.status = "FINISHED"
    words = "Error: 2207026 Unsupported video format" if found.status == "ERROR" else found.status
    return answer_json(
        chosen({"id": found.id, "status_code": found.status, "status": words}, request, always=("id", "status_code"))
    )


def publishing_limit(world: World, account: Account) -> Answer:
    """How many posts of the last 24 hours count against how many."""
    used = world.graph.published_since(account.pk, time.time() - DAY)
    config = {"quota_total": world.graph.limit, "quota_duration": DAY}
    return answer_json({"data": [{"quota_usage": used, "config": config}]})


# Insights


def measured(world: World, post: Post) -> dict[str, int]:
    """The numbers of a post: as set on order, else made up, the same at each look, growing for about two days."""
    comments = len(comments_of(world, post))
    if post.insights is not None:
        return {"likes": 0, "comments": comments} | post.insights
    account = world.by_pk.get(post.pk)
    crowd = (account.followers or 0) if account else 0
    roll = digest("graph insights", post.id)
    grown = min(1.0, max(0.0, time.time() - post.at) / (2 * DAY))
    reach = int(crowd * (0.15 + roll % 100 / 125) * (1.6 if post.product == "REELS" else 1) * grown)
    likes = int(reach * (0.03 + (roll >> 8) % 100 / 1200))
    saved, shares = int(reach * ((roll >> 16) % 30) / 1000), int(reach * ((roll >> 24) % 20) / 1000)
    return {
        "views": int(reach * (1.2 + (roll >> 32) % 100 / 80)),
        "reach": reach,
        "likes": likes,
        "comments": comments,
        "saved": saved,
        "shares": shares,
        "total_interactions": likes + comments + saved + shares,
        "replies": int(reach * ((roll >> 40) % 8) / 1000),
    }


def media_insights(world: World, post: Post, request: Request) -> Answer:
    """The numbers of one post; a story's end with it."""
    if post.product == "STORY" and post.at < time.time() - DAY:
        return answer_json({"data": []})
    numbers = measured(world, post)
    if post.product == "STORY" and numbers["views"] < LEAST_VIEWERS:
        return error(10, 0, "(#10) Not enough viewers for the media to show insights")
    asked = [name for name in request.query.get("metric", "").split(",") if name]
    if "impressions" in asked:
        return error(100, 0, "(#100) impressions metric is no longer supported for the queried media.")
    data = [
        {"name": name, "period": "lifetime", "values": [{"value": numbers[name]}], "id": f"{post.id}/insights/{name}"}
        for name in asked
        if name in numbers
    ]
    return answer_json({"data": data})


def account_day(account: Account, day: int) -> dict[str, int]:
    """The numbers of an account on one day (days since 1970): made up, the same at each look."""
    roll = digest("graph day", account.pk, day)
    week = (8, 9, 10, 9, 7, 12, 13)[day % 7] / 10
    crowd = account.followers or 0
    reach = int(crowd * (0.2 + roll % 100 / 300) * week)
    likes, comments = int(reach * (0.05 + (roll >> 8) % 50 / 900)), (roll >> 16) % (1 + crowd // 150)
    shares, saves = int(reach * ((roll >> 24) % 20) / 1000), int(reach * ((roll >> 32) % 30) / 1000)
    return {
        "reach": reach,
        "views": int(reach * (1.5 + (roll >> 40) % 100 / 90)),
        "accounts_engaged": int((likes + comments) * 0.8),
        "total_interactions": likes + comments + shares + saves,
        "likes": likes,
        "comments": comments,
        "shares": shares,
        "saves": saves,
        "replies": (roll >> 48) % 6,
        "profile_links_taps": (roll >> 52) % 9,
        "follower_count": (roll >> 56) % (2 + crowd // 120),
    }


def account_insights(account: Account, request: Request) -> Answer:
    """The sums of whole days between `since` and `until`, which must be at most 30 days apart."""
    asked = [name for name in request.query.get("metric", "").split(",") if name]
    if "impressions" in asked:
        return error(100, 0, "(#100) metric[0] must be one of the following values: reach, follower_count, views.")
    now = time.time()
    since, until = (int(request.query.get(name, default)) for name, default in (("since", now - DAY), ("until", now)))
    if until - since > 30 * DAY:
        return error(100, 0, "(#100) There cannot be more than 30 days (2592000 s) between since and until.")
    # A day belongs to the span that its noon is in: a local day of any zone is one day.
    noon = DAY // 2
    days = range((since + noon) // DAY, max((since + noon) // DAY + 1, (until + noon) // DAY))
    total = request.query.get("metric_type") == "total_value"
    data = []
    for name in asked:
        values = [(day, account_day(account, day).get(name)) for day in days]
        small = name == "follower_count" and (account.followers or 0) < LEAST_FOLLOWERS
        if small or any(value is None for _, value in values):
            continue
        known = [(day, int(value or 0)) for day, value in values]
        told = (
            {"total_value": {"value": sum(value for _, value in known)}}
            if total and name != "follower_count"
            else {"values": [{"value": value, "end_time": iso((day + 1) * DAY)} for day, value in known]}
        )
        data.append({"name": name, "period": "day", "id": f"{ig_id(account.pk)}/insights/{name}/day", **told})
    return answer_json({"data": data})


# Comments and conversations


def comments_of(world: World, post: Post) -> list[Comment]:
    """The comments on a post and the replies to them, the oldest first; those of the demo people are made up first."""
    account = world.by_pk.get(post.pk)
    if account and account.username.startswith(DEMO) and post.product != "STORY":
        for k in range(digest("graph comments", post.id) % 3):
            author = run_member(run_start("followers", post.pk), k + int(post.id) % 97)
            key, words = f"{post.id}{k:02d}", SAYINGS[(int(post.id) + k) % len(SAYINGS)]
            at = min(int(time.time()), post.at + (k + 1) * 5400)
            world.graph.comments.setdefault(key, Comment(key, post.id, author, words, at))
    return [comment for comment in world.graph.comments.values() if comment.media == post.id and not comment.gone]


def said(world: World, comment: Comment) -> dict[str, Any]:
    """A comment with its fields."""
    person = world.person(comment.author)
    name = person.username if person else ""
    return {
        "id": comment.id,
        "text": comment.text,
        "username": name,
        "timestamp": iso(comment.at),
        "from": {"id": str(comment.author), "username": name},
        "hidden": comment.hidden,
        "parent_id": comment.parent or None,
        "media": {"id": comment.media},
    }


def comments(world: World, post: Post) -> Answer:
    """The comments on a post, each with its replies."""
    every = comments_of(world, post)
    data = []
    for comment in (one for one in reversed(every) if not one.parent):
        replies = [said(world, one) for one in every if one.parent == comment.id]
        data.append(said(world, comment) | ({"replies": {"data": replies}} if replies else {}))
    return answer_json({"data": data})


def talks_of(world: World, account: Account) -> dict[int, list[Said]]:
    """An account's conversations by person; three wait for the demo people."""
    if account.pk not in world.graph.talks:
        world.graph.talks[account.pk] = {}
        if account.username.startswith(DEMO):
            for k, hours in enumerate((2, 20, 80)):
                person = run_member(run_start("followers", account.pk), 200 + k)
                words = SAYINGS[(account.pk + k) % len(SAYINGS)]
                first = Said(f"m_{account.pk}_{k}", person, words, world.started - hours * 3600)
                world.graph.talks[account.pk][person] = [first]
    return world.graph.talks[account.pk]


def conversations(world: World, account: Account) -> Answer:
    """Every conversation with its messages, the newest first."""
    data: list[dict[str, Any]] = []
    for person, messages in talks_of(world, account).items():
        who = world.person(person)
        told = [
            {
                "id": one.id,
                "created_time": iso(one.at),
                "message": one.text,
                "from": {"id": ig_id(one.sender) if one.sender == account.pk else str(one.sender)},
            }
            for one in reversed(messages)
        ]
        people = [{"id": str(person), "username": who.username if who else ""}, {"id": ig_id(account.pk)}]
        data.append({"id": f"t_{person}", "participants": {"data": people}, "messages": {"data": told}})
    return answer_json(
        {"data": sorted(data, key=lambda talk: talk["messages"]["data"][0]["created_time"], reverse=True)}
    )


def person(world: World, igsid: str) -> Answer | None:
    """Somebody who wrote to the account: an IGSID is their key here."""
    found = world.person(int(igsid)) if igsid.isdigit() else None
    if found is None:
        return None
    return answer_json({"id": igsid, "username": found.username, "name": found.full_name})


def discovery(world: World, account: Account, name: str, request: Request) -> Answer:
    """Another professional account, as `business_discovery` tells of it."""
    found = world.named(name)
    if found is None or not found.business:
        return error(110, 2207013, "The requested user cannot be found")
    posts = posts_of(world, found) if isinstance(found, Account) else world.graph.old_posts(found.pk, 12, time.time())
    about = {
        "id": ig_id(found.pk),
        "username": found.username,
        "name": found.full_name,
        "biography": found.biography,
        "followers_count": world.follower_count(found),
        "follows_count": world.following_count(found),
        "media_count": found.media,
        "media": {"data": [_seen(world, post, request) for post in posts[:PAGE]]},
    }
    about = {key: value for key, value in about.items() if value is not None}
    return answer_json({"business_discovery": about, "id": ig_id(account.pk)})


def _seen(world: World, post: Post, request: Request) -> dict[str, Any]:
    fields = (
        "id",
        "caption",
        "media_type",
        "media_product_type",
        "permalink",
        "timestamp",
        "like_count",
        "comments_count",
    )
    whole = told(world, post, request)
    return {name: whole[name] for name in fields}
