"""The nouns of the engine: accounts, sessions, bots, what they were asked to do, and what they did."""

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib.postgres.indexes import BrinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from accounts.models import known_timezone
from errors import codes
from errors.codes import Code


class Kind(models.TextChoices):
    """What a bot can do to a person on Instagram."""

    FOLLOW = "follow", "Follow"
    LIKE = "like", "Like"
    STORY_VIEW = "story_view", "Story view"
    WELCOME_DM = "welcome_dm", "Welcome DM"
    UNFOLLOW = "unfollow", "Unfollow"


class Source(models.TextChoices):
    """Where a task finds people."""

    HASHTAG = "hashtag", "Posts under a hashtag"
    FOLLOWERS = "followers", "Followers of an account"
    LIKERS = "likers", "Likers of a post"
    OWN_FOLLOWERS = "own_followers", "Own followers"
    FOLLOWED = "followed", "People the bot followed"
    CHOSEN = "chosen", "People chosen in the ledger"


SAID = {  # a source with its value
    "hashtag": "from #{}",
    "followers": "from followers of @{}",
    "likers": "from likers of {}",
    "own_followers": "to own followers",
    "followed": "people the bot followed",
    "chosen": "people chosen in the ledger",
}


class Owned(models.Model):
    """A row that belongs to a workspace."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", models.CASCADE, related_name="+")

    class Meta:
        abstract = True


def parents_workspace() -> models.ForeignKey:
    """The workspace of a row that is written with every action, without an index and a constraint of its own.

    The composite key to its parent says the same, and its unique keys find it; each index costs every action a write.
    """
    return models.ForeignKey(
        "accounts.Workspace", models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False
    )


STRIPES = 16  # parts of all workspaces that are claimed at the same time, each by one dispatcher


def tenant_key(to: str, on_delete: Callable[..., None] = models.CASCADE, **options: Any) -> models.ForeignKey:
    """A foreign key inside the workspace: `accounts.rls.Tenant` writes its composite constraint."""
    return models.ForeignKey(to, on_delete, db_constraint=False, **options)


class InstagramAccount(Owned):
    """One Instagram account, and how it is doing there."""

    class Health(models.TextChoices):
        """Moves are in `bots.health`; each has a cause, a code and a next step."""

        ACTIVE = "active", "Active"
        WARMING = "warming", "Warming up"
        SLOWED = "slowed", "Slowed"
        COOLING = "cooling", "Cooling"
        NEEDS_LOGIN = "needs_login", "Needs login"
        NEEDS_YOU = "needs_you", "Needs you"
        FROZEN = "frozen", "Frozen"
        BANNED = "banned", "Banned"

    username = models.CharField(max_length=30)
    instagram_pk = models.BigIntegerField(null=True)
    full_name = models.CharField(max_length=150, blank=True)
    followers = models.PositiveIntegerField(null=True)  # null is unknown, never zero
    following = models.PositiveIntegerField(null=True)
    measured_at = models.DateTimeField(null=True)
    timezone = models.CharField(max_length=64, default="UTC", validators=[known_timezone])
    health = models.CharField(max_length=12, choices=Health, default=Health.NEEDS_LOGIN)
    health_code = models.CharField(max_length=16, blank=True)
    health_since = models.DateTimeField(default=now)
    health_until = models.DateTimeField(null=True)
    cooling_hours = models.PositiveSmallIntegerField(default=0)  # the last rest after a 429; the next is twice as long
    warmup_started_at = models.DateTimeField(null=True)
    restricted_at = models.DateTimeField(null=True)  # the last time Instagram slowed or stopped us
    restrictions = models.PositiveSmallIntegerField(default=0)
    blocked_kinds = models.JSONField(default=dict)  # kind -> {"until": ISO time, "times": blocks within 7 days, …}
    risk_accepted_at = models.DateTimeField(null=True)
    risk_accepted_by = models.UUIDField(null=True)
    sealed_proxy = models.BinaryField(null=True)  # `bots.network`
    proxy_since = models.DateTimeField(null=True)  # when it last got one; it stays when that is taken away
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["username"]
        constraints = [models.UniqueConstraint("workspace", "username", name="account_once_a_workspace")]
        indexes = [
            models.Index(fields=["health_until"], name="account_resting", condition=Q(health_until__isnull=False))
        ]

    def __str__(self) -> str:
        return f"@{self.username}"


class InstagramClaim(models.Model):
    """Which account drives an Instagram identity: one of all, so that two workspaces never drive the same person."""

    instagram_pk = models.BigIntegerField(primary_key=True)
    account = models.OneToOneField(InstagramAccount, models.CASCADE, related_name="claim")


class Session(models.Model):
    """One sealed set of instagrapi settings: a device identity and its login. Without a workspace it is in the pool."""

    class Status(models.TextChoices):
        """Moves: UNUSED <-> ASSIGNED; ASSIGNED -> FROZEN | BANNED; FROZEN -> ASSIGNED after a passed probe."""

        UNUSED = "unused"
        ASSIGNED = "assigned"
        FROZEN = "frozen"
        BANNED = "banned"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", models.CASCADE, null=True, related_name="+")
    account = models.OneToOneField(
        InstagramAccount, models.CASCADE, null=True, related_name="session", db_constraint=False
    )
    username = models.CharField(max_length=30)
    sealed = models.BinaryField()
    fingerprint = models.CharField(
        max_length=64, unique=True
    )  # keyed hash of the login: the same session twice is refused
    version = models.PositiveIntegerField(
        default=1
    )  # raised when the settings change; warm clients of older ones are dropped
    status = models.CharField(max_length=8, choices=Status, default=Status.UNUSED)
    valid = models.BooleanField(default=False)
    probed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="session_assigned_has_account",
                condition=~Q(status="assigned") | Q(account__isnull=False, workspace__isnull=False),
            ),
            models.CheckConstraint(
                name="session_unused_is_free", condition=~Q(status="unused") | Q(account__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"Session of @{self.username}"


class ConnectAttempt(Owned):
    """A login to Instagram that waits for a code or rests, and the wrong passwords of a day (it locks who guesses)."""

    username = models.CharField(max_length=30)
    sealed = models.BinaryField(
        null=True
    )  # password and device, sealed, for the code step alone; gone after ten minutes
    method = models.CharField(max_length=8, blank=True)
    expires_at = models.DateTimeField(null=True)
    wrong_passwords = models.PositiveSmallIntegerField(default=0)
    wrong_day = models.DateField(null=True)
    rests_until = models.DateTimeField(null=True)  # after a stop sign that a login met, no other is sent before
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "username", name="attempt_once_a_workspace")]


class ApiPair(models.Model):
    """A Meta app: its id and its sealed secret, with room for so many bots."""

    class Status(models.TextChoices):
        """Only active pairs are given to bots."""

        ACTIVE = "active"
        PAUSED = "paused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, blank=True)
    app_id = models.CharField(max_length=40, unique=True)
    sealed_secret = models.BinaryField()
    capacity = models.PositiveIntegerField(default=50)
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    created_at = models.DateTimeField(default=now, editable=False)

    def __str__(self) -> str:
        return self.name or self.app_id


class StripeOf(models.Func):
    """The last byte of a workspace's id, folded to a stripe."""

    template = f"(get_byte(uuid_send(%(expressions)s), 15) %% {STRIPES})"
    output_field = models.SmallIntegerField()


