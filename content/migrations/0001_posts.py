"""The calendar: media, posts and their journal, slots, feeds, hooks."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from accounts import rls


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "0005_devices"),
        ("bots", "0010_leased_in"),
    ]

    operations = [
        migrations.CreateModel(
            name="Feed",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                ("token_hash", models.CharField(max_length=64, unique=True)),
                ("created_by", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("read_at", models.DateTimeField(null=True)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Folder",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=60)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Hook",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("url", models.CharField(max_length=500)),
                ("events", models.JSONField(default=list)),
                ("sealed_secret", models.BinaryField()),
                ("is_active", models.BooleanField(default=True)),
                ("created_by", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("event", models.CharField(max_length=40)),
                ("payload", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("delivered", "Delivered"), ("failed", "Failed")],
                        default="waiting",
                        max_length=9,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("error_code", models.CharField(blank=True, max_length=16)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
                (
                    "hook",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="content.hook",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Media",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(choices=[("image", "Picture"), ("video", "Video")], default="image", max_length=5),
                ),
                ("name", models.CharField(max_length=120)),
                ("alt_text", models.CharField(blank=True, max_length=1000)),
                ("width", models.PositiveIntegerField()),
                ("height", models.PositiveIntegerField()),
                ("milliseconds", models.PositiveIntegerField(null=True)),
                ("size", models.PositiveBigIntegerField()),
                ("created_by", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "folder",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="media",
                        to="content.folder",
                    ),
                ),
                (
                    "original",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="variants",
                        to="content.media",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="Post",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[("image", "Single"), ("carousel", "Carousel"), ("reel", "Reel"), ("story", "Story")],
                        default="image",
                        max_length=8,
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("idea", "Idea"),
                            ("draft", "Draft"),
                            ("proposed", "Waits for approval"),
                            ("scheduled", "Scheduled"),
                            ("publishing", "Publishing"),
                            ("published", "Published"),
                            ("failed", "Not published"),
                            ("unknown", "Unknown"),
                        ],
                        default="draft",
                        max_length=10,
                    ),
                ),
                ("caption", models.TextField(blank=True)),
                ("first_comment", models.TextField(blank=True)),
                ("planned_for", models.DateTimeField(null=True)),
                (
                    "origin",
                    models.CharField(
                        choices=[("hand", "By hand"), ("ai", "AI"), ("csv", "CSV import"), ("api", "API")],
                        default="hand",
                        max_length=4,
                    ),
                ),
                ("created_by", models.UUIDField(null=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                ("due_at", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("fence", models.BigIntegerField(default=0)),
                ("attempt", models.PositiveSmallIntegerField(default=0)),
                ("container", models.CharField(blank=True, max_length=64)),
                ("container_at", models.DateTimeField(null=True)),
                ("instagram_id", models.CharField(blank=True, max_length=64)),
                ("permalink", models.CharField(blank=True, max_length=300)),
                ("published_at", models.DateTimeField(null=True)),
                ("error_code", models.CharField(blank=True, max_length=16)),
                ("correlation_id", models.CharField(blank=True, max_length=40)),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="posts",
                        to="bots.instagramaccount",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PostMedia",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("place", models.PositiveSmallIntegerField(default=0)),
                (
                    "media",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="places",
                        to="content.media",
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="places",
                        to="content.post",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "ordering": ["place"],
            },
        ),
        migrations.CreateModel(
            name="Sending",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "what",
                    models.CharField(choices=[("post", "Post"), ("comment", "Comment")], default="post", max_length=7),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("intent", "Intent"),
                            ("confirmed", "Confirmed"),
                            ("refused", "Refused"),
                            ("unknown", "Unknown"),
                            ("absent", "Absent"),
                        ],
                        default="intent",
                        max_length=9,
                    ),
                ),
                ("fence", models.BigIntegerField()),
                ("container", models.CharField(blank=True, max_length=64)),
                ("instagram_id", models.CharField(blank=True, max_length=64)),
                ("error_code", models.CharField(blank=True, max_length=16)),
                ("lookups", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "post",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sendings",
                        to="content.post",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Slot",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("weekday", models.PositiveSmallIntegerField()),
                ("at", models.TimeField()),
                (
                    "account",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="slots",
                        to="bots.instagramaccount",
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="accounts.workspace"
                    ),
                ),
            ],
            options={
                "ordering": ["weekday", "at"],
            },
        ),
        migrations.AddConstraint(
            model_name="folder",
            constraint=models.UniqueConstraint(models.F("workspace"), models.F("name"), name="folder_once_a_name"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["due_at"], name="delivery_due"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["workspace", "hook", "-created_at"], name="delivery_recent"),
        ),
        migrations.AddIndex(
            model_name="media",
            index=models.Index(fields=["workspace", "folder", "-created_at"], name="media_shelf"),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False), ("lease_until__isnull", True)),
                fields=["due_at", "id"],
                name="post_due",
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(
                condition=models.Q(("lease_until__isnull", False)), fields=["lease_until"], name="post_leased"
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["workspace", "planned_for"], name="post_planned"),
        ),
        migrations.AddConstraint(
            model_name="postmedia",
            constraint=models.UniqueConstraint(
                models.F("workspace"), models.F("post"), models.F("place"), name="post_media_place_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="sending",
            constraint=models.UniqueConstraint(
                models.F("workspace"),
                models.F("post"),
                models.F("what"),
                condition=models.Q(("state__in", ["intent", "unknown", "confirmed"])),
                name="sending_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="slot",
            constraint=models.UniqueConstraint(
                models.F("workspace"), models.F("account"), models.F("weekday"), models.F("at"), name="slot_once"
            ),
        ),
        rls.Tenant("Folder"),
        rls.Tenant("Media"),
        rls.Tenant("Post"),
        rls.Tenant("PostMedia"),
        rls.Tenant("Sending"),
        rls.Tenant("Slot"),
        rls.Tenant("Feed"),
        rls.Tenant("Hook"),
        rls.Tenant("Delivery"),
    ]
