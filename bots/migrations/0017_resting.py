from django.db import migrations, models


class Migration(migrations.Migration):
    """Accounts whose rest is over are found without reading all."""

    dependencies = [("bots", "0016_proxy_since")]
    operations = [
        migrations.AddIndex(
            model_name="instagramaccount",
            index=models.Index(
                condition=models.Q(("health_until__isnull", False)), fields=["health_until"], name="account_resting"
            ),
        ),
    ]
