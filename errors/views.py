"""The pages of errors: the answers Django asks for, and the help about each code."""

import re
import sys
from dataclasses import replace
from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import REASON_BAD_ORIGIN, REASON_BAD_REFERER, REASON_INSECURE_REFERER
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from errors import codes
from errors.answers import answer, fail
from errors.codes import REGISTRY, Code
from errors.models import ActivityLog
from errors.why import WHY

_GENERATED = re.compile(r"E-[A-Z]{2,4}-[IWEC]-9\d{3}")
_FOREIGN = tuple(reason.split("%")[0] for reason in (REASON_BAD_ORIGIN, REASON_BAD_REFERER, REASON_INSECURE_REFERER))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return fail(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return answer(request, codes.NO_PERMISSION)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return answer(request, codes.NOT_FOUND)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what is being raised gets its own code."""
    return fail(request, sys.exc_info()[1] or RuntimeError("A server error without an exception."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW."""
    return answer(request, codes.ORIGIN_REFUSED if reason.startswith(_FOREIGN) else codes.CSRF_FAILED)


@require_safe
def help_index(request: HttpRequest) -> HttpResponse:
    """All codes, or those that have the searched words in their id, name or sentences."""
    words = request.GET.get("q", "").lower().split()[:8]
    found = [code for code in REGISTRY.values() if all(word in _text(code) for word in words)]
    return render(request, "errors/help_index.html", {"codes": found, "q": request.GET.get("q", "")})


@require_safe
def help_page(request: HttpRequest, code_id: str) -> HttpResponse:
    """Say what one code means, what to do next, and where it occurred in the visitor's workspace."""
    code = codes.by_id(code_id) or codes.by_name(code_id) or _generated(code_id.upper())
    occurrences, in_7_days = find_occurrences(request, code)
    near = [other for other in REGISTRY.values() if other.module == code.module and other != code][:6]
    return render(
        request,
        "errors/help.html",
        {"code": code, "why": WHY[code.name], "occurrences": occurrences, "in_7_days": in_7_days, "near": near},
    )


def _generated(code_id: str) -> Code:
    """Make the code of an error nobody foresaw. Raises Http404."""
    if not _GENERATED.fullmatch(code_id):
        raise Http404
    return replace(codes.INTERNAL_ERROR, id=code_id)


def find_occurrences(request: HttpRequest, code: Code) -> tuple[list[ActivityLog], int]:
    """Find the last ten in the workspace of the request, and count those of 7 days up to 1,000."""
    workspace = getattr(request, "workspace", None)
    if workspace is None:
        return [], 0
    here = ActivityLog.objects.filter(workspace_id=workspace.pk, error_code=code.id)
    week = here.filter(at__gte=timezone.now() - timedelta(days=7)).order_by()
    return list(here.order_by("-id")[:10]), week[:1000].count()


def _text(code: Code) -> str:
    words = (code.id, code.name, code.name.replace("_", " "), code.what, code.do_next, *WHY[code.name])
    return " ".join(words).lower()
