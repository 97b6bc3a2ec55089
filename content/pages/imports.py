"""Posts from a CSV file."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from accounts.requests import MemberRequest
from accounts.roles import members
from bots.pages.doors import do_for
from content import imports as importing
from content.calendar_forms import ImportForm


@require_http_methods(["GET", "HEAD", "POST"])
@members("act")
def imports(request: MemberRequest) -> HttpResponse:
    """Answer how the file must look, and take one in."""
    form = ImportForm(request.POST or None, request.FILES or None)

    def deed() -> str:
        data = form.cleaned_data["file"].read(importing.MOST_BYTES + 1)
        posts = importing.take(request.membership, data, schedule=form.cleaned_data["schedule"],
                               once=form.cleaned_data["once"])  # fmt: skip
        many = "1 post is" if len(posts) == 1 else f"{len(posts)} posts are"
        return f"{many} in the calendar."

    if request.method == "POST" and form.is_valid() and do_for(request, form, deed, name="post_import"):
        return redirect(f"{reverse('calendar:calendar')}?view=list")
    context = {"form": form, "columns": importing.COLUMNS}
    return render(request, "content/import.html", context, status=400 if request.method == "POST" else 200)
