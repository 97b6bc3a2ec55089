"""What can go wrong, and what happened."""

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
