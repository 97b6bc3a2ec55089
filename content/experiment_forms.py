"""The form of a test: its two ways look different for each kind."""

from typing import Any

from django import forms

from accounts.models import Workspace
from bots.models import MessageTemplate
from content import experiments
from content.models import Experiment
from content.studio_forms import AccountForm

Subject = Experiment.Subject
WORDS = {
    Subject.CAPTION.value: "What stands around a post’s own words: an opening, a question at the end."
    " {caption} marks the place of the post’s own words; without it they come below. Leave one empty to compare with"
    " the post as it is.",
    Subject.HASHTAGS.value: "Two sets of hashtags. The one drawn takes the place of the hashtags at the caption’s end."
    " Leave one empty to compare with the post as it is.",
    Subject.TIME.value: "Two times of day, in the account’s own zone. A post gets one of them on its day.",
    Subject.DM.value: "Two approved texts for welcomes. Who follows from now on gets one of them, once.",
    Subject.FIRST_COMMENT.value: "Two first comments. Leave one empty to compare with none of ours.",
}


class ExperimentForm(AccountForm):
    """A test before it is started."""

    name = forms.CharField(max_length=80, label="Name")
    a = forms.CharField(max_length=2200, required=False, label="A", widget=forms.Textarea({"rows": 3}))
    b = forms.CharField(max_length=2200, required=False, label="B", widget=forms.Textarea({"rows": 3}))
    difference = forms.TypedChoiceField(coerce=float, label="Find a difference of")
    field_order = ("account", "name", "a", "b", "difference")

    def __init__(self, workspace: Workspace, subject: str, *args: Any, **kwargs: Any) -> None:
        """Ask for A and B as this kind of test needs them."""
        super().__init__(workspace, *args, **kwargs)
        choice = self.fields["difference"]
        is_dm = subject == Subject.DM
        steps = experiments.POINTS if is_dm else experiments.SHARES
        choice.choices = [(step, word) for step, word in steps.items()]  # type: ignore[attr-defined]
        choice.initial = 0.1 if is_dm else 0.3
        choice.help_text = (
            "Of people who write back. A smaller difference takes many more people."
            if is_dm
            else "Of the account’s usual engagement. A smaller difference takes many more posts."
        )
        if is_dm:
            texts = MessageTemplate.objects.filter(workspace=workspace, approved_at__isnull=False)
            for arm in ("a", "b"):
                self.fields[arm] = forms.ModelChoiceField(texts, to_field_name="name", label=arm.upper())
        elif subject == Subject.TIME:
            for arm in ("a", "b"):
                self.fields[arm] = forms.CharField(
                    max_length=5, label=arm.upper(), widget=forms.TimeInput({"type": "time"})
                )

    def clean(self) -> dict[str, Any]:
        """Give templates by their names."""
        known = super().clean() or {}
        return {name: value.name if isinstance(value, MessageTemplate) else value for name, value in known.items()}
