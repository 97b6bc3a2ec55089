"""Webhooks: the programs that are told what happens here, and the log of what they were told."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pages.doors import do
from accounts.requests import MemberRequest
from accounts.roles import may, members
from bots.pages.doors import do_for
from content import hooks as hooking
from content.calendar_forms import HookForm
from content.models import Delivery, Hook
from errors import codes
from errors.exceptions import BotException

A_PAGE = 30


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def hooks(request: MemberRequest) -> HttpResponse:
    """Answer the hooks there are, and add one; its secret is shown this once. Raises NO_PERMISSION."""
    form = HookForm(request.POST if request.method == "POST" else None)
    secret, made = "", False

    def deed() -> str:
        nonlocal secret
        _, secret = hooking.add(request.workspace, request.user, **form.cleaned_data)
        return "The webhook is kept."

    if request.method == "POST":
        if not may(request.membership, "decide"):
            raise BotException(codes.NO_PERMISSION)
        made = form.is_valid() and do_for(request, form, deed, name="hook_added")
    context = {
        "form": HookForm() if made else form,
        "secret": secret,
        "hooks": Hook.objects.filter(workspace=request.workspace).order_by("-created_at"),
    }
    answer = render(request, "content/hooks.html", context, status=200 if made or request.method != "POST" else 400)
    answer["Cache-Control"] = "no-store"
    return answer


@require_safe
@members("look")
def hook(request: MemberRequest, hook_id: str) -> HttpResponse:
    """Answer what a hook was told, the newest first."""
    found = _mine(request, hook_id)
    told = Delivery.objects.filter(hook=found).order_by("-created_at")
    page = Paginator(told, A_PAGE).get_page(request.GET.get("page"))
    return render(request, "content/hook.html", {"hook": found, "deliveries": page})


@require_POST
@members("decide")
def test(request: MemberRequest, hook_id: str) -> HttpResponse:
    """Send a hook a ping."""
    found = _mine(request, hook_id)
    do(request, lambda: hooking.try_out(found, request.user), "A ping is on its way.", name="hook_tested")
    return redirect("calendar:hook", found.pk)


@require_POST
@members("decide")
def remove(request: MemberRequest, hook_id: str) -> HttpResponse:
    """Tell a hook nothing more."""
    found = _mine(request, hook_id)
    do(request, lambda: hooking.remove(found, request.user), "The webhook is gone.", name="hook_removed")
    return redirect("calendar:hooks")


@require_POST
@members("decide")
def again(request: MemberRequest, hook_id: str, delivery_id: str) -> HttpResponse:
    """Send a delivery once more."""
    found = _mine(request, hook_id)
    delivery = get_object_or_404(Delivery, workspace=request.workspace, hook=found, pk=delivery_id)
    do(request, lambda: hooking.again(delivery, request.user), "It is on its way once more.", name="hook_tested")
    return redirect("calendar:hook", found.pk)


def _mine(request: MemberRequest, hook_id: str) -> Hook:
    return get_object_or_404(Hook, workspace=request.workspace, pk=hook_id)
