"""Forms of the calendar's pages."""

import secrets
from datetime import UTC, datetime
from functools import partial
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms

from accounts.models import Workspace
from bots.models import InstagramAccount
from content import calendar, hooks
from content.models import Folder, Media, Post
from content.slots import WEEKDAYS

CLOCK = "%Y-%m-%dT%H:%M"


class Files(forms.FileField):
    """Several files, or none."""

    widget = forms.FileInput

    def to_python(self, data: Any) -> Any:
        """Take the list as it comes."""
        return data


class ManyFiles(forms.FileInput):
    """An input that gives all its files."""

    allow_multiple_selected = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Give a list."""
        return files.getlist(name)


def named_once() -> forms.CharField:
    """A hidden name of the page that is sent: the same page with the same words is a second click, and does nothing."""
    return forms.CharField(
        required=False, max_length=40, widget=forms.HiddenInput, initial=partial(secrets.token_urlsafe, 12)
    )


class UploadForm(forms.Form):
    """Files for the library."""

    use_required_attribute = False
    files = Files(  # type: ignore[assignment]  # a field's name, not the form's own
        label="Pictures and videos", required=False, widget=ManyFiles({"accept": "image/*,video/mp4,video/quicktime"})
    )
    folder = forms.ModelChoiceField(Folder.objects.none(), required=False, empty_label="No folder")

    def __init__(self, workspace: Workspace, *args: Any, **kwargs: Any) -> None:
        """Offer the workspace's folders."""
        super().__init__(*args, **kwargs)
        cast(forms.ModelChoiceField, self.fields["folder"]).queryset = Folder.objects.filter(workspace=workspace)

    def clean_files(self) -> list[Any]:
        """At least one, at most twenty."""
        files = self.cleaned_data.get("files") or []
        if not files:
            raise forms.ValidationError("Choose a file.")
        if len(files) > 20:
            raise forms.ValidationError("Add at most 20 files at once.")
        return list(files)


class FolderForm(forms.Form):
    """A new shelf."""

    use_required_attribute = False
    name = forms.CharField(label="New folder", max_length=60)


class MediaForm(forms.ModelForm):
    """What is said about a file."""

    class Meta:
        model = Media
        fields = ["name", "alt_text", "folder"]
        labels = {"alt_text": "Alt text"}
        widgets = {"alt_text": forms.Textarea({"rows": 3, "maxlength": 1000})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the workspace's folders."""
        super().__init__(*args, **kwargs)
        folder = cast(forms.ModelChoiceField, self.fields["folder"])
        folder.queryset = Folder.objects.filter(workspace=self.instance.workspace_id)
        folder.required, folder.empty_label = False, "No folder"


class PostForm(forms.Form):
    """A post: for which account, of which kind, its words, its media and its hour in the account's own zone."""

    use_required_attribute = False
    once = named_once()
    account = forms.ModelChoiceField(InstagramAccount.objects.none(), required=False, empty_label="Not decided yet")
    kind = forms.ChoiceField(choices=Post.Kind.choices, initial=Post.Kind.IMAGE)
    caption = forms.CharField(required=False, max_length=5000, widget=forms.Textarea({"rows": 7}))
    first_comment = forms.CharField(required=False, max_length=5000, widget=forms.Textarea({"rows": 2}))
    planned_for = forms.DateTimeField(
        label="Goes out",
        required=False,
        input_formats=[CLOCK, "%Y-%m-%dT%H:%M:%S"],
        widget=forms.DateTimeInput({"type": "datetime-local"}, CLOCK),
    )
    media = forms.ModelMultipleChoiceField(Media.objects.none(), required=False)  # type: ignore[assignment]
    files = Files(  # type: ignore[assignment]
        label="Add new files", required=False, widget=ManyFiles({"accept": "image/*,video/mp4,video/quicktime"})
    )

    def __init__(self, workspace: Workspace, *args: Any, **kwargs: Any) -> None:
        """Offer what the workspace has."""
        super().__init__(*args, **kwargs)
        self.workspace = workspace
        accounts = cast(forms.ModelChoiceField, self.fields["account"])
        accounts.queryset = InstagramAccount.objects.filter(workspace=workspace)
        media = cast(forms.ModelMultipleChoiceField, self.fields["media"])
        media.queryset = Media.objects.filter(workspace=workspace)

    def clean_media(self) -> list[Media]:
        """Keep the order in which they were sent."""
        found = {str(one.pk): one for one in self.cleaned_data["media"]}
        sent = self.data.getlist("media") if hasattr(self.data, "getlist") else []
        return [found[key] for key in dict.fromkeys(sent) if key in found][:20]

    def clean(self) -> dict[str, Any]:
        """Read the hour in the account's zone; without an account, in the workspace's."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("once"):
            files = [(file.name, file.size) for file in data.get("files") or []]
            data["once"] += f" {[data.get(name) for name in (*calendar.WORDS, 'media')]} {files}"
        if data.get("planned_for"):
            zone = data["account"].timezone if data.get("account") else self.workspace.timezone
            data["planned_for"] = in_zone(data["planned_for"], zone)
        return data


class MoveForm(forms.Form):
    """Another hour, or another day at the same hour."""

    at = forms.DateTimeField(required=False, input_formats=[CLOCK, "%Y-%m-%dT%H:%M:%S"])
    day = forms.DateField(required=False)


class SlotForm(forms.Form):
    """A time on some weekdays."""

    use_required_attribute = False
    weekdays = forms.TypedMultipleChoiceField(
        choices=list(enumerate(WEEKDAYS)), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    at = forms.TimeField(label="Time", widget=forms.TimeInput({"type": "time"}, "%H:%M"))


class ImportForm(forms.Form):
    """A CSV file of posts."""

    use_required_attribute = False
    once = named_once()
    file = forms.FileField(label="CSV file", widget=forms.FileInput({"accept": ".csv,text/csv"}))
    schedule = forms.BooleanField(label="Schedule them at once", required=False)


class FeedForm(forms.Form):
    """A calendar address."""

    use_required_attribute = False
    name = forms.CharField(label="For what", max_length=60)


class HookForm(forms.Form):
    """A program's address, and what it wants to know."""

    use_required_attribute = False
    url = forms.CharField(label="Address", max_length=500, widget=forms.URLInput({"placeholder": "https://"}))
    events = forms.MultipleChoiceField(
        label="Tell it of",
        choices=[(name, name) for name in hooks.EVENTS.values()],
        widget=forms.CheckboxSelectMultiple,
    )


def in_zone(moment: datetime, zone: str) -> datetime:
    """A local time that was typed, as UTC. Django has already given it the current zone: only its clock counts."""
    return moment.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
