"""Doors for programs."""

from django.urls import path

from accounts import api

urlpatterns = [
    path("auth/login", api.Login.as_view(), name="api_login"),
    path("auth/logout", api.Logout.as_view(), name="api_logout"),
    path("auth/me", api.WhoAmI.as_view(), name="api_me"),
    path("users/<uuid:user_id>/change-password", api.ChangePassword.as_view(), name="api_change_password"),
]
