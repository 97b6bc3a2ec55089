"""What the doors of these pages share: finding what is the workspace's own."""

from django.shortcuts import get_object_or_404

from accounts.pages.doors import back, do, refuse, said
from accounts.requests import MemberRequest
from bots.models import Bot, InstagramAccount

__all__ = ["account_of", "back", "bot_of", "do", "refuse", "said"]


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
