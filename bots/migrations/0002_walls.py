"""Row-level security on all that belongs to a workspace, and the platform's default limits."""

from django.db import migrations

from accounts import rls

# An hour, a day, 7 days. From the ranges that instagrapi's maintainers and users report (5-10 follows an hour, 200 a day
# for old accounts at most), set well below them.
DEFAULTS = {
    "follow": (12, 80, 420),
    "like": (30, 180, 1000),
    "story_view": (40, 240, 1400),
    "welcome_dm": (4, 15, 80),
    "unfollow": (12, 60, 350),
}


def add_limits(apps: object, schema_editor: object) -> None:
    """Fill everybody's default."""
    schema_editor.execute("SELECT set_config('app.scope', 'platform', true)")
    for kind, (hourly, daily, weekly) in DEFAULTS.items():
        apps.get_model("bots", "DailyLimit").objects.get_or_create(
            workspace=None, kind=kind, defaults={"hourly": hourly, "daily": daily, "weekly": weekly}
        )
    schema_editor.execute("SELECT set_config('app.scope', '', true)")


class Migration(migrations.Migration):
    """Unassigned sessions and the default limits have no workspace: only the platform writes them."""

    dependencies = [("bots", "0001_ground"), ("accounts", "0002_walls")]
    operations = [
        rls.Tenant("InstagramAccount"),
        rls.Tenant("Session"),
        rls.Tenant("ConnectAttempt"),
        rls.Tenant("Bot"),
        rls.Tenant("Turn"),
        rls.Tenant("BotTask"),
        rls.Tenant("Candidate"),
        rls.Tenant("Action"),
        rls.Tenant("DailyLimit", also_reads="workspace_id IS NULL"),
        rls.Tenant("Usage"),
        migrations.RunPython(add_limits, migrations.RunPython.noop),
    ]
