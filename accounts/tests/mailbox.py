"""Reading the mails that a test caused."""

import re
from typing import cast

from django.core import mail
from django.core.mail import EmailMessage


def newest(to: str) -> EmailMessage:
    """The last mail to somebody."""
    return cast(EmailMessage, [message for message in mail.outbox if message.to == [to]][-1])


def subjects(to: str) -> list[str]:
    """What somebody's mails are called, oldest first."""
    return [message.subject for message in mail.outbox if message.to == [to]]


def link(message: EmailMessage) -> str:
    """The path of the first link of ours in a mail."""
    found = re.search(r"http://localhost:8000(/\S+)", message.body)
    assert found, message.body
    return found[1]
