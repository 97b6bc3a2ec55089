"""What programs send to the doors of the content tools and get back."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import Done
from accounts.api_contract import PageQuery
from content import pace
from content.models import Audit, Competitor, CompetitorDay, GrowthPlan, Piece, PlannedPost, Run
from content.studio import FEATURES, LONGEST_ABOUT
from content.studio_forms import LENGTHS, TONES

WHOSE = "Username or id."


class AskForm(serializers.Serializer):
    """What every question has."""

    account = serializers.CharField(max_length=64, help_text=WHOSE)
    key = serializers.CharField(
        max_length=64, default="", help_text="A name of your own for this question: the same again asks once."
    )


class AuditForm(AskForm):
    """Whose account is reviewed."""


class IdeasForm(AskForm):
    """What is to be written."""

    account = serializers.CharField(max_length=64, default="", help_text=WHOSE)
    feature = serializers.ChoiceField(choices=[(one.value, one.label) for one in FEATURES], default="ideas")
    about = serializers.CharField(max_length=LONGEST_ABOUT)
    tone = serializers.ChoiceField(choices=TONES, default="ours")
    length = serializers.ChoiceField(choices=LENGTHS, default="medium")
    language = serializers.CharField(max_length=30, default="", help_text="Empty: as the account writes.")


class PlanForm(AskForm):
    """What a plan is for, and how much somebody can do for it."""

    days = serializers.ChoiceField(choices=[7, 30], default=30)
    aim = serializers.ChoiceField(choices=list(pace.AIMS.items()), default="followers")
    goal = serializers.CharField(max_length=200)
    niche = serializers.CharField(max_length=120)
    posts_a_week = serializers.IntegerField(min_value=1, max_value=7, default=3)
    minutes = serializers.IntegerField(min_value=5, max_value=120, default=20, help_text="A day, for routines.")
    language = serializers.CharField(max_length=30, default="")


class MessagesForm(AskForm):
    """What welcomes should say."""

    account = serializers.CharField(max_length=64, default="", help_text=WHOSE)
    about = serializers.CharField(max_length=LONGEST_ABOUT)
    tone = serializers.ChoiceField(choices=["warm", "plain", "playful", "formal"], default="warm")
    language = serializers.CharField(max_length=30, default="")


class PieceShape(serializers.ModelSerializer):
    """One thing written."""

    kind = serializers.CharField(help_text="The feature it was written by.")

    class Meta:
        model = Piece
        fields = ["id", "kind", "title", "text", "hashtags", "first_comment", "favourite", "post", "created_at"]


class AuditShape(serializers.ModelSerializer):
    """An audit: our figures and scores, the model's words."""

    facts = serializers.DictField(help_text="Measured by us; null is unknown.")
    scores = serializers.ListField(child=serializers.DictField())
    findings = serializers.DictField(help_text="The model's.")

    class Meta:
        model = Audit
        fields = ["id", "door", "facts", "scores", "findings", "read_at"]


class PlannedShape(serializers.ModelSerializer):
    """One post of a plan."""

    class Meta:
        model = PlannedPost
        fields = ["id", "day", "at", "kind", "title", "caption", "post"]


class PlanShape(serializers.ModelSerializer):
    """A growth plan."""

    posts = PlannedShape(many=True)
    routines = serializers.ListField(child=serializers.DictField())
    limits = serializers.DictField(child=serializers.IntegerField(), help_text="Proposed for the bot, most a day.")

    class Meta:
        model = GrowthPlan
        fields = [
            *("id", "goal", "niche", "starts_on", "days", "status", "summary", "routines", "limits", "hours_from"),
            "posts",
        ]


class RunShape(serializers.ModelSerializer):
    """A question to the model and what came of it: pieces, an audit or a plan, by its feature."""

    feature = serializers.CharField()
    account = serializers.CharField(source="account.username", allow_null=True, default=None)
    error_code = serializers.CharField(help_text="Why it failed; empty else.")
    pieces = PieceShape(many=True)
    audit = serializers.SerializerMethodField()
    plan = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = [
            *("id", "feature", "account", "status", "error_code", "model", "prompt_version", "created_at", "ended_at"),
            *("pieces", "audit", "plan"),
        ]

    @extend_schema_field(AuditShape(allow_null=True))
    def get_audit(self, run: Run) -> Any:
        """Give the audit it made."""
        made = run.audits.first()
        return made and AuditShape(made).data

    @extend_schema_field(PlanShape(allow_null=True))
    def get_plan(self, run: Run) -> Any:
        """Give the plan it made."""
        made = run.plans.first()
        return made and PlanShape(made).data


class Asked(Done):
    """A run that waits for a worker."""

    run = RunShape()


class Accepted(Done):
    """A plan that is in the calendar."""

    posts = serializers.IntegerField(help_text="How many drafts it has there.")


class CompetitorQuery(PageQuery):
    """Through which account."""

    account = serializers.CharField(max_length=64, required=False, help_text=WHOSE)


class CompetitorForm(serializers.Serializer):
    """Whom to watch."""

    account = serializers.CharField(max_length=64, help_text="Of yours, through which it is read.")
    username = serializers.CharField(max_length=60)


class CompetitorDayShape(serializers.ModelSerializer):
    """What one day showed."""

    class Meta:
        model = CompetitorDay
        fields = ["day", "followers", "door", "read_at"]


class CompetitorShape(serializers.ModelSerializer):
    """Somebody who is watched, with the last day's figures."""

    account = serializers.CharField(source="account.username")
    figures = serializers.SerializerMethodField()
    days = serializers.SerializerMethodField()

    class Meta:
        model = Competitor
        fields = ["id", "account", "username", "full_name", "looked_at", "error_code", "figures", "days", "created_at"]

    def get_figures(self, one: Competitor) -> dict[str, Any]:
        """Give the newest figures, as measured; an empty object before the first look."""
        days = list(one.days.all())
        return dict(days[-1].facts) if days else {}

    @extend_schema_field(CompetitorDayShape(many=True))
    def get_days(self, one: Competitor) -> Any:
        """Give the last 90 days that were looked at."""
        return CompetitorDayShape(list(one.days.all())[-90:], many=True).data


class CompetitorDone(Done):
    """Whom you watch now."""

    competitor = CompetitorShape()
