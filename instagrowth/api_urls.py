"""The doors for programs."""

from django.urls import include, path

urlpatterns = [
    path("", include("accounts.api_urls")),
    path("", include("bots.api_urls")),
    path("", include("content.api_posts_urls")),
    path("", include("content.api_experiments_urls")),
    path("", include("content.api_tools_urls")),
    path("admin/", include("adminpanel.api_urls")),
]
