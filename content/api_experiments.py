"""Doors for programs: A/B tests."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_auth import Pages
from accounts.api_contract import SIGNED_IN, contract, page_of
from bots.api import WORKING, Door
from content import api_experiments_shapes as shapes
from content import experiments
from content.models import Experiment, Post
from errors import codes
from errors.exceptions import BotException

TESTS = "A/B tests"
CHANGING = (*WORKING, codes.NOT_FOUND, codes.AI_NOT_READY, codes.EXPERIMENT_INVALID)
WELCOMING = (
    *(codes.DM_NOT_APPROVED, codes.SESSION_INVALID, codes.PLAN_FEATURE_MISSING, codes.BEING_DELETED),
    *(codes.AMOUNT_OUT_OF_RANGE,),
)


class TestDoor(Door):
    """A door to one test."""

    def mine(self, experiment_id: UUID) -> Experiment:
        """Find a test. Raises NOT_FOUND."""
        found = Experiment.objects.select_related("account").filter(workspace=self.workspace, pk=experiment_id).first()
        if found is None:
            raise BotException(codes.NOT_FOUND)
        return found

    def told(self, experiment_id: UUID) -> dict[str, Any]:
        """Give a test as it is now."""
        return {"success": True, "experiment": shapes.ExperimentShape(self.mine(experiment_id)).data}


class Experiments(TestDoor):
    """The workspace's tests."""

    @contract(
        query=shapes.ExperimentQuery,
        gives=page_of(shapes.ExperimentShape),
        refuses=(*SIGNED_IN, codes.IG_ACCOUNT_NOT_FOUND),
        tag=TESTS,
    )
    def get(self, request: Request, asked: dict[str, Any]) -> Response:
        """List the tests, the newest first."""
        tests = Experiment.objects.filter(workspace=self.workspace).select_related("account")
        if "account" in asked:
            tests = tests.filter(account=self.account(asked["account"]))
        if "status" in asked:
            tests = tests.filter(status=asked["status"])
        pages = Pages()
        return pages.get_paginated_response(shapes.ExperimentShape(self.page(tests, pages), many=True).data)

    @contract(
        takes=shapes.ExperimentForm,
        gives=shapes.ExperimentDone,
        status=201,
        refuses=(
            *(*WORKING, codes.IG_ACCOUNT_NOT_FOUND, codes.EXPERIMENT_INVALID, codes.DM_NOT_APPROVED),
            codes.BEING_DELETED,
        ),
        tag=TESTS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Write a test down. `units_each` of the answer says how many units of each arm it takes; nothing starts."""
        account = self.account(wanted.pop("account"))
        return self.told(experiments.draft(self.workspace, self.user, account, **wanted).pk)


class OneExperiment(TestDoor):
    """One test."""

    @contract(gives=shapes.ExperimentShape, refuses=(*SIGNED_IN, codes.NOT_FOUND), tag=TESTS)
    def get(self, request: Request, experiment_id: UUID) -> dict[str, Any]:
        """Tell how far a test is; its verdict is null until it is decided."""
        return shapes.ExperimentShape(self.mine(experiment_id)).data


class StartExperiment(TestDoor):
    """Starting a test."""

    @contract(
        gives=shapes.ExperimentDone,
        refuses=(*CHANGING, *WELCOMING, codes.IG_OFFICIAL_MISSING, codes.IG_OFFICIAL_RECONNECT),
        tag=TESTS,
    )
    def post(self, request: Request, experiment_id: UUID) -> dict[str, Any]:
        """Start a test; nothing of it changes any more. One of welcomes asks the bot for them."""
        experiments.start(self.mine(experiment_id), self.user)
        return self.told(experiment_id)


class StopExperiment(TestDoor):
    """Ending a test."""

    @contract(gives=shapes.ExperimentDone, refuses=CHANGING, tag=TESTS)
    def post(self, request: Request, experiment_id: UUID) -> dict[str, Any]:
        """End a test, or drop its draft, without a verdict."""
        experiments.stop(self.mine(experiment_id), self.user)
        return self.told(experiment_id)


class DrawPosts(TestDoor):
    """Giving posts to a test."""

    @contract(takes=shapes.DrawForm, gives=shapes.ExperimentDone, refuses=(*CHANGING, codes.PUB_STATE), tag=TESTS)
    def post(self, request: Request, experiment_id: UUID, wanted: dict[str, Any]) -> dict[str, Any]:
        """Draw the lot of drafts and change each as A or B says. They stay drafts; schedule them as any other."""
        mine = self.mine(experiment_id)
        posts = list(Post.objects.filter(workspace=self.workspace, pk__in=wanted["posts"]))
        if len(posts) < len(set(wanted["posts"])):
            raise BotException(codes.NOT_FOUND, "One of these posts is not there.", field="posts")
        experiments.add(mine, self.user, posts)
        return self.told(experiment_id)


class WelcomeMore(TestDoor):
    """More people for a test of welcomes."""

    @contract(gives=shapes.ExperimentDone, refuses=(*CHANGING, *WELCOMING), tag=TESTS)
    def post(self, request: Request, experiment_id: UUID) -> dict[str, Any]:
        """Ask the bot to welcome more people, where the test needs them and the last task has ended."""
        experiments.welcome(self.mine(experiment_id), self.user)
        return self.told(experiment_id)
