"""What the control room keeps for itself. None of it belongs to a workspace."""

from django.db import models
from django.utils.timezone import now

from accounts.models import User


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


class StaffMember(User):  # type: ignore[django-manager-missing]  # as User
    """The same people as users, as the page of staff shows them."""

    class Meta:
        proxy = True
        verbose_name = "staff"
        verbose_name_plural = "staff"
