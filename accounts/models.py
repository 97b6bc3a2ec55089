"""People, workspaces, and who belongs where."""

import secrets
import uuid
import zoneinfo
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower
from django.utils.timezone import now
from knox.models import AbstractAuthToken

ACCESS_CODE_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no I, O, 0, 1: a code is read aloud and typed


def new_access_code() -> str:
    """A fresh access code of 20 letters: 100 bits, above the 80 that RELIABILITY row 4 asks for."""
    return "".join(secrets.choice(ACCESS_CODE_LETTERS) for _ in range(20))


def known_timezone(name: str) -> None:
    """Refuse a name that is not an IANA time zone."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name} is not a time zone we know. Use a name such as Europe/Oslo.")


class UserManager(BaseUserManager["User"]):
    """Makes people."""

    def get_by_natural_key(self, login: str | None) -> "User":
        """The person with this e-mail or access code."""
        return self.get(models.Q(email__iexact=login) | models.Q(access_code=(login or "").upper()))

    def make(
        self, *, email: str | None = None, access_code: str | None = None, password: str, **fields: object
    ) -> "User":
        """A new person. Without an e-mail an access code is made where none is given."""
        email = (email or "").strip().lower() or None
        access_code = (access_code or "").strip().upper() or (None if email else new_access_code())
        user = self.model(email=email, access_code=access_code, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # knox's abstract token
    """A person, who signs in with an e-mail or an access code."""

    class Role(models.TextChoices):
        """What kind of person: a member, or staff (what staff may do comes from groups)."""

        USER = "user"
        ADMIN = "admin"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(null=True, blank=True)
    access_code = models.CharField(max_length=64, null=True, blank=True)
    name = models.CharField(max_length=120, blank=True)
    role = models.CharField(max_length=8, choices=Role, default=Role.USER)
    timezone = models.CharField(max_length=64, default="UTC", validators=[known_timezone])
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=False)
    password_expires_at = models.DateTimeField(null=True, blank=True)  # only a one-time password has an end
    session_generation = models.PositiveIntegerField(default=0)  # raised by "sign out everywhere"
    delete_at = models.DateTimeField(null=True, blank=True)  # when the person asked to be forgotten, and may still undo
    created_at = models.DateTimeField(default=now, editable=False)

    USERNAME_FIELD = "id"
    EMAIL_FIELD = "email"
    objects = UserManager()

    class Meta:
        db_table = "users"
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique", condition=models.Q(email__isnull=False)),
            models.UniqueConstraint(
                "access_code", name="user_access_code_unique", condition=models.Q(access_code__isnull=False)
            ),
            models.CheckConstraint(
                name="user_can_sign_in", condition=models.Q(email__isnull=False) | models.Q(access_code__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or f"Member {str(self.pk)[:8]}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep an address that was taken away as none: an empty one would be a second person's too."""
        self.email = self.email or None
        super().save(*args, **kwargs)

    @property
    def is_staff(self) -> bool:
        """Staff reach the control room and nothing of the members' side."""
        return self.role == self.Role.ADMIN

    @property
    def google_id(self) -> str | None:
        """Google's own number for this person, where Google is linked. Costs a query."""
        from allauth.socialaccount.models import SocialAccount

        uid: str | None = (
            SocialAccount.objects.filter(user=self, provider="google").values_list("uid", flat=True).first()
        )
        return uid

    @property
    def is_two_factor_enabled(self) -> bool:
        """Whether signing in asks for an authenticator app or a passkey after the password. Costs a query."""
        from allauth.mfa.models import Authenticator

        return Authenticator.objects.filter(user=self, type__in=("totp", "webauthn")).exists()

    def get_session_auth_hash(self) -> str:
        """Changes with the password, the role and "sign out everywhere": other sessions die on their next request."""
        return f"{super().get_session_auth_hash()}:{self.session_generation}:{self.role}"


