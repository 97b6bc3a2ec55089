"""Members' pages."""

from django.urls import path

from bots import views

app_name = "bots"
urlpatterns = [path("dashboard/", views.dashboard, name="dashboard")]
