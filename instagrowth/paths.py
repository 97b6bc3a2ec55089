"""Which side of the house a request is on."""

from django.http import HttpRequest
from django.middleware.common import CommonMiddleware


def is_api(request: HttpRequest) -> bool:
    """Whether a program is asking, so that the answer must be JSON."""
    return request.path.startswith(("/api/", "/webhooks/"))


class SlashMiddleware(CommonMiddleware):
    """Leads people to the address with the slash. A program's POST would get there as a GET: it is told NOT_FOUND."""

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        """Whether to send on to the address with the slash."""
        return not is_api(request) and super().should_redirect_with_slash(request)
