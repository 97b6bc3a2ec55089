"""Doors for programs: the content tools."""

from django.urls import path

from content import api_tools as api

urlpatterns = [
    path("content/audit", api.AskAudit.as_view(), name="api_audit"),
    path("content/ideas", api.AskIdeas.as_view(), name="api_ideas"),
    path("content/plan", api.AskPlan.as_view(), name="api_plan"),
    path("content/plans/<uuid:growth_id>/accept", api.AcceptPlan.as_view(), name="api_plan_accept"),
    path("content/dm-templates", api.AskDmTemplates.as_view(), name="api_dm_templates"),
    path("content/runs/<uuid:run_id>/", api.OneRun.as_view(), name="api_run"),
    path("content/competitors/", api.Competitors.as_view(), name="api_competitors"),
    path("content/competitors/<uuid:competitor_id>/", api.OneCompetitor.as_view(), name="api_competitor"),
]
