"""What programs send to the doors of A/B tests and get back."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import Done
from accounts.api_contract import PageQuery
from content import experiments
from content.models import Experiment


class ExperimentQuery(PageQuery):
    """Which tests."""

    account = serializers.CharField(max_length=64, required=False)
    status = serializers.ChoiceField(choices=Experiment.Status.choices, required=False)


class ExperimentForm(serializers.Serializer):
    """A test that is not started yet."""

    account = serializers.CharField(max_length=64, help_text="Username or id.")
    subject = serializers.ChoiceField(choices=Experiment.Subject.choices)
    name = serializers.CharField(max_length=80)
    a = serializers.CharField(
        max_length=2200, allow_blank=True, help_text="The text, the hashtags or the time; of `dm` a template's name."
    )
    b = serializers.CharField(max_length=2200, allow_blank=True)
    difference = serializers.FloatField(
        help_text="The smallest difference to find. Posts: 0.2, 0.3, 0.5 or 1 of the usual rate; `dm`: 0.05 to 0.3 of"
        " the people, in steps of the page."
    )


class DrawForm(serializers.Serializer):
    """Drafts of the account."""

    posts = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=50)


class ArmsShape(serializers.Serializer):
    """A number for each arm."""

    a = serializers.IntegerField(source="A")
    b = serializers.IntegerField(source="B")


class ProgressShape(serializers.Serializer):
    """How far a test is; no outcome is in it."""

    each = serializers.IntegerField(help_text="Known outcomes that each arm needs.")
    drawn = ArmsShape()
    known = ArmsShape()
    missing = ArmsShape(help_text="Nothing will ever be known of these.")
    awaited = serializers.IntegerField()


class VerdictShape(serializers.Serializer):
    """What can be said, with 95 % confidence."""

    winner = serializers.CharField(allow_blank=True, help_text="A, B, or empty where no difference was found.")
    a = serializers.FloatField()
    b = serializers.FloatField()
    effect = serializers.FloatField(help_text="B less A.")
    low = serializers.FloatField()
    high = serializers.FloatField()
    says = serializers.CharField()


class ExperimentShape(serializers.ModelSerializer):
    """A test, how far it is, and its verdict once it is decided."""

    account = serializers.CharField(source="account.username", read_only=True)
    progress = serializers.SerializerMethodField()
    verdict = serializers.SerializerMethodField(help_text="null until the test is decided: not enough data yet.")

    class Meta:
        model = Experiment
        fields = [
            *("id", "account", "subject", "name", "a", "b", "units_each", "status", "progress", "verdict"),
            *("created_at", "started_at", "ended_at"),
        ]

    @extend_schema_field(ProgressShape)
    def get_progress(self, test: Experiment) -> dict[str, Any]:
        """Give how far it is."""
        return ProgressShape(experiments.progress(test)).data

    @extend_schema_field(VerdictShape(allow_null=True))
    def get_verdict(self, test: Experiment) -> dict[str, Any] | None:
        """Give the verdict."""
        return VerdictShape(test.verdict).data if test.status == Experiment.Status.DECIDED else None


class ExperimentDone(Done):
    """The test as it is now."""

    experiment = ExperimentShape()
