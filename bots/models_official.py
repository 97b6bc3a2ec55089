"""The nouns of the official door: our access to an account through Meta."""

import uuid

from django.db import models
from django.utils.timezone import now

from bots.models import Owned, tenant_key


class OfficialAccess(Owned):
    """What Meta gave us to act for one account: a sealed token, with what it may do and until when."""

    class Login(models.TextChoices):
        """By which of Meta's two logins."""

        INSTAGRAM = "instagram", "Instagram Login"
        FACEBOOK = "facebook", "Facebook Login"

    class Status(models.TextChoices):
        """Moves: ACTIVE -> RECONNECT (Meta said no, or the person removed us); back by connecting again."""

        ACTIVE = "active", "Connected"
        RECONNECT = "reconnect", "Needs reconnect"

    account = models.OneToOneField(
        "bots.InstagramAccount", models.CASCADE, related_name="official", db_constraint=False
    )
    login = models.CharField(max_length=9, choices=Login)
    ig_id = models.CharField(max_length=32)  # Meta's id of the professional account: not instagrapi's number
    page_id = models.CharField(max_length=32, blank=True)  # of the Facebook Page, with Facebook Login
    app_id = models.CharField(max_length=40)  # the Meta app that the token belongs to
    meta_user = models.CharField(max_length=32, blank=True)  # Meta's number for whoever signed in, for this app alone
    sealed_token = models.BinaryField()
    scopes = models.JSONField(default=list)
    status = models.CharField(max_length=9, choices=Status, default=Status.ACTIVE)
    code = models.CharField(max_length=16, blank=True)  # why it needs a reconnect
    issued_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(null=True)  # null: a Page's token, which does not end by itself
    refresh_at = models.DateTimeField(null=True)  # when it is tried next
    warned_at = models.DateTimeField(null=True)  # when the owners were told that it ends soon
    subscribed = models.BooleanField(default=False)  # whether Meta tells us of comments and messages
    connected_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["ig_id"], name="official_ig"),
            models.Index(fields=["refresh_at"], name="official_refresh", condition=models.Q(status="active")),
        ]

    def __str__(self) -> str:
        return f"{self.get_login_display()} of {self.account}"

    @property
    def is_active(self) -> bool:
        """Whether Meta still lets us in, as far as we know."""
        return self.status == self.Status.ACTIVE


class DataDeletion(models.Model):
    """That somebody asked Meta to have us delete their data, and that it was done. Nothing here says who."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    code = models.CharField(max_length=16, unique=True)  # whoever has it may read the page about it
    accounts = models.PositiveIntegerField()  # how many connections were deleted
    done_at = models.DateTimeField(default=now)


class MetaEvent(Owned):
    """One thing that Meta told of an account by webhook, once however often it was told; gone a week later."""

    account = tenant_key("bots.InstagramAccount", related_name="+", db_index=False)
    digest = models.CharField(max_length=64)  # of what was told
    told = models.JSONField(default=dict)
    said_at = models.DateTimeField(default=now)  # as Meta says, and never later than it was received
    received_at = models.DateTimeField(default=now)
    worked_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error_code = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "account", "digest", name="meta_event_once")]
        indexes = [
            models.Index(fields=["received_at"], name="meta_event_waiting", condition=models.Q(worked_at__isnull=True)),
            models.Index(fields=["worked_at"], name="meta_event_old"),
        ]
