"""The Celery app: all periodic work is on this one screen."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "instagrowth.settings")

app = Celery("instagrowth", task_cls="accounts.task:ErrandTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.task_routes = {
    "bots.tasks.dispatch": {"queue": "dispatch"},
    "bots.tasks.sweep": {"queue": "dispatch"},
    "bots.tasks.care_for_tokens": {"queue": "dispatch"},
    "bots.tasks.forget_empty_turns": {"queue": "dispatch"},
    "bots.tasks.fit_to_plan": {"queue": "ai"},
    "errors.*": {"queue": "dispatch"},
    "content.tasks.dispatch_posts": {"queue": "dispatch"},
    "content.tasks.sweep_posts": {"queue": "dispatch"},
    "content.tasks.dispatch_deliveries": {"queue": "dispatch"},
    "content.tasks.dispatch_numbers": {"queue": "dispatch"},
    "content.tasks.dispatch_experiments": {"queue": "dispatch"},
    "content.tasks.mail_reports": {"queue": "dispatch"},
    "content.tasks.mail_report": {"queue": "mail"},
    "content.tasks.review_plans": {"queue": "dispatch"},
    "content.tasks.review_plan": {"queue": "mail"},
    "content.tasks.measure": {"queue": "publish"},
    "content.tasks.sweep_inbox": {"queue": "dispatch"},
    "content.tasks.look_up_replies": {"queue": "dispatch"},
    "content.tasks.work_events": {"queue": "publish"},
    "content.tasks.read_inbox": {"queue": "publish"},
    "content.tasks.send_line": {"queue": "publish"},
    "content.tasks.publish_turn": {"queue": "publish"},
    "content.tasks.deliver": {"queue": "publish"},
    "adminpanel.tasks.end_visits": {"queue": "dispatch"},
    "accounts.*": {"queue": "mail"},
    "content.*": {"queue": "ai"},
    "billing.*": {"queue": "mail"},
    "adminpanel.*": {"queue": "ai"},
}
app.conf.beat_schedule = {
    # Each entry expires, so that a stopped worker wakes to a minute of ticks, not to hours. Not sooner: whether one has
    # is decided by the worker's clock, and one a second ahead of beat's would never work.
    "bots-dispatch": {"task": "bots.tasks.dispatch", "schedule": 1.0, "options": {"expires": 60}},
    "bots-sweep": {"task": "bots.tasks.sweep", "schedule": 5.0, "options": {"expires": 60}},
    "turns-forget": {"task": "bots.tasks.forget_empty_turns", "schedule": 3600.0, "options": {"expires": 3600}},
    "plans-fit": {"task": "bots.tasks.fit_paused", "schedule": 3600.0, "options": {"queue": "ai", "expires": 3600}},
    "ai-sweep": {"task": "content.tasks.sweep", "schedule": 20.0, "options": {"expires": 60}},
    "competitors": {"task": "content.tasks.sweep_competitors", "schedule": 3600.0, "options": {"expires": 3600}},
    "posts-dispatch": {"task": "content.tasks.dispatch_posts", "schedule": 2.0, "options": {"expires": 60}},
    "posts-sweep": {"task": "content.tasks.sweep_posts", "schedule": 10.0, "options": {"expires": 60}},
    "deliveries": {"task": "content.tasks.dispatch_deliveries", "schedule": 5.0, "options": {"expires": 60}},
    "deliveries-forget": {
        "task": "content.tasks.forget_deliveries",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "media-forget": {
        "task": "content.tasks.forget_files",
        "schedule": 3600.0,
        "options": {"queue": "ai", "expires": 3600},
    },
    "numbers": {"task": "content.tasks.dispatch_numbers", "schedule": 60.0, "options": {"expires": 60}},
    "reports": {"task": "content.tasks.mail_reports", "schedule": 300.0, "options": {"expires": 300}},
    "reviews": {"task": "content.tasks.review_plans", "schedule": 1800.0, "options": {"expires": 1800}},
    "experiments": {"task": "content.tasks.dispatch_experiments", "schedule": 1800.0, "options": {"expires": 1800}},
    "inbox": {"task": "content.tasks.sweep_inbox", "schedule": 10.0, "options": {"expires": 60}},
    "replies": {"task": "content.tasks.look_up_replies", "schedule": 120.0, "options": {"expires": 120}},
    "meta-events-forget": {"task": "content.tasks.forget_events", "schedule": 3600.0, "options": {"expires": 3600}},
    "meta-tokens": {"task": "bots.tasks.care_for_tokens", "schedule": 900.0, "options": {"expires": 900}},
    "billing": {"task": "billing.tasks.look_after", "schedule": 60.0, "options": {"expires": 60}},
    "let-go": {"task": "billing.tasks.sweep_let_go", "schedule": 3600.0, "options": {"queue": "ai", "expires": 3600}},
    "reconcile": {
        "task": "billing.tasks.reconcile_stripe",
        "schedule": crontab(hour=3, minute=17),
        "options": {"queue": "ai", "expires": 3600},
    },
    "announcements": {
        "task": "accounts.tasks.refresh_announcements",
        "schedule": 30.0,
        "options": {"queue": "dispatch", "expires": 60},
    },
    "mails": {"task": "accounts.tasks.send_due_mails", "schedule": 30.0, "options": {"expires": 60}},
    "mails-forget": {"task": "accounts.tasks.forget_old_mails", "schedule": 3600.0, "options": {"expires": 3600}},
    "unconfirmed": {"task": "accounts.tasks.forget_unconfirmed", "schedule": 3600.0, "options": {"expires": 3600}},
    "archives-sweep": {"task": "accounts.tasks.sweep_archives", "schedule": 60.0, "options": {"expires": 60}},
    "archives-forget": {
        "task": "accounts.tasks.forget_old_archives",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "erase": {"task": "accounts.tasks.erase_due", "schedule": 3600.0, "options": {"queue": "ai", "expires": 3600}},
    "digests": {"task": "accounts.tasks.send_digests", "schedule": 60.0, "options": {"expires": 60}},
    "notice-hooks": {"task": "accounts.tasks.post_hooks", "schedule": 10.0, "options": {"expires": 60}},
    "notices-forget": {
        "task": "accounts.tasks.forget_old_notifications",
        "schedule": 3600.0,
        "options": {"expires": 3600},
    },
    "visits": {"task": "adminpanel.tasks.end_visits", "schedule": 60.0, "options": {"expires": 60}},
    "life": {"task": "instagrowth.tasks.show_life", "schedule": 10.0, "options": {"queue": "dispatch", "expires": 60}},
    "bulk-jobs": {"task": "adminpanel.tasks.sweep", "schedule": 30.0, "options": {"expires": 60}},
    "live-events": {"task": "instagrowth.tasks.forget_live_events", "schedule": 3600.0, "options": {"expires": 3600}},
    "errors-partitions": {
        "task": "errors.tasks.ensure_partitions",
        "schedule": 6 * 3600.0,
        "options": {"expires": 3600},
    },
}
