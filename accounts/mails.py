"""Mails: written down with the deed they tell of, sent after it has committed, tried again until they leave.

`Outbox` is Django's e-mail backend, so whatever a library sends goes this way too: a slow or broken mail service never
slows or breaks a page, and a known and an unknown address cost a form the same time. `MAIL_BACKEND` is what sends.
Without one (development without keys) mails stay on the catcher's page, `/mails/`.
"""

import base64
import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import render_to_string

from accounts import brand, tenancy, vault
from accounts.models import Mail, Workspace
from errors import codes
from errors.recording import record

ATTEMPTS = 8  # one at once, then after 1, 2, 4 … minutes: two hours in all
IN_HAND = timedelta(minutes=2)  # how long a worker has a mail to itself: longer than any task may take
HASTE = timedelta(seconds=30)  # what the message to the workers has before beat looks for mails that wait
KEPT = timedelta(days=30)  # the note that a mail was sent; its words are gone when it has left
FILES = 2 * 1024 * 1024  # bytes of what one mail may carry: it lies sealed in a row until it has left
CATCHER = "accounts.mails.Catcher"


class Outbox(BaseEmailBackend):
    """Keeps mails in the outbox; a worker sends them when the transaction has committed."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each down, sealed, once for each recipient. Raises ValueError for more than FILES of attachments."""
        mails = [_kept(message, to) for message in email_messages for to in message.recipients()]
        Mail.objects.bulk_create(mails)
        keys = [str(mail.pk) for mail in mails]
        # Robust: without a broker the deed is still done, and beat sends the mails later.
        transaction.on_commit(lambda: _tell_workers(keys), robust=True)
        return len(email_messages)


class Catcher(BaseEmailBackend):
    """Sends nothing: the mail stays on the catcher's page."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Let each be."""
        return len(email_messages)


def write(
    prefix: str,
    to: str,
    context: dict[str, Any],
    *,
    workspace: Workspace | None = None,
    pdf: tuple[str, bytes] | None = None,
) -> None:
    """Send a mail from the templates `<prefix>_subject.txt`, `_message.txt` and, where there is one, `_message.html`.

    `pdf`, a file's name and bytes, goes along; no more than FILES.

    A workspace with a label of its own is named as the sender, and answers go where it wants them.
    """
    label = brand.label_of(workspace)
    context = {"email": to, "label": label, "site": settings.SITE_URL, "workspace": workspace} | context
    subject = " ".join(render_to_string(f"{prefix}_subject.txt", context).split())
    text = render_to_string(f"{prefix}_message.txt", context).strip()
    by_itself = {"Auto-Submitted": "auto-generated"}  # nobody's out-of-office answers it
    mail = EmailMultiAlternatives(subject, text, label.sender, [to], reply_to=label.reply_to, headers=by_itself)
    with contextlib.suppress(TemplateDoesNotExist):
        mail.attach_alternative(render_to_string(f"{prefix}_message.html", context), "text/html")
    if pdf:
        mail.attach(*pdf, "application/pdf")
    mail.send()


def send(key: str) -> None:
    """Send one mail of the outbox; one that left, waits for its next try or is in another worker's hand is let be.

    No transaction is open while the mail service thinks.
    """
    mail = _take_in_hand(key)
    if mail is None:
        return
    try:
        get_connection(settings.MAIL_BACKEND).send_messages([_message(mail)])
    except Exception as error:  # noqa: BLE001  (each mail service has its own errors, and all mean "not now")
        _put_off(mail, error)
    else:
        keeps_words = {} if settings.MAIL_BACKEND == CATCHER else {"sealed": None}
        _note(mail, sent_at=Now(), last_error="", **keeps_words)


def due() -> list[str]:
    """The mails whose time has come (again): after a broken attempt, a lost message or a killed worker."""
    with tenancy.platform("mails of everybody are sent"):
        waiting = Mail.objects.filter(sent_at=None, failed_at=None, due_at__lt=Now() - HASTE)
        return [str(key) for key in waiting.order_by("due_at").values_list("pk", flat=True)[:200]]


def forget_old() -> None:
    """Throw away the notes of mails that left long ago."""
    with tenancy.platform("old mails of everybody go"):
        Mail.objects.filter(created_at__lt=Now() - KEPT).delete()


def words(mail: Mail) -> dict[str, Any]:
    """What a mail that is here says: `subject`, `body`, `from`, `reply_to`, `headers`, `html` and `files`, lists."""
    said: dict[str, Any] = vault.unseal_json(mail.sealed or b"", **_place(mail))
    return said


def _tell_workers(keys: list[str]) -> None:
    from accounts.tasks import send_mail

    for key in keys:
        send_mail.apply_async((key,), queue="mail", retry=False)


def _take_in_hand(key: str) -> Mail | None:
    with tenancy.platform("a mail belongs to nobody's workspace"):
        mine = Mail.objects.filter(pk=key, sent_at=None, failed_at=None, due_at__lte=Now())
        taken = mine.update(attempts=F("attempts") + 1, due_at=Now() + IN_HAND)
        return Mail.objects.get(pk=key) if taken else None


def _put_off(mail: Mail, error: Exception) -> None:
    why = type(error).__name__  # its words may repeat the mail's
    if mail.attempts < ATTEMPTS:
        _note(mail, due_at=Now() + timedelta(minutes=2 ** (mail.attempts - 1)), last_error=why)
        return
    _note(mail, failed_at=Now(), sealed=None, last_error=why)
    record(codes.MAIL_NOT_SENT, action="mail_send", mail=str(mail.pk), why=why)


def _note(mail: Mail, **facts: Any) -> None:
    with tenancy.platform("a mail belongs to nobody's workspace"):
        Mail.objects.filter(pk=mail.pk).update(**facts)


def _place(mail: Mail) -> dict[str, Any]:
    return {"table": "accounts_mail", "row": mail.pk, "column": "sealed"}


def _kept(message: EmailMessage, to: str) -> Mail:
    mail = Mail(to=to, subject=message.subject[:200], due_at=Now())
    said = {
        "subject": message.subject,
        "body": message.body,
        "from": message.from_email,
        "reply_to": list(message.reply_to),
        "headers": {name: str(value) for name, value in message.extra_headers.items()},
        "html": [content for content, kind in getattr(message, "alternatives", []) if kind == "text/html"],
        "files": _files(message),
    }
    mail.sealed = vault.seal_json(said, **_place(mail))
    return mail


def _files(message: EmailMessage) -> list[tuple[str, str, str]]:
    """Name, contents in base64, and type of each attachment."""
    files = [(name, content.encode() if isinstance(content, str) else content, kind)
             for name, content, kind in message.attachments]  # fmt: skip
    if sum(len(content) for _, content, _ in files) > FILES:
        raise ValueError("The outbox keeps no attachments as large as these: send a link.")
    return [(name, base64.b64encode(content).decode(), kind) for name, content, kind in files]


def _message(mail: Mail) -> EmailMultiAlternatives:
    said = words(mail)
    message = EmailMultiAlternatives(
        said["subject"], said["body"], said["from"], [mail.to], reply_to=said["reply_to"], headers=said["headers"]
    )
    for html in said["html"]:
        message.attach_alternative(html, "text/html")
    for name, content, kind in said.get("files", ()):  # mails of before had none
        message.attach(name, base64.b64decode(content), kind)
    return message
