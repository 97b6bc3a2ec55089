"""What plans give, in words, and the way to a larger one where something is refused."""

from typing import Any

from django import template

from accounts import roles, teams
from billing import entitlements
from billing.models import Plan

register = template.Library()
WORDS = {"follow": "follows", "like": "likes", "story_view": "story views", "welcome_dm": "welcome messages",
         "unfollow": "unfollows"}  # fmt: skip


@register.inclusion_tag("billing/way_up.html", takes_context=True)
def way_up(context: template.Context, field: str) -> dict[str, Any]:
    """Say which plan allows more of a limit, with a link for whoever may choose it, else whom to ask.

    Nothing where no plan on sale does.
    """
    membership = context.get("membership")
    larger = membership and entitlements.larger_than(entitlements.plan_of(membership.workspace), field)
    if not membership or larger is None:
        return {"larger": None}
    may = roles.may(membership, "decide")
    owners = [] if may else teams.owners(membership.workspace)
    return {"larger": larger, "offer": entitlements.offer(larger, field), "may_decide": may, "owners": owners}


@register.filter
def gives(plan: Plan) -> list[str]:
    """What a plan has, line by line."""
    days = "without limit" if plan.history_days < 0 else f"of {plan.history_days:,} days"
    kinds = [f"{_number(most)} {word}" for kind, word in WORDS.items() if (most := plan.action_limits.get(kind))]
    return [
        _counted(plan.account_limit, "Instagram account"),
        _counted(plan.team_limit, "person", "people"),
        f"{_number(plan.ai_limit)} AI runs a month",
        "All bots run at the same time" if entitlements.amount(plan, "execution_mode") else "One bot runs at a time",
        f"A day and account at most: {', '.join(kinds)}" if kinds else "No automation",
        f"Activity log {days}",
        *(["Your own name, colour and logo"] if plan.white_label else []),
    ]


def _number(most: int) -> str:
    return "any number of" if most == entitlements.UNLIMITED else f"{most:,}"


def _counted(most: int, one: str, many: str = "") -> str:
    return f"{_number(most).capitalize()} {one if most == 1 else many or f'{one}s'}"
