"""The nouns of content: the calendar, what a language model was asked and what it cost, and what came of it."""

import uuid
from datetime import date, timedelta

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from bots.models import Owned, tenant_key
from errors import codes
from errors.codes import Code


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
    parts = models.JSONField(default=list)  # the containers of a carousel's files
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


# ── What is asked of a language model, and what it costs ────────────────────────────────────────────────────────────


class Feature(models.TextChoices):
    """What the language model is asked for. Its prompt is in `content.prompts`."""

    IDEAS = "ideas", "Ideas"
    CAPTIONS = "captions", "Captions"
    HASHTAGS = "hashtags", "Hashtags"
    SCRIPT = "script", "Reel script"
    CAROUSEL = "carousel", "Carousel"
    ALT_TEXT = "alt_text", "Alt text"
    VOICE = "voice", "Brand voice"
    AUDIT = "audit", "Account audit"
    BIO = "bio", "Bio"
    PLAN = "plan", "Growth plan"
    DM_TEMPLATE = "dm_template", "DM template"
    COMPETITORS = "competitors", "Competitors"


class Run(Owned):
    """One thing asked of the model: the row that outlives the page, the worker and the answer."""

    class Status(models.TextChoices):
        """QUEUED -> RUNNING -> DONE | FAILED. One whose worker died fails, and a person asks again."""

        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    OPEN = (Status.QUEUED, Status.RUNNING)

    feature = models.CharField(max_length=12, choices=Feature)
    account = tenant_key("bots.InstagramAccount", null=True, related_name="runs")
    asked_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    request_key = models.CharField(max_length=64, default=uuid.uuid4)  # the same key twice is one run and one charge
    brief = models.JSONField(default=dict)  # what the person wrote and chose
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    step = models.CharField(max_length=60, blank=True)  # what is happening now, in words
    answer = models.JSONField(null=True)  # the model's, checked against the prompt's schema
    prompt_version = models.CharField(max_length=24, blank=True)
    model = models.CharField(max_length=60, blank=True)
    error_code = models.CharField(max_length=16, blank=True)
    correlation_id = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint("workspace", "request_key", name="run_once_a_key")]
        indexes = [
            models.Index(fields=["workspace", "feature", "-created_at"], name="run_recent"),
            models.Index(fields=["created_at"], name="run_open", condition=Q(status__in=["queued", "running"])),
        ]

    def __str__(self) -> str:
        return f"{self.get_feature_display()} of {self.created_at:%d %b %H:%M}"

    @property
    def reason(self) -> Code:
        """Why it failed."""
        return codes.by_id(self.error_code) or codes.INTERNAL_ERROR


class AiCall(Owned):
    """One exchange with the model, retries and a repair included: what was set aside for it, and what it cost."""

    class State(models.TextChoices):
        """RESERVED -> CHARGED (an answer we could use) | RELEASED (none: it costs the workspace nothing)."""

        RESERVED = "reserved"
        CHARGED = "charged"
        RELEASED = "released"

    run = tenant_key("content.Run", on_delete=models.SET_NULL, null=True, related_name="calls")
    user = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    feature = models.CharField(max_length=12, choices=Feature)
    request_key = models.CharField(max_length=64)
    month = models.DateField()  # the first day of the month (UTC) whose allowance it uses
    model = models.CharField(max_length=60)
    prompt_version = models.CharField(max_length=24, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.RESERVED)
    reserved_micros = models.BigIntegerField(default=0)  # millionths of a US dollar: the worst case
    # What the provider bills, by our price table; of a released call it is our loss, not the workspace's.
    cost_micros = models.BigIntegerField(default=0)
    input_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    requests = models.PositiveSmallIntegerField(default=0)  # on the wire: the first, retries, a repair
    milliseconds = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=16, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint("workspace", "request_key", name="ai_call_once_a_key")]
        indexes = [
            models.Index(fields=["-created_at"], name="ai_call_recent"),
            models.Index(fields=["workspace", "month", "feature"], name="ai_call_month"),
            models.Index(fields=["created_at"], name="ai_call_reserved", condition=Q(state="reserved")),
        ]

    def __str__(self) -> str:
        return f"{self.get_feature_display()}, {self.created_at:%d %b %Y %H:%M} UTC"


class AiUsage(Owned):
    """What a workspace has used of a month, and what is set aside for calls on their way."""

    month = models.DateField()  # its first day, UTC
    calls = models.PositiveIntegerField(default=0)
    spent_micros = models.BigIntegerField(default=0)
    reserved_calls = models.PositiveIntegerField(default=0)
    reserved_micros = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "month", name="ai_usage_once_a_month")]


