"""Members' pages."""

from django.http import HttpRequest, HttpResponse


def dashboard(request: HttpRequest) -> HttpResponse:
    """The page after signing in."""
    return HttpResponse("…")
