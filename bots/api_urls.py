"""Doors for programs."""

from django.urls import path

from bots import api

urlpatterns = [
    path("bot/login", api.Connect.as_view(), name="api_connect"),
    path("bot/logout", api.Disconnect.as_view(), name="api_disconnect"),
    path("users/<uuid:user_id>/test-session", api.CheckSession.as_view(), name="api_test_session"),
    path("accounts/", api.Accounts.as_view(), name="api_accounts"),
    path("bots/", api.Bots.as_view(), name="api_bots"),
    path("bots/<uuid:bot_id>/", api.OneBot.as_view(), name="api_bot"),
    path("bots/<uuid:bot_id>/start", api.StartBot.as_view(), name="api_bot_start"),
    path("bots/<uuid:bot_id>/stop", api.StopBot.as_view(), name="api_bot_stop"),
    path("bot/actions/follow-hashtag", api.FollowHashtag.as_view(), name="api_follow_hashtag"),
    path("tasks/", api.Tasks.as_view(), name="api_tasks"),
    path("tasks/<uuid:task_id>/", api.OneTask.as_view(), name="api_task"),
    path("tasks/<uuid:task_id>/stop", api.StopTask.as_view(), name="api_task_stop"),
    path("activity/", api.Activity.as_view(), name="api_activity"),
]
