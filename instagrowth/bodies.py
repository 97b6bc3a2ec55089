"""How long the body of a request may be: Django takes in all of it before it asks any view."""

from collections.abc import Callable
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGIReceiveEvent, ASGISendCallable
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from errors.answers import answer
from errors.codes import BODY_TOO_LARGE

MOST = 8 * 1024 * 1024  # bytes; more than any view takes, but for those that take videos:
MOST_OF_VIDEOS = 110 * 1024 * 1024  # one of 100 MB with its form
VIDEOS = ("/calendar/new/", "/calendar/posts/", "/calendar/media/upload/", "/api/content/media/")
PATIENCE = 512 * 1024 * 1024  # bytes that are thrown away so that the sender gets to read our answer
_MARK = "body_too_large"


def small_bodies(app: Any) -> ASGI3Application:
    """Throw a longer body away as it comes in; Django gets the request without it, and the middleware below refuses."""

    async def limited(scope: Any, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        said = dict(scope.get("headers", ())).get(b"content-length", b"")
        most = most_at(scope.get("path", ""))
        size = most if said.isdigit() and int(said) > most else 0

        async def counted() -> ASGIReceiveEvent:
            nonlocal size
            while True:
                part = await receive()
                if part["type"] != "http.request":
                    return part
                size += len(part["body"])
                if size <= most:
                    return part
                scope[_MARK] = True
                if size > PATIENCE or not part["more_body"]:
                    return {"type": "http.request", "body": b"", "more_body": False}

        await app(scope, counted, send)

    return limited


def most_at(path: str) -> int:
    """Give the largest body in bytes that an address takes."""
    return MOST_OF_VIDEOS if path.startswith(VIDEOS) else MOST


class SmallBodyMiddleware:
    """Answers BODY_TOO_LARGE where `small_bodies` threw the body away, or where the sender says it is too long."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """Stand before `get_response`."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, if there is a body to look at."""
        said = request.META.get("CONTENT_LENGTH") or "0"
        if getattr(request, "scope", {}).get(_MARK) or (said.isdigit() and int(said) > most_at(request.path)):
            return answer(request, BODY_TOO_LARGE)
        return self.get_response(request)
