"""The sidebar: the pages a role may open, in groups."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from adminpanel import roles

# group -> (page in the table of roles, name, icon, address)
PAGES: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "": (("dashboard", "Dashboard", "monitoring", "index"),),
    "Control room": (
        ("staff", "Staff", "shield_person", "adminpanel_staffmember_changelist"),
        ("networks", "Allow-list", "vpn_lock", "adminpanel_allowednetwork_changelist"),
        ("admin_log", "Admin log", "history", "adminpanel_adminlog_changelist"),
    ),
}


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups with what this person may open in them."""
    return [
        {"title": title, "items": items}
        for title, pages in PAGES.items()
        if (
            items := [
                {"title": name, "icon": icon, "link": reverse(f"admin:{address}"), "page": page}
                for page, name, icon, address in pages
                if roles.may(request.user, page)
            ]
        )
    ]


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """The same, as unfold wants it."""
    return [
        {
            "title": group["title"],
            "items": [{**item, "active": _is_here(request, item["link"])} for item in group["items"]],
        }
        for group in groups(request)
    ]


def everywhere(request: HttpRequest) -> dict[str, Any]:
    """What stands on every page."""
    return {"staff_role": roles.of(request.user)}


def environment(request: HttpRequest) -> list[str] | None:
    """Say where Instagram is played by a stand-in."""
    return ["Sandbox", "info"] if settings.INSTAGRAM_PRIVATE_URL else None


def _is_here(request: HttpRequest, link: str) -> bool:
    return request.path == link if link == reverse("admin:index") else request.path.startswith(link)
