"""The official door: Meta's Graph API for one account, by Instagram Login or by Facebook Login.

The only module that calls it. Each method is one request (a list that has no end gives a page and where the next one
begins); nothing here tries again. An error is a BotException by the table in `bots.instagram.graph_errors`, a write
whose answer was lost is a NoAnswer. Times are UTC; missing numbers are absent keys, never zero. Source of the facts:
Meta's reference of the Instagram Platform, version v25.0.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings

from bots.instagram import graph_errors
from errors import codes, steps
from errors.exceptions import BotException

INSTAGRAM, FACEBOOK = "instagram", "facebook"
HOSTS = {INSTAGRAM: "https://graph.instagram.com", FACEBOOK: "https://graph.facebook.com"}
TIMEOUT = (3, 20)  # seconds to connect and to answer; publishing is the slowest call
PROFILE = "id,user_id,username,name,profile_picture_url,followers_count,follows_count,media_count,biography"
MEDIA = "id,caption,media_type,media_product_type,permalink,timestamp,like_count,comments_count"
# With `metric_type=total_value`; of a day or of up to 30 days.
ACCOUNT_METRICS = ("reach", "views", "accounts_engaged", "total_interactions", "likes", "comments", "shares", "saves")
MEDIA_METRICS = ("views", "reach", "likes", "comments", "saved", "shares", "total_interactions")
STORY_METRICS = ("views", "reach", "replies", "shares")
COMMENT = "id,text,username,timestamp,from,hidden,replies{id,text,username,timestamp,from}"
TALK = "id,participants,messages{id,created_time,from,message}"
EVENTS = "comments,messages,story_insights"  # what Meta tells us by webhook


@dataclass(frozen=True)
class App:
    """A Meta app: what signs in and what proves that a request is ours."""

    id: str
    secret: str


class GraphDoor:
    """One account through Meta, with its access token."""

    def __init__(self, app: App, token: str, *, login: str = INSTAGRAM, ig_id: str = "me", page_id: str = "") -> None:
        """`ig_id` is the id of the professional account; with Facebook Login the token is its Page's."""
        self.app, self.token, self.login, self.ig_id, self.page_id = app, token, login, ig_id, page_id
        self.usage = 0  # per cent of Meta's allowance that the last answer said is used
        self.when_lost: Callable[[], None] = lambda: None  # called when Meta says that the token is good no more

    # The account

    def me(self) -> dict[str, Any]:
        """The profile: `username`, `name`, `followers_count`, `media_count`, … as Meta names them."""
        fields = PROFILE if self.login == INSTAGRAM else PROFILE.replace("user_id,", "")
        return self._get("me" if self.login == INSTAGRAM else self.ig_id, fields=fields)

    def discover(self, username: str, *, posts: int = 25) -> dict[str, Any]:
        """Another professional account with its newest posts. Facebook Login only: else IG_OFFICIAL_SCOPE."""
        if self.login != FACEBOOK:
            raise graph_errors.only_facebook("business_discovery")
        media = f"media.limit({posts}){{{MEDIA}}}"
        about = f"id,username,name,biography,followers_count,follows_count,media_count,{media}"
        return self._get(self.ig_id, fields=f"business_discovery.username({username}){{{about}}}")["business_discovery"]

    # Media

    def media(self, after: str | None = None, limit: int = 50) -> tuple[list[dict[str, Any]], str]:
        """A page of posts, the newest first, and where the next page begins (`""`: nowhere)."""
        answer = self._get(f"{self.ig_id}/media", fields=MEDIA, limit=limit, **({"after": after} if after else {}))
        paging = answer.get("paging", {})
        return answer["data"], str(paging.get("cursors", {}).get("after", "")) if paging.get("next") else ""

    def recent_media(self, limit: int = 25) -> list[dict[str, Any]]:
        """The newest posts: by these a lost answer of `publish` is looked up."""
        return self.media(limit=limit)[0]

    def media_one(self, media_id: str) -> dict[str, Any]:
        """One post."""
        return self._get(media_id, fields=MEDIA)

    def stories(self) -> list[dict[str, Any]]:
        """The stories of the last 24 hours."""
        return list(self._get(f"{self.ig_id}/stories", fields=MEDIA)["data"])

    # Publishing: container, status, publish

    def create_container(self, **fields: Any) -> str:
        """The first step of a post, with Meta's own fields (`image_url`, `media_type`, `caption`, `alt_text` …).

        `children` may be a list of container ids. Nothing can be seen on Instagram before `publish`.
        """
        if isinstance(fields.get("children"), list | tuple):
            fields["children"] = ",".join(fields["children"])
        return str(self._post(f"{self.ig_id}/media", fields)["id"])

    def container_status(self, container_id: str) -> str:
        """FINISHED, IN_PROGRESS, PUBLISHED, EXPIRED or ERROR (then `container_words` tells why)."""
        return str(self._get(container_id, fields="status_code,status").get("status_code", ""))

    def container_words(self, container_id: str) -> str:
        """What Meta says of a container, such as `Error: 2207026 …`."""
        return str(self._get(container_id, fields="status_code,status").get("status", ""))[:200]

    def publish(self, container_id: str) -> str:
        """Publish a finished container; gives the post's id. A lost answer raises NoAnswer: never send it again."""
        return str(self._post(f"{self.ig_id}/media_publish", {"creation_id": container_id})["id"])

    def publishing_limit(self) -> tuple[int, int]:
        """How many posts of the last 24 hours count, and how many are allowed: as Meta says now."""
        told = self._get(f"{self.ig_id}/content_publishing_limit", fields="quota_usage,config")["data"][0]
        return int(told["quota_usage"]), int(told["config"]["quota_total"])

    # Insights

    def account_insights(self, since: datetime, until: datetime) -> dict[str, int]:
        """The account's numbers between two moments at most 30 days apart; what Meta has not is absent.

        Beside ACCOUNT_METRICS, `follower_count` is how many followed anew (only from 100 followers on).
        """
        span = {"since": int(since.timestamp()), "until": int(until.timestamp()), "period": "day"}
        path = f"{self.ig_id}/insights"
        found = _numbers(self._get(path, metric=",".join(ACCOUNT_METRICS), metric_type="total_value", **span))
        return found | _numbers(self._get(path, metric="follower_count", **span))

    def media_insights(self, media_id: str, *, story: bool = False) -> dict[str, int]:
        """A post's numbers since it was published, up to 48 h late; a story's only while it shows."""
        metrics = STORY_METRICS if story else MEDIA_METRICS
        return _numbers(self._get(f"{media_id}/insights", metric=",".join(metrics)))

    # Comments and messages

    def comments(self, media_id: str) -> list[dict[str, Any]]:
        """The newest comments on a post, each with its replies."""
        return list(self._get(f"{media_id}/comments", fields=COMMENT)["data"])

    def comment(self, media_id: str, text: str) -> str:
        """Comment on one's own post, as its first comment for example; gives the comment's id."""
        return str(self._post(f"{media_id}/comments", {"message": text})["id"])

    def reply(self, comment_id: str, text: str) -> str:
        """Answer a comment in public; gives the reply's id."""
        return str(self._post(f"{comment_id}/replies", {"message": text})["id"])

    def hide_comment(self, comment_id: str, hide: bool = True) -> None:
        """Hide a comment from everybody but its writer, or show it again."""
        self._post(comment_id, {"hide": str(hide).lower()})

    def private_reply(self, comment_id: str, text: str) -> str:
        """Answer a comment by a message: once, within 7 days; gives the message's id."""
        return self._send({"comment_id": comment_id}, text)

    def send_message(self, igsid: str, text: str) -> str:
        """Write to somebody who wrote within 24 hours; gives the message's id. Raises IG_WINDOW_CLOSED."""
        return self._send({"id": igsid}, text)

    def conversations(self) -> list[dict[str, Any]]:
        """The newest conversations, each with its newest messages first."""
        who = self.page_id or "me"
        return list(self._get(f"{who}/conversations", platform="instagram", fields=TALK)["data"])

    def person(self, igsid: str) -> dict[str, Any]:
        """Somebody who wrote to us: `username`, `name`."""
        return self._get(igsid, fields="username,name")

    def subscribe(self) -> None:
        """Let Meta tell us of comments, messages and ended stories of this account."""
        self._post(f"{self.page_id or 'me'}/subscribed_apps", {"subscribed_fields": EVENTS})

    def unsubscribe(self) -> None:
        """The end of `subscribe`."""
        self._call("DELETE", f"{self.page_id or 'me'}/subscribed_apps", params=self._proof())

    # One request

    def _send(self, recipient: dict[str, str], text: str) -> str:
        body = {"recipient": recipient, "message": {"text": text}}
        return str(self._post(f"{self.page_id or 'me'}/messages", body)["message_id"])

    def _get(self, path: str, **query: object) -> dict[str, Any]:
        return self._call("GET", path, params={**query, **self._proof()})

    def _post(self, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        return self._call("POST", path, json={**fields, **self._proof()})

    def _proof(self) -> dict[str, str]:
        """Facebook wants to see with each request that it comes from whoever has the app's secret."""
        if self.login != FACEBOOK:
            return {}
        return {"appsecret_proof": hmac.digest(self.app.secret.encode(), self.token.encode(), hashlib.sha256).hex()}

    def _call(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        address = f"{HOSTS[self.login]}/{settings.GRAPH_API_VERSION}/{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            answer, self.usage = ask(method, address, headers=headers, writing=method == "POST", endpoint=path, **body)
        except BotException as refused:
            if refused.code is codes.IG_OFFICIAL_RECONNECT:
                self.when_lost()
            raise
        return answer


def ask(
    method: str, address: str, *, writing: bool = False, endpoint: str = "", headers: Any = None, **body: Any
) -> tuple[dict[str, Any], int]:
    """Send one request to Meta, or to the stand-in under INSTAGRAM_GRAPH_URL.

    Gives the answer, and how many per cent of our allowance are used. Raises BotException; NoAnswer where `writing`
    and nobody knows whether it took effect.
    """
    headers, meant = dict(headers or {}), urlsplit(address)
    if settings.INSTAGRAM_GRAPH_URL:
        headers["Host"] = meant.netloc
        address = f"{settings.INSTAGRAM_GRAPH_URL}{meant.path}"
    try:
        with steps.tell_of(requests.Session(), str(meant.hostname)) as session:
            session.trust_env = not settings.INSTAGRAM_GRAPH_URL  # no proxy on the way to a stand-in
            response = session.request(method, address, headers=headers, timeout=TIMEOUT, allow_redirects=False, **body)
        document = response.json()
    except (requests.RequestException, ValueError) as failed:
        raise graph_errors.lost(failed, writing=writing, endpoint=endpoint) from None
    if response.status_code >= 400 or "error" in document:
        raise graph_errors.refusal(document, response.status_code, writing=writing, endpoint=endpoint)
    return document, _used(response)


def _used(response: requests.Response) -> int:
    """The highest percentage of Meta's two headers; 0 where they are absent."""
    found = [0]
    for name in ("x-app-usage", "x-business-use-case-usage"):
        try:
            told = json.loads(response.headers.get(name, "{}"))
        except ValueError:
            continue
        parts = [told] if name == "x-app-usage" else [use for uses in told.values() for use in uses]
        found += [int(part.get(key, 0)) for part in parts for key in ("call_count", "total_time", "total_cputime")]
    return max(found)


def _numbers(answer: dict[str, Any]) -> dict[str, int]:
    """Metric to number, from both forms in which Meta gives them; an empty set means that there is no number."""
    found = {}
    for metric in answer.get("data", []):
        if "total_value" in metric:
            found[metric["name"]] = metric["total_value"].get("value")
        elif values := [one["value"] for one in metric.get("values", []) if one.get("value") is not None]:
            found[metric["name"]] = sum(values)
    return {name: int(value) for name, value in found.items() if value is not None}
