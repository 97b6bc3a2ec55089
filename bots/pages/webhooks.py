"""Meta's own doors: the handshake, removal, deletion. Nobody is signed in here; a signature or our word opens them."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from bots import webhooks
from bots.models import DataDeletion
from errors import codes
from errors.exceptions import BotException


@require_safe
def instagram(request: HttpRequest) -> HttpResponse:
    """Answer the handshake by which Meta checks that this address is ours."""
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
