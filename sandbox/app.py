"""Local stand-ins for the outside services, in one process: `uvicorn sandbox.app:app --host 127.0.0.1 --port N`.

A request finds its service by the Host it was meant for, so the real client libraries only need their connection
pointed here. Each service is one entry in SERVICES: the hosts it answers for, the path prefixes by which it is found
if the Host says nothing, and its `serve`. `/_control/` and the page at `/` belong to the sandbox itself.

Nothing here is real and nothing is stored: the world lives in the memory of this one process until it ends. Run one
worker, with `--timeout-graceful-shutdown 1`, so that a hanging request on order does not keep the process alive.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from sandbox import control, google, graph, instagram, openai, stripe
from sandbox.page import front_page, picture
from sandbox.wire import Answer, Receive, Request, Scope, Send, answer_json, read_body, send_answer
from sandbox.world import World

PICTURE = re.compile(r"/(?:avatars|pictures)/(\d+)\.svg")


@dataclass(slots=True, frozen=True)
class Service:
    """One outside service."""

    hosts: frozenset[str]
    prefixes: tuple[str, ...]
    serve: Callable[[World, Request, Receive, Send], Awaitable[None]]


SERVICES = (
    Service(instagram.HOSTS, ("/api/v1/", "/api/v2/", "/graphql_www"), instagram.serve),
    Service(google.HOSTS, google.PREFIXES, google.serve),
    Service(graph.HOSTS, graph.PREFIXES, graph.serve),
    Service(stripe.HOSTS, stripe.PREFIXES, stripe.serve),
    Service(openai.HOSTS, openai.PREFIXES, openai.serve),
)
world = World()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The ASGI application."""
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "http":
        body = await read_body(receive)
        if body is not None:
            await dispatch(Request(scope, body), receive, send)


async def dispatch(request: Request, receive: Receive, send: Send) -> None:
    """Hand a request to whoever it is for."""
    own = own_answer(request)
    service = None if own else find_service(request)
    if service:
        await service.serve(world, request, receive, send)
    else:
        await send_answer(send, own or answer_json({"error": "No stand-in answers for this host and path."}, 404))


def own_answer(request: Request) -> Answer | None:
    """The sandbox's own pages."""
    if request.path.startswith("/_control/"):
        return control.handle(world, request)
    if request.method == "GET" and (match := PICTURE.fullmatch(request.path)):
        return picture(match[1])
    if request.path == "/" and not find_service(request):
        return front_page(world, request)
    return None


def find_service(request: Request) -> Service | None:
    """The service that a request was meant for."""
    by_host = (service for service in SERVICES if request.host in service.hosts)
    return next(by_host, None) or next((s for s in SERVICES if request.path.startswith(s.prefixes)), None)


async def lifespan(receive: Receive, send: Send) -> None:
    """Start and stop when the server says so; there is nothing to prepare."""
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})
