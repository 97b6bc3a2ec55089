"""Settings pages."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.settings_page, name="settings"),
    path("person/", views.save_person, name="save_person"),
    path("workspace/", views.save_workspace, name="save_workspace"),
]
