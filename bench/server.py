"""The product's own server with one page more: Django with one query and nothing else, as a yardstick."""

from django.http import HttpRequest, HttpResponse
from django.urls import path

from instagrowth.asgi import http as application

__all__ = ["application"]


def bare(request: HttpRequest) -> HttpResponse:
    """Answer with the number of plans."""
    from billing.models import Plan

    return HttpResponse(f"{Plan.objects.count()} plans")


def _add() -> None:
    from instagrowth import urls  # needs Django, which `application` has set up

    urls.urlpatterns.insert(0, path("bare/", bare))


_add()
