"""allauth's forms of the second factor, over our one judge of codes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from allauth.core import context
from allauth.mfa.base import forms as allauth
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import forms as passkeys
from django.core.exceptions import ValidationError

from accounts import limits, second_factor
from accounts.refusals import refusing, sentence
from errors import codes
from errors.exceptions import BotException


def said(refused: BotException) -> ValidationError:
    """A refusal as a field says it."""
    if refused.code is codes.TOO_MANY_TRIES:
        wait = refused.meta["retry_after"]
        words = f"There were too many wrong codes. Wait {wait} seconds, then use a new code. {refused.code.id}"
    else:
        words = sentence(refused)
    return ValidationError(words, code=refused.code.name)


class Judged:
    """A form whose code is judged in `accounts.second_factor`."""

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        """Take the code: it is used up now."""
        code: str = self.cleaned_data["code"]
        try:
            self.authenticator: Authenticator = second_factor.use_code(self.user, code)
        except BotException as refused:
            raise said(refused) from None
        self.authenticator.user = self.user
        return code


class AuthenticateForm(Judged, allauth.AuthenticateForm):
    """The code at sign-in."""


class ReauthenticateForm(Judged, allauth.ReauthenticateForm):
    """The code before something that changes how you sign in."""


@contextmanager
def _readable() -> Iterator[None]:
    """Refuse a passkey that is nonsense: a stranger can send anything."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, ValidationError):
        raise ValidationError(sentence(BotException(codes.PASSKEY_REFUSED)), code="PASSKEY_REFUSED") from None


class Readable:
    """A form whose passkey may be nonsense."""

    def clean_credential(self) -> Authenticator:
        """The passkey that signed, if it did."""
        with _readable():
            found: Authenticator = super().clean_credential()  # type: ignore[misc]  # of the form it is mixed into
        return found


class AddWebAuthnForm(passkeys.AddWebAuthnForm):
    """A new passkey."""

    def clean(self) -> dict[str, Any]:
        """What the device made, if it can be read."""
        with _readable():
            return super().clean()


class AuthenticateWebAuthnForm(Readable, passkeys.AuthenticateWebAuthnForm):
    """A passkey at sign-in, after the password."""


class LoginWebAuthnForm(Readable, passkeys.LoginWebAuthnForm):
    """A passkey instead of the password."""

    def clean_credential(self) -> Authenticator:
        """The passkey that signed, if there were not too many tries from this address."""
        with refusing():
            limits.take(limits.PASSKEY, limits.client_address(context.request))
        return super().clean_credential()


class ReauthenticateWebAuthnForm(Readable, passkeys.ReauthenticateWebAuthnForm):
    """A passkey before something that changes how you sign in."""
