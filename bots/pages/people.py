"""The keep list and the block list."""

import csv

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts.requests import MemberRequest
from accounts.roles import members
from bots import lists
from bots.forms import PeopleForm
from bots.models import ListedPerson
from bots.pages.activity import inert
from bots.pages.doors import do, do_for
from errors import codes
from errors.exceptions import BotException

A_PAGE = 50
List = ListedPerson.List
WORDS = {
    List.KEEP: "Nobody on this list is ever unfollowed by a bot.",
    List.BLOCK: "Nobody on this list is ever followed, liked, looked at or written to by a bot.",
}


@require_safe
@members("look")
def people(request: MemberRequest) -> HttpResponse:
    """Answer one of the two lists, the newest first, with a search."""
    return _page(request, _which(request.GET.get("list", "")), PeopleForm())


@require_POST
@members("act")
def add(request: MemberRequest) -> HttpResponse:
    """Put people on a list: names that were typed, and a CSV file."""
    which = _which(request.POST.get("list", ""))
    form = PeopleForm(request.POST, request.FILES)

    def deed() -> str:
        names = form.usernames()
        if not names:
            raise BotException(codes.VALIDATION_FAILED, "There is no username in it.", field="file")
        new = lists.add(request.workspace, which, names, form.cleaned_data["note"], request.user)
        word = which.label.lower()
        people = "person is" if new == 1 else "people are"
        return f"{new:,} more {people} on the {word}." if new else f"Nobody is new to the {word}."

    if form.is_valid() and do_for(request, form, deed, name="list"):
        return redirect(f"{reverse('bots:people')}?list={which}")
    return _page(request, which, form, 400)


@require_POST
@members("act")
def remove(request: MemberRequest, listed_id: str) -> HttpResponse:
    """Take somebody off a list."""
    listed = get_object_or_404(ListedPerson, workspace=request.workspace, pk=listed_id)
    done = f"@{listed.username} is off the {listed.get_list_display().lower()}."
    do(request, lambda: lists.remove(listed, request.user), done, name="list")
    return redirect(f"{reverse('bots:people')}?list={listed.list}")


@require_safe
@members("look")
def export(request: MemberRequest) -> HttpResponse:
    """Answer a list as CSV; a list is small enough for one answer."""
    which = _which(request.GET.get("list", ""))
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{which}-list.csv"'
    write = csv.writer(answer, quoting=csv.QUOTE_ALL)
    write.writerow(["username", "note", "since"])
    found = ListedPerson.objects.filter(workspace=request.workspace, list=which).order_by("username")
    write.writerows([inert(one.username), inert(one.note), one.created_at.isoformat()] for one in found.iterator())
    return answer


def _page(request: MemberRequest, which: List, form: PeopleForm, status: int = 200) -> HttpResponse:
    found = ListedPerson.objects.filter(workspace=request.workspace, list=which).order_by("-created_at", "username")
    if search := request.GET.get("q", "").strip().lower().removeprefix("@"):
        found = found.filter(username__startswith=search)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = {"which": which, "words": WORDS[which], "people": page, "search": search, "form": form}
    return render(request, "bots/people.html", context, status=status)


def _which(name: str) -> List:
    return List(name) if name in List.values else List.KEEP
