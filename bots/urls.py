"""Members' pages."""

from django.urls import path

from bots.pages import accounts, activity, automation, dashboard

app_name = "bots"
urlpatterns = [
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("instagram/", accounts.accounts, name="accounts"),
    path("instagram/connect/", accounts.connect, name="connect"),
    path("instagram/connect/login/", accounts.connect_login, name="connect_login"),
    path("instagram/connect/code/", accounts.connect_code, name="connect_code"),
    path("instagram/<str:username>/test/", accounts.test_session, name="test_session"),
    path("instagram/<str:username>/disconnect/", accounts.disconnect, name="disconnect"),
    path("automation/", automation.choose, name="choose"),
    path("automation/<str:username>/", automation.automation, name="automation"),
    path("automation/<str:username>/start/", automation.start, name="start"),
    path("automation/<str:username>/stop/", automation.stop, name="stop"),
    path("automation/<str:username>/settings/", automation.settings, name="settings"),
    path("automation/<str:username>/follow-hashtag/", automation.follow_hashtag, name="follow_hashtag"),
    path("automation/<str:username>/tasks/<uuid:task_id>/stop/", automation.stop_task, name="stop_task"),
    path("activity/", activity.activity, name="activity"),
    path("activity/export.csv", activity.export, name="export"),
]
