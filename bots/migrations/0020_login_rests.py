from django.db import migrations, models


class Migration(migrations.Migration):
    """After a stop sign that a login met, the next one waits."""

    dependencies = [("bots", "0019_said_at")]
    operations = [
        migrations.AddField(model_name="connectattempt", name="rests_until", field=models.DateTimeField(null=True)),
    ]