class AiBudget(Owned):
    """What an owner lets the workspace's AI calls cost a month; without a row the platform's budget counts."""

    cents = models.PositiveIntegerField()  # US cents
    set_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    set_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", name="ai_budget_once")]


class Piece(Owned):
    """One thing written: a variant, an idea, a script. What people keep, look for and send to the calendar."""

    run = tenant_key("content.Run", related_name="pieces")
    account = tenant_key("bots.InstagramAccount", null=True, related_name="pieces")
    kind = models.CharField(max_length=12, choices=Feature)
    place = models.PositiveSmallIntegerField(default=0)
    title = models.CharField(max_length=200, blank=True)
    text = models.TextField()
    hashtags = models.JSONField(default=list)
    first_comment = models.TextField(blank=True)
    favourite = models.BooleanField(default=False)
    post = tenant_key("content.Post", models.SET_NULL, null=True, related_name="+")  # what it became in the calendar
    edited_at = models.DateTimeField(null=True)  # by a person: it is not the model's any more
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["place"]
        indexes = [models.Index(fields=["workspace", "-created_at"], name="piece_recent")]

    def __str__(self) -> str:
        return self.title or self.text[:60]

    @property
    def about(self) -> str:
        """An idea as the brief of a caption."""
        return f"{self.title}. {self.text}"[:600]

    @property
    def caption(self) -> str:
        """The text with its hashtags below, as it goes to Instagram."""
        return "\n\n".join(filter(None, (self.text, " ".join(f"#{tag}" for tag in self.hashtags))))


class Voice(Owned):
    """How an account writes: what we counted in its captions, and what the model says of them."""

    account = tenant_key("bots.InstagramAccount", related_name="voices")
    run = tenant_key("content.Run", on_delete=models.SET_NULL, null=True, related_name="+")
    measured = models.JSONField(default=dict)  # by us: lengths, emoji, hashtags, languages
    described = models.JSONField(default=dict)  # by the model, or by a person
    captions = models.PositiveIntegerField(default=0)  # how many it was learnt from
    learnt_at = models.DateTimeField(default=now)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "account", name="voice_once")]


# ── Looking at accounts ─────────────────────────────────────────────────────────────────────────────────────────────


class Audit(Owned):
    """One look at an account: numbers we computed, scores by rule, and what the model makes of them."""

    account = tenant_key("bots.InstagramAccount", related_name="audits")
    run = tenant_key("content.Run", on_delete=models.SET_NULL, null=True, related_name="audits")
    door = models.CharField(max_length=8)  # which one the numbers came through
    facts = models.JSONField(default=dict)  # a missing key is unknown
    scores = models.JSONField(default=list)
    findings = models.JSONField(default=dict)  # the model's
    read_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-read_at"]
        indexes = [models.Index(fields=["account", "-read_at"], name="audit_recent")]


class Competitor(Owned):
    """Somebody else's public account that the workspace watches through one of its own."""

    account = tenant_key("bots.InstagramAccount", related_name="competitors")  # whose door reads it
    username = models.CharField(max_length=30)
    full_name = models.CharField(max_length=150, blank=True)
    added_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    error_code = models.CharField(max_length=16, blank=True)  # why the last look failed
    looked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["username"]
        constraints = [models.UniqueConstraint("workspace", "account", "username", name="competitor_once")]

    def __str__(self) -> str:
        return f"@{self.username}"


class CompetitorDay(Owned):
    """What a competitor's account showed on one day (UTC)."""

    competitor = tenant_key("content.Competitor", related_name="days")
    day = models.DateField()
    door = models.CharField(max_length=8)
    followers = models.PositiveIntegerField(null=True)
    facts = models.JSONField(default=dict)
    read_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["day"]
        constraints = [models.UniqueConstraint("workspace", "competitor", "day", name="competitor_day_once")]


