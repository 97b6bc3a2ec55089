"""What browsers were told."""

from django.db import models
from django.db.models.functions import Cast, Now

# The number of the transaction that writes the row.
TRANSACTION = Cast(Cast(models.Func(function="pg_current_xact_id"), models.TextField()), models.BigIntegerField())


class LiveEvent(models.Model):
    """One event, so that a browser can ask for what it missed. Without a workspace it is for staff.

    `id` tells events apart and roughly orders them, but a lower one may be committed after a higher one. What a browser
    has surely seen is told by `xact`: see `live.latest`.
    """

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.UUIDField(null=True)
    name = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    xact = models.BigIntegerField(db_default=TRANSACTION, editable=False)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "xact"], name="live_event_missed"),
            models.Index(fields=["at"], name="live_event_age"),
        ]
