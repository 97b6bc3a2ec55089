"""Staff among a million users, and the words by which the admin log is searched."""

from django.db import migrations

FORWARDS = """
CREATE INDEX staff_user_staff ON users (created_at DESC, id DESC) WHERE role = 'admin';
CREATE INDEX staff_log_correlation ON admin_logs (correlation_id);
CREATE INDEX staff_log_target ON admin_logs (target_id);
CREATE INDEX staff_log_name ON admin_logs (admin);
"""
NAMES = ("user_staff", "log_correlation", "log_target", "log_name")


class Migration(migrations.Migration):
    """Make them."""

    dependencies = [("adminpanel", "0006_visits")]
    operations = [migrations.RunSQL(FORWARDS, "".join(f"DROP INDEX staff_{name};" for name in NAMES))]
