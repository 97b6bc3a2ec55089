"""The one exception of this product."""

from errors.codes import Code


class BotException(Exception):
    """A registered error on its way to a person.

    `code` says what happened and what next, `meta` what we know of this case (never secrets). `meta["retry_after"]`,
    in seconds, becomes the header of that name.
    """

    def __init__(self, code: Code, message: str = "", **meta: object) -> None:
        """Without `message`, the words of the code."""
        super().__init__(message or code.what)
        self.code = code
        self.message = message or code.what
        self.meta = meta

    def __reduce__(self) -> tuple[object, ...]:
        """Celery carries exceptions between its processes."""
        return _restore, (self.code, self.message, self.meta)


def _restore(code: Code, message: str, meta: dict[str, object]) -> BotException:
    return BotException(code, message, **meta)
