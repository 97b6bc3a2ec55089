"""What browsers were told."""

from django.db import models
from django.db.models.functions import Now


class LiveEvent(models.Model):
    """One event, in order, so that a browser can ask for what it missed. Without a workspace it is for staff."""

    id = models.BigAutoField(primary_key=True)
    workspace_id = models.UUIDField(null=True)
    name = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["workspace_id", "id"], name="live_event_since"),
            models.Index(fields=["at"], name="live_event_age"),
        ]
