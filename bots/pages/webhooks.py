"""Meta's own doors: handshake, events, removal, deletion. Nobody is signed in here; a signature or our word opens."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bots import webhooks
from bots.models import DataDeletion
from errors import codes
from errors.exceptions import BotException


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def instagram(request: HttpRequest) -> HttpResponse:
    """Answer the handshake by which Meta checks that this address is ours, or take a signed event in.

    Raises BODY_TOO_LARGE, SIGNATURE_WRONG, JSON_MALFORMED.
    """
    if request.method == "POST":
        if int(request.META.get("CONTENT_LENGTH") or 0) > webhooks.MOST:
            raise BotException(codes.BODY_TOO_LARGE)
        new = webhooks.take(request.body, request.headers.get("X-Hub-Signature-256", ""))
        return JsonResponse({"success": True, "new": new})
    if not webhooks.greets(request.GET.get("hub.mode", ""), request.GET.get("hub.verify_token", "")):
        raise BotException(codes.SIGNATURE_WRONG)
    return HttpResponse(request.GET.get("hub.challenge", "")[:200], content_type="text/plain")


@csrf_exempt
@require_POST
def removed(request: HttpRequest) -> HttpResponse:
    """Somebody removed our app at Meta."""
    return JsonResponse({"success": True, "accounts": webhooks.removed(request.POST.get("signed_request", ""))})


@csrf_exempt
@require_POST
def delete(request: HttpRequest) -> HttpResponse:
    """Somebody wants their data deleted: done, with a page that says so."""
    done = webhooks.forget(request.POST.get("signed_request", ""))
    return JsonResponse({"url": f"{settings.SITE_URL}/help/deletion/{done.code}/", "confirmation_code": done.code})


@require_safe
def deletion(request: HttpRequest, code: str) -> HttpResponse:
    """Say what became of a deletion, to whoever has its code."""
    return render(request, "bots/deletion.html", {"deletion": get_object_or_404(DataDeletion, code=code)})
