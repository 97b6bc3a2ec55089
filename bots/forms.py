"""Forms of the members' pages."""

from typing import Any, cast

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator

from accounts.forms import zones
from bots import lists
from bots.actions.welcome_dm import LONGEST
from bots.models import Bot, Kind, MessageTemplate, Source
from bots.recipes import Recipe
from bots.targeting import FLAGS, WORDS
from bots.tasking import MOST, OPTIONS

LARGEST = 2**31 - 1
NUMBERS = ("min_followers", "max_followers", "max_following", "min_ratio")


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
WHERE = {  # the field of each source that is named
    Source.HASHTAG: ("hashtag", "Hashtag", "stoneware", "With or without #. One of your own niche finds who may care."),
    Source.FOLLOWERS: ("username", "Instagram username", "kiln.studio", "With or without @."),
    Source.LIKERS: ("post", "Address of the post", "https://www.instagram.com/p/…", "As you copy it on Instagram."),
}
LANGUAGES = [
    ("", "Whatever they write"), ("da", "Danish"), ("de", "German"), ("en", "English"), ("es", "Spanish"),
    ("fi", "Finnish"), ("fr", "French"), ("it", "Italian"), ("ja", "Japanese"), ("ko", "Korean"), ("nl", "Dutch"),
    ("no", "Norwegian"), ("pl", "Polish"), ("pt", "Portuguese"), ("ru", "Russian"), ("sv", "Swedish"),
    ("tr", "Turkish"), ("uk", "Ukrainian"),
]  # fmt: skip


class Words(forms.CharField):
    """Words with commas between them, as a list."""

    def to_python(self, value: Any) -> Any:
        """Split and trim."""
        text = super().to_python(value) or ""
        return [word.strip() for word in text.split(",") if word.strip()]


class TaskForm(forms.Form):
    """A task of one recipe: where people are found, how many, whom to leave out."""

    amount = forms.IntegerField(initial=20, label="How many people", error_messages=ASK)
    min_followers = forms.IntegerField(required=False, min_value=0, max_value=LARGEST, label="Followers, at least")
    max_followers = forms.IntegerField(required=False, min_value=0, max_value=LARGEST, label="Followers, at most")
    max_following = forms.IntegerField(required=False, min_value=0, max_value=LARGEST, label="They follow, at most")
    min_ratio = forms.FloatField(
        required=False, min_value=0, max_value=1000, label="Followers for each they follow, at least"
    )
    private = forms.ChoiceField(required=False, choices=WHATEVER, label="Private accounts", initial="false")
    verified = forms.ChoiceField(required=False, choices=WHATEVER, label="Verified accounts")
    business = forms.ChoiceField(required=False, choices=WHATEVER, label="Business accounts")
    contacted = forms.ChoiceField(required=False, choices=WHATEVER, label="People contacted before, in any way")
    language = forms.ChoiceField(required=False, choices=LANGUAGES, label="Language of the bio")
    bio_words = Words(required=False, max_length=400, label="Bio has one of these words")
    bio_without = Words(required=False, max_length=400, label="Bio has none of these words")
    after_days = forms.IntegerField(initial=7, min_value=1, max_value=365, label="Followed at least so many days ago")
    keep_mutual = forms.BooleanField(required=False, initial=True, label="Spare who follows the account")
    only_new = forms.BooleanField(required=False, initial=True, label="Only who follows from now on")
    template = forms.ModelChoiceField(MessageTemplate.objects.none(), empty_label=None, label="In these words")

    def __init__(self, recipe: Recipe, *args: Any, **kwargs: Any) -> None:
        """Leave out what does not belong to the recipe."""
        super().__init__(*args, **kwargs)
        self.recipe = recipe
        if recipe.source in WHERE:
            name, label, example, help_text = WHERE[recipe.source]
            widget = forms.TextInput({"autocapitalize": "none", "autocomplete": "off", "placeholder": example})
            self.fields[name] = forms.CharField(max_length=300, label=label, help_text=help_text, widget=widget)
        unwanted = set() if recipe.filtered else {*NUMBERS, *FLAGS, "language", *WORDS}
        unwanted |= {"after_days", "keep_mutual", "only_new", "template"} - set(OPTIONS.get(recipe.kind, ()))
        if recipe.kind == Kind.WELCOME_DM:
            unwanted -= {"template"}
            cast(forms.ModelChoiceField, self.fields["template"]).queryset = MessageTemplate.objects.exclude(
                approved_at=None
            )
        for name in unwanted:
            del self.fields[name]

    @property
    def where(self) -> Any:
        """The field that says where people are found, if the recipe has one."""
        return self[WHERE[self.recipe.source][0]] if self.recipe.source in WHERE else None

    @property
    def options_fields(self) -> list[Any]:
        """The fields of the kind's own options."""
        return [self[name] for name in ("template", "only_new", "after_days", "keep_mutual") if name in self.fields]

    @property
    def filter_fields(self) -> list[Any]:
        """The fields that leave people out."""
        return [self[name] for name in (*NUMBERS, *FLAGS, "language", *WORDS) if name in self.fields]

    @property
    def leaves_out(self) -> bool:
        """Whether the fields that leave people out hold something of the person's own, or an error."""
        return any(bound.errors or bound.data not in (None, bound.initial or "") for bound in self.filter_fields)

    def clean(self) -> dict[str, Any]:
        """Refuse a range that nobody can be in."""
        data: dict[str, Any] = super().clean() or {}
        least, most = data.get("min_followers"), data.get("max_followers")
        if least is not None and most is not None and least > most:
            self.add_error("max_followers", "This is below the least number of followers, so nobody would be left.")
        return data

    def asked(self) -> dict[str, Any]:
        """Give what was asked for, as `tasking.ask` takes it."""
        data = self.cleaned_data
        filters = {name: data[name] for name in (*NUMBERS, *WORDS) if data.get(name) not in (None, [])}
        filters |= {name: data[name] == "true" for name in FLAGS if data.get(name)}
        if data.get("language"):
            filters["language"] = [data["language"]]
        return {
            "source": self.recipe.source,
            "value": data[WHERE[self.recipe.source][0]] if self.recipe.source in WHERE else "",
            "filters": filters,
            "options": {name: data[name] for name in OPTIONS.get(self.recipe.kind, ())},
            "template": data.get("template"),
        }


