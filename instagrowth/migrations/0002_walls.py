"""Row-level security on live events."""

from django.db import migrations

from accounts import rls


class Migration(migrations.Migration):
    """Members see the events of their workspace; staff events have none."""

    dependencies = [("instagrowth", "0001_ground")]
    operations = [rls.Tenant("LiveEvent")]
