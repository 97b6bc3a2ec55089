"""What the doors of these pages share: finding what is the workspace's own."""

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.shortcuts import get_object_or_404

from accounts.pages.doors import back, do, refuse, said
from accounts.requests import MemberRequest
from bots.models import Bot, InstagramAccount
from errors.exceptions import BotException
from errors.recording import record

__all__ = ["account_of", "back", "bot_of", "do", "do_for", "refuse", "said"]


def account_of(request: MemberRequest, username: str) -> InstagramAccount:
    """Find an account of the visitor's workspace. Raises Http404."""
    accounts = InstagramAccount.objects.select_related("session", "bot")
    return get_object_or_404(accounts, workspace=request.workspace, username=username.lower())


def bot_of(request: MemberRequest, username: str) -> Bot:
    """Find the bot of an account of the visitor's workspace. Raises Http404."""
    bots = Bot.objects.select_related("account__session")
    bot = get_object_or_404(bots, workspace=request.workspace, account__username=username.lower())
    bot.workspace = request.workspace
    return bot


def do_for(request: MemberRequest, form: Form, deed: Callable[[], str], *, name: str) -> bool:
    """Do what a form asks and say what the deed gives back; a refusal is undone, kept, and put into it."""
    try:
        with transaction.atomic():
            done = deed()
    except BotException as refused:
        record(refused, action=name, workspace=request.workspace, user=request.user)
        meant = str(refused.meta.get("field", ""))
        form.add_error(meant if meant in form.fields else None, said(refused, request.membership))
        return False
    messages.success(request, done)
    return True
