"""One post: its editor with a preview, and everything that is done to it."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST

from accounts.pages.doors import back, do, refuse, said
from accounts.requests import MemberRequest
from accounts.roles import may, members
from bots.models import InstagramAccount
from content import analytics, calendar, fitness, library
from content.calendar_forms import CLOCK, MoveForm, PostForm, in_zone
from content.models import Folder, Media, Post, Sending
from errors import codes
from errors.exceptions import BotException
from errors.recording import record

OFFERED = 24  # files of the library that the editor shows before anybody looks for others


@require_http_methods(["GET", "HEAD", "POST"])
@members("act")
def new(request: MemberRequest) -> HttpResponse:
    """Answer an empty editor, or write a new post down and do what its button says."""
    return _editor(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def post(request: MemberRequest, post_id: str) -> HttpResponse:
    """Answer a post, or change it and do what its button says. Raises NO_PERMISSION."""
    return _editor(request, _mine(request, post_id))


@require_POST
@members("act")
def move(request: MemberRequest, post_id: str) -> HttpResponse:
    """Give a post another hour, or another day at its hour: by dragging, by the keyboard, or by the form."""
    mine = _mine(request, post_id)
    form = MoveForm(request.POST)
    zone = mine.account.timezone if mine.account else request.workspace.timezone
    at = _meant(mine, form, zone)
    if at is None:
        raise BotException(codes.VALIDATION_FAILED, "Say when it is to go out.", field="at")
    told = at.astimezone(ZoneInfo(zone))
    done = f"“{mine}” is planned for {told:%a %-d %b %H:%M} ({zone})."
    good = do(request, lambda: calendar.move(mine, request.user, at), done, name="post_move")
    if request.headers.get("X-Drag"):
        return HttpResponse(status=204 if good else 409)
    return back(request, "calendar:calendar")


@require_POST
@members("act")
def schedule(request: MemberRequest, post_id: str) -> HttpResponse:
    """Let a post go out at its hour, or at the next free slot of its account (`at=slot`)."""
    mine = _mine(request, post_id)
    in_slot = request.POST.get("at") == "slot"
    deed = calendar.enqueue if in_slot else calendar.schedule

    def go() -> None:
        deed(request.membership, mine)

    do(request, go, f"“{mine}” is on its way into the schedule.", name="post_schedule")
    return redirect("calendar:post", mine.pk)


@require_POST
@members("act")
def unschedule(request: MemberRequest, post_id: str) -> HttpResponse:
    """Take a post out of the schedule."""
    mine = _mine(request, post_id)
    done = f"“{mine}” is a draft again."
    do(request, lambda: calendar.unschedule(mine, request.user), done, name="post_unschedule")
    return redirect("calendar:post", mine.pk)


@require_POST
@members("act")
def pin(request: MemberRequest, post_id: str) -> HttpResponse:
    """Put a post on the board of ideas (`to=idea`), or make a draft of it."""
    mine = _mine(request, post_id)
    idea = request.POST.get("to") == "idea"
    done = f"“{mine}” is on the board of ideas." if idea else f"“{mine}” is a draft now."
    do(request, lambda: calendar.pin(mine, request.user, idea=idea), done, name="post_idea")
    return back(request, "calendar:post", mine.pk)


@require_POST
@members("act")
def answer(request: MemberRequest, post_id: str) -> HttpResponse:
    """Take down what somebody saw on Instagram of a post without an answer: that it is there (`there=yes`), or not."""
    mine, there = _mine(request, post_id), request.POST.get("there") == "yes"
    done = "It is published, then." if there else "It is not there, then. You may schedule it again."
    do(request, lambda: calendar.answer(mine, request.user, there=there), done, name="post_missing")
    return redirect("calendar:post", mine.pk)


@require_POST
@members("act")
def remove(request: MemberRequest, post_id: str) -> HttpResponse:
    """Throw a post away that is not out."""
    mine = _mine(request, post_id)
    good = do(request, lambda: calendar.remove(mine, request.user), f"“{mine}” is gone.", name="post_remove")
    return redirect("calendar:calendar") if good else redirect("calendar:post", mine.pk)


def _mine(request: MemberRequest, post_id: str) -> Post:
    return get_object_or_404(Post.objects.select_related("account"), workspace=request.workspace, pk=post_id)


def _meant(post: Post, form: MoveForm, zone: str) -> datetime | None:
    """The hour that a form means, in UTC: `at` in the account's zone, or `day` at the post's own time of day."""
    if not form.is_valid():
        return None
    if form.cleaned_data["at"]:
        return in_zone(form.cleaned_data["at"], zone)
    if form.cleaned_data["day"] is None:
        return None
    clock = (post.planned_for or now()).astimezone(ZoneInfo(zone)).time().replace(second=0, microsecond=0)
    if post.planned_for is None:
        clock = clock.replace(hour=9, minute=0)
    return in_zone(datetime.combine(form.cleaned_data["day"], clock), zone)


def _editor(request: MemberRequest, mine: Post | None) -> HttpResponse:
    media = calendar.media_of(mine) if mine else _brought(request)
    if request.method != "POST":
        return _page(request, mine, PostForm(request.workspace, initial=_known(request, mine)), media)
    if not may(request.membership, "act"):
        raise BotException(codes.NO_PERMISSION)
    form = PostForm(request.workspace, request.POST, request.FILES)
    if form.is_valid():
        try:
            if mine is None and (first := calendar.known(request.workspace, form.cleaned_data["once"])):
                return _told(request, first)
            with transaction.atomic():
                kept = _keep(request, mine, form)
            return _then(request, kept)
        except BotException as refused:
            record(refused, action="post", workspace=request.workspace, user=request.user)
            form.add_error(None, said(refused))
    media = form.cleaned_data.get("media", media)
    return _page(request, mine, form, media, 400)


def _brought(request: MemberRequest) -> list[Media]:
    """The files that a new post begins with: `?media=`, as a file's own page links it."""
    form = PostForm(request.workspace, request.GET)
    form.is_valid()
    return list(form.cleaned_data.get("media", []))


