"""Indexes for what staff filter and sort by and few rows have; never on a column that each turn of a bot changes."""

from django.db import migrations

FORWARDS = """
CREATE INDEX staff_user_blocked ON users (created_at DESC, id DESC) WHERE NOT is_active;
CREATE INDEX staff_user_first_password ON users (created_at DESC, id DESC) WHERE must_change_password;
CREATE INDEX staff_account_health_since ON bots_instagramaccount (health_since DESC, id DESC);
CREATE INDEX staff_session_status ON bots_session (status, created_at DESC, id DESC);
CREATE INDEX staff_bot_parked ON bots_bot (created_at DESC, id DESC) WHERE status = 'parked';
CREATE INDEX staff_task_failed ON bots_bottask (created_at DESC, id DESC) WHERE status = 'failed';
CREATE INDEX staff_subscription_status ON subscriptions (status, created_at DESC, id DESC);
CREATE INDEX staff_invoice_status ON invoices (status, created_at DESC, id DESC);
CREATE INDEX staff_invoice_number ON invoices (number);
CREATE INDEX staff_ai_call_newest ON content_aicall (created_at DESC, id DESC);
CREATE INDEX staff_ai_call_failed ON content_aicall (created_at DESC, id DESC) WHERE state = 'released';
CREATE INDEX staff_ai_call_code ON content_aicall (error_code, created_at DESC) WHERE error_code <> '';
CREATE INDEX staff_subscription_stripe ON subscriptions (stripe_subscription_id);
"""
NAMES = (
    "user_blocked", "user_first_password", "account_health_since", "session_status", "bot_parked", "task_failed",
    "subscription_status", "invoice_status", "invoice_number", "ai_call_newest", "ai_call_failed", "ai_call_code",
    "subscription_stripe",
)  # fmt: skip


class Migration(migrations.Migration):
    """Make them."""

    dependencies = [
        ("adminpanel", "0004_bulk_and_views"),
        ("billing", "0005_stripe_walls"),
        ("bots", "0012_meta_user"),
        ("content", "0002_studio"),
    ]
    operations = [migrations.RunSQL(FORWARDS, "".join(f"DROP INDEX staff_{name};" for name in NAMES))]
