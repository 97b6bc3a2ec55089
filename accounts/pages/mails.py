"""The mail catcher: what would have been sent, on a developer's own machine and nowhere else."""

from collections.abc import Callable
from functools import wraps
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from accounts import limits, mails, tenancy
from accounts.models import Mail

SHOWN = 100
# Nothing of a mail runs or is fetched; its links open in the window round it.
IN_A_FRAME = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": ["data:"],
    "frame-ancestors": [SELF],
    "sandbox": ["allow-top-navigation-by-user-activation"],
}
View = Callable[..., HttpResponseBase]


def _here(view: View) -> View:
    """Open a page to whoever sits at this machine: links that sign in lie about in mails."""

    @require_safe
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not ip_address(limits.client_address(request)).is_loopback:
            raise Http404
        with tenancy.platform("a developer looks at mails that are not sent"):
            return view(request, *args, **kwargs)

    return guarded


@_here
def mails_page(request: HttpRequest) -> HttpResponse:
    """List the newest mails."""
    return render(request, "mail/caught.html", {"mails": Mail.objects.order_by("-created_at")[:SHOWN], "most": SHOWN})


@_here
def mail_page(request: HttpRequest, key: UUID) -> HttpResponse:
    """Show one mail."""
    mail, words = _caught(key)
    return render(request, "mail/caught_one.html", {"mail": mail, "words": words})


@_here
@xframe_options_sameorigin
@csp(IN_A_FRAME)  # type: ignore[arg-type]  # its types know of no address with a key
def mail_html(request: HttpRequest, key: UUID) -> HttpResponse:
    """Answer a mail's HTML for the frame of its page."""
    _, words = _caught(key)
    if not words["html"]:
        raise Http404
    return HttpResponse(words["html"][0].replace("<head>", '<head><base target="_top">', 1))


def _caught(key: UUID) -> tuple[Mail, dict[str, Any]]:
    mail = Mail.objects.filter(pk=key, sealed__isnull=False).first()
    if mail is None:
        raise Http404
    return mail, mails.words(mail)
