import django.utils.timezone
from django.db import migrations, models

FILL = """
SELECT set_config('app.scope', 'platform', true);
UPDATE bots_metaevent SET said_at = received_at;
SELECT set_config('app.scope', '', true);
"""


class Migration(migrations.Migration):
    dependencies = [("bots", "0018_zones")]

    operations = [
        migrations.AddField("metaevent", "said_at", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
