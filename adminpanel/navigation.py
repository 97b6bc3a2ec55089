"""The sidebar: the pages a role may open, in groups."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from adminpanel import roles

# group -> (page in the table of roles, name, icon, address)
PAGES: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    "": (("dashboard", "Dashboard", "monitoring", "index"),),
    "People": (
        ("users", "Users", "group", "accounts_user_changelist"),
        ("workspaces", "Workspaces", "workspaces", "accounts_workspace_changelist"),
        ("memberships", "Memberships", "badge", "accounts_membership_changelist"),
    ),
    "Instagram": (
        ("accounts", "Accounts", "photo_camera", "bots_instagramaccount_changelist"),
        ("sessions", "Sessions", "key", "bots_session_changelist"),
        ("api_pairs", "API pairs", "api", "bots_apipair_changelist"),
        ("bots", "Bots", "smart_toy", "bots_bot_changelist"),
        ("tasks", "Tasks", "checklist", "bots_bottask_changelist"),
        ("actions", "Actions", "bolt", "bots_action_changelist"),
        ("limits", "Daily limits", "speed", "bots_dailylimit_changelist"),
    ),
    "Money": (
        ("plans", "Plans", "sell", "billing_plan_changelist"),
        ("subscriptions", "Subscriptions", "autorenew", "billing_subscription_changelist"),
        ("invoices", "Invoices", "receipt_long", "billing_invoice_changelist"),
        ("drifts", "Stripe drift", "sync_problem", "billing_drift_changelist"),
        ("revenue", "Revenue", "show_chart", "revenue"),
        ("ai_usage", "AI usage", "neurology", "ai_usage"),
        ("ai_calls", "AI calls", "forum", "content_aicall_changelist"),
    ),
    "What members are told": (
        ("announcements", "Announcements", "campaign", "accounts_announcement_changelist"),
        ("notifications", "Notifications", "notifications", "accounts_notification_changelist"),
    ),
    "What happened": (
        ("activity", "Activity", "list_alt", "errors_activitylog_changelist"),
        ("story", "Story", "timeline", "story"),
        ("error_groups", "Errors", "bug_report", "errors_errorgroup_changelist"),
        ("errors", "Error codes", "error", "errors_errorcode_changelist"),
        ("alerts", "Alerts", "notifications_active", "alerts"),
    ),
    "Control room": (
        ("staff", "Staff", "shield_person", "adminpanel_staffmember_changelist"),
        ("settings", "System settings", "tune", "adminpanel_systemsetting_changelist"),
        ("networks", "Allow-list", "vpn_lock", "adminpanel_allowednetwork_changelist"),
        ("bulk_jobs", "Bulk jobs", "stacks", "adminpanel_bulkjob_changelist"),
        ("admin_log", "Admin log", "history", "adminpanel_adminlog_changelist"),
    ),
}

NAMES = {page: name for pages in PAGES.values() for page, name, _, _ in pages}


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