class Bot(Owned):
    """The automation of one Instagram account, its schedule, and who runs it now: the claim unit of the engine."""

    class Status(models.TextChoices):
        """Moves: STOPPED <-> RUNNING (the owner), RUNNING -> STOPPED (a stop sign), RUNNING -> PARKED (5 failures)."""

        STOPPED = "stopped"
        RUNNING = "running"
        PARKED = "parked"

    workspace = models.ForeignKey("accounts.Workspace", models.CASCADE, related_name="+", db_index=False)
    account = models.OneToOneField(InstagramAccount, models.CASCADE, related_name="bot", db_constraint=False)
    user = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    display_name = models.CharField(max_length=80, blank=True)
    api_pair = models.ForeignKey(ApiPair, models.PROTECT, null=True, related_name="bots", db_index=False)
    status = models.CharField(max_length=8, choices=Status, default=Status.STOPPED)
    next_run_at = models.DateTimeField(db_default=Now())
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)
    share = models.PositiveSmallIntegerField(default=1)  # how many bots of the workspace may run at once: from the plan
    queue = models.CharField(max_length=16, default="starter")
    stripe = models.GeneratedField(
        expression=StripeOf("workspace"), output_field=models.SmallIntegerField(), db_persist=True
    )
    cycle_delay = models.PositiveIntegerField(
        default=90, validators=[MinValueValidator(1), MaxValueValidator(86400)]
    )  # seconds
    jitter = models.PositiveSmallIntegerField(
        default=20, validators=[MaxValueValidator(50)]
    )  # percent of the delay, either way
    burst = models.PositiveSmallIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )  # actions a turn: they come close together, so the gentlest is one
    works_from = models.TimeField(null=True)  # in the account's zone; null: round the clock
    works_to = models.TimeField(null=True)
    own_limits = models.JSONField(default=dict)  # kind -> most a day, set by the owner
    holdout = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(20)]
    )  # percent of the people worth following who are left alone, to compare with
    last_error_code = models.CharField(max_length=16, blank=True)
    last_error_at = models.DateTimeField(null=True)
    last_error_correlation = models.CharField(max_length=40, blank=True)
    started_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            # A tick costs the due bots, never all bots. Each index more is a write more for every claim.
            models.Index(
                fields=["stripe", "next_run_at", "id"],
                name="bot_due",
                condition=Q(status="running", lease_until__isnull=True),
            ),
            models.Index(
                fields=["workspace", "lease_until"], name="bot_leased", condition=Q(lease_until__isnull=False)
            ),
            models.Index(fields=["api_pair"], name="bot_of_pair", condition=Q(api_pair__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.display_name or str(self.account)


class Turn(Owned):
    """One turn of one bot: the ledger of what ran and how it ended, written by the statement that claims the bot."""

    class State(models.TextChoices):
        """RUNNING ends as DONE, or as EXPIRED when its lease ran out."""

        RUNNING = "running"
        DONE = "done"
        EXPIRED = "expired"

    workspace = parents_workspace()
    bot = tenant_key("bots.Bot", related_name="turns", db_index=False)
    due_at = models.DateTimeField()
    fence = models.BigIntegerField()
    queue = models.CharField(max_length=16, default="")
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    ended = models.CharField(max_length=40, blank=True)  # in a word or a code: how it ended
    actions = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(db_default=Now())  # when it was claimed
    taken_at = models.DateTimeField(null=True)  # when a worker took it over: at most one ever does
    ended_at = models.DateTimeField(null=True)
    cpu_ms = models.PositiveIntegerField(null=True)  # processor time of its worker meanwhile
    memory_kb = models.PositiveIntegerField(null=True)  # resident memory of its worker at the end

    class Meta:
        constraints = [models.UniqueConstraint("bot", "workspace", "due_at", name="turn_once_a_due_time")]
        indexes = [BrinIndex(fields=["taken_at"], name="turn_taken", autosummarize=True)]

    def __str__(self) -> str:
        return f"Turn of {self.due_at:%d %b %Y %H:%M:%S} UTC"


class BotTask(Owned):
    """What a bot was asked to do: so many actions of a kind, on people found in one place."""

    class Status(models.TextChoices):
        """QUEUED -> RUNNING -> DONE | FAILED; RUNNING <-> WAITING (a limit); open -> PAUSED or STOPPED (the owner)."""

        QUEUED = "queued"
        RUNNING = "running"
        WAITING = "waiting"
        PAUSED = "paused"
        DONE = "done"
        FAILED = "failed"
        STOPPED = "stopped"

    OPEN = (Status.QUEUED, Status.RUNNING, Status.WAITING)

    bot = tenant_key("bots.Bot", related_name="tasks")
    kind = models.CharField(max_length=12, choices=Kind)
    source = models.CharField(max_length=16, choices=Source, default=Source.HASHTAG)  # where people are found
    value = models.CharField(max_length=100, blank=True)  # the hashtag, the account, the post
    amount = models.PositiveIntegerField()
    filters = models.JSONField(default=dict)
    options = models.JSONField(default=dict)  # of the kind: `after_days`, `keep_mutual`, `only_new`
    message = models.TextField(blank=True)  # a welcome's approved text, as it was when asked
    campaign = models.CharField(max_length=40, blank=True)  # a welcome's: nobody gets two of one campaign
    status = models.CharField(max_length=8, choices=Status, default=Status.QUEUED)
    confirmed = models.PositiveIntegerField(default=0)
    unknown = models.PositiveIntegerField(default=0)  # sent, without an answer, not looked up yet
    skipped = models.PositiveIntegerField(default=0)
    cursor = models.TextField(null=True)  # where the search goes on; "" when it has come to its end
    waits_until = models.DateTimeField(null=True)
    last_code = models.CharField(max_length=16, blank=True)
    correlation_id = models.CharField(max_length=40, blank=True)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [
            models.Index(
                fields=["workspace", "bot", "created_at"],
                name="task_open",
                condition=Q(status__in=["queued", "running", "waiting"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.amount} {self.whence}"

    @property
    def whence(self) -> str:
        """Where the people come from, in words."""
        return SAID[self.source].format(self.value)

    @property
    def reason(self) -> Code | None:
        """Why it waits or failed, or why it ended before its amount was reached."""
        tells = self.status in (self.Status.WAITING, self.Status.FAILED, self.Status.DONE)
        return codes.by_id(self.last_code) if tells and self.last_code and self.confirmed < self.amount else None


class Candidate(Owned):
    """A person a task found, what was known of them, and whether they were kept."""

    class State(models.TextChoices):
        """WAITING -> USED | SKIPPED (with the reason) | HELD (worth it, and left alone to compare with)."""

        WAITING = "waiting"
        USED = "used"
        SKIPPED = "skipped"
        HELD = "held"

    workspace = parents_workspace()
    task = tenant_key("bots.BotTask", related_name="candidates", db_index=False)
    target_pk = models.BigIntegerField()
    username = models.CharField(max_length=30)
    place = models.PositiveIntegerField()
    facts = models.JSONField(default=dict)  # what the search told; a missing key is unknown
    media_id = models.CharField(max_length=64, blank=True)  # the post that led to the person
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "task", "target_pk", name="candidate_once_a_task")]
        indexes = [
            models.Index(fields=["task", "place"], name="candidate_next", condition=Q(state="waiting")),
            models.Index(fields=["task", "place", "id"], name="candidate_of_task"),
        ]


class Action(Owned):
    """The journal: written down before it is sent, and again when its outcome is known. Each at most once."""

    class State(models.TextChoices):
        """INTENT -> CONFIRMED | REFUSED | UNKNOWN; UNKNOWN -> CONFIRMED | ABSENT (looked up, never sent again)."""

        INTENT = "intent"
        CONFIRMED = "confirmed"
        REFUSED = "refused"
        UNKNOWN = "unknown"
        ABSENT = "absent"

    workspace = parents_workspace()
    account = tenant_key("bots.InstagramAccount", related_name="actions", db_index=False)
    task = tenant_key("bots.BotTask", on_delete=models.SET_NULL, null=True, related_name="actions")
    turn = tenant_key("bots.Turn", on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    target_pk = models.BigIntegerField()
    target_username = models.CharField(max_length=30)
    # What "once" means beside kind and person: a welcome's campaign, the post of a like, the date of a story view.
    campaign = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=9, choices=State, default=State.INTENT)
    fence = models.BigIntegerField()
    error_code = models.CharField(max_length=16, blank=True, default="")
    correlation_id = models.CharField(max_length=40, blank=True, default="")
    lookups = models.PositiveSmallIntegerField(default=0)
    look_up_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("workspace", "account", "kind", "target_pk", "campaign", name="action_once")
        ]
        indexes = [
            models.Index(fields=["account", "-created_at"], name="action_recent"),
            models.Index(fields=["look_up_at"], name="action_unknown", condition=Q(look_up_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} @{self.target_username}"

    @property
    def reason(self) -> str:
        """Why this person: where the task found them; empty where the task is gone."""
        return self.task.whence if self.task else ""

    @property
    def told(self) -> str:
        """What its code says, in words."""
        known = codes.by_id(self.error_code) if self.error_code else None
        return known.what if known else ""


class ListedPerson(Owned):
    """Somebody on a list of the workspace: never unfollowed (keep), or never contacted by any bot (block)."""

    class List(models.TextChoices):
        """Which list."""

        KEEP = "keep", "Keep list"
        BLOCK = "block", "Block list"

    list = models.CharField(max_length=5, choices=List)
    username = models.CharField(max_length=30)  # in small letters
    target_pk = models.BigIntegerField(null=True)  # once known: names change, numbers do not
    note = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "list", "username", name="listed_once")]
        indexes = [models.Index(fields=["workspace", "target_pk"], name="listed_pk")]

    def __str__(self) -> str:
        return f"@{self.username} ({self.get_list_display()})"


class MessageTemplate(Owned):
    """A text for welcomes. Only an approved one is sent, and a change takes the approval away."""

    name = models.CharField(max_length=40)
    text = models.TextField(max_length=1000)
    written_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    approved_by = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    approved_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("workspace", "name", name="template_once_a_name")]

    def __str__(self) -> str:
        return self.name


class FollowBack(Owned):
    """Whether somebody follows the account, asked once some days after they were contacted, or left alone."""

    class Group(models.TextChoices):
        """Which of the two that are compared."""

        CONTACTED = "contacted"
        HELD = "held"

    account = tenant_key("bots.InstagramAccount", related_name="follow_backs")
    target_pk = models.BigIntegerField()
    group = models.CharField(max_length=9, choices=Group)
    since = models.DateTimeField(default=now)  # when they were contacted, or left alone
    follows = models.BooleanField(null=True)
    asked_at = models.DateTimeField(null=True)  # with `follows` null: the person is gone

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "account", "target_pk", name="follow_back_once")]


