"""The nouns of the calendar: media, posts and their journal, slots, feeds, and the hooks of other programs."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from bots.models import Owned, tenant_key


class Folder(Owned):
    """A shelf of the media library."""

    name = models.CharField(max_length=60)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("workspace", "name", name="folder_once_a_name")]

    def __str__(self) -> str:
        return self.name


class Media(Owned):
    """A picture, drawn anew by us, or a video whose boxes we read. The file is in the private storage."""

    class Kind(models.TextChoices):
        """What the file is: a JPEG or an MP4."""

        IMAGE = "image", "Picture"
        VIDEO = "video", "Video"

    folder = tenant_key("content.Folder", models.SET_NULL, null=True, blank=True, related_name="media")
    original = tenant_key("content.Media", null=True, related_name="variants")  # a variant is cut from it
    kind = models.CharField(max_length=5, choices=Kind, default=Kind.IMAGE)
    name = models.CharField(max_length=120)
    alt_text = models.CharField(max_length=1000, blank=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    milliseconds = models.PositiveIntegerField(null=True)  # of a video
    size = models.PositiveBigIntegerField()  # bytes
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["workspace", "folder", "-created_at"], name="media_shelf")]

    def __str__(self) -> str:
        return self.name

    @property
    def ratio(self) -> float:
        """Width by height."""
        return self.width / self.height


class Post(Owned):
    """What is to stand on Instagram: its words and media, its hour, and how far it has come."""

    class Kind(models.TextChoices):
        """How Instagram shows it."""

        IMAGE = "image", "Single"
        CAROUSEL = "carousel", "Carousel"
        REEL = "reel", "Reel"
        STORY = "story", "Story"

    class State(models.TextChoices):
        """Where it stands.

        IDEA <-> DRAFT -> PROPOSED -> SCHEDULED (people); SCHEDULED -> PUBLISHING -> PUBLISHED | FAILED | UNKNOWN and
        UNKNOWN -> PUBLISHED | SCHEDULED | FAILED (the publisher); SCHEDULED or FAILED -> DRAFT (people).
        """

        IDEA = "idea", "Idea"
        DRAFT = "draft", "Draft"
        PROPOSED = "proposed", "Waits for approval"
        SCHEDULED = "scheduled", "Scheduled"
        PUBLISHING = "publishing", "Publishing"
        PUBLISHED = "published", "Published"
        FAILED = "failed", "Not published"
        UNKNOWN = "unknown", "Unknown"

    class Origin(models.TextChoices):
        """Who put it here."""

        HAND = "hand", "By hand"
        AI = "ai", "AI"
        CSV = "csv", "CSV import"
        API = "api", "API"

    EDITABLE = (State.IDEA, State.DRAFT, State.PROPOSED, State.SCHEDULED, State.FAILED)

    account = tenant_key("bots.InstagramAccount", null=True, related_name="posts")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.IMAGE)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    caption = models.TextField(blank=True)
    first_comment = models.TextField(blank=True)
    planned_for = models.DateTimeField(null=True)
    origin = models.CharField(max_length=4, choices=Origin, default=Origin.HAND)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    # The publisher's own: whose it is now, and when it is looked at next.
    due_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)  # turns in a row that came to nothing
    container = models.CharField(max_length=64, blank=True)  # Instagram's id of what is about to be published
    container_at = models.DateTimeField(null=True)
    instagram_id = models.CharField(max_length=64, blank=True)
    permalink = models.CharField(max_length=300, blank=True)
    published_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=16, blank=True)
    correlation_id = models.CharField(max_length=40, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at", "id"], name="post_due", condition=Q(due_at__isnull=False, lease_until__isnull=True)
            ),
            models.Index(fields=["lease_until"], name="post_leased", condition=Q(lease_until__isnull=False)),
            models.Index(fields=["workspace", "planned_for"], name="post_planned"),
        ]

    def __str__(self) -> str:
        first = self.caption.strip().split("\n")[0]
        return f"{first[:59]}…" if len(first) > 60 else first or f"{self.get_kind_display()} without words"


class PostMedia(Owned):
    """One picture or video of a post, in its place."""

    post = tenant_key("content.Post", related_name="places")
    media = tenant_key("content.Media", related_name="places")
    place = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["place"]
        constraints = [models.UniqueConstraint("workspace", "post", "place", name="post_media_place_once")]


class Sending(Owned):
    """The publisher's journal: one row before each request that others would see, and what became of it."""

    class What(models.TextChoices):
        """What is sent."""

        POST = "post"
        COMMENT = "comment"

    class State(models.TextChoices):
        """INTENT -> CONFIRMED | REFUSED | UNKNOWN; UNKNOWN -> CONFIRMED | ABSENT by reading, never by sending."""

        INTENT = "intent"
        CONFIRMED = "confirmed"
        REFUSED = "refused"
        UNKNOWN = "unknown"
        ABSENT = "absent"

    post = tenant_key("content.Post", related_name="sendings")
    what = models.CharField(max_length=7, choices=What, default=What.POST)
    state = models.CharField(max_length=9, choices=State, default=State.INTENT)
    fence = models.BigIntegerField()
    container = models.CharField(max_length=64, blank=True)
    instagram_id = models.CharField(max_length=64, blank=True)
    error_code = models.CharField(max_length=16, blank=True)
    lookups = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # What is on its way, may have arrived or has arrived is not sent a second time, whatever the code does.
            models.UniqueConstraint(
                "workspace",
                "post",
                "what",
                name="sending_once",
                condition=Q(state__in=["intent", "unknown", "confirmed"]),
            )
        ]


class Slot(Owned):
    """A weekday and a time, in the account's own zone, at which the next post of the queue goes out."""

    account = tenant_key("bots.InstagramAccount", related_name="slots")
    weekday = models.PositiveSmallIntegerField()  # 0 is Monday
    at = models.TimeField()

    class Meta:
        ordering = ["weekday", "at"]
        constraints = [models.UniqueConstraint("workspace", "account", "weekday", "at", name="slot_once")]


class Feed(Owned):
    """A secret address where a calendar program reads the plan. Only a hash of it is kept."""

    name = models.CharField(max_length=60)
    token_hash = models.CharField(max_length=64, unique=True)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)
    read_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Hook(Owned):
    """Another program's address, told what happens here."""

    url = models.CharField(max_length=500)
    events = models.JSONField(default=list)
    sealed_secret = models.BinaryField()
    is_active = models.BooleanField(default=True)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    def __str__(self) -> str:
        return self.url


class Delivery(Owned):
    """One event on its way to one hook."""

    class State(models.TextChoices):
        """WAITING -> DELIVERED | FAILED; a person may send a FAILED one again."""

        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"

    hook = tenant_key("content.Hook", related_name="deliveries")
    event = models.CharField(max_length=40)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=now)
    status = models.PositiveSmallIntegerField(null=True)  # of the last answer
    error_code = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="delivery_due", condition=Q(state="waiting")),
            models.Index(fields=["workspace", "hook", "-created_at"], name="delivery_recent"),
        ]
