"""Doors for programs."""

from django.urls import path

from adminpanel import api

urlpatterns = [
    path("login", api.AdminLogin.as_view(), name="api_admin_login"),
    path("verify", api.AdminVerify.as_view(), name="api_admin_verify"),
    path("initialize-password", api.InitializePassword.as_view(), name="api_admin_initialize_password"),
    path("users/create", api.CreateUser.as_view(), name="api_admin_create_user"),
]
