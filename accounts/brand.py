"""A workspace's own label on its pages and mails, where its plan has white label."""

import hashlib
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr
from functools import lru_cache

from django.conf import settings
from django.urls import reverse
from django.utils.timezone import now

from accounts import allowance
from accounts.models import Logo, Workspace
from accounts.shades import BLACK, WHITE, Shades, shades_of

OURS = "InstaGrowth OS"


@dataclass(frozen=True)
class Label:
    """Whose name, colour and picture stand on a page or a mail; empty where they are ours."""

    name: str = OURS
    own: bool = False  # the workspace's, not ours
    sender: str = ""
    reply_to: list[str] = field(default_factory=list)
    accent: str = ""
    css: str = ""  # the address of its style sheet
    logo: str = ""  # its address

    @property
    def shades(self) -> Shades | None:
        """What its colour is on light and on dark grounds."""
        return shades_of(self.accent) if self.accent else None


def label_of(workspace: Workspace | None) -> Label:
    """The label of a workspace, or ours."""
    if workspace is None or not allowance.plan_of(workspace).white_label:
        return Label(sender=settings.DEFAULT_FROM_EMAIL)
    name = " ".join(workspace.name.split())  # a line break would end the header of a mail
    return Label(
        name=name,
        own=True,
        sender=formataddr((name, parseaddr(settings.DEFAULT_FROM_EMAIL)[1])),
        reply_to=[workspace.reply_to] if workspace.reply_to else [],
        accent=workspace.accent,
        css=_address("brand_css", workspace, edition(css(workspace.accent))) if workspace.accent else "",
        logo=_address("brand_logo", workspace, logo_edition(workspace)) if workspace.logo_at else "",
    )


@lru_cache(maxsize=256)
def css(accent: str, within: str = ":root") -> str:
    """The style sheet of a colour, for a page or for what is inside of `within`."""
    look = shades_of(accent)
    main = f'{"" if within == ":root" else f"{within} "}.btn-main:not(:disabled,[aria-disabled="true"])'
    away = BLACK if look.on_body == WHITE else WHITE
    return (
        f"{within}{{--color-accent:{_both(look.words)};--color-focus:{_both(look.words)};"
        f"--color-on-accent:{_both(look.on_words)};--color-accent-soft:{_both(look.soft)}}}\n"
        f"{main}{{background:{look.body};border-color:{_both(look.edge)};color:{look.on_body}}}\n"
        f"{main}:hover{{background:color-mix(in oklab,{look.body} 88%,{away})}}\n"
    )


@lru_cache(maxsize=256)
def edition(text: str) -> str:
    """Which edition of a style sheet this is: another colour, or other rules of ours, is another one."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def logo_edition(workspace: Workspace) -> str:
    """Which logo this is, to the millisecond."""
    return str(int(workspace.logo_at.timestamp() * 1000)) if workspace.logo_at else ""


def keep_logo(workspace: Workspace, png: bytes) -> None:
    """Let a workspace have this logo."""
    Logo.objects.update_or_create(workspace=workspace, defaults={"png": png})
    workspace.logo_at = now()
    workspace.save(update_fields=["logo_at"])


def remove_logo(workspace: Workspace) -> None:
    """Let a workspace have none."""
    Logo.objects.filter(workspace=workspace).delete()
    workspace.logo_at = None
    workspace.save(update_fields=["logo_at"])


def _address(name: str, workspace: Workspace, shown: str) -> str:
    return f"{reverse(f'accounts:{name}', args=[workspace.pk])}?v={shown}"


def _both(pair: tuple[str, str]) -> str:
    return f"light-dark({pair[0]},{pair[1]})"
