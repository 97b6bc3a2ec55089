from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("adminpanel", "0007_quick_staff"),
    ]

    operations = [
        migrations.CreateModel(
            name="SystemSetting",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("key", models.CharField(editable=False, max_length=60, unique=True)),
                ("value", models.JSONField(null=True)),
                ("changed_by", models.CharField(blank=True, editable=False, max_length=120)),
                ("changed_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "system setting",
                "db_table": "system_settings",
                "ordering": ["key"],
            },
        ),
    ]
