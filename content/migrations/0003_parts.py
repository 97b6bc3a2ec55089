"""The containers of a carousel's files."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("content", "0002_studio"),
    ]

    operations = [
        migrations.AddField(
            model_name="post",
            name="parts",
            field=models.JSONField(default=list),
        ),
    ]
