"""The steps of a story that have no row elsewhere."""

import django.contrib.postgres.indexes
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("errors", "0005_log_at_scale")]

    operations = [
        migrations.CreateModel(
            name="StoryStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("correlation_id", models.CharField(max_length=40)),
                ("kind", models.CharField(max_length=8)),
                ("name", models.CharField(max_length=200)),
                ("outcome", models.CharField(max_length=40)),
                ("code", models.CharField(blank=True, max_length=16)),
                ("milliseconds", models.PositiveIntegerField(default=0)),
                ("attempt", models.PositiveSmallIntegerField(default=1)),
            ],
            options={
                "db_table": "story_steps",
                "ordering": ["id"],
                "indexes": [
                    models.Index(fields=["correlation_id", "id"], name="step_of_story"),
                    django.contrib.postgres.indexes.BrinIndex(fields=["at"], name="step_at", pages_per_range=32),
                ],
            },
        ),
    ]
