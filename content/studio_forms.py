"""Forms of the content tools' pages."""

from typing import Any

from django import forms

from accounts.models import Workspace
from bots.models import InstagramAccount, Kind
from bots.tuning import MOST_A_DAY
from content import pace
from content.models import Feature, PlannedPost
from content.studio import LONGEST_ABOUT

LANGUAGES = [
    ("", "As the account writes"), ("English", "English"), ("Norwegian", "Norwegian"), ("German", "German"),
    ("French", "French"), ("Spanish", "Spanish"), ("Italian", "Italian"), ("Portuguese", "Portuguese"),
    ("Dutch", "Dutch"), ("Polish", "Polish"), ("Turkish", "Turkish"), ("Arabic", "Arabic"), ("Hebrew", "Hebrew"),
    ("Japanese", "Japanese"),
]  # fmt: skip
WRITES = [
    (Feature.CAPTIONS.value, "Captions"), (Feature.IDEAS.value, "Ideas"), (Feature.HASHTAGS.value, "Hashtags"),
    (Feature.SCRIPT.value, "Reel scripts"), (Feature.CAROUSEL.value, "A carousel"),
    (Feature.ALT_TEXT.value, "Alt text"), (Feature.BIO.value, "A bio"),
]  # fmt: skip
TONES = [("ours", "Ours"), ("plain", "Plain"), ("playful", "Playful")]
LENGTHS = [("short", "Short"), ("medium", "Medium"), ("long", "Long")]


class AccountForm(forms.Form):
    """Names one of the workspace's accounts."""

    account = forms.ModelChoiceField(InstagramAccount.objects.none(), to_field_name="username", label="For")

    def __init__(self, workspace: Workspace, *args: Any, **kwargs: Any) -> None:
        """Offer the accounts of this workspace."""
        super().__init__(*args, **kwargs)
        self.fields["account"].queryset = InstagramAccount.objects.filter(workspace=workspace)  # type: ignore[attr-defined]


class BriefForm(AccountForm):
    """What is to be written."""

    feature = forms.ChoiceField(choices=WRITES, label="Write")
    about = forms.CharField(
        max_length=LONGEST_ABOUT,
        label="About",
        widget=forms.Textarea({"rows": 4}),
        help_text=f"What happened, for whom, what must be in it. Up to {LONGEST_ABOUT} letters.",
    )
    tone = forms.ChoiceField(choices=TONES, required=False, label="Voice", initial="ours")
    length = forms.ChoiceField(choices=LENGTHS, required=False, label="Length", initial="medium")
    language = forms.ChoiceField(choices=LANGUAGES, required=False, label="Language")
    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, workspace: Workspace, *args: Any, **kwargs: Any) -> None:
        """A brief may be for no account at all."""
        super().__init__(workspace, *args, **kwargs)
        self.fields["account"].required = False
        self.fields["account"].empty_label = "No account"  # type: ignore[attr-defined]

    def brief(self) -> dict[str, str]:
        """What the prompt gets."""
        return {name: self.cleaned_data[name] for name in ("about", "tone", "length", "language")}


class MessageForm(AccountForm):
    """What welcomes should say."""

    about = forms.CharField(
        max_length=LONGEST_ABOUT, label="What the account is about", widget=forms.Textarea({"rows": 3})
    )
    tone = forms.ChoiceField(
        choices=[("warm", "Warm"), ("plain", "Plain"), ("playful", "Playful"), ("formal", "Formal")], label="Tone"
    )
    language = forms.ChoiceField(choices=LANGUAGES, required=False, label="Language")
    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, workspace: Workspace, *args: Any, **kwargs: Any) -> None:
        """A text may be for all accounts."""
        super().__init__(workspace, *args, **kwargs)
        self.fields["account"].required = False
        self.fields["account"].empty_label = "All accounts"  # type: ignore[attr-defined]


class PlanForm(AccountForm):
    """What a plan is for, and how much somebody can do for it."""

    days = forms.TypedChoiceField(choices=[(30, "30 days"), (7, "One week")], coerce=int, label="How long")
    aim = forms.ChoiceField(choices=list(pace.AIMS.items()), label="What for")
    goal = forms.CharField(max_length=200, label="Goal", help_text="What should be true at the end, in your words.")
    niche = forms.CharField(max_length=120, label="Niche", help_text="What the account is about.")
    posts_a_week = forms.IntegerField(min_value=1, max_value=7, label="Posts a week")
    minutes = forms.IntegerField(min_value=5, max_value=120, label="Minutes a day")
    language = forms.ChoiceField(choices=LANGUAGES, required=False, label="Language")
    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def brief(self) -> dict[str, Any]:
        """What the prompt gets."""
        names = ("days", "aim", "goal", "niche", "posts_a_week", "minutes", "language")
        return {name: self.cleaned_data[name] for name in names}


class PlannedForm(forms.ModelForm):
    """One post of a plan."""

    class Meta:
        model = PlannedPost
        fields = ["day", "at", "kind", "title", "caption"]
        labels = {"at": "Hour", "kind": "Kind", "caption": "What it says"}
        widgets = {
            "day": forms.DateInput({"type": "date"}, "%Y-%m-%d"),
            "at": forms.TimeInput({"type": "time"}, "%H:%M"),
            "caption": forms.Textarea({"rows": 3, "maxlength": 2000}),
        }


class RoutineForm(forms.Form):
    """One routine of a plan."""

    title = forms.CharField(max_length=180)
    weekly = forms.IntegerField(min_value=0, max_value=7)
    minutes = forms.IntegerField(min_value=1, max_value=120)


class LimitsForm(forms.Form):
    """What a plan's bot may do at most a day, by kind."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """One number for each kind that is named."""
        super().__init__(*args, **kwargs)
        for kind in Kind:
            self.fields[kind.value] = forms.IntegerField(min_value=0, max_value=MOST_A_DAY, required=False)

    def wanted(self) -> dict[str, int]:
        """The numbers that are given."""
        return {kind: value for kind, value in self.cleaned_data.items() if value is not None}


class PieceForm(forms.Form):
    """A piece, changed by hand."""

    text = forms.CharField(max_length=2200, label="Text", widget=forms.Textarea({"rows": 6}))
    hashtags = forms.CharField(max_length=1000, required=False, label="Hashtags")


class BudgetForm(forms.Form):
    """What AI may cost a month."""

    dollars = forms.DecimalField(
        required=False, min_value=0, max_value=100000, decimal_places=2, label="At most a month, in US dollars"
    )
