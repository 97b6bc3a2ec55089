"""Doors for programs: asking bots, and how far they are."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_auth import Pages
from accounts.api_contract import SIGNED_IN, contract, page_of
from bots import api_shapes as shapes
from bots import tasking, welcomes
from bots.api import TASKS, WORKING, Door
from bots.models import Bot, BotTask, Kind, MessageTemplate, Session, Source
from errors import codes
from errors.exceptions import BotException

ASKING = (
    *WORKING,
    codes.SESSION_INVALID,
    codes.IG_ACCOUNT_NOT_FOUND,
    codes.AMOUNT_OUT_OF_RANGE,
    codes.PLAN_FEATURE_MISSING,
    codes.BEING_DELETED,
)


class Ask(Door):
    """A door at which a bot is asked for something."""

    def ask(self, wanted: dict[str, Any], kind: str, source: str = "", value: str = "", **more: Any) -> dict[str, Any]:
        """Check what was asked before whom, so that a slip of the hand is told first; then write the task down."""
        tasking.check_amount(wanted["amount"])
        if source:
            tasking.CLEAN[source](value)
        bot = self._bot(wanted["account"])
        filters = wanted.get("filters") or {}
        task = tasking.ask(
            bot, kind, wanted["amount"], source=source, value=value, filters=filters, user=self.user, **more
        )
        return {"success": True, "task": shapes.Task(self.task(task.pk)).data}

    def _bot(self, named: str | None) -> Bot:
        """Find the bot of the account that is meant. Who has no session at all is told that, whatever was named."""
        if not Session.objects.filter(workspace=self.workspace, valid=True).exists():
            raise BotException(codes.SESSION_INVALID)
        account = self.account(named) if named else self.first_account()
        bot = self.bots().filter(account=account).first()
        if bot is None:
            raise BotException(codes.SESSION_INVALID)
        return bot


class FollowHashtag(Ask):
    """Asking a bot to follow people of a hashtag."""

    @contract(
        takes=shapes.HashtagForm,
        gives=shapes.TaskAsked,
        status=202,
        refuses=(*ASKING, codes.HASHTAG_INVALID),
        tag=TASKS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Ask for so many people who posted under a hashtag. The bot follows them when it runs, within its limits."""
        return self.ask(wanted, Kind.FOLLOW, Source.HASHTAG, wanted["hashtag"])


class FollowFollowers(Ask):
    """Asking a bot to follow the followers of an account."""

    @contract(
        takes=shapes.FollowersForm,
        gives=shapes.TaskAsked,
        status=202,
        refuses=(*ASKING, codes.SOURCE_INVALID),
        tag=TASKS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Ask for so many people who follow another account."""
        return self.ask(wanted, Kind.FOLLOW, Source.FOLLOWERS, wanted["username"])


class FollowLikers(Ask):
    """Asking a bot to follow the likers of a post."""

    @contract(
        takes=shapes.LikersForm,
        gives=shapes.TaskAsked,
        status=202,
        refuses=(*ASKING, codes.SOURCE_INVALID),
        tag=TASKS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Ask for so many people who liked a post."""
        return self.ask(wanted, Kind.FOLLOW, Source.LIKERS, wanted["post"])


class LikeHashtag(Ask):
    """Asking a bot to like posts of a hashtag."""

    @contract(
        takes=shapes.HashtagForm,
        gives=shapes.TaskAsked,
        status=202,
        refuses=(*ASKING, codes.HASHTAG_INVALID),
        tag=TASKS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Ask for likes of so many new posts under a hashtag, one a person."""
        return self.ask(wanted, Kind.LIKE, Source.HASHTAG, wanted["hashtag"])


class ViewStories(Ask):
    """Asking a bot to see stories."""

    @contract(
        takes=shapes.StoriesForm,
        gives=shapes.TaskAsked,
        status=202,
        refuses=(*ASKING, codes.HASHTAG_INVALID, codes.SOURCE_INVALID),
        tag=TASKS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Ask for the stories of so many people: of a hashtag, or followers of an account. Name one of the two."""
        if bool(wanted["hashtag"]) == bool(wanted["username"]):
            raise BotException(codes.SOURCE_INVALID, "Name a hashtag or a username, and not both.", field="hashtag")
        source = Source.HASHTAG if wanted["hashtag"] else Source.FOLLOWERS
        return self.ask(wanted, Kind.STORY_VIEW, source, wanted["hashtag"] or wanted["username"])


class WelcomeDm(Ask):
    """Asking a bot to welcome followers."""

    @contract(
        takes=shapes.WelcomeForm,
        gives=shapes.TaskAsked,
        status=202,
        refuses=(*ASKING, codes.DM_TEXT_INVALID, codes.DM_NOT_APPROVED),
        tag=TASKS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any] | Response:
        """Ask for a message to so many followers, in the words of a template; nobody gets one template twice.

        With `text`, the template of that name is written first; a manager's may have to be approved by an owner.
        """
        known = MessageTemplate.objects.filter(workspace=self.workspace, name=wanted["template"]).first()
        if wanted["text"] and (known is None or known.text != wanted["text"].strip()):
            known = welcomes.write(self.membership, wanted["template"], wanted["text"], known)
        if known is not None and known.approved_at is None:
            return self.refuse(BotException(codes.DM_NOT_APPROVED))  # the words stay, for the owner to see
        options = {"only_new": wanted["only_new"]}
        return self.ask(wanted, Kind.WELCOME_DM, template=known, options=options)


class Unfollow(Ask):
    """Asking a bot to unfollow."""

    @contract(takes=shapes.UnfollowForm, gives=shapes.TaskAsked, status=202, refuses=ASKING, tag=TASKS)
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Ask to unfollow so many of the people the bot followed long enough ago; never who is on the keep list."""
        options = {name: wanted[name] for name in ("after_days", "keep_mutual")}
        return self.ask(wanted, Kind.UNFOLLOW, options=options)


class Tasks(Door):
    """The workspace's tasks."""

    @contract(
        query=shapes.TaskQuery,
        gives=page_of(shapes.Task),
        refuses=(*SIGNED_IN, codes.IG_ACCOUNT_NOT_FOUND),
        tag=TASKS,
    )
    def get(self, request: Request, asked: dict[str, Any]) -> Response:
        """List the tasks, the newest first."""
        tasks = BotTask.objects.filter(workspace=self.workspace).select_related("bot__account")
        if "account" in asked:
            tasks = tasks.filter(bot__account=self.account(asked["account"]))
        if "status" in asked:
            tasks = tasks.filter(status=asked["status"])
        pages = Pages()
        return pages.get_paginated_response(shapes.Task(self.page(tasks, pages), many=True).data)


class OneTask(Door):
    """One task."""

    @contract(gives=shapes.Task, refuses=(*SIGNED_IN, codes.TASK_NOT_FOUND), tag=TASKS)
    def get(self, request: Request, task_id: UUID) -> dict[str, Any]:
        """Tell how far a task is: `confirmed` of `amount` are done; at a limit it waits until `waits_until`."""
        return shapes.Task(self.task(task_id)).data


class StopTask(Door):
    """Ending a task."""

    @contract(gives=shapes.TaskAsked, refuses=(*WORKING, codes.TASK_NOT_FOUND, codes.TASK_STOPPED), tag=TASKS)
    def post(self, request: Request, task_id: UUID) -> dict[str, Any]:
        """End a task now; what it did stays done."""
        tasking.stop(self.task(task_id), self.user)
        return {"success": True, "task": shapes.Task(self.task(task_id)).data}
