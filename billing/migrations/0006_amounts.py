from django.db import migrations, models

# What Stripe has said so far is what a month pays; where that tells no price, the plan's of today stands until the
# next comparison with Stripe.
KNOWN = """
SELECT set_config('app.scope', 'platform', true);
UPDATE subscriptions s SET currency = p.currency, amount = CASE
    WHEN s."interval" = 'month' AND s.discount = '' AND s.mrr > 0 THEN s.mrr
    WHEN s."interval" = 'month' THEN p.price ELSE p.yearly_price END
FROM plans p WHERE p.id = s.plan_id AND s.stripe_subscription_id <> '';
SELECT set_config('app.scope', '', true);
"""


class Migration(migrations.Migration):
    """A subscription keeps the price it was bought at."""

    dependencies = [("billing", "0005_stripe_walls")]

    operations = [
        migrations.AddField("subscription", "amount", models.PositiveIntegerField(default=0)),
        migrations.AddField("subscription", "currency", models.CharField(blank=True, default="", max_length=3)),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
    ]
