"""Members' pages."""

from django.urls import path

from bots.pages import accounts, activity, asking, automation, dashboard, ledger, people, progress, texts

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
    path("automation/<str:username>/new/<slug:name>/", asking.ask, name="ask"),
    path("automation/<str:username>/tasks/<uuid:task_id>/stop/", automation.stop_task, name="stop_task"),
    path("automation/<str:username>/ledger/", ledger.ledger, name="ledger"),
    path("automation/<str:username>/ledger/export.csv", ledger.export, name="ledger_export"),
    path("automation/<str:username>/ledger/undo/", ledger.undo, name="ledger_undo"),
    path("automation/<str:username>/growth/", progress.growth_page, name="growth"),
    path("people/", people.people, name="people"),
    path("people/add/", people.add, name="people_add"),
    path("people/export.csv", people.export, name="people_export"),
    path("people/<uuid:listed_id>/remove/", people.remove, name="people_remove"),
    path("texts/", texts.texts, name="templates"),
    path("texts/<uuid:template_id>/approve/", texts.approve, name="template_approve"),
    path("texts/<uuid:template_id>/throw-away/", texts.throw_away, name="template_throw_away"),
    path("activity/", activity.activity, name="activity"),
    path("activity/export.csv", activity.export, name="export"),
]
