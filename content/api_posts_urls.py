"""Doors for programs: posts, media, numbers."""

from django.urls import path

from content import api_posts as api

urlpatterns = [
    path("content/posts/", api.Posts.as_view(), name="api_posts"),
    path("content/posts/<uuid:post_id>/", api.OnePost.as_view(), name="api_post"),
    path("content/posts/<uuid:post_id>/schedule", api.SchedulePost.as_view(), name="api_post_schedule"),
    path("content/posts/<uuid:post_id>/unschedule", api.UnschedulePost.as_view(), name="api_post_unschedule"),
    path("content/media/", api.MediaFiles.as_view(), name="api_media"),
    path("analytics/", api.Analytics.as_view(), name="api_analytics"),
]
