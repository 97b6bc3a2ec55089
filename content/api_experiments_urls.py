"""Doors for programs: A/B tests."""

from django.urls import path

from content import api_experiments as api

urlpatterns = [
    path("content/experiments/", api.Experiments.as_view(), name="api_experiments"),
    path("content/experiments/<uuid:experiment_id>/", api.OneExperiment.as_view(), name="api_experiment"),
    path("content/experiments/<uuid:experiment_id>/start", api.StartExperiment.as_view(), name="api_experiment_start"),
    path("content/experiments/<uuid:experiment_id>/stop", api.StopExperiment.as_view(), name="api_experiment_stop"),
    path("content/experiments/<uuid:experiment_id>/posts", api.DrawPosts.as_view(), name="api_experiment_posts"),
    path("content/experiments/<uuid:experiment_id>/welcome", api.WelcomeMore.as_view(), name="api_experiment_welcome"),
]
