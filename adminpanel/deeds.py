"""What staff can do to a row: one description from which button, confirmation, permission and log entry follow."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import User


class DeedForm(forms.Form):
    """Why. What else a deed needs stands before it."""

    reason = forms.CharField(
        max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Kept in the admin log for whoever asks later."
    )

    def __init__(self, *args: Any, row: Any = None, **kwargs: Any) -> None:
        self.row = row
        super().__init__(*args, **kwargs)
        self.order_fields([name for name in self.fields if name != "reason"] + ["reason"])


class BriefForm(DeedForm):
    """For what needs no reason."""

    reason = None  # type: ignore[assignment]


@dataclass(frozen=True)
class Asked:
    """Who asks for a deed, from where, with what."""

    request: HttpRequest
    by: User
    given: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Deed:
    """One deed. `do` gets the row and what was asked, and answers with a sentence, a page, or nothing."""

    name: str  # in the address, in the table of roles and in the log
    title: str
    do: Callable[[Any, Asked], str | HttpResponseBase | None]
    says: str = ""  # what will happen, in one sentence
    form: type[DeedForm] = DeedForm
    fits: Callable[[Any], bool] = bool
    also: Callable[[Any], list[Any]] = lambda _: []  # rows beside it that it changes, for the log
    dangerous: bool = False  # wants a fresh code
    mild: bool = False  # takes nothing away, though it wants a code: its button is not red
    bulk: bool = False  # may be done to many rows at once
    slow: bool = False  # waits for somebody else's server: never in bulk inside a request
    unbound: bool = False  # what it calls opens short views of its own: no transaction is held while it waits
