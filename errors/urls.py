"""Help about errors, under /help/errors/."""

from django.urls import path

from errors import views

app_name = "errors"
urlpatterns = [
    path("", views.help_index, name="help_index"),
    path("<str:code_id>/", views.help_page, name="help"),
]
