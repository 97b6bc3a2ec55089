"""Members' pages of the numbers, and the address at which a mailed report opens."""

from django.urls import path, re_path

from content.pages import analytics

app_name = "analytics"
urlpatterns = [
    path("analytics/", analytics.page, name="page"),
    re_path(r"^analytics/(?P<what>days|posts)\.csv$", analytics.export, name="export"),
    path("analytics/report.pdf", analytics.pdf, name="pdf"),
    path("analytics/reports/", analytics.reports, name="reports"),
    path("analytics/reports/<uuid:plan_id>/stop/", analytics.stop, name="stop"),
    path("analytics/shared/<str:token>.pdf", analytics.shared, name="shared"),
]
