from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("content", "0007_local_at")]

    operations = [
        migrations.AddField("growthplan", "days", models.PositiveSmallIntegerField(default=30)),
        migrations.AddField(
            "growthplan", "hours_from", models.CharField(max_length=8, default="none"), preserve_default=False
        ),
        migrations.AddField("growthplan", "limits", models.JSONField(default=dict)),
        migrations.RemoveField("growthplan", "settings"),
        migrations.AddField("growthplan", "applied_at", models.DateTimeField(null=True)),
        migrations.AlterField(
            "plannedpost",
            "kind",
            models.CharField(
                max_length=8,
                choices=[("image", "Single"), ("carousel", "Carousel"), ("reel", "Reel"), ("story", "Story")],
            ),
        ),
    ]