class Workspace(models.Model):
    """The tenant: plans, Instagram accounts, bots and content belong to it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    timezone = models.CharField(max_length=64, default="UTC", validators=[known_timezone])
    wants_approval = models.BooleanField(default=False)  # managers propose, owners approve
    # White label: counts where the plan has it.
    accent = models.CharField(max_length=7, blank=True)  # #rrggbb
    reply_to = models.EmailField(blank=True)
    logo_at = models.DateTimeField(null=True, blank=True)  # which logo: the picture itself is in Logo
    delete_at = models.DateTimeField(null=True, blank=True)  # when an owner asked to delete it, and may still undo
    created_at = models.DateTimeField(default=now, editable=False)

    def __str__(self) -> str:
        return self.name


class Logo(models.Model):
    """The picture of a workspace, as we drew it anew: a PNG."""

    workspace = models.OneToOneField(Workspace, models.CASCADE, primary_key=True)
    png = models.BinaryField()


class Membership(models.Model):
    """A person's place in a workspace."""

    class Role(models.TextChoices):
        """Owners decide, managers work, viewers look."""

        OWNER = "owner"
        MANAGER = "manager"
        VIEWER = "viewer"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role, default=Role.OWNER)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.workspace}"


def in_72_hours() -> datetime:
    """When an invitation that is sent now ends."""
    return now() + timedelta(hours=72)


class Invitation(models.Model):
    """A place in a workspace that waits for the owner of an e-mail address. Only a hash of its link is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=8, choices=Membership.Role, default=Membership.Role.VIEWER)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField(default=in_72_hours)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint("workspace", Lower("email"), name="invitation_once_an_address")]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"


class Proposal(models.Model):
    """What a manager proposed where the workspace wants an owner's approval first: a deed and what it needs."""

    class State(models.TextChoices):
        """Moves: WAITING -> APPROVED | REFUSED (an owner) | WITHDRAWN (whoever proposed it)."""

        WAITING = "waiting"
        APPROVED = "approved"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="proposals")
    deed = models.CharField(max_length=40)  # a name known to accounts.approvals
    summary = models.CharField(max_length=200)
    facts = models.JSONField(default=dict)
    proposed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["workspace", "created_at"], name="proposal_waiting", condition=models.Q(state="waiting")
            )
        ]

    def __str__(self) -> str:
        return self.summary


class ApiToken(AbstractAuthToken):
    """A bearer token, kept as a hash. A staff token opens only the admin API, a member's only the rest."""

    class Realm(models.TextChoices):
        """Which side of the house it opens."""

        USER = "user"
        ADMIN = "admin"

    name = models.CharField(max_length=80, blank=True)
    realm = models.CharField(max_length=8, choices=Realm, default=Realm.USER)
    scopes = models.JSONField(default=list, blank=True)  # empty: all that its person may do
    last_used_at = models.DateTimeField(null=True, blank=True)

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.expiry is not None and self.expiry <= now()


class Device(models.Model):
    """A kind of browser that a person has signed in with: one they never used before is told by mail."""

    user = models.ForeignKey(User, models.CASCADE, related_name="devices")
    words = models.CharField(max_length=80)  # Firefox on Linux
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "words"], name="device_once")]

    def __str__(self) -> str:
        return self.words


class StaffDevice(models.Model):
    """The authenticator of a staff person. Its secret is sealed; a code works once because `last_step` is kept here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.OneToOneField(User, models.CASCADE, related_name="staff_device")
    sealed_secret = models.BinaryField()
    last_step = models.BigIntegerField(default=-1)
    created_at = models.DateTimeField(default=now, editable=False)

    def __str__(self) -> str:
        return f"Authenticator of {self.user}"


class Mail(models.Model):
    """A mail on its way: written with the deed it tells of, sent after it, its words sealed and gone once it left."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    to = models.CharField(max_length=320)
    subject = models.CharField(max_length=200)
    sealed = models.BinaryField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=now)
    sent_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)  # given up
    last_error = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], name="mail_due", condition=models.Q(sent_at__isnull=True, failed_at__isnull=True)
            ),
            models.Index(fields=["created_at"], name="mail_recent"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} to {self.to}"


class Export(models.Model):
    """A person's archive of their data, made in the background; the file is gone after its week."""

    class State(models.TextChoices):
        """QUEUED -> RUNNING -> DONE | FAILED."""

        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="exports")
    state = models.CharField(max_length=7, choices=State, default=State.QUEUED)
    done = models.PositiveIntegerField(default=0)  # tables written ...
    total = models.PositiveIntegerField(default=0)  # ... of so many
    file = models.CharField(max_length=200, blank=True)  # its name in the private storage
    size = models.PositiveBigIntegerField(default=0)  # bytes
    created_at = models.DateTimeField(default=now, editable=False)
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"Archive of {self.user_id}"


