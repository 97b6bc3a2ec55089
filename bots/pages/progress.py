"""What the work brought: followers over time, and who followed back against who was left alone."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.requests import MemberRequest
from accounts.roles import members
from bots import growth
from bots.models import AccountDay
from bots.pages.doors import bot_of

DAYS = 90


@require_safe
@members("look")
def growth_page(request: MemberRequest, username: str) -> HttpResponse:
    """Answer an account's growth, and how sure we are of it."""
    bot = bot_of(request, username)
    bot.account.workspace = request.workspace
    today = timezone.now().astimezone(ZoneInfo(bot.account.timezone)).date()
    counts = dict(
        AccountDay.objects.filter(account=bot.account, day__gt=today - timedelta(days=DAYS)).values_list(
            "day", "followers"
        )
    )
    first = min(counts, default=today)
    days = [(day, counts.get(day)) for n in range((today - first).days + 1) if (day := first + timedelta(days=n))]
    context = {
        "bot": bot,
        "account": bot.account,
        "growth": growth.of(bot.account),
        "days": days,
        "after": growth.AFTER.days,
        "enough_at": growth.ENOUGH,
        "kept_days": DAYS,
    }
    return render(request, "bots/growth.html", context)
