"""The media library, and the signed addresses of its files."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.pages.doors import do
from accounts.requests import MemberRequest
from accounts.roles import may, members
from accounts.streams import parts_of
from bots.pages.doors import do_for
from content import library as shelves
from content.calendar_forms import FolderForm, MediaForm, UploadForm
from content.models import Folder, Media
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity

A_PAGE = 40


@require_safe
@members("look")
def library(request: MemberRequest) -> HttpResponse:
    """Answer the files of a folder, or all, the newest first, with a search; with `pick`, for a post's editor."""
    return _page(request, UploadForm(request.workspace))


@require_POST
@members("act")
def upload(request: MemberRequest) -> HttpResponse:
    """Take files in: all of them, or none."""
    form = UploadForm(request.workspace, request.POST, request.FILES)

    def deed() -> str:
        folder = form.cleaned_data["folder"]
        kept = [
            shelves.add(request.workspace, request.user, file, folder=folder) for file in form.cleaned_data["files"]
        ]
        return "1 file is in the library." if len(kept) == 1 else f"{len(kept)} files are in the library."

    if form.is_valid() and do_for(request, form, deed, name="media_added"):
        folder = form.cleaned_data["folder"]
        return redirect(f"{reverse('calendar:library')}{f'?folder={folder.pk}' if folder else ''}")
    return _page(request, form, 400)


@require_POST
@members("act")
def new_folder(request: MemberRequest) -> HttpResponse:
    """Put up a shelf."""
    form = FolderForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Give the folder a name of at most 60 letters.")
        return redirect("calendar:library")
    try:
        with transaction.atomic():
            folder = Folder.objects.create(workspace=request.workspace, name=form.cleaned_data["name"])
            log_activity("media_folder", workspace=request.workspace, user=request.user, name=folder.name)
    except IntegrityError:
        messages.error(request, "There is a folder of this name.")
        return redirect("calendar:library")
    return redirect(f"{reverse('calendar:library')}?folder={folder.pk}")


@require_http_methods(["GET", "HEAD", "POST"])
@members("look")
def media(request: MemberRequest, media_id: str) -> HttpResponse:
    """Answer one file with its variants, and keep what is said about it. Raises NO_PERMISSION."""
    found = _mine(request, media_id)
    form = MediaForm(request.POST if request.method == "POST" else None, instance=found)
    if request.method == "POST":
        if not may(request.membership, "act"):
            raise BotException(codes.NO_PERMISSION)
        if form.is_valid():
            form.save()
            log_activity("media_changed", workspace=request.workspace, user=request.user, media=str(found.pk))
            messages.success(request, "Kept.")
            return redirect("calendar:media", found.pk)
    first = found.original or found
    context = {
        "media": found,
        "form": form,
        "variants": [first, *first.variants.all()],
        "shapes": list(shelves.SHAPES),
        "uses": found.places.select_related("post")[:10],
    }
    return render(request, "content/media.html", context, status=400 if request.method == "POST" else 200)


@require_POST
@members("act")
def cut(request: MemberRequest, media_id: str) -> HttpResponse:
    """Cut a variant out of a picture."""
    found = _mine(request, media_id)
    shape = request.POST.get("shape", "")
    do(
        request,
        lambda: shelves.cut(found, shape, request.user),
        f"There is a variant of {shape} now.",
        name="media_cut",
    )
    return redirect("calendar:media", found.pk)


@require_POST
@members("act")
def remove(request: MemberRequest, media_id: str) -> HttpResponse:
    """Throw a file away, with its variants."""
    found = _mine(request, media_id)
    done = f"“{found}” is gone."
    good = do(request, lambda: shelves.remove(found, request.user), done, name="media_removed")
    return redirect("calendar:library") if good else redirect("calendar:media", found.pk)


@require_safe
def file(request: HttpRequest, at: str, mark: str, name: str) -> HttpResponseBase:
    """Answer the one file that a signed address names: to Instagram, and to our own pages."""
    try:
        file, size = shelves.signed(at, mark, name)
    except FileNotFoundError:
        raise Http404 from None
    request.session.accessed = False  # who asks does not matter
    kind = "video/mp4" if name.endswith(".mp4") else "image/jpeg"
    headers = {
        "Cache-Control": "private, max-age=3600",
        "Content-Length": str(size),
        "X-Content-Type-Options": "nosniff",
    }
    return StreamingHttpResponse(parts_of(file), content_type=kind, headers=headers)


def _mine(request: MemberRequest, media_id: str) -> Media:
    return get_object_or_404(Media.objects.select_related("original"), workspace=request.workspace, pk=media_id)


def _page(request: MemberRequest, form: UploadForm, status: int = 200) -> HttpResponse:
    folders = Folder.objects.filter(workspace=request.workspace)
    shown = folders.filter(pk=request.GET["folder"]).first() if _is_id(request.GET.get("folder", "")) else None
    files = Media.objects.filter(workspace=request.workspace)
    if shown:
        files = files.filter(folder=shown)
        form.fields["folder"].initial = shown
    if search := request.GET.get("q", "").strip():
        files = files.filter(name__icontains=search) | files.filter(alt_text__icontains=search)
    context = {
        "files": Paginator(files, A_PAGE).get_page(request.GET.get("page")),
        "folders": folders,
        "folder": shown,
        "search": search,
        "form": form,
        "folder_form": FolderForm(),
    }
    template = "content/picks.html" if "pick" in request.GET else "content/library.html"
    return render(request, template, context, status=status)


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
