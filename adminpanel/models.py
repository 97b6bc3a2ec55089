"""What the control room keeps for itself. None of it belongs to a workspace."""

from uuid import uuid4

from django.db import models
from django.utils.timezone import now

from accounts.models import User
from instagrowth import system


class AllowedNetwork(models.Model):
    """One network from which the control room may be reached, beside those of the environment."""

    network = models.CharField(max_length=49, unique=True)  # as `ipaddress` writes it
    note = models.CharField(max_length=120, blank=True)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["network"]
        verbose_name = "allowed network"

    def __str__(self) -> str:
        return self.network


class AdminLog(models.Model):
    """One deed of staff. Append-only; `hash` seals the row and, through `previous`, all before it."""

    id = models.BigAutoField(primary_key=True)
    admin_id = models.UUIDField(null=True)  # without a key: the log outlives people
    admin = models.CharField(max_length=120, blank=True)
    action = models.CharField(max_length=80)
    target_type = models.CharField(max_length=60, blank=True)
    target_id = models.CharField(max_length=64, blank=True)
    target = models.CharField(max_length=200, blank=True)
    changes = models.JSONField(default=dict)  # field -> [before, after]
    reason = models.CharField(max_length=500, blank=True)
    address = models.GenericIPAddressField(null=True)
    correlation_id = models.CharField(max_length=40, blank=True)
    door = models.CharField(max_length=12, default="page")  # page, api or manage.py
    created_at = models.DateTimeField()
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        db_table = "admin_logs"
        ordering = ["-id"]
        verbose_name = "admin log entry"
        verbose_name_plural = "admin log"
        indexes = [
            models.Index(fields=["target_type", "target_id", "-id"], name="admin_log_of_target"),
            models.Index(fields=["admin_id", "-id"], name="admin_log_of_admin"),
            models.Index(fields=["action", "-id"], name="admin_log_of_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.target}".strip()


class Visit(models.Model):
    """A staff person looks at the product as a member. Ids without keys: it outlives people."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    admin_id = models.UUIDField(db_index=True)
    member_id = models.UUIDField()
    home_id = models.UUIDField()  # the workspace in which they look
    reason = models.CharField(max_length=500)
    session_key = models.CharField(max_length=40)
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["until"], condition=models.Q(ended_at=None), name="visit_open")]


class StaffMember(User):  # type: ignore[django-manager-missing]  # as User
    """The same people as users, as the page of staff shows them."""

    class Meta:
        proxy = True
        verbose_name = "staff"
        verbose_name_plural = "staff"


class BulkJob(models.Model):
    """A deed to all rows of a list that match its filters, done by a worker batch by batch, each row at most once."""

    class Status(models.TextChoices):
        """RUNNING -> DONE | STOPPED (by a person) | REFUSED (who asked may not any more)."""

        RUNNING = "running"
        DONE = "done"
        STOPPED = "stopped"
        REFUSED = "refused"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    page = models.CharField(max_length=30)  # as in the table of roles
    model = models.CharField(max_length=60)  # `accounts.user`
    deed = models.CharField(max_length=30)
    filters = models.CharField(max_length=2000, blank=True)  # the list's query string
    given = models.JSONField(default=dict)  # what the form asked, the reason among it
    status = models.CharField(max_length=10, choices=Status, default=Status.RUNNING)
    total = models.PositiveIntegerField()  # rows that matched when it was asked
    done = models.PositiveIntegerField(default=0)
    passed = models.PositiveIntegerField(default=0)  # rows it did not fit
    refused = models.PositiveIntegerField(default=0)  # rows whose deed was refused
    last_code = models.CharField(max_length=16, blank=True)
    cursor = models.CharField(max_length=64, blank=True)  # the last row that was taken, in the order of keys
    correlation_id = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)
    worked_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "id"]
        verbose_name = "bulk job"
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="bulk_job_newest"),
            models.Index(fields=["worked_at"], name="bulk_job_open", condition=models.Q(status="running")),
        ]

    def __str__(self) -> str:
        return f"{self.deed.replace('_', ' ')} on {self.page.replace('_', ' ')}"

    @property
    def taken(self) -> int:
        """Rows that were looked at so far."""
        return self.done + self.passed + self.refused

    @property
    def percent(self) -> int:
        """How far it is, of a hundred."""
        return 100 if self.status == self.Status.DONE else min(99, 100 * self.taken // max(1, self.total))


class SavedView(models.Model):
    """Filters, order and search of a list under a name: a person's own, or shared with all staff who see the page."""

    owner = models.ForeignKey(User, models.CASCADE, related_name="+")
    page = models.CharField(max_length=30)  # as in the table of roles
    name = models.CharField(max_length=40)
    query = models.CharField(max_length=1000)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint("owner", "page", "name", name="saved_view_once_a_name")]
        indexes = [models.Index(fields=["page", "name"], name="saved_view_of_page")]

    def __str__(self) -> str:
        return self.name


class SystemSetting(models.Model):
    """What staff set one of `instagrowth.system.ALL` to; without a value its default counts."""

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=60, unique=True, editable=False)
    value = models.JSONField(null=True)
    changed_by = models.CharField(max_length=120, blank=True, editable=False)
    changed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        db_table = "system_settings"
        ordering = ["key"]
        verbose_name = "system setting"

    def __str__(self) -> str:
        known = system.ALL.get(self.key)
        return known.title if known else self.key