class NoticeKind(models.TextChoices):
    """What a notification is about: what people choose by."""

    ACCOUNTS = "accounts", "Instagram accounts"
    TASKS = "tasks", "Tasks and posts that ended"
    TEAM = "team", "Your team"
    BILLING = "billing", "Plan and payments"
    NEWS = "news", "News about InstaGrowth OS"


class Notification(models.Model):
    """One piece of news for one person in one workspace, and the ways on which it still has to go."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=NoticeKind)
    tone = models.CharField(max_length=4, default="info")  # ok, info, warn or bad
    title = models.CharField(max_length=120)
    body = models.CharField(max_length=500, blank=True)
    path = models.CharField(max_length=200, blank=True)  # a page of ours
    code = models.CharField(max_length=16, blank=True)
    about = models.CharField(max_length=80, blank=True)  # the same again while unread is counted, not repeated
    times = models.PositiveIntegerField(default=1)
    in_app = models.BooleanField(default=True)
    mail_waits = models.BooleanField(default=False)
    hook_due_at = models.DateTimeField(null=True)  # when it is posted (again); null: not, or not any more
    hook_tries = models.PositiveSmallIntegerField(default=0)
    read_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "user", "-id"], name="notification_list"),
            models.Index(
                fields=["workspace", "user"],
                condition=models.Q(read_at__isnull=True, in_app=True),
                name="notification_unread",
            ),
            models.Index(fields=["id"], condition=models.Q(mail_waits=True), name="notification_mail"),
            models.Index(
                fields=["hook_due_at"], condition=models.Q(hook_due_at__isnull=False), name="notification_hook"
            ),
            models.Index(fields=["created_at"], name="notification_age"),
        ]

    def __str__(self) -> str:
        return self.title


class Announcement(models.Model):
    """A word of the operators' to members, as a banner over their pages for a while."""

    class Tone(models.TextChoices):
        """How it looks."""

        INFO = "info", "News"
        WARN = "warn", "Take care"
        BAD = "bad", "Trouble"

    title = models.CharField(max_length=120)
    body = models.CharField(max_length=500, blank=True)
    path = models.CharField(max_length=200, blank=True)  # a page of ours to read on
    tone = models.CharField(max_length=4, choices=Tone, default=Tone.INFO)
    plans = ArrayField(models.CharField(max_length=40), default=list, blank=True)  # keys; empty is all
    roles = ArrayField(models.CharField(max_length=10), default=list, blank=True)  # in the workspace; empty is all
    starts_at = models.DateTimeField(default=now)
    ends_at = models.DateTimeField(null=True, blank=True)
    may_put_away = models.BooleanField(default=True)
    rang_at = models.DateTimeField(null=True, editable=False)  # when everybody's bell was rung too
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["ends_at"], name="announcement_open")]

    def __str__(self) -> str:
        return self.title


class NoticeChoice(models.Model):
    """How one person wants to hear of one workspace. Without a row: in the product, and nothing else."""

    class Digest(models.TextChoices):
        """How often what happened is gathered into one mail."""

        OFF = "off", "Never"
        HOURLY = "hourly", "Once an hour"
        DAILY = "daily", "Once a day, from 8:00 on"

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    user = models.ForeignKey(User, models.CASCADE, related_name="+")
    muted = models.JSONField(default=list)  # kinds that do not show in the product
    mailed = models.JSONField(default=list)  # kinds that the digest gathers
    hooked = models.JSONField(default=list)  # kinds that are posted to the webhook
    digest = models.CharField(max_length=6, choices=Digest, default=Digest.OFF)
    digest_at = models.DateTimeField(null=True)  # the last one
    quiet_from = models.TimeField(null=True, blank=True)  # in the person's time zone
    quiet_to = models.TimeField(null=True, blank=True)
    sealed_hook = models.BinaryField(null=True)  # {"url": …, "secret": …}

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "user"], name="notice_choice_once")]

    def __str__(self) -> str:
        return f"How {self.user_id} hears of {self.workspace_id}"
