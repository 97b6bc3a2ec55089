from django.db import migrations, models

FILL = """
SELECT set_config('app.scope', 'platform', true);
UPDATE content_measuring SET messages_at = measured_at WHERE error_code = '';
SELECT set_config('app.scope', '', true);
"""


class Migration(migrations.Migration):
    dependencies = [("content", "0010_whom_it_answers")]

    operations = [
        migrations.AddField("measuring", "messages_at", models.DateTimeField(null=True)),
        migrations.AddField("measuring", "inbox_code", models.CharField(max_length=16, blank=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
