"""One more way in which Stripe and we can disagree."""

from django.db import migrations, models

KINDS = [
    ("stale", "Ours is not what Stripe has"),
    ("twice", "Two living subscriptions of one customer or workspace"),
    ("orphan", "Stripe charges a workspace that is gone"),
    ("unclaimed", "Stripe charges a workspace for a customer we do not know"),
    ("unknown_price", "A price that none of our plans has"),
]


class Migration(migrations.Migration):
    """The kinds are words of ours; the column stays as it is."""

    dependencies = [("billing", "0006_amounts")]
    operations = [
        migrations.AlterField("drift", "kind", models.CharField(choices=KINDS, max_length=14)),
    ]
