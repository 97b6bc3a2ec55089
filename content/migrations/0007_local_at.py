from django.db import migrations, models

FILL = """
SELECT set_config('app.scope', 'platform', true);
UPDATE content_postinsight p SET local_at = p.posted_at AT TIME ZONE a.timezone AT TIME ZONE 'UTC'
FROM bots_instagramaccount a WHERE a.id = p.account_id;
SELECT set_config('app.scope', '', true);
"""


class Migration(migrations.Migration):
    dependencies = [("content", "0006_inbox")]

    operations = [
        migrations.AddField("postinsight", "local_at", models.DateTimeField(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("postinsight", "local_at", models.DateTimeField()),
        migrations.RemoveIndex("postinsight", "post_insight_when"),
        migrations.AddIndex("postinsight", models.Index(fields=["workspace", "local_at"], name="post_insight_local")),
    ]
