"""The studio: a brief on one side, what was written on the other, and what one can do with it."""

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.doors import back, do, said
from accounts.requests import MemberRequest
from accounts.roles import members
from bots.models import InstagramAccount
from content import runs, studio, voices
from content.models import Feature, Piece, Run
from content.pages import desk
from content.studio_forms import WRITES, BriefForm, PieceForm
from errors import codes
from errors.exceptions import BotException
from errors.recording import record

EARLIER = 8
SHOWN = 24


@require_safe
@members("look")
def page(request: MemberRequest) -> HttpResponse:
    """Answer the studio with the run that the address names, else the newest."""
    names = [name for name, _ in WRITES]
    mine = Run.objects.filter(workspace=request.workspace, feature__in=names).select_related("account", "asked_by")
    run = get_object_or_404(mine, pk=request.GET["run"]) if request.GET.get("run") else mine.first()
    return _page(request, run, BriefForm(request.workspace, initial=_known(request, run)))


def _known(request: MemberRequest, run: Run | None) -> dict[str, object]:
    """What the form begins with: what the address says, else the last brief."""
    first = next(iter(desk.accounts_of(request)), None)
    known: dict[str, object] = {"feature": "captions", "tone": "ours", "length": "medium", "key": uuid.uuid4()}
    known["account"] = first and first.username
    if run:
        known |= run.brief | {"feature": run.feature, "account": run.account and run.account.username}
    return known | {name: request.GET[name] for name in ("feature", "about", "account") if request.GET.get(name)}


def _page(request: MemberRequest, run: Run | None, form: BriefForm, status: int = 200) -> HttpResponse:
    names = [name for name, _ in WRITES]
    earlier = Run.objects.filter(workspace=request.workspace, feature__in=names)
    earlier = earlier.exclude(pk=run.pk) if run else earlier
    account = (run and run.account) or next(iter(desk.accounts_of(request)), None)
    context = {
        "form": form,
        "run": run,
        "pieces": list(run.pieces.select_related("post")) if run else [],
        "earlier": list(earlier.select_related("account")[:EARLIER]),
        "voice": voices.of(account),
        "voice_account": account,
        "voice_run": runs.latest(request.workspace, Feature.VOICE, account) if account else None,
        "new_key": uuid.uuid4(),
    }
    return desk.show(request, "studio", "studio", context, status)


@require_POST
@members("act")
def ask(request: MemberRequest) -> HttpResponse:
    """Have something written."""
    form = BriefForm(request.workspace, request.POST)
    if form.is_valid():
        try:
            run = runs.ask(
                request.workspace,
                request.user,
                form.cleaned_data["feature"],
                form.brief(),
                account=form.cleaned_data["account"],
                key=form.cleaned_data["key"],
            )
            return redirect(f"{_home()}?run={run.pk}#result")
        except BotException as refused:
            record(refused, action="ai_run", workspace=request.workspace, user=request.user)
            form.add_error(None, said(refused, request.membership))
    return _page(request, None, form, 400)


@require_POST
@members("act")
def again(request: MemberRequest, run_id: str) -> HttpResponse:
    """Ask the same once more, under the key of the form: a double click asks once."""
    run = desk.run_of(request, run_id)
    key = request.POST.get("key", "")[:64]
    try:
        new = runs.ask(request.workspace, request.user, run.feature, run.brief, account=run.account, key=key)
    except BotException as refused:
        record(refused, action="ai_run", workspace=request.workspace, user=request.user)
        messages.error(request, said(refused, request.membership))
        return back(request, "studio:studio")
    if request.POST.get("next"):
        return back(request, "studio:studio")
    return redirect(f"{_home()}?run={new.pk}#result")


@require_POST
@members("act")
def learn(request: MemberRequest, username: str) -> HttpResponse:
    """Learn an account's voice from its captions."""
    account = get_object_or_404(InstagramAccount, workspace=request.workspace, username=username.lower())
    do(
        request,
        lambda: runs.ask(request.workspace, request.user, Feature.VOICE, {}, account=account),
        f"We read the captions of {account} and describe how they sound.",
        name="ai_run",
        account=account,
    )
    return back(request, "studio:studio")


@require_safe
@members("look")
def library(request: MemberRequest) -> HttpResponse:
    """Answer all that was written, to be searched."""
    words, kind = request.GET.get("q", "")[:100], request.GET.get("kind", "")
    favourites = request.GET.get("favourites") == "1"
    kind = kind if kind in Feature.values else ""
    pieces = studio.found(request.workspace, words=words, kind=kind, favourites=favourites)
    before = parse_datetime(request.GET.get("before", "").replace(" ", "+")) if request.GET.get("before") else None
    if before is not None and timezone.is_aware(before):
        pieces = pieces.filter(created_at__lt=before)
    found = list(pieces[: SHOWN + 1])
    older = ""
    if len(found) > SHOWN:
        query = request.GET.copy()
        query["before"] = found[SHOWN - 1].created_at.isoformat()
        older = f"?{query.urlencode()}"
    context = {
        "pieces": found[:SHOWN], "q": words, "kind": kind, "favourites": favourites, "kinds": WRITES, "older": older,
    }  # fmt: skip
    return desk.show(request, "library", "library", context)


@require_POST
@members("act")
def edit(request: MemberRequest, piece_id: str) -> HttpResponse:
    """Keep a piece as a person changed it."""
    piece = _piece(request, piece_id)
    form = PieceForm(request.POST)

    def deed() -> None:
        if not form.is_valid():
            raise BotException(codes.VALIDATION_FAILED, "Write 1 to 2,200 letters.", field="text")
        studio.edit(piece, request.user, form.cleaned_data["text"], form.cleaned_data["hashtags"].split())

    do(request, deed, "Your words are kept.", name="ai_piece")
    return back(request, "studio:library")


@require_POST
@members("act")
def favourite(request: MemberRequest, piece_id: str) -> HttpResponse:
    """Mark a piece as a favourite, or no more."""
    piece = _piece(request, piece_id)
    studio.favour(piece, request.POST.get("favourite") == "1")
    return back(request, "studio:library")


@require_POST
@members("act")
def to_calendar(request: MemberRequest, piece_id: str) -> HttpResponse:
    """Put a piece into the calendar as a draft."""
    piece = _piece(request, piece_id)
    done = "It is in the calendar as a draft. Nothing is published until you schedule it there."
    do(request, lambda: studio.put_in_calendar(piece, request.workspace, request.user), done, name="post_draft")
    return back(request, "studio:library")


def _piece(request: MemberRequest, key: str) -> Piece:
    return get_object_or_404(Piece, workspace=request.workspace, pk=key)


def _home() -> str:
    return reverse("studio:studio")
