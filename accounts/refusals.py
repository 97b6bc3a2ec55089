"""How a page and its forms say what is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError

from errors.exceptions import BotException


def sentence(refused: BotException) -> str:
    """What happened, what to do, and the code, which a page makes a link."""
    return f"{refused.message} {refused.code.do_next} {refused.code.id}"


@contextmanager
def refusing() -> Iterator[None]:
    """Turn a refusal inside into a ValidationError ."""
    try:
        yield
    except BotException as refused:
        raise ValidationError(sentence(refused), code=refused.code.name) from None
