"""The admin log by time: what staff did in a span is found without reading all of it."""

from django.db import migrations


class Migration(migrations.Migration):
    """Make the index."""

    dependencies = [("adminpanel", "0008_system_settings")]
    operations = [
        migrations.RunSQL("CREATE INDEX staff_log_when ON admin_logs (created_at DESC)", "DROP INDEX staff_log_when")
    ]