class AccountDay(Owned):
    """How many followed an account, and whom it followed, on one of its days."""

    account = tenant_key("bots.InstagramAccount", related_name="days")
    day = models.DateField()
    followers = models.PositiveIntegerField(null=True)
    following = models.PositiveIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "account", "day", name="account_day_once")]


class DailyLimit(models.Model):
    """The platform's limits of one kind of action. The row without a workspace is everybody's default."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey("accounts.Workspace", models.CASCADE, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    hourly = models.PositiveIntegerField()
    daily = models.PositiveIntegerField()
    weekly = models.PositiveIntegerField()

    class Meta:
        db_table = "daily_limits"
        constraints = [models.UniqueConstraint("workspace", "kind", name="daily_limit_once", nulls_distinct=False)]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {'one workspace' if self.workspace_id else 'everybody'}"


class Usage(Owned):
    """How much of a limit an account has taken, in one hour or one local day."""

    class Period(models.TextChoices):
        """An hour by the clock, or a date in the account's zone."""

        HOUR = "hour"
        DAY = "day"

    workspace = parents_workspace()
    account = tenant_key("bots.InstagramAccount", related_name="usage", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind)
    period = models.CharField(max_length=4, choices=Period)
    starts = models.DateTimeField()  # local time of the account, kept as if UTC: a bucket's name, not an instant
    used = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint("account", "workspace", "kind", "period", "starts", name="usage_once")]


class VaultCanary(models.Model):
    """One sealed sentence: a start with keys that do not open it is refused."""

    key_id = models.PositiveIntegerField(primary_key=True)
    sealed = models.BinaryField()


from bots.models_official import DataDeletion as DataDeletion  # noqa: E402  (of the same app, in a file of its own)
from bots.models_official import MetaEvent as MetaEvent  # noqa: E402
from bots.models_official import OfficialAccess as OfficialAccess  # noqa: E402
