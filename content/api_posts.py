"""Doors for programs: planned posts, the media library, and the numbers."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Done
from accounts.api_auth import Pages
from accounts.api_contract import SIGNED_IN, contract, page_of
from bots.api import WORKING, Door
from content import analytics, calendar, library
from content import api_posts_shapes as shapes
from content.models import Media, Post
from errors import codes
from errors.exceptions import BotException

POSTS, NUMBERS = "Posts", "Analytics"
WRITING = (*WORKING, codes.IG_ACCOUNT_NOT_FOUND, codes.NOT_FOUND, codes.BEING_DELETED)
GOING = (
    codes.PUB_NOT_READY,
    codes.PUB_UNCLEAR,
    codes.PUB_NO_SLOT,
    codes.IG_OFFICIAL_MISSING,
    codes.IG_OFFICIAL_RECONNECT,
)


class PostDoor(Door):
    """A door to posts."""

    def posts(self) -> QuerySet[Post]:
        """Give the workspace's posts, with their media."""
        return calendar.with_media(Post.objects.filter(workspace=self.workspace))

    def mine(self, post_id: UUID) -> Post:
        """Find a post. Raises NOT_FOUND."""
        post = self.posts().filter(pk=post_id).first()
        if post is None:
            raise BotException(codes.NOT_FOUND)
        return post

    def words(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Turn names into rows: the account, and the media in their order. Raises NOT_FOUND, IG_ACCOUNT_NOT_FOUND."""
        known = dict(wanted)
        if "account" in known:
            known["account"] = self.account(known["account"]) if known["account"] else None
        if "media" in known:
            found = {one.pk: one for one in Media.objects.filter(workspace=self.workspace, pk__in=known["media"])}
            if len(found) < len(set(known["media"])):
                raise BotException(codes.NOT_FOUND, "One of these files is not in the library.", field="media")
            known["media"] = [found[key] for key in known["media"]]
        return known

    def told(self, post_id: UUID) -> dict[str, Any]:
        """Give a post as it is now."""
        return {"success": True, "post": shapes.PostShape(self.mine(post_id)).data}


class Posts(PostDoor):
    """The workspace's posts."""

    @contract(
        query=shapes.PostQuery,
        gives=page_of(shapes.PostShape),
        refuses=(*SIGNED_IN, codes.IG_ACCOUNT_NOT_FOUND),
        tag=POSTS,
    )
    def get(self, request: Request, asked: dict[str, Any]) -> Response:
        """List the posts, the newest first."""
        posts = self.posts()
        if "account" in asked:
            posts = posts.filter(account=self.account(asked["account"]))
        if "state" in asked:
            posts = posts.filter(state=asked["state"])
        pages = Pages()
        return pages.get_paginated_response(shapes.PostShape(self.page(posts, pages), many=True).data)

    @contract(takes=shapes.PostForm, gives=shapes.PostDone, status=201, refuses=WRITING, tag=POSTS)
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Write a post down as a draft. Nothing is published until it is scheduled."""
        known = self.words(wanted)
        account = known.pop("account", None)
        made = calendar.draft(self.workspace, account, self.user, origin=Post.Origin.API, **known)
        return self.told(made.pk)


class OnePost(PostDoor):
    """One post."""

    @contract(gives=shapes.PostShape, refuses=(*SIGNED_IN, codes.NOT_FOUND), tag=POSTS)
    def get(self, request: Request, post_id: UUID) -> dict[str, Any]:
        """Tell where a post stands, and once it is out, where it is."""
        return shapes.PostShape(self.mine(post_id)).data

    @contract(takes=shapes.PostChange, gives=shapes.PostDone, refuses=(*WRITING, codes.PUB_STATE), tag=POSTS)
    def patch(self, request: Request, post_id: UUID, wanted: dict[str, Any]) -> dict[str, Any]:
        """Change what is given. A post that was scheduled is a draft again, unless only its hour was changed."""
        mine, known = self.mine(post_id), self.words(wanted)
        if set(known) == {"planned_for"} and known["planned_for"]:
            calendar.move(mine, self.user, known["planned_for"])
        elif known:
            calendar.change(mine, self.user, media=known.pop("media", None), **known)
        return self.told(post_id)

    @contract(gives=Done, refuses=(*WORKING, codes.NOT_FOUND, codes.PUB_STATE), tag=POSTS)
    def delete(self, request: Request, post_id: UUID) -> dict[str, Any]:
        """Throw a post away that is not out."""
        calendar.remove(self.mine(post_id), self.user)
        return {"success": True}


class SchedulePost(PostDoor):
    """Letting a post go out."""

    @contract(takes=shapes.ScheduleForm, gives=shapes.PostDone, refuses=(*WRITING, codes.PUB_STATE, *GOING), tag=POSTS)
    def post(self, request: Request, post_id: UUID, wanted: dict[str, Any]) -> dict[str, Any]:
        """Let a post go out at its hour, at another (`at`), or at the next free slot of its account (`slot`).

        Where the workspace wants approval, a manager's post is `proposed` to the owners.
        """
        mine = self.mine(post_id)
        if wanted["slot"]:
            calendar.enqueue(self.membership, mine)
        else:
            calendar.schedule(self.membership, mine, wanted["at"])
        return self.told(post_id)


class UnschedulePost(PostDoor):
    """Taking a post back."""

    @contract(gives=shapes.PostDone, refuses=(*WORKING, codes.NOT_FOUND, codes.PUB_STATE), tag=POSTS)
    def post(self, request: Request, post_id: UUID) -> dict[str, Any]:
        """Take a post out of the schedule; it is a draft again."""
        calendar.unschedule(self.mine(post_id), self.user)
        return self.told(post_id)


class MediaFiles(Door):
    """The media library."""

    parser_classes = (MultiPartParser, JSONParser)

    @contract(query=shapes.MediaQuery, gives=page_of(shapes.MediaShape), refuses=SIGNED_IN, tag=POSTS)
    def get(self, request: Request, asked: dict[str, Any]) -> Response:
        """List the files, the newest first."""
        files, pages = Media.objects.filter(workspace=self.workspace), Pages()
        if "kind" in asked:
            files = files.filter(kind=asked["kind"])
        return pages.get_paginated_response(shapes.MediaShape(self.page(files, pages), many=True).data)

    @contract(
        takes=shapes.MediaForm,
        gives=shapes.MediaDone,
        status=201,
        refuses=(*WORKING, codes.UPLOAD_REFUSED, codes.PUB_MEDIA_REFUSED, codes.BEING_DELETED),
        tag=POSTS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Take a picture or video in, as multipart. Pictures are drawn anew; nothing else of the file is kept."""
        made = library.add(self.workspace, self.user, wanted["file"], alt_text=wanted["alt_text"])
        return {"success": True, "media": shapes.MediaShape(made).data}


class Analytics(Door):
    """The numbers of a span."""

    @contract(
        query=shapes.NumbersQuery,
        gives=shapes.Numbers,
        refuses=(*SIGNED_IN, codes.IG_ACCOUNT_NOT_FOUND),
        tag=NUMBERS,
    )
    def get(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        """Tell the numbers of all accounts or one, as Meta told them. null is unknown, never zero."""
        accounts = [self.account(asked["account"])] if asked.get("account") else self.accounts()
        found = analytics.report([account.pk for account in accounts], asked["since"], asked["until"])
        return shapes.Numbers(found).data
