"""Members' pages of the content tools."""

from django.urls import path
from django.views.generic import RedirectView

from content.pages import audits, competitors, experiments, messages, planner, studio, usage

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
    path("content/audits/", audits.page, name="audits"),
    path("content/audits/start/", audits.start, name="audit_start"),
    path("content/audits/<uuid:audit_id>/report.pdf", audits.report, name="audit_report"),
    path("content/planner/", planner.page, name="planner"),
    path("content/planner/ask/", planner.ask, name="plan_ask"),
    path("content/plans/<uuid:growth_id>/accept/", planner.accept, name="plan_accept"),
    path("content/plans/<uuid:growth_id>/drop/", planner.drop, name="plan_drop"),
    path("content/plans/<uuid:growth_id>/limits/", planner.limits, name="plan_limits"),
    path("content/plans/<uuid:growth_id>/add/", planner.add, name="plan_add"),
    path("content/plans/<uuid:growth_id>/routines/<int:place>/", planner.routine, name="plan_routine"),
    path("content/plans/<uuid:growth_id>/routines/<int:place>/done/", planner.did, name="plan_did"),
    path("content/planned/<uuid:planned_id>/edit/", planner.edit, name="planned_edit"),
    path("content/planned/<uuid:planned_id>/remove/", planner.remove, name="planned_remove"),
    path("content/messages/", messages.page, name="messages"),
    path("content/messages/ask/", messages.ask, name="messages_ask"),
    path("content/messages/<uuid:piece_id>/take/", messages.take, name="message_take"),
    path("content/competitors/", competitors.page, name="competitors"),
    path("content/competitors/add/", competitors.add, name="competitor_add"),
    path("content/competitors/<uuid:competitor_id>/remove/", competitors.remove, name="competitor_remove"),
    path("content/competitors/summary/", competitors.summary, name="competitors_summary"),
    path("content/experiments/", experiments.page, name="experiments"),
    path("content/experiments/new/", experiments.new, name="experiment_new"),
    path("content/experiments/<uuid:experiment_id>/", experiments.one, name="experiment"),
    path("content/experiments/<uuid:experiment_id>/start/", experiments.start, name="experiment_start"),
    path("content/experiments/<uuid:experiment_id>/posts/", experiments.posts, name="experiment_posts"),
    path("content/experiments/<uuid:experiment_id>/welcome/", experiments.welcome, name="experiment_welcome"),
    path("content/experiments/<uuid:experiment_id>/stop/", experiments.stop, name="experiment_stop"),
    path("content/usage/", usage.page, name="usage"),
    path("content/usage/budget/", usage.budget, name="budget"),
]
