"""Members' pages of the calendar, and the addresses that other programs read."""

from django.urls import path

from content.pages import board, feeds, hooks, imports, library, month, posts, slots

app_name = "calendar"
urlpatterns = [
    path("calendar/", month.calendar, name="calendar"),
    path("calendar/new/", posts.new, name="new"),
    path("calendar/posts/<uuid:post_id>/", posts.post, name="post"),
    path("calendar/posts/<uuid:post_id>/move/", posts.move, name="move"),
    path("calendar/posts/<uuid:post_id>/schedule/", posts.schedule, name="schedule"),
    path("calendar/posts/<uuid:post_id>/unschedule/", posts.unschedule, name="unschedule"),
    path("calendar/posts/<uuid:post_id>/pin/", posts.pin, name="pin"),
    path("calendar/posts/<uuid:post_id>/answer/", posts.answer, name="answer"),
    path("calendar/posts/<uuid:post_id>/remove/", posts.remove, name="remove"),
    path("calendar/missed/", month.catch_up, name="catch_up"),
    path("calendar/ideas/", board.ideas, name="ideas"),
    path("calendar/media/", library.library, name="library"),
    path("calendar/media/upload/", library.upload, name="upload"),
    path("calendar/media/folders/", library.new_folder, name="new_folder"),
    path("calendar/media/<uuid:media_id>/", library.media, name="media"),
    path("calendar/media/<uuid:media_id>/cut/", library.cut, name="cut"),
    path("calendar/media/<uuid:media_id>/remove/", library.remove, name="remove_media"),
    path("calendar/slots/", slots.choose, name="slots_choose"),
    path("calendar/slots/<str:username>/", slots.slots, name="slots"),
    path("calendar/slots/<str:username>/<uuid:slot_id>/remove/", slots.remove, name="remove_slot"),
    path("calendar/import/", imports.imports, name="import"),
    path("calendar/feeds/", feeds.feeds, name="feeds"),
    path("calendar/feeds/<uuid:feed_id>/revoke/", feeds.revoke, name="revoke_feed"),
    path("calendar/feed/<str:token>.ics", feeds.read, name="feed"),
    path("settings/webhooks/", hooks.hooks, name="hooks"),
    path("settings/webhooks/<uuid:hook_id>/", hooks.hook, name="hook"),
    path("settings/webhooks/<uuid:hook_id>/test/", hooks.test, name="test_hook"),
    path("settings/webhooks/<uuid:hook_id>/remove/", hooks.remove, name="remove_hook"),
    path("settings/webhooks/<uuid:hook_id>/<uuid:delivery_id>/again/", hooks.again, name="again"),
    path("media/<str:at>/<str:mark>/<path:name>", library.file, name="file"),
]
