"""The nouns of the inbox: what people say to an account, what we answer, and what answers by itself."""

from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from bots.models import Owned, tenant_key
from errors import codes
from errors.codes import Code


class Talk(Owned):
    """What one person says to an account: a conversation by messages, or a comment with its replies."""

    class Kind(models.TextChoices):
        """By which way."""

        COMMENT = "comment", "Comment"
        MESSAGE = "message", "Message"

    account = tenant_key("bots.InstagramAccount", related_name="talks")
    kind = models.CharField(max_length=7, choices=Kind)
    root = models.CharField(max_length=64)  # Meta's id of the comment, or of the person
    person = models.CharField(max_length=32, blank=True)  # Meta's id of the person
    username = models.CharField(max_length=64, blank=True)
    media_id = models.CharField(max_length=64, blank=True)  # of the post that was commented on
    last_text = models.CharField(max_length=200, blank=True)
    last_at = models.DateTimeField()
    theirs_at = models.DateTimeField(null=True)  # when the person last said something: the windows begin there
    is_done = models.BooleanField(default=False)
    assigned = models.ForeignKey("accounts.User", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", "account", "kind", "root", name="talk_once")]
        indexes = [models.Index(fields=["workspace", "is_done", "-last_at"], name="talk_recent")]

    def __str__(self) -> str:
        return f"@{self.username}" if self.username else f"Person {self.person[-4:]}"


class ReplyRule(Owned):
    """Words, and the answer that whoever says them gets, once in a talk each."""

    class How(models.TextChoices):
        """Which way the answer takes."""

        SAME = "same", "Where it was said"
        PRIVATE = "private", "By a private message"

    words = models.CharField(max_length=60)  # in small letters; all of them must be said, each as a whole word
    on = models.CharField(max_length=7, choices=Talk.Kind)
    how = models.CharField(max_length=7, choices=How, default=How.SAME)
    text = models.TextField(max_length=900)
    is_active = models.BooleanField(default=True)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["created_at"]
        constraints = [models.UniqueConstraint("workspace", "on", "words", name="rule_once_a_word")]

    def __str__(self) -> str:
        return f"“{self.words}”"


class SavedReply(Owned):
    """A text to answer with, kept for the whole team."""

    name = models.CharField(max_length=40)
    text = models.TextField(max_length=900)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint("workspace", "name", name="saved_reply_once_a_name")]

    def __str__(self) -> str:
        return self.name


class TalkLine(Owned):
    """One thing that was said in a talk; ours are the journal: written down before they are sent, sent at most once."""

    class State(models.TextChoices):
        """RECEIVED; ours: QUEUED -> INTENT -> CONFIRMED | REFUSED | UNKNOWN; UNKNOWN -> CONFIRMED by reading."""

        RECEIVED = "received"
        QUEUED = "queued"
        INTENT = "intent"
        CONFIRMED = "confirmed"
        REFUSED = "refused"
        UNKNOWN = "unknown"

    talk = tenant_key("content.Talk", related_name="lines")
    remote_id = models.CharField(max_length=255, null=True)  # Meta's; null until a line of ours has arrived
    is_ours = models.BooleanField(default=False)
    is_private = models.BooleanField(default=False)  # a private reply to a comment
    person = models.CharField(max_length=32, blank=True)  # Meta's id of who said it; of ours, whom it answers
    username = models.CharField(max_length=64, blank=True)
    answers = tenant_key("content.TalkLine", models.SET_NULL, null=True, related_name="+")  # which line ours is about
    answered_privately = models.BooleanField(default=False)  # a comment: Meta allows one private reply to each
    text = models.TextField(blank=True)
    at = models.DateTimeField(default=now)
    state = models.CharField(max_length=9, choices=State, default=State.RECEIVED)
    error_code = models.CharField(max_length=16, blank=True)
    rule = tenant_key("content.ReplyRule", models.SET_NULL, null=True, related_name="+")
    by = models.UUIDField(null=True)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint("workspace", "talk", "remote_id", name="line_once"),
            models.UniqueConstraint("workspace", "talk", "rule", "person", name="rule_once_a_person"),
        ]
        indexes = [
            models.Index(fields=["at"], name="line_open", condition=Q(state__in=["queued", "intent", "unknown"])),
        ]

    @property
    def who(self) -> str:
        """Who said it, or whom ours is for."""
        return f"@{self.username}" if self.username else "somebody"

    @property
    def reason(self) -> Code | None:
        """Why it was refused, or is not known."""
        return codes.by_id(self.error_code) if self.error_code else None