# ── Plans ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class GrowthPlan(Owned):
    """Thirty days of an account: posts, routines, and settings for its bot that respect its limits."""

    class Status(models.TextChoices):
        """DRAFT -> ACCEPTED; either -> DROPPED."""

        DRAFT = "draft"
        ACCEPTED = "accepted"
        DROPPED = "dropped"

    account = tenant_key("bots.InstagramAccount", related_name="plans")
    run = tenant_key("content.Run", on_delete=models.SET_NULL, null=True, related_name="plans")
    goal = models.CharField(max_length=200)
    niche = models.CharField(max_length=120)
    posts_a_week = models.PositiveSmallIntegerField()
    starts_on = models.DateField()  # of the account's own zone
    days = models.PositiveSmallIntegerField(default=30)
    hours_from = models.CharField(max_length=8)  # what told the posts' hours: `content.planner.HOURS`
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    summary = models.TextField(blank=True)
    routines = models.JSONField(default=list)  # title, how, minutes, weekly; and done: how often in which week
    limits = models.JSONField(default=dict)  # kind -> most a day, proposed for the bot within its limits
    followers = models.PositiveIntegerField(null=True)  # when it was made; null is unknown
    accepted_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)  # when an owner gave the bot these limits
    review_on = models.DateField(null=True)  # the day after the week whose review people are told of next
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["review_on"], name="plan_review", condition=models.Q(review_on__isnull=False))]

    def __str__(self) -> str:
        return self.goal

    @property
    def ends_on(self) -> date:
        """Its last day."""
        return self.starts_on + timedelta(days=self.days - 1)


class PlannedPost(Owned):
    """One post of a plan; once accepted, it is in the calendar."""

    plan = tenant_key("content.GrowthPlan", related_name="posts")
    post = tenant_key("content.Post", models.SET_NULL, null=True, related_name="+")
    day = models.DateField()
    at = models.TimeField()  # in the account's zone
    kind = models.CharField(max_length=8, choices=Post.Kind)
    title = models.CharField(max_length=200)
    caption = models.TextField(blank=True)

    class Meta:
        ordering = ["day", "at"]

    def __str__(self) -> str:
        return self.title

    @property
    def about(self) -> str:
        """The post as the brief of a caption."""
        return f"{self.title}. {self.caption}"[:600]


# ── Experiments ─────────────────────────────────────────────────────────────────────────────────────────────────────


class Experiment(Owned):
    """Two ways of doing one thing, given out at random, and what can be said about the difference."""

    class Status(models.TextChoices):
        """DRAFT -> RUNNING -> DECIDED | STOPPED (by a person, without a verdict)."""

        DRAFT = "draft"
        RUNNING = "running"
        DECIDED = "decided"
        STOPPED = "stopped"

    class Subject(models.TextChoices):
        """What differs between A and B."""

        CAPTION = "caption", "Captions"
        HASHTAGS = "hashtags", "Hashtags"
        TIME = "time", "Posting times"
        DM = "dm", "DM templates"
        FIRST_COMMENT = "comment", "First comments"

    account = tenant_key("bots.InstagramAccount", related_name="experiments")
    subject = models.CharField(max_length=8, choices=Subject)
    name = models.CharField(max_length=80)
    a = models.TextField()
    b = models.TextField()
    seed = models.CharField(max_length=32)  # with a unit's name it decides its arm: nobody chooses
    # As decided before the start: what is usual, what difference matters, and the units of each arm that takes.
    baseline = models.JSONField(default=dict)
    units_each = models.PositiveIntegerField()
    status = models.CharField(max_length=8, choices=Status, default=Status.DRAFT)
    verdict = models.JSONField(default=dict)
    created_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                "workspace", "account", "subject", name="experiment_one_at_a_time", condition=Q(status="running")
            )
        ]

    def __str__(self) -> str:
        return self.name


class Trial(Owned):
    """One unit of an experiment: a person who was written to, or a post. Its arm is known before its outcome."""

    experiment = tenant_key("content.Experiment", related_name="trials")
    unit = models.CharField(max_length=64)  # whom or what: Instagram's number
    arm = models.CharField(max_length=1)
    assigned_at = models.DateTimeField(default=now)
    value_millionths = models.BigIntegerField(null=True)  # 0 or 1,000,000 for no and yes; null is not known yet
    measured_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "experiment", "unit", name="trial_once")]


from content.models_inbox import ReplyRule as ReplyRule  # noqa: E402
from content.models_inbox import SavedReply as SavedReply  # noqa: E402
from content.models_inbox import Talk as Talk  # noqa: E402
from content.models_inbox import TalkLine as TalkLine  # noqa: E402
from content.models_numbers import AccountInsight as AccountInsight  # noqa: E402  (of the same app, in a file of its own)
from content.models_numbers import Measuring as Measuring  # noqa: E402
from content.models_numbers import PostDay as PostDay  # noqa: E402
from content.models_numbers import PostInsight as PostInsight  # noqa: E402
from content.models_numbers import ReportPlan as ReportPlan  # noqa: E402
