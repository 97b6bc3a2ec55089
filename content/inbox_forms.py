"""Forms of the inbox."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.text import Truncator

from content.calendar_forms import named_once
from content.models import ReplyRule, Talk, TalkLine


class ReplyForm(forms.Form):
    """An answer: written, or one that is kept."""

    use_required_attribute = False
    once = named_once()
    text = forms.CharField(label="Answer", max_length=2200, widget=forms.Textarea({"rows": 3}))
    private = forms.UUIDField(
        label="Where", required=False, widget=forms.Select, error_messages={"invalid": "Choose one of the list."}
    )

    def __init__(self, *args: Any, privately: Iterable[TalkLine] = (), **options: Any) -> None:
        """`privately` are the comments that may be answered by a message to whoever wrote them."""
        super().__init__(*args, **options)
        people = [
            (line.pk, f"In private, to {line.who} who said “{Truncator(line.text).chars(40)}”") for line in privately
        ]
        self.fields["private"].widget.choices = [("", "In public"), *people]


class RuleForm(forms.Form):
    """Words, and what answers them."""

    use_required_attribute = False
    words = forms.CharField(label="When somebody says", max_length=60)
    on = forms.ChoiceField(label="In", choices=[(Talk.Kind.COMMENT, "a comment"), (Talk.Kind.MESSAGE, "a message")])
    how = forms.ChoiceField(label="Answer", choices=ReplyRule.How.choices)
    text = forms.CharField(label="With", max_length=900, widget=forms.Textarea({"rows": 3}))


class SavedReplyForm(forms.Form):
    """A text to answer with."""

    use_required_attribute = False
    name = forms.CharField(max_length=40)
    text = forms.CharField(max_length=900, widget=forms.Textarea({"rows": 3}))
