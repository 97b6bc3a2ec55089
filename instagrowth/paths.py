"""Which side of the house a request is on."""

from django.http import HttpRequest


def is_api(request: HttpRequest) -> bool:
    """Whether a program is asking, so that the answer must be JSON."""
    return request.path.startswith(("/api/", "/webhooks/"))