def _keep(request: MemberRequest, mine: Post | None, form: PostForm) -> Post:
    """Write down what the form says."""
    data = form.cleaned_data
    media = [*data["media"], *(library.add(request.workspace, request.user, file) for file in data["files"] or [])]
    words = {name: data[name] for name in calendar.WORDS}
    if mine is not None:
        return calendar.change(mine, request.user, media=media, **words)
    idea = request.POST.get("then") == "idea"
    return calendar.draft(request.workspace, words.pop("account"), request.user, media=media, idea=idea,
                          once=data["once"], **words)  # fmt: skip


def _then(request: MemberRequest, kept: Post) -> HttpResponse:
    """Do what the button said; what is refused leaves the draft as it was kept."""
    then = request.POST.get("then")
    if then not in ("schedule", "slot"):
        return _told(request, kept)
    try:
        with transaction.atomic():
            deed = calendar.schedule if then == "schedule" else calendar.enqueue
            gone = deed(request.membership, kept)
    except BotException as refused:
        refuse(request, refused, name="post_schedule", account=kept.account)
        return redirect("calendar:post", kept.pk)
    return _told(request, gone)


def _told(request: MemberRequest, gone: Post) -> HttpResponse:
    """Say where a post is now, and lead there."""
    if gone.state != Post.State.SCHEDULED or not gone.planned_for or not gone.account:
        proposed = gone.state == Post.State.PROPOSED
        messages.success(request, "Proposed. An owner decides." if proposed else "Kept.")
        return redirect("calendar:post", gone.pk)
    local = gone.planned_for.astimezone(ZoneInfo(gone.account.timezone))
    messages.success(request, f"Scheduled for {local:%a %-d %b %H:%M} ({gone.account.timezone}).")
    return redirect(f"{reverse('calendar:calendar')}?day={local:%Y-%m-%d}")


def _known(request: MemberRequest, mine: Post | None) -> dict[str, Any]:
    """What the editor starts with."""
    if mine is None:
        accounts = list(InstagramAccount.objects.filter(workspace=request.workspace)[:2])
        day = request.GET.get("day", "")
        return {"planned_for": f"{day}T09:00" if day else None, "account": accounts[0] if len(accounts) == 1 else None}
    zone = mine.account.timezone if mine.account else request.workspace.timezone
    local = mine.planned_for.astimezone(ZoneInfo(zone)).strftime(CLOCK) if mine.planned_for else None
    return {name: getattr(mine, name) for name in calendar.WORDS} | {"planned_for": local}


def _sent(post: Post, what: str) -> str | None:
    """How the newest of its requests ended."""
    return Sending.objects.filter(post=post, what=what).order_by("-sent_at").values_list("state", flat=True).first()


def _page(
    request: MemberRequest, mine: Post | None, form: PostForm, media: list[Media], status: int = 200
) -> HttpResponse:
    library = Media.objects.filter(workspace=request.workspace)
    shelf = library.exclude(pk__in=[one.pk for one in media])[:OFFERED]
    zone = mine.account.timezone if mine and mine.account else request.workspace.timezone
    context = {
        "post": mine,
        "form": form,
        "chosen": media,
        "shelf": shelf,
        "folders": Folder.objects.filter(workspace=request.workspace),
        "zone": zone,
        "problems": fitness.problems(mine, media) if mine and mine.state in Post.EDITABLE else [],
        "advice": fitness.advice(mine, media) if mine and mine.state in Post.EDITABLE else [],
        "editable": may(request.membership, "act") and (mine is None or mine.state in Post.EDITABLE),
        "numbers": analytics.of_post(mine) if mine and mine.instagram_id else None,
        "unclear": mine and mine.state in Post.EDITABLE and _sent(mine, Sending.What.POST) == Sending.State.UNKNOWN,
        "commented": _sent(mine, Sending.What.COMMENT) if mine and mine.first_comment else None,
        "why": codes.by_id(mine.error_code) if mine and mine.error_code else None,
    }
    return render(request, "content/post.html", context, status=status)
