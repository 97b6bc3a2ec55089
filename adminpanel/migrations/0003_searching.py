"""Indexes by which staff search and page: words in people's names, beginnings of usernames, the newest first."""

from django.db import migrations

# Tables of people have no wall of rows: there a trigram index serves. Behind a wall PostgreSQL uses an index only for
# comparisons that tell nothing, such as = and <: usernames are looked for by their beginning.
FORWARDS = """
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE INDEX staff_user_email ON users USING gin (upper(email::text) gin_trgm_ops);
CREATE INDEX staff_user_name ON users USING gin (upper(name::text) gin_trgm_ops);
CREATE INDEX staff_user_newest ON users (created_at DESC, id DESC);
CREATE INDEX staff_workspace_newest ON accounts_workspace (created_at DESC, id DESC);
CREATE INDEX staff_workspace_name ON accounts_workspace (name);
CREATE INDEX staff_membership_newest ON accounts_membership (created_at DESC, id DESC);
CREATE INDEX staff_account_newest ON bots_instagramaccount (created_at DESC, id DESC);
CREATE INDEX staff_account_username ON bots_instagramaccount (username);
CREATE INDEX staff_account_trouble ON bots_instagramaccount (health, created_at DESC, id DESC);
CREATE INDEX staff_session_newest ON bots_session (created_at DESC, id DESC);
CREATE INDEX staff_session_username ON bots_session (username);
CREATE INDEX staff_bot_newest ON bots_bot (created_at DESC, id DESC);
CREATE INDEX staff_task_newest ON bots_bottask (created_at DESC, id DESC);
CREATE INDEX staff_action_newest ON bots_action (created_at DESC, id DESC);
CREATE INDEX staff_subscription_newest ON subscriptions (created_at DESC, id DESC);
CREATE INDEX staff_invoice_newest ON invoices (created_at DESC, id DESC);
CREATE INDEX staff_activity_code ON activity_logs (error_code, id DESC) WHERE error_code <> '';
CREATE INDEX staff_activity_outcome ON activity_logs (status, id DESC) WHERE status <> 'ok';
"""
NAMES = (
    "user_email", "user_name", "user_newest", "workspace_newest", "workspace_name", "membership_newest",
    "account_newest", "account_username", "account_trouble", "session_newest", "session_username", "bot_newest",
    "task_newest", "action_newest", "subscription_newest", "invoice_newest", "activity_code", "activity_outcome",
)  # fmt: skip


class Migration(migrations.Migration):
    """Make them."""

    dependencies = [
        ("adminpanel", "0002_append_only"),
        ("accounts", "0005_devices"),
        ("billing", "0005_stripe_walls"),
        ("bots", "0012_meta_user"),
        ("errors", "0002_activity_partitions"),
    ]
    operations = [migrations.RunSQL(FORWARDS, "".join(f"DROP INDEX staff_{name};" for name in NAMES))]
