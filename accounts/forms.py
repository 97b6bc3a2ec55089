"""Forms of the door."""

from allauth.account import forms as allauth
from django import forms
from django.core.exceptions import ValidationError

from errors.exceptions import BotException


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
            raise ValidationError(f"{error.message}{tries} {error.code.id}", code=error.code.name) from None
