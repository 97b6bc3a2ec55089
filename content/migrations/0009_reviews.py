from django.db import migrations, models

FILL = """
SELECT set_config('app.scope', 'platform', true);
UPDATE content_growthplan
SET review_on = starts_on + least(7 * (greatest(current_date - starts_on, 0) / 7 + 1), days)
WHERE status = 'accepted' AND starts_on + days > current_date;
SELECT set_config('app.scope', '', true);
"""


class Migration(migrations.Migration):
    dependencies = [("content", "0008_plans")]

    operations = [
        migrations.AddField("growthplan", "review_on", models.DateField(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            "growthplan",
            models.Index(fields=["review_on"], name="plan_review", condition=models.Q(review_on__isnull=False)),
        ),
    ]
