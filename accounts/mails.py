"""Mails: written down with the deed they tell of, sent after it has committed, tried again until they leave.

`Outbox` is Django's e-mail backend, so whatever a library sends goes this way too: a slow or broken mail service never
slows or breaks a page, and a known and an unknown address cost a form the same time. `MAIL_BACKEND` is what sends.
Without one (development without keys) mails stay on the catcher's page, `/mails/`.
"""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import render_to_string
from django.utils.timezone import now

from accounts import brand, tenancy, vault
from accounts.models import Mail, Workspace
from errors import codes
from errors.recording import record

ATTEMPTS = 8  # one at once, then after 1, 2, 4 … minutes: two hours in all
KEPT = timedelta(days=30)  # the note that a mail was sent; its words are gone when it has left
CATCHER = "accounts.mails.Catcher"


class Outbox(BaseEmailBackend):
    """Keeps mails in the outbox; a worker sends them when the transaction has committed."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each down, sealed, once for each recipient."""
        from accounts.tasks import send_mail

        mails = []
        for message in email_messages:
            for to in message.recipients():
                mail = Mail(to=to, subject=message.subject[:200])
                mail.sealed = vault.seal_json(_packed(message), **_place(mail))
                mails.append(mail)
        Mail.objects.bulk_create(mails)
        for mail in mails:
            transaction.on_commit(lambda key=str(mail.pk): send_mail.apply_async((key,), queue="mail"), robust=True)
        return len(email_messages)


class Catcher(BaseEmailBackend):
    """Sends nothing: the mail stays on the catcher's page."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Let each be."""
        return len(email_messages)


def write(prefix: str, to: str, context: dict[str, Any], *, workspace: Workspace | None = None) -> None:
    """Send a mail from the templates `<prefix>_subject.txt`, `_message.txt` and, where there is one, `_message.html`.

    A workspace with a label of its own is named as the sender, and answers go where it wants them.
    """
    label = brand.label_of(workspace)
    context = {"email": to, "label": label, "site": settings.SITE_URL, "workspace": workspace} | context
    subject = " ".join(render_to_string(f"{prefix}_subject.txt", context).split())
    text = render_to_string(f"{prefix}_message.txt", context).strip()
    mail = EmailMultiAlternatives(subject, text, label.sender, [to], reply_to=label.reply_to)
    with contextlib.suppress(TemplateDoesNotExist):
        mail.attach_alternative(render_to_string(f"{prefix}_message.html", context), "text/html")
    mail.send()


def send(key: str) -> None:
    """Send one mail of the outbox, once: another worker that has it in hand keeps it."""
    with tenancy.platform("a mail belongs to nobody's workspace"):
        waiting = Mail.objects.select_for_update(skip_locked=True)
        mail = waiting.filter(pk=key, sent_at=None, failed_at=None).first()
        if mail is None:
            return
        message = _unpacked(vault.unseal_json(mail.sealed, **_place(mail)), mail.to)
        mail.attempts += 1
        try:
            get_connection(settings.MAIL_BACKEND).send_messages([message])
        except Exception as error:  # noqa: BLE001  (each mail service has its own errors, and all mean "not now")
            mail.last_error = type(error).__name__
            mail.due_at = now() + timedelta(minutes=2 ** (mail.attempts - 1))
            if mail.attempts >= ATTEMPTS:
                mail.failed_at, mail.sealed = now(), None
        else:
            mail.sent_at, mail.last_error = now(), ""
            if settings.MAIL_BACKEND != CATCHER:
                mail.sealed = None
        mail.save()
    if mail.failed_at:
        record(codes.MAIL_NOT_SENT, action="mail_send", mail=key, why=mail.last_error)


def due() -> list[str]:
    """The mails whose time has come (again): after a broken attempt, or a lost message."""
    with tenancy.platform("mails of everybody are sent"):
        waiting = Mail.objects.filter(sent_at=None, failed_at=None, due_at__lt=now() - timedelta(seconds=30))
        return [str(key) for key in waiting.order_by("due_at").values_list("pk", flat=True)[:200]]


def forget_old() -> None:
    """Throw away the notes of mails that left long ago."""
    with tenancy.platform("old mails of everybody go"):
        Mail.objects.filter(created_at__lt=now() - KEPT).delete()


def words(mail: Mail) -> dict[str, Any]:
    """What a mail that is still here says: `subject`, `body`, `from`, `reply_to`, `html` (a list)."""
    return vault.unseal_json(mail.sealed, **_place(mail))


def _place(mail: Mail) -> dict[str, Any]:
    return {"table": "accounts_mail", "row": mail.pk, "column": "sealed"}


def _packed(message: EmailMessage) -> dict[str, Any]:
    return {
        "subject": message.subject,
        "body": message.body,
        "from": message.from_email,
        "reply_to": list(message.reply_to),
        "headers": {name: str(value) for name, value in message.extra_headers.items()},
        "html": [content for content, kind in getattr(message, "alternatives", []) if kind == "text/html"],
    }


def _unpacked(kept: dict[str, Any], to: str) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        kept["subject"], kept["body"], kept["from"], [to], reply_to=kept["reply_to"], headers=kept["headers"]
    )
    for html in kept["html"]:
        message.attach_alternative(html, "text/html")
    return message
