"""Members' pages of the numbers, and the address at which a mailed report opens."""

from django.urls import path

from content.pages import analytics

app_name = "analytics"
urlpatterns = [
    path("analytics/", analytics.page, name="page"),
    path("analytics/days.csv", analytics.export, {"what": "days"}, name="export_days"),
    path("analytics/posts.csv", analytics.export, {"what": "posts"}, name="export_posts"),
    path("analytics/read/", analytics.read, name="read"),
    path("analytics/report.pdf", analytics.pdf, name="pdf"),
    path("analytics/reports/", analytics.reports, name="reports"),
    path("analytics/reports/<uuid:plan_id>/stop/", analytics.stop, name="stop"),
    path("analytics/shared/<str:token>.pdf", analytics.shared, name="shared"),
]