class PeopleForm(forms.Form):
    """People for one of the two lists, typed or in a file."""

    use_required_attribute = False
    names = forms.CharField(
        label="Usernames",
        widget=forms.Textarea({"rows": 4, "autocapitalize": "none", "spellcheck": "false"}),
        error_messages={"required": "Type a username, or choose a file."},
    )
    file = forms.FileField(
        label="Or a CSV file",
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput({"accept": ".csv,text/csv"}),
    )
    note = forms.CharField(required=False, max_length=120)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Ask for no names where a file comes."""
        super().__init__(*args, **kwargs)
        self.fields["names"].required = not self.files

    def usernames(self) -> list[str]:
        """Give the names, typed and filed. Raises VALIDATION_FAILED for a file that is none."""
        file = self.cleaned_data["file"]
        typed = self.cleaned_data["names"].replace(",", " ").split()
        return [*typed, *(lists.names_in(file.read(lists.LARGEST_FILE + 1)) if file else [])]


class TextForm(forms.Form):
    """A text for welcomes."""

    use_required_attribute = False
    name = forms.CharField(max_length=40)
    text = forms.CharField(widget=forms.Textarea({"rows": 5, "maxlength": LONGEST}))

    def clean_text(self) -> str:
        """Take line ends as Instagram gives them back, by which a sent welcome is known again."""
        return str(self.cleaned_data["text"]).replace("\r\n", "\n")


class BotForm(forms.ModelForm):
    """A bot's pace, its working hours, and the owner's own limits."""

    timezone = forms.ChoiceField(label="Time zone of the account")

    class Meta:
        model = Bot
        fields = ["cycle_delay", "jitter", "burst", "works_from", "works_to", "holdout"]
        labels = {
            "cycle_delay": "Pause between turns, in seconds",
            "jitter": "Jitter, in per cent of the pause",
            "burst": "Actions in a turn",
            "works_from": "Works from",
            "works_to": "Works until",
            "holdout": "Left alone to compare with, in per cent",
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
        self.fields["holdout"].required = False
        for kind in Kind:
            self.fields[f"limit_{kind}"] = forms.IntegerField(
                label=f"{kind.label}s a day" if kind != Kind.WELCOME_DM else "Welcome DMs a day",
                required=False,
                initial=self.instance.own_limits.get(kind),
                validators=[MinValueValidator(0), MaxValueValidator(10_000)],
                widget=forms.NumberInput({"min": 0, "max": 10_000, "inputmode": "numeric"}),
            )

    def clean(self) -> dict[str, Any]:
        """Working hours have two ends, or none; a share that is not given stays."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("holdout") is None:
            data["holdout"] = self.initial["holdout"]
        if (data.get("works_from") is None) != (data.get("works_to") is None):
            self.add_error("works_to", "Give both times, or neither to work round the clock.")
        return data

    def limits(self) -> dict[str, int]:
        """Give the owner's own limits that are set."""
        asked = {kind.value: self.cleaned_data.get(f"limit_{kind}") for kind in Kind}
        return {kind: value for kind, value in asked.items() if value is not None}
