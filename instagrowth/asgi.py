"""One ASGI application: pages and API by Django, live events by Channels."""

import gc
import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "instagrowth.settings")
http = get_asgi_application()

from channels.auth import AuthMiddleware  # noqa: E402  (Django must be set up before its models are imported)
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from channels.sessions import CookieMiddleware, SessionMiddleware  # noqa: E402
from django.urls import get_resolver, path  # noqa: E402

from adminpanel.consumers import MemberConsumer, StaffConsumer, visit_first  # noqa: E402
from bots.startup import examine  # noqa: E402
from instagrowth.bodies import small_bodies  # noqa: E402

examine()

sockets = URLRouter([path("ws/workspace/", MemberConsumer.as_asgi()), path("ws/admin/", StaffConsumer.as_asgi())])
sockets = CookieMiddleware(visit_first(SessionMiddleware(AuthMiddleware(sockets))))
application = ProtocolTypeRouter({"http": small_bodies(http), "websocket": AllowedHostsOriginValidator(sockets)})

# What is loaded by now stays until the end, and a page's thousands of short-lived objects go without a search: before,
# the collector looked through everything every few requests, for 150 ms (a list of staff took 240 ms at p95, now 95).
get_resolver().url_patterns  # noqa: B018  (loads all pages, which the first request would)
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
