"""The texts of welcomes: who wrote them, and who approved them."""

import hashlib

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import Membership, User
from accounts.roles import may
from bots.actions.welcome_dm import check_text
from bots.models import MessageTemplate
from errors import codes
from errors.exceptions import BotException
from errors.recording import log_activity


def write(membership: Membership, name: str, text: str, template: MessageTemplate | None = None) -> MessageTemplate:
    """Keep a new text, or a changed one. An owner's words are approved; a manager's where no approval is wanted.

    Raises DM_TEXT_INVALID, or VALIDATION_FAILED for a name that is empty, too long or taken.
    """
    name = name.strip()
    if not 1 <= len(name) <= 40:
        raise BotException(codes.VALIDATION_FAILED, "Give the text a name of 1 to 40 letters.", field="name")
    template = template or MessageTemplate(workspace_id=membership.workspace_id)
    template.name, template.text, template.written_by = name, check_text(text), membership.user
    trusted = may(membership, "decide") or not membership.workspace.wants_approval
    template.approved_by, template.approved_at = (membership.user, timezone.now()) if trusted else (None, None)
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError:
        raise BotException(codes.VALIDATION_FAILED, "There is a text of this name already.", field="name") from None
    log_activity("template", user=membership.user, workspace=membership.workspace_id, name=name, approved=trusted)
    return template


def mark(text: str) -> str:
    """What a page says of the words it shows, so that exactly these are approved."""
    return hashlib.sha256(text.encode()).hexdigest()


def approve(template: MessageTemplate, user: User, shown: str) -> None:
    """Let a text be sent, as it was shown (see `mark`). Raises CHANGED_MEANWHILE if it has other words by now."""
    as_shown = MessageTemplate.objects.filter(pk=template.pk, text=template.text)
    approved = {"approved_by": user, "approved_at": timezone.now()}
    if shown != mark(template.text) or not as_shown.update(**approved):
        raise BotException(codes.CHANGED_MEANWHILE)
    log_activity("template", user=user, workspace=template.workspace_id, name=template.name, approved=True)
