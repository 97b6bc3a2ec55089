"""Doors for programs."""

from django.urls import path

from bots import api, api_tasks

urlpatterns = [
    path("bot/login", api.Connect.as_view(), name="api_connect"),
    path("bot/logout", api.Disconnect.as_view(), name="api_disconnect"),
    path("users/<uuid:user_id>/test-session", api.CheckSession.as_view(), name="api_test_session"),
    path("accounts/", api.Accounts.as_view(), name="api_accounts"),
    path("bots/", api.Bots.as_view(), name="api_bots"),
    path("bots/<uuid:bot_id>/", api.OneBot.as_view(), name="api_bot"),
    path("bots/<uuid:bot_id>/start", api.StartBot.as_view(), name="api_bot_start"),
    path("bots/<uuid:bot_id>/stop", api.StopBot.as_view(), name="api_bot_stop"),
    path("bot/actions/follow-hashtag", api_tasks.FollowHashtag.as_view(), name="api_follow_hashtag"),
    path("bot/actions/follow-followers", api_tasks.FollowFollowers.as_view(), name="api_follow_followers"),
    path("bot/actions/follow-likers", api_tasks.FollowLikers.as_view(), name="api_follow_likers"),
    path("bot/actions/like-hashtag", api_tasks.LikeHashtag.as_view(), name="api_like_hashtag"),
    path("bot/actions/view-stories", api_tasks.ViewStories.as_view(), name="api_view_stories"),
    path("bot/actions/welcome-dm", api_tasks.WelcomeDm.as_view(), name="api_welcome_dm"),
    path("bot/actions/unfollow", api_tasks.Unfollow.as_view(), name="api_unfollow"),
    path("tasks/", api_tasks.Tasks.as_view(), name="api_tasks"),
    path("tasks/<uuid:task_id>/", api_tasks.OneTask.as_view(), name="api_task"),
    path("tasks/<uuid:task_id>/stop", api_tasks.StopTask.as_view(), name="api_task_stop"),
    path("activity/", api.Activity.as_view(), name="api_activity"),
]
