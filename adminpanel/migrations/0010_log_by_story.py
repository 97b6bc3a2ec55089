"""The admin log by correlation id: what staff did in a story is found however long ago it was."""

from django.db import migrations


class Migration(migrations.Migration):
    """Make the index."""

    dependencies = [("adminpanel", "0009_log_by_time")]
    operations = [
        migrations.RunSQL(
            "CREATE INDEX staff_log_story ON admin_logs (correlation_id, id)", "DROP INDEX staff_log_story"
        )
    ]
