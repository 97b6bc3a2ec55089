"""The posting slots of an account."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pages.doors import do
from accounts.requests import MemberRequest
from accounts.roles import may, members
from bots.models import InstagramAccount
from bots.pages.doors import account_of, do_for
from content import analytics
from content import slots as schedule
from content.calendar_forms import SlotForm
from content.models import Post, Slot
from errors import codes
from errors.exceptions import BotException

COMING = 8  # slots that the page tells of


@require_safe
@members("look")
def choose(request: MemberRequest) -> HttpResponse:
    """Lead to the slots of an account: the only one, or the one that is chosen."""
    accounts = list(InstagramAccount.objects.filter(workspace=request.workspace).order_by("username"))
    if len(accounts) == 1:
        return redirect("calendar:slots", accounts[0].username)
    return render(request, "content/slots_choose.html", {"accounts": accounts})


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def slots(request: MemberRequest, username: str) -> HttpResponse:
    """Answer an account's slots, what comes next in them, and add one. Raises NO_PERMISSION."""
    account = account_of(request, username)
    form = SlotForm(request.POST if request.method == "POST" else None)

    def add() -> str:
        schedule.add(account, request.user, form.cleaned_data["weekdays"], form.cleaned_data["at"])
        return "The slot is kept."

    if request.method == "POST":
        if not may(request.membership, "act"):
            raise BotException(codes.NO_PERMISSION)
        if form.is_valid() and do_for(request, form, add, name="slots"):
            return redirect("calendar:slots", account.username)
    mine = list(Slot.objects.filter(account=account))
    coming = [moment for moment, _ in zip(schedule.upcoming(account, now()), range(COMING), strict=False)]
    planned = Post.objects.filter(account=account, planned_for__in=coming, state__in=schedule.TAKEN)
    by_hour = {post.planned_for: post for post in planned}
    context = {
        "account": account,
        "form": form,
        "days": [(name, [slot for slot in mine if slot.weekday == day]) for day, name in enumerate(schedule.WEEKDAYS)],
        "count": len(mine),
        "coming": [(moment, by_hour.get(moment)) for moment in coming],
        "best": analytics.best_times(account.pk),
        "enough": analytics.ENOUGH,
    }
    return render(request, "content/slots.html", context, status=400 if request.method == "POST" else 200)


@require_POST
@members("act")
def remove(request: MemberRequest, username: str, slot_id: str) -> HttpResponse:
    """Take a slot away."""
    account = account_of(request, username)
    slot = get_object_or_404(Slot, workspace=request.workspace, account=account, pk=slot_id)
    do(request, lambda: schedule.remove(slot, request.user), "The slot is gone.", name="slots")
    return redirect("calendar:slots", account.username)
