"""What can go wrong, and what happened."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now


class ErrorCode(models.Model):
    """One row per registered code, filled from `errors.codes` at migrate."""

    code = models.CharField(max_length=16, primary_key=True)
    name = models.CharField(max_length=64, unique=True)
    module = models.CharField(max_length=4)
    severity = models.CharField(max_length=1)
    description = models.TextField()
    recommended_action = models.TextField()
    reaction = models.CharField(max_length=16)
    file_path = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "error_codes"

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class ActivityLog(models.Model):
    """What happened, row by row. Partitioned by month and append-only: the app's role may not change or delete a row.

    People and things are named by id without foreign keys, so that the log outlives them. `id` alone is unique, by its
    sequence; the key of the table is (id, at) because PostgreSQL wants the partition's column in it.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    workspace_id = models.UUIDField(null=True)
    user_id = models.UUIDField(null=True)
    account_id = models.UUIDField(null=True)
    action = models.CharField(max_length=40)
    status = models.CharField(max_length=12)
    error_code = models.CharField(max_length=16, blank=True, default="")
    error_message = models.TextField(blank=True, default="")
    correlation_id = models.CharField(max_length=40, blank=True, default="")
    metadata = models.JSONField(default=dict)

    class Meta:
        db_table = "activity_logs"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.action}: {self.status}"


class ErrorGroup(models.Model):
    """The same error from the same place, however often: what operators look through. It names nobody.

    The counts are for orientation: an error whose transaction was undone elsewhere may be missing in them.
    """

    fingerprint = models.CharField(max_length=16, primary_key=True)
    code = models.CharField(max_length=16)
    severity = models.CharField(max_length=1)
    exception = models.CharField(max_length=80, blank=True)
    file = models.CharField(max_length=200, blank=True)
    function = models.CharField(max_length=120, blank=True)
    line = models.PositiveIntegerField(default=0)  # of the last time
    action = models.CharField(max_length=40)
    times = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField(db_default=Now(), editable=False)
    last_at = models.DateTimeField(db_default=Now())
    last_correlation = models.CharField(max_length=40, blank=True)
    handled_at = models.DateTimeField(null=True)  # somebody looked at it; the next time opens it again

    class Meta:
        db_table = "error_groups"
        ordering = ["-last_at"]
        indexes = [
            models.Index(fields=["-last_at"], name="error_group_recent"),
            models.Index(fields=["code", "-last_at"], name="error_group_of_code"),
        ]

    def __str__(self) -> str:
        return f"{self.code} in {self.file or 'a library'}"

    @property
    def is_unforeseen(self) -> bool:
        """Whether nobody registered it: its number was generated."""
        return self.code[-4] == "9"


class StoryStep(models.Model):
    """A step of a story that has no row elsewhere: a request, a task, a call outside. It names nobody; see `steps`."""

    at = models.DateTimeField()
    correlation_id = models.CharField(max_length=40)
    kind = models.CharField(max_length=8)  # request, task or call
    name = models.CharField(max_length=200)
    outcome = models.CharField(max_length=40)  # a status, a state, or the kind of a failure
    code = models.CharField(max_length=16, blank=True)
    milliseconds = models.PositiveIntegerField(default=0)
    attempt = models.PositiveSmallIntegerField(default=1)

    class Meta:
        db_table = "story_steps"
        ordering = ["id"]
        indexes = [
            models.Index(fields=["correlation_id", "id"], name="step_of_story"),
            BrinIndex(fields=["at"], pages_per_range=32, name="step_at"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.outcome}"
