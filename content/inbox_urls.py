"""Members' pages of the inbox."""

from django.urls import path

from content.pages import inbox

app_name = "inbox"
urlpatterns = [
    path("inbox/", inbox.page, name="page"),
    path("inbox/rules/", inbox.rules, name="rules"),
    path("inbox/rules/<uuid:rule_id>/remove/", inbox.remove_rule, name="remove_rule"),
    path("inbox/saved/<uuid:reply_id>/remove/", inbox.remove_saved, name="remove_saved"),
    path("inbox/<uuid:talk_id>/", inbox.talk, name="talk"),
    path("inbox/<uuid:talk_id>/assign/", inbox.assign, name="assign"),
    path("inbox/<uuid:talk_id>/settle/", inbox.settle, name="settle"),
]
