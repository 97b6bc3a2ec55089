"""Notices: a mail for each event that touches how somebody gets in, so that nobody else does it unseen."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from allauth.account.models import EmailAddress
from django.conf import settings
from django.http import HttpRequest
from django.utils.timezone import now

from accounts import browsers, limits, mails, notifications
from accounts.models import NoticeKind, User, Workspace


@dataclass(frozen=True)
class Event:
    """What a notice says; `{words}` are the facts that `notify` is given."""

    subject: str
    sentence: str
    alarming: bool = True  # ends with what to do if it was somebody else
    kind: str = ""  # what concerns a workspace is told at the bell, too, under this kind ...
    path: str = ""  # ... and leads there


# Names that allauth gives its own notices (password_changed, totp_activated, …) are kept.
EVENTS = {
    "password_changed": Event(
        "Your password was changed",
        "Your password was changed. Every other browser and every API token was signed out.",
    ),
    "password_set": Event("You have a password now", "A password was set for your account."),
    "password_reset": Event(
        "Your password was reset",
        "Your password was changed with a link from a mail. Every browser and every API token was signed out.",
    ),
    "email_added": Event("An e-mail was added", "The e-mail {email} was added to your account."),
    "email_confirmed": Event("An e-mail was confirmed", "The e-mail {email} of your account was confirmed."),
    "email_deleted": Event("An e-mail was removed", "The e-mail {deleted_email} was removed from your account."),
    "email_changed": Event("Your main e-mail was changed", "Your main e-mail was {from_email} and is now {to_email}."),
    "totp_activated": Event("The second factor is on", "An authenticator app was turned on as your second factor."),
    "totp_deactivated": Event("The second factor is off", "The authenticator app is no longer your second factor."),
    "recovery_codes_generated": Event(
        "New recovery codes", "New recovery codes were made. The codes from before no longer work."
    ),
    "recovery_code_used": Event(
        "A recovery code was used", "A recovery code was used in place of your second factor. {left} are left."
    ),
    "webauthn_added": Event("A passkey was added", "A passkey was added to your account."),
    "webauthn_removed": Event("A passkey was removed", "A passkey was removed from your account."),
    "account_connected": Event("Google was linked", "A Google account was linked: it opens your account from now on."),
    "account_disconnected": Event("Google was unlinked", "The Google account no longer opens your account."),
    "token_made": Event("An API token was made", "The API token “{name}” was made. It opens your account to programs."),
    "token_revoked": Event("An API token was revoked", "The API token “{name}” was revoked and no longer works."),
    "tokens_revoked": Event("All API tokens were revoked", "All API tokens of your account were revoked: {amount}."),
    "new_device": Event(
        "A new device signed in", "Somebody signed in to your account with a device that we have not seen before."
    ),
    "signed_out_everywhere": Event(
        "You were signed out everywhere else", "Every other browser, and every program that had signed in, is out."
    ),
    "guessing_locked": Event(
        "Too many wrong passwords",
        "There were too many wrong passwords for your account, so nobody can sign in to it for {minutes} minutes.",
    ),
    "second_factor_locked": Event(
        "Too many wrong codes",
        "Somebody knew your password, then sent too many wrong codes of your second factor. No code is taken for now.",
    ),
    "ownership_given": Event(
        "The workspace has a new owner",
        "You made {whom} an owner of the workspace “{workspace}”. You are a {role} of it now.",
    ),
    "ownership_received": Event(
        "You own a workspace now", "{by} made you an owner of the workspace “{workspace}”.", alarming=False
    ),
    "role_changed": Event(
        "Your role was changed",
        "{by} changed your role in the workspace “{workspace}”: {role}.",
        alarming=False,
        kind=NoticeKind.TEAM,
        path="/settings/team/",
    ),
    "joined": Event(
        "Somebody joined your team",
        "{who} joined the workspace “{workspace}” as {role}.",
        alarming=False,
        kind=NoticeKind.TEAM,
        path="/settings/team/",
    ),
    "proposed": Event(
        "A proposal waits for you",
        "{by} proposes in the workspace “{workspace}”: {summary}.",
        alarming=False,
        kind=NoticeKind.TEAM,
        path="/settings/approvals/",
    ),
    "approved": Event(
        "Your proposal was approved",
        "{by} approved, in the workspace “{workspace}”: {summary}.",
        alarming=False,
        kind=NoticeKind.TEAM,
        path="/settings/approvals/",
    ),
    "refused": Event(
        "Your proposal was refused",
        "{by} refused, in the workspace “{workspace}”: {summary}.",
        alarming=False,
        kind=NoticeKind.TEAM,
        path="/settings/approvals/",
    ),
    "removed": Event("You left a workspace", "You no longer belong to the workspace “{workspace}”.", alarming=False),
    "account_deletion_asked": Event(
        "Your account is going to be deleted",
        "You asked us to delete your account. It goes on {day}; until then undo it.",
    ),
    "account_deletion_undone": Event("Your account stays", "The deletion of your account was undone."),
    "workspace_deletion_asked": Event(
        "A workspace is going to be deleted",
        "{by} asked us to delete the workspace “{workspace}”. It goes on {day}; until then an owner can undo it.",
    ),
    "workspace_deletion_undone": Event(
        "The workspace stays", "The deletion of the workspace “{workspace}” was undone."
    ),
    "instagram_needs_you": Event(
        "An Instagram account needs you",
        "Everything on @{username} has stopped. {cause} {next_step} The steps are on {page} ({code}).",
        alarming=False,
        kind=NoticeKind.ACCOUNTS,
        path="/instagram/",
    ),
    "official_needs_you": Event(
        "An Instagram account must be connected again",
        "@{username} is connected through Meta, and that needs you. {cause} {next_step} The page is {page} ({code}).",
        alarming=False,
    ),
    "payment_failed": Event(
        "A payment failed",
        "The payment for the plan {plan} of the workspace “{workspace}” failed. Everything goes on until {day}. Pay the"
        " open invoice or change the card on {page}.",
        alarming=False,
    ),
    "payment_recovered": Event(
        "The payment went through",
        "The payment for the plan {plan} of the workspace “{workspace}” went through. Everything is as before.",
        alarming=False,
    ),
    "payment_over": Event(
        "Your plan is paused",
        "The payment for the plan {plan} of the workspace “{workspace}” could not be made in time. The free plan counts"
        " for now and bots beyond it pause. Pay on {page} and they come back; nothing is deleted.",
        alarming=False,
    ),
    "subscription_over": Event(
        "Your plan has ended",
        "The plan {plan} of the workspace “{workspace}” has ended. The free plan counts from now on and bots beyond it"
        " pause. You can choose a plan again on {page}.",
        alarming=False,
    ),
    "trial_ends": Event(
        "Your trial is about to end",
        "The trial of the plan {plan} in the workspace “{workspace}” ends on {day}; then the first payment is taken. To"
        " leave before that, cancel on {page}.",
        alarming=False,
    ),
    "archive_ready": Event(
        "Your archive is ready",
        "The archive of your data is ready. It waits for you on the page “Your data” for 7 days.",
    ),
    "workspace_deleted": Event(
        "A workspace is deleted", "The workspace “{workspace}” and everything in it is deleted.", alarming=False
    ),
    "account_deleted": Event(
        "Your account is deleted",
        "Your account and all that belonged to it is deleted. This is our last mail to you.",
        alarming=False,
    ),
}


def notify(
    user: User,
    event: str,
    request: HttpRequest | None = None,
    *,
    to: str = "",
    label_of: Workspace | None = None,
    **facts: object,
) -> None:
    """Mail a person what was done; nobody is written to at an address that was never confirmed.

    `event` is a name in EVENTS, `facts` fill its sentence, `request` tells from where, `to` is another address than the
    main one, `label_of` the workspace whose label the mail wears. Raises KeyError for an unknown event or missing fact.
    """
    known = EVENTS[event]
    if known.kind and label_of is not None:
        tone, title, sentence = "bad" if known.kind == NoticeKind.ACCOUNTS else "info", known.subject, known.sentence
        title = f"@{facts['username']} needs you" if "username" in facts else title
        notifications.notify(
            label_of, known.kind, title, body=sentence.format(**facts), tone=tone, path=known.path, to=[user]
        )
    address = to or _main_address(user)
    if not address:
        return
    context: dict[str, Any] = {
        "subject": known.subject,
        "sentence": known.sentence.format(**facts),
        "alarming": known.alarming,
        "when": f"{now().astimezone(ZoneInfo(user.timezone)):%a %-d %b %Y, %H:%M} ({user.timezone})",
        "place": limits.client_address(request) if request else "",
        "device": browsers.words(request.headers.get("User-Agent", "")) if request else "",
        "security_url": f"{settings.SITE_URL}/accounts/sessions/",
        "reset_url": f"{settings.SITE_URL}/accounts/password/reset/",
    }
    mails.write("mail/notice", address, context, workspace=label_of)


def _main_address(user: User) -> str:
    if user.email and EmailAddress.objects.filter(user=user, email__iexact=user.email, verified=False).exists():
        return ""
    return user.email or ""
