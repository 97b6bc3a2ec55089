"""Settings pages."""

from django.urls import path

from accounts.pages import person, workspace

app_name = "accounts"
urlpatterns = [
    path("", person.settings_page, name="settings"),
    path("person/", person.save_person, name="save_person"),
    path("workspace/", workspace.workspace_page, name="workspace"),
]
