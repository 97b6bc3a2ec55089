"""A workspace's own label on its pages and mails, where its plan has white label."""

from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr

from django.conf import settings

from accounts import allowance
from accounts.models import Workspace


@dataclass(frozen=True)
class Label:
    """Whose name, colour and picture stand on a page or a mail; empty where they are ours."""

    name: str = "InstaGrowth OS"
    sender: str = ""
    reply_to: list[str] = field(default_factory=list)
    accent: str = ""
    logo: str = ""  # its address


def label_of(workspace: Workspace | None) -> Label:
    """The label of a workspace, or ours."""
    if workspace is None or not allowance.plan_of(workspace).white_label:
        return Label(sender=settings.DEFAULT_FROM_EMAIL)
    return Label(
        name=workspace.name,
        sender=formataddr((workspace.name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1])),
        reply_to=[workspace.reply_to] if workspace.reply_to else [],
        accent=workspace.accent,
    )
