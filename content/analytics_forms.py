"""Forms of the analytics pages."""

from typing import Any, cast

from django import forms

from accounts.models import Workspace
from bots.models import InstagramAccount
from content.models import ReportPlan


class ReportPlanForm(forms.Form):
    """A report that is mailed by itself."""

    use_required_attribute = False
    account = forms.ModelChoiceField(InstagramAccount.objects.none(), required=False, empty_label="All accounts")
    every = forms.ChoiceField(label="When", choices=ReportPlan.Every.choices)
    to = forms.EmailField(label="E-mail", max_length=254)

    def __init__(self, workspace: Workspace, *args: Any, **kwargs: Any) -> None:
        """Offer the workspace's accounts."""
        super().__init__(*args, **kwargs)
        accounts = cast(forms.ModelChoiceField, self.fields["account"])
        accounts.queryset = InstagramAccount.objects.filter(workspace=workspace).order_by("username")
