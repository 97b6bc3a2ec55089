"""Account audits: read, compute, score by rule, and let the model put the numbers into words."""

from datetime import timedelta
from typing import Any

from accounts import tenancy
from bots.models import InstagramAccount
from content import analytics, figures, plan_review, reading
from content.models import Audit, Measuring, Run
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

SPAN = 28  # days of insights that an audit looks at, and as many before them
COMPARED = (
    ("followers", "Followers", 0),
    ("posts_a_week", "Posts a week", 1),
    ("engagement", "Median engagement", "%"),
    ("likes", "Median likes", 0),
    ("comments", "Median comments", 0),
    ("longest_gap_days", "Longest gap in days", 1),
)


def gather(run: Run) -> dict[str, Any]:
    """Read the account and compute its figures and scores. Raises AI_NOTHING_TO_READ for one without posts."""
    assert run.account is not None
    found = reading.read(run.account)
    if not found.posts:
        raise BotException(codes.AI_NOTHING_TO_READ, "The account shows no posts yet: there is nothing to audit.")
    facts = figures.of(found, run.account.timezone)
    with tenancy.scope(run.workspace_id):
        facts["insights"] = insights(run.account)
        before = Audit.objects.filter(account=run.account).first()
    profile = {name: facts[name] for name in ("username", "full_name", "bio", "followers", "following", "posts_in_all")}
    told = ("posts_a_week", "longest_gap_days", "engagement", "likes", "comments", "by_kind", "by_day", "by_hours")
    return {
        "profile": profile,
        "numbers": {name: facts[name] for name in told},
        "scores": figures.scores(facts),
        "insights": facts["insights"],
        "captions": [post.caption for post in found.posts[:10]],
        "before": before and {"read_at": before.read_at, "scores": before.scores},
        "facts": facts,
        "door": found.door,
    }


def insights(account: InstagramAccount) -> dict[str, Any] | None:
    """What Meta told through the official door of the last 28 whole days, beside the 28 before; None if nothing yet.

    A number that Meta did not tell is None. In the workspace's view.
    """
    if not Measuring.objects.filter(account=account, measured_at__isnull=False).exists():
        return None
    until = plan_review.today(account) - timedelta(days=1)
    found = analytics.report([account.pk], until - timedelta(days=SPAN - 1), until)
    groups = {name: getattr(found, name)[:6] for name in ("kinds", "hours")}
    return {
        "since": found.since.isoformat(),
        "until": until.isoformat(),
        "figures": [
            {"word": each.name, "now": each.value, "before": each.before, "days_known": each.days}
            for each in found.figures
        ],
        **{
            name: [{"name": one.name, "posts": one.posts, "reach": one.reach, "rate": one.rate} for one in group]
            for name, group in groups.items()
        },
    }


def keep(run: Run, answer: Any, facts: dict[str, Any]) -> None:
    """Keep the audit with our numbers and the model's words."""
    audit = Audit.objects.create(
        workspace_id=run.workspace_id,
        account=run.account,
        run=run,
        door=facts["door"],
        facts=facts["facts"],
        scores=facts["scores"],
        findings=answer.model_dump(),
    )
    log_activity("audit", workspace=run.workspace_id, user=run.asked_by_id, account=run.account_id, audit=str(audit.pk))


def before(audit: Audit) -> Audit | None:
    """The audit of the account that came before this one."""
    return Audit.objects.filter(account=audit.account_id, read_at__lt=audit.read_at).first()


def compare(audit: Audit, former: Audit | None) -> list[dict[str, Any]]:
    """Each figure now and before; a change only where both are known."""
    rows = []
    for name, word, digits in COMPARED:
        now, then = audit.facts.get(name), former.facts.get(name) if former else None
        change = None if now is None or then is None else now - then
        rows.append({"word": word, "now": now, "then": then, "change": change, "digits": digits})
    return rows
