"""Settings pages."""

from django.http import HttpRequest, HttpResponse


def settings_page(request: HttpRequest) -> HttpResponse:
    """The settings of person and workspace."""
    return HttpResponse("…")
