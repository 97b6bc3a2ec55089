"""The nouns of analytics: what Meta told of accounts and posts, day by day. Null is unknown, never zero."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.timezone import now

from bots.models import Owned, tenant_key


class Measuring(Owned):
    """When an account's numbers and its inbox were last read, when they are next, and what came to nothing."""

    account = tenant_key("bots.InstagramAccount", related_name="measuring")
    due_at = models.DateTimeField(default=now)
    measured_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=16, blank=True)  # of the last time; empty when it went well
    messages_at = models.DateTimeField(null=True)  # when messages were last read; null where the last time was refused
    inbox_code = models.CharField(max_length=16, blank=True)  # the first refusal of the inbox the last time

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "account", name="measuring_once")]


class Told(Owned):
    """The numbers that Meta tells of accounts and of posts alike."""

    reach = models.PositiveIntegerField(null=True)
    views = models.PositiveIntegerField(null=True)
    interactions = models.PositiveIntegerField(null=True)
    likes = models.PositiveIntegerField(null=True)
    comments = models.PositiveIntegerField(null=True)
    shares = models.PositiveIntegerField(null=True)
    saves = models.PositiveIntegerField(null=True)

    class Meta:
        abstract = True


class AccountInsight(Told):
    """What Meta told of an account on one day of its own zone."""

    account = tenant_key("bots.InstagramAccount", related_name="insights", db_index=False)
    day = models.DateField()
    followers = models.PositiveIntegerField(null=True)  # as counted that day: no past can be asked for
    new_followers = models.PositiveIntegerField(null=True)
    engaged = models.PositiveIntegerField(null=True)  # accounts that did something
    measured_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "account", "day", name="insight_once_a_day")]


class PostInsight(Told):
    """A post, reel or story with its numbers as last measured; a story's stay when it is gone."""

    STORY = "STORY"

    account = tenant_key("bots.InstagramAccount", related_name="post_insights", db_index=False)
    media_id = models.CharField(max_length=64)
    kind = models.CharField(max_length=16)  # IMAGE, VIDEO, CAROUSEL_ALBUM
    product = models.CharField(max_length=8)  # FEED, REELS, STORY
    caption = models.TextField(blank=True)
    permalink = models.CharField(max_length=300, blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list)
    posted_at = models.DateTimeField()
    local_at = models.DateTimeField()  # by the account's clock, kept as if UTC: its day and hour, not an instant
    replies = models.PositiveIntegerField(null=True)
    measured_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "account", "media_id", name="post_insight_once")]
        indexes = [models.Index(fields=["workspace", "local_at"], name="post_insight_local")]

    @property
    def rate(self) -> float | None:
        """Interactions for each account reached."""
        return self.interactions / self.reach if self.interactions is not None and self.reach else None

    @property
    def words(self) -> str:
        """How its caption begins."""
        first = self.caption.strip().split("\n")[0]
        return f"{first[:79]}…" if len(first) > 80 else first or "Without words"


class PostDay(Owned):
    """A post's numbers as they stood at the end of one day of the account's zone, or when last looked that day."""

    post = tenant_key("content.PostInsight", related_name="days", db_index=False)
    day = models.DateField()
    reach = models.PositiveIntegerField(null=True)
    views = models.PositiveIntegerField(null=True)
    interactions = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "post", "day", name="post_day_once")]


class ReportPlan(Owned):
    """A report that is mailed by itself, of one account or of all, every week or every month."""

    class Every(models.TextChoices):
        """How often; the days that each tells of are in `content.report_plans`."""

        WEEK = "week", "Every Monday"
        MONTH = "month", "On the first of each month"

    account = tenant_key("bots.InstagramAccount", null=True, related_name="+")  # null: all of the workspace
    every = models.CharField(max_length=5, choices=Every, default=Every.WEEK)
    to = models.EmailField(max_length=254)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(fields=["due_at"], name="report_due")]

    def __str__(self) -> str:
        return f"{self.get_every_display()} to {self.to}"
