"""The control room: Django's admin under our own door, with our own pages and roles."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.module_loading import import_string
from unfold.sites import UnfoldAdminSite

from adminpanel import presence


class ControlRoom(UnfoldAdminSite):
    """The one site. `ControlRoomMiddleware` stands before every address of it."""

    index_title = "Control room"
    final_catch_all_view = False  # an unknown address is answered as everywhere else
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """The second lock, behind the middleware: a living session of active staff."""
        return presence.is_here(request.user, request.session) and not getattr(
            request.user, "must_change_password", False
        )

    def extra_urls(self) -> list[URLPattern]:
        """The door's own addresses, and pages that are of no table."""
        from adminpanel.pages import ai, door, income, trouble

        return [
            path("revenue/", self.admin_view(income.revenue_page), name="revenue"),
            path("ai/", self.admin_view(ai.usage_page), name="ai_usage"),
            path("story/", self.admin_view(trouble.story_page), name="story"),
            path("alerts/", self.admin_view(trouble.alerts_page), name="alerts"),
            path("enrol/", door.enrol, name="enrol"),
            path("prove/", self.admin_view(door.prove), name="prove"),
            path("password/", door.password_change, name="password_change"),
        ]

    def get_urls(self) -> list[Any]:
        """Without what leads nowhere here."""
        gone = ("view_on_site", "autocomplete", "password_change_done")
        urls = [url for url in super().get_urls() if getattr(url, "name", "") not in gone]
        return [url for url in urls if str(url.pattern) != "password_change/"]

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Password and code in one form."""
        from adminpanel.pages import door

        return door.sign_in_page(request)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """End the session."""
        from adminpanel.pages import door

        return door.sign_out_page(request)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """The dashboard."""
        dashboard: HttpResponseBase = import_string("adminpanel.pages.dashboard.dashboard")(request)
        return dashboard


site = ControlRoom(name="admin")
