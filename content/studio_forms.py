"""Forms of the content tools' pages."""

from typing import Any

from django import forms

from accounts.models import Workspace
from bots.models import InstagramAccount
from content.models import Feature
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


class PieceForm(forms.Form):
    """A piece, changed by hand."""

    text = forms.CharField(max_length=2200, label="Text", widget=forms.Textarea({"rows": 6}))
    hashtags = forms.CharField(max_length=1000, required=False, label="Hashtags")


class BudgetForm(forms.Form):
    """What AI may cost a month."""

    dollars = forms.DecimalField(
        required=False, min_value=0, max_value=100000, decimal_places=2, label="At most a month, in US dollars"
    )
