"""Forms of the members' pages."""

from typing import Any, cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from accounts.forms import zones
from bots.models import Bot, Kind
from bots.targeting import FLAGS
from bots.tasking import MOST

LARGEST = 2**31 - 1


class RiskForm(forms.Form):
    """Nobody comes to the login without this."""

    accept_risk = forms.BooleanField(
        error_messages={"required": "Read this and tick the box. Without it we do not connect an account. E-IG-E-0006"}
    )


class LoginForm(forms.Form):
    """Username and password at Instagram, used once."""

    username = forms.CharField(
        label="Instagram username",
        max_length=31,
        widget=forms.TextInput({"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label="Instagram password", max_length=200, strip=False, widget=forms.PasswordInput({"autocomplete": "off"})
    )


class CodeForm(forms.Form):
    """The code that Instagram asked for."""

    username = forms.CharField(max_length=31, widget=forms.HiddenInput)
    code = forms.CharField(
        label="Code",
        max_length=16,
        widget=forms.TextInput({"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}),
    )


ASK = dict.fromkeys(("required", "invalid"), f"Ask for 1 to {MOST:,} people. E-FLW-E-0009")
WHATEVER = [("", "Whatever they are"), ("false", "Skip them"), ("true", "Only them")]


class FollowHashtagForm(forms.Form):
    """A task: whom to follow, and how many."""

    hashtag = forms.CharField(
        max_length=101,
        widget=forms.TextInput({"autocapitalize": "none", "autocomplete": "off", "placeholder": "stoneware"}),
    )
    amount = forms.IntegerField(initial=20, label="How many people", error_messages=ASK)
    min_followers = forms.IntegerField(
        required=False, min_value=0, max_value=LARGEST, label="At least so many followers"
    )
    max_followers = forms.IntegerField(
        required=False, min_value=0, max_value=LARGEST, label="At most so many followers"
    )
    max_following = forms.IntegerField(required=False, min_value=0, max_value=LARGEST, label="They follow at most")
    private = forms.ChoiceField(required=False, choices=WHATEVER, label="Private accounts", initial="false")
    verified = forms.ChoiceField(required=False, choices=WHATEVER, label="Verified accounts")

    def clean(self) -> dict[str, Any]:
        """Refuse a range that nobody can be in."""
        data: dict[str, Any] = super().clean() or {}
        least, most = data.get("min_followers"), data.get("max_followers")
        if least is not None and most is not None and least > most:
            self.add_error("max_followers", "This is below the least number of followers, so nobody would be left.")
        return data

    def filters(self) -> dict[str, object]:
        """Give what was asked for, as `targeting.judge` reads it."""
        numbers = {name: self.cleaned_data[name] for name in ("min_followers", "max_followers", "max_following")}
        flags = {name: self.cleaned_data[name] == "true" for name in FLAGS if self.cleaned_data.get(name)}
        return {name: value for name, value in numbers.items() if value is not None} | flags


class BotForm(forms.ModelForm):
    """A bot's pace, its working hours, and the owner's own limits."""

    timezone = forms.ChoiceField(label="Time zone of the account")

    class Meta:
        model = Bot
        fields = ["cycle_delay", "jitter", "burst", "works_from", "works_to"]
        labels = {
            "cycle_delay": "Pause between turns, in seconds",
            "jitter": "Jitter, in per cent of the pause",
            "burst": "Actions in a turn",
            "works_from": "Works from",
            "works_to": "Works until",
        }
        widgets = {
            "works_from": forms.TimeInput({"type": "time"}, "%H:%M"),
            "works_to": forms.TimeInput({"type": "time"}, "%H:%M"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Add the account's zone and one field for each kind of action."""
        super().__init__(*args, **kwargs)
        zone = self.instance.account.timezone
        self.fields["timezone"].initial = zone
        cast(forms.ChoiceField, self.fields["timezone"]).choices = zones(zone)
        self.fields["works_from"].required = self.fields["works_to"].required = False
        for kind in Kind:
            self.fields[f"limit_{kind}"] = forms.IntegerField(
                label=f"{kind.label}s a day" if kind != Kind.WELCOME_DM else "Welcome DMs a day",
                required=False,
                initial=self.instance.own_limits.get(kind),
                validators=[MinValueValidator(0), MaxValueValidator(10_000)],
                widget=forms.NumberInput({"min": 0, "max": 10_000, "inputmode": "numeric"}),
            )

    def clean(self) -> dict[str, Any]:
        """Working hours have two ends, or none."""
        data: dict[str, Any] = super().clean() or {}
        if (data.get("works_from") is None) != (data.get("works_to") is None):
            self.add_error("works_to", "Give both times, or neither to work round the clock.")
        return data

    def limits(self) -> dict[str, int]:
        """Give the owner's own limits that are set."""
        asked = {kind.value: self.cleaned_data.get(f"limit_{kind}") for kind in Kind}
        return {kind: value for kind, value in asked.items() if value is not None}
