"""The four plans, and the wall round subscriptions."""

from django.db import migrations

from accounts import rls

GENTLE = {"follow": 30, "like": 60, "story_view": 60, "welcome_dm": 5, "unfollow": 20}
STEADY = {"follow": 60, "like": 120, "story_view": 150, "welcome_dm": 10, "unfollow": 40}
FULL = {"follow": 150, "like": 300, "story_view": 400, "welcome_dm": 30, "unfollow": 100}
PLANS = {
    "free": {"name": "Free", "account_limit": 1, "ai_limit": 10, "team_limit": 1, "action_limits": GENTLE},
    "starter": {"name": "Starter", "price": 1900, "account_limit": 3, "ai_limit": 100, "team_limit": 2,
                "action_limits": STEADY},
    "growth": {"name": "Growth", "price": 4900, "account_limit": 10, "ai_limit": 500, "team_limit": 5,
               "action_limits": STEADY, "execution_mode": "parallel"},
    "enterprise": {"name": "Enterprise", "price": 19900, "account_limit": -1, "ai_limit": 5000, "team_limit": -1,
                   "action_limits": FULL, "white_label": True, "execution_mode": "parallel", "queue": "enterprise"},
}  # fmt: skip


def add_plans(apps: object, schema_editor: object) -> None:
    """Fill the table; plans that are there already stay as they are."""
    plan = apps.get_model("billing", "Plan")
    for key, fields in PLANS.items():
        plan.objects.get_or_create(key=key, defaults=fields)


class Migration(migrations.Migration):
    """Plans are everybody's; a subscription is its workspace's."""

    dependencies = [("billing", "0001_ground"), ("accounts", "0002_walls")]
    operations = [
        rls.Tenant("Subscription"),
        migrations.RunPython(add_plans, migrations.RunPython.noop),
    ]
