"""Forms of the door, and of the settings."""

from typing import Any, cast
from zoneinfo import available_timezones

from allauth.account import forms as allauth
from allauth.socialaccount.forms import DisconnectForm
from django import forms
from django.core.exceptions import ValidationError

from accounts import google, notifications, pictures, roles, shades, tokens
from accounts.models import Membership, NoticeChoice, NoticeKind, User, Workspace
from errors import codes
from errors.exceptions import BotException

CONTINENTS = (
    "Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific",
)  # fmt: skip


class LoginForm(allauth.LoginForm):
    """E-mail or access code, and password: what is wrong is said with its code."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(
            label="E-mail or access code",
            max_length=254,
            widget=forms.TextInput({"autocomplete": "username", "autofocus": True}),
        )
        self.order_fields(["login", "password"])

    def clean(self) -> dict:
        """Ask the login service."""
        try:
            return super().clean()
        except BotException as error:
            left = error.meta.get("tries_left")
            tries = f" {left} {'try' if left == 1 else 'tries'} left in the next 5 minutes." if left is not None else ""
            said = f"{error.message}{tries}" if left else f"{error.message} {error.code.do_next}"
            raise ValidationError(f"{said} {error.code.id}", code=error.code.name) from None


def zones(current: str = "") -> list[tuple[str, str]]:
    """The places of the world by their IANA names, and the one that is set now, as choices."""
    places = {name for name in available_timezones() if name.partition("/")[0] in CONTINENTS and "/" in name}
    return [(name, name.replace("_", " ")) for name in sorted(places | {"UTC", current or "UTC"})]


class UnlinkForm(DisconnectForm):
    """Unlink Google, where something else still opens the door."""

    def clean(self) -> dict[str, Any]:
        """Refuse to close the last way in."""
        if not self.request.user.has_usable_password():
            code = codes.GOOGLE_ONLY_WAY_IN
            raise ValidationError(f"{code.what} {code.do_next} {code.id}", code=code.name)
        return self.cleaned_data

    def save(self) -> None:
        """Unlink it."""
        google.unlink(self.request, self.cleaned_data["account"])


class ZonedForm(forms.ModelForm):
    """A form with a time zone to choose."""

    timezone = forms.ChoiceField(label="Time zone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["timezone"]).choices = zones(self.instance.timezone)


class PersonForm(ZonedForm):
    """Who you are."""

    class Meta:
        model = User
        fields = ["name", "timezone"]
        widgets = {"name": forms.TextInput({"autocomplete": "name"})}


class WorkspaceForm(ZonedForm):
    """What the workspace is called and where its days begin."""

    class Meta:
        model = Workspace
        fields = ["name", "timezone"]


class NoticeChoiceForm(forms.ModelForm):
    """How a person hears of a workspace."""

    shown = forms.MultipleChoiceField(
        label="Show in the product", choices=NoticeKind.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    mailed = forms.MultipleChoiceField(
        label="Put into the mail", choices=NoticeKind.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    hooked = forms.MultipleChoiceField(
        label="Post to the webhook", choices=NoticeKind.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    hook = forms.CharField(
        label="Address of the webhook", required=False, max_length=2000, widget=forms.URLInput({"inputmode": "url"})
    )

    class Meta:
        model = NoticeChoice
        fields = ["digest", "mailed", "hooked", "quiet_from", "quiet_to"]
        labels = {"digest": "Mail", "quiet_from": "Quiet from", "quiet_to": "Quiet to"}
        widgets = {
            "quiet_from": forms.TimeInput({"type": "time"}, format="%H:%M"),
            "quiet_to": forms.TimeInput({"type": "time"}, format="%H:%M"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["shown"] = [kind for kind in NoticeKind.values if kind not in self.instance.muted]
        self.initial["hook"] = notifications.hook_of(self.instance).get("url", "")

    def clean(self) -> dict[str, Any]:
        """Quiet hours have a begin and an end, or neither."""
        cleaned = super().clean() or {}
        if (cleaned.get("quiet_from") is None) != (cleaned.get("quiet_to") is None) and not self.errors:
            self.add_error("quiet_to", "Give both times, or neither.")
        return cleaned

    def save(self, commit: bool = True) -> NoticeChoice:
        """Keep what is shown as what is muted: a kind that comes later shows."""
        self.instance.muted = [kind for kind in NoticeKind.values if kind not in self.cleaned_data["shown"]]
        choice: NoticeChoice = super().save(commit)
        return choice


class BrandForm(forms.ModelForm):
    """A workspace's own label: its picture, its colour, and where answers to its mails go."""

    logo = forms.FileField(
        label="Logo",
        required=False,
        widget=forms.FileInput({"accept": "image/png,image/jpeg,image/webp"}),
        error_messages={"empty": "The file is empty."},
    )
    accent = forms.CharField(label="Colour", required=False, max_length=7)

    class Meta:
        model = Workspace
        fields = ["accent", "reply_to"]
        labels = {"reply_to": "Reply to"}

    def clean_logo(self) -> bytes:
        """Draw an uploaded picture anew; nothing where none came."""
        upload = self.cleaned_data["logo"]
        try:
            return pictures.logo(upload) if upload else b""
        except BotException as refused:
            raise ValidationError(f"{refused.message} {refused.code.do_next} {refused.code.id}") from None

    def clean_accent(self) -> str:
        """Take six hex digits, with or without the sign, in any case."""
        typed = self.cleaned_data["accent"].strip().lower()
        colour = f"#{typed.removeprefix('#')}" if typed else ""
        if colour and not shades.COLOUR.match(colour):
            raise ValidationError("Write a colour as # and six digits or letters from a to f, such as #0a7f83.")
        return colour


class TokenForm(forms.Form):
    """What an API token is for, what it may do, and for how long."""

    name = forms.CharField(label="Name", max_length=80, help_text="The program that will use it.")
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        choices=tuple(tokens.SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=["look"],
        error_messages={"required": "Choose at least one."},
    )
    days = forms.TypedChoiceField(
        label="Ends after", choices=[(days, f"{days} days") for days in tokens.DAYS], coerce=int, initial=90
    )


class InviteForm(forms.Form):
    """Whom to invite, and as what: nobody gives more than they have."""

    email = forms.EmailField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "off", "placeholder": "name@example.com"}),
    )
    role = forms.ChoiceField(label="Role")

    def __init__(self, place: Membership, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast(forms.ChoiceField, self.fields["role"]).choices = roles.gives(place)


class NewWorkspaceForm(forms.Form):
    """What a new workspace is called."""

    name = forms.CharField(label="Name", max_length=80)


class SayItForm(forms.Form):
    """The name of what is to go, typed in full, so that nothing goes by a slip of the hand."""

    typed = forms.CharField(
        max_length=320, widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"})
    )

    def __init__(self, word: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.word = word

    def clean_typed(self) -> str:
        """Compare, small and capital letters alike."""
        typed: str = self.cleaned_data["typed"].strip()
        if typed.casefold() != self.word.strip().casefold():
            raise ValidationError("This is not the same. Type it exactly as it stands above.")
        return typed
