"""Members' pages of the content tools."""

from django.urls import path
from django.views.generic import RedirectView

from content.pages import studio, usage

app_name = "studio"
urlpatterns = [
    path("content/", RedirectView.as_view(pattern_name="studio:studio", query_string=True), name="home"),
    path("content/studio/", studio.page, name="studio"),
    path("content/ask/", studio.ask, name="ask"),
    path("content/runs/<uuid:run_id>/again/", studio.again, name="again"),
    path("content/voice/<str:username>/learn/", studio.learn, name="learn"),
    path("content/library/", studio.library, name="library"),
    path("content/pieces/<uuid:piece_id>/edit/", studio.edit, name="edit"),
    path("content/pieces/<uuid:piece_id>/favourite/", studio.favourite, name="favourite"),
    path("content/pieces/<uuid:piece_id>/calendar/", studio.to_calendar, name="to_calendar"),
    path("content/usage/", usage.page, name="usage"),
    path("content/usage/budget/", usage.budget, name="budget"),
]
