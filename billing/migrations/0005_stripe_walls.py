"""The walls round what is paid, history that nobody changes, and what the four plans cost by the year."""

from django.db import migrations

from accounts import rls

HISTORY = """
ALTER TABLE subscription_changes ADD CONSTRAINT subscription_changes_of
    FOREIGN KEY (subscription_id) REFERENCES subscriptions (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
CREATE FUNCTION keep_subscription_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The cascade of a subscription that goes itself comes from a trigger of the database's own.
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN RETURN OLD; END IF;
    RAISE EXCEPTION 'The history of subscriptions is append-only.';
END $$;
CREATE TRIGGER keep_history BEFORE UPDATE OR DELETE ON subscription_changes
    FOR EACH ROW EXECUTE FUNCTION keep_subscription_history();
"""
HISTORY_BACK = """
DROP TRIGGER keep_history ON subscription_changes;
DROP FUNCTION keep_subscription_history();
ALTER TABLE subscription_changes DROP CONSTRAINT subscription_changes_of;
"""
ITS_OWN = f"{rls.SEES_ALL} OR EXISTS (SELECT 1 FROM subscriptions s WHERE s.id = subscription_id)"  # noqa: S608
WALLS = (
    rls.protect("subscription_changes", ITS_OWN, ITS_OWN)
    + rls.protect("stripe_events", rls.SEES_ALL, rls.SEES_ALL)
    + rls.protect("stripe_drifts", rls.SEES_ALL, rls.SEES_ALL)
)
WALLS_BACK = "".join(
    f"DROP POLICY tenant ON {table};ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY;"
    for table in ("subscription_changes", "stripe_events", "stripe_drifts")
)
PLANS = {
    "free": {"about": "To see how it works, with one account.", "history_days": 30},
    "starter": {"about": "For one person with a few accounts.", "history_days": 90, "yearly_price": 19000,
                "trial_days": 14},
    "growth": {"about": "For a team whose accounts run side by side.", "history_days": 365, "yearly_price": 49000,
               "trial_days": 14},
    "enterprise": {"about": "For agencies, under their own name.", "yearly_price": 199000},
}  # fmt: skip


def fill_plans(apps: object, schema_editor: object) -> None:
    """Give the plans of the first days what they lack; what somebody changed since stays."""
    plan = apps.get_model("billing", "Plan")
    for key, fields in PLANS.items():
        plan.objects.filter(key=key, about="").update(**fields)


class Migration(migrations.Migration):
    """Invoices are their workspace's; history is seen with its subscription; events and drift are the platform's."""

    dependencies = [("billing", "0004_stripe")]
    operations = [
        rls.Tenant("Invoice"),
        migrations.RunSQL(HISTORY, HISTORY_BACK),
        migrations.RunSQL(WALLS, WALLS_BACK),
        migrations.RunPython(fill_plans, migrations.RunPython.noop),
    ]
