"""Who you are."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts.forms import PersonForm
from accounts.requests import MemberRequest


@require_safe
@login_required
def settings_page(request: MemberRequest) -> HttpResponse:
    """Answer a person's own settings."""
    return _page(request, PersonForm(instance=request.user))


@require_POST
@login_required
def save_person(request: MemberRequest) -> HttpResponse:
    """Keep a person's name and time zone."""
    form = PersonForm(request.POST, instance=request.user)
    if not form.is_valid():
        request.user.refresh_from_db()  # the page round the form says who they are, not who they tried to be
        return _page(request, form, 400)
    form.save()
    messages.success(request, "Your name and time zone are kept.")
    return redirect("accounts:settings")


def _page(request: MemberRequest, form: PersonForm, status: int = 200) -> HttpResponse:
    return render(request, "accounts/settings.html", {"form": form}, status=status)
