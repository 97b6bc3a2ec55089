"""Doors for programs: the content tools. What is asked of the model is a run, looked up until it is over."""

from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import Done
from accounts.api_auth import Pages
from accounts.api_contract import SIGNED_IN, contract, page_of
from bots.api import WORKING, Door
from bots.models import InstagramAccount
from content import api_tools_shapes as shapes
from content import competitors, planner, runs
from content.models import Competitor, Feature, Run
from errors import codes
from errors.exceptions import BotException

TOOLS = "Content tools"
ASKING = (
    *(*WORKING, codes.IG_ACCOUNT_NOT_FOUND, codes.BEING_DELETED),
    *(codes.AI_LIMIT_REACHED, codes.AI_BUDGET_REACHED),
)


class Ask(Door):
    """A door at which something is asked of the model."""

    def ask(self, feature: str, wanted: dict[str, Any], account: InstagramAccount | None = None) -> dict[str, Any]:
        """Write the run down. The same `key` again gives the same run, and is paid once."""
        key = wanted.pop("key")
        return self.told(runs.ask(self.workspace, self.user, feature, wanted, account=account, key=key))

    def named(self, wanted: dict[str, Any]) -> InstagramAccount | None:
        """Take the account out of what is wanted. Raises IG_ACCOUNT_NOT_FOUND."""
        named = wanted.pop("account")
        return self.account(named) if named else None

    def told(self, run: Run) -> dict[str, Any]:
        """Give a run as it is now."""
        return {"success": True, "run": shapes.RunShape(run).data}


class AskAudit(Ask):
    """Asking for an audit."""

    @contract(takes=shapes.AuditForm, gives=shapes.Asked, status=202, refuses=ASKING, tag=TOOLS)
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Have an account read, measured and reviewed. The figures and scores are ours, the words the model's."""
        return self.ask(Feature.AUDIT, wanted, self.named(wanted))


class AskIdeas(Ask):
    """Asking for ideas, captions and other texts."""

    @contract(takes=shapes.IdeasForm, gives=shapes.Asked, status=202, refuses=ASKING, tag=TOOLS)
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Have ideas written, or what `feature` names. Each variant is a piece of the library."""
        return self.ask(wanted.pop("feature"), wanted, self.named(wanted))


class AskPlan(Ask):
    """Asking for a growth plan."""

    @contract(takes=shapes.PlanForm, gives=shapes.Asked, status=202, refuses=ASKING, tag=TOOLS)
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Have a month or a week planned. Nothing is in the calendar before the plan is accepted."""
        return self.ask(Feature.PLAN, wanted, self.named(wanted))


class AcceptPlan(Door):
    """Accepting a growth plan."""

    @contract(gives=shapes.Accepted, refuses=(*WORKING, codes.NOT_FOUND, codes.BEING_DELETED), tag=TOOLS)
    def post(self, request: Request, growth_id: UUID) -> dict[str, Any]:
        """Put a plan's posts into the calendar as drafts, once. A second plan beside one that runs is refused."""
        plan = planner.plans(self.workspace).filter(pk=growth_id).first()
        if plan is None:
            raise BotException(codes.NOT_FOUND)
        return {"success": True, "posts": planner.accept(plan, self.user)}


class AskDmTemplates(Ask):
    """Asking for drafts of welcomes."""

    @contract(takes=shapes.MessagesForm, gives=shapes.Asked, status=202, refuses=ASKING, tag=TOOLS)
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Have three drafts of welcomes written. None is sent: a person takes one over, an owner approves it."""
        return self.ask(Feature.DM_TEMPLATE, wanted, self.named(wanted))


class OneRun(Ask):
    """One run."""

    @contract(gives=shapes.RunShape, refuses=(*SIGNED_IN, codes.NOT_FOUND), tag=TOOLS)
    def get(self, request: Request, run_id: UUID) -> dict[str, Any]:
        """Tell how far a run is, and once it is done, what came of it."""
        run = Run.objects.select_related("account").filter(workspace=self.workspace, pk=run_id).first()
        if run is None:
            raise BotException(codes.NOT_FOUND)
        return shapes.RunShape(run).data


class Competitors(Door):
    """The accounts that are watched."""

    @contract(
        query=shapes.CompetitorQuery,
        gives=page_of(shapes.CompetitorShape),
        refuses=(*SIGNED_IN, codes.IG_ACCOUNT_NOT_FOUND),
        tag=TOOLS,
    )
    def get(self, request: Request, asked: dict[str, Any]) -> Response:
        """List whom the workspace watches, with the newest figures of each; null is unknown."""
        found = Competitor.objects.filter(workspace=self.workspace).select_related("account").prefetch_related("days")
        if "account" in asked:
            found = found.filter(account=self.account(asked["account"]))
        pages = Pages()
        return pages.get_paginated_response(shapes.CompetitorShape(self.page(found, pages), many=True).data)

    @contract(
        takes=shapes.CompetitorForm,
        gives=shapes.CompetitorDone,
        status=201,
        refuses=(*WORKING, codes.IG_ACCOUNT_NOT_FOUND, codes.SOURCE_INVALID, codes.BEING_DELETED),
        tag=TOOLS,
    )
    def post(self, request: Request, wanted: dict[str, Any]) -> dict[str, Any]:
        """Watch a public account through one of yours: looked at now, then once a day, at most ten for one."""
        made = competitors.add(self.account(wanted["account"]), self.user, wanted["username"])
        return {"success": True, "competitor": shapes.CompetitorShape(made).data}


class OneCompetitor(Door):
    """One that is watched."""

    @contract(gives=Done, refuses=(*WORKING, codes.NOT_FOUND), tag=TOOLS)
    def delete(self, request: Request, competitor_id: UUID) -> dict[str, Any]:
        """Watch it no more, and forget what was seen."""
        found = Competitor.objects.filter(workspace=self.workspace, pk=competitor_id).first()
        if found is None:
            raise BotException(codes.NOT_FOUND)
        competitors.remove(found, self.user)
        return {"success": True}
