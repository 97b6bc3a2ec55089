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
from bots.models import ListedPerson
from bots.pages.activity import inert
from bots.pages.doors import do

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
    which = _which(request.GET.get("list", ""))
    found = ListedPerson.objects.filter(workspace=request.workspace, list=which).order_by("-created_at", "username")
    if search := request.GET.get("q", "").strip().lower().removeprefix("@"):
        found = found.filter(username__startswith=search)
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = {"which": which, "lists": List.choices, "words": WORDS[which], "people": page, "search": search}
    return render(request, "bots/people.html", context)


@require_POST
@members("act")
def add(request: MemberRequest) -> HttpResponse:
    """Put people on a list: names that were typed, and a CSV file."""
    which = _which(request.POST.get("list", ""))
    typed = request.POST.get("names", "").replace(",", " ").split()
    file = request.FILES.get("file")

    def deed() -> None:
        names = [*typed, *(lists.names_in(file.read(lists.LARGEST_FILE + 1)) if file else [])]
        lists.add(request.workspace, which, names, request.POST.get("note", "").strip(), request.user)

    do(request, deed, f"The {which.label.lower()} is kept.", name="list")
    return redirect(f"{reverse('bots:people')}?list={which}")


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


def _which(name: str) -> List:
    return List(name) if name in List.values else List.KEEP
