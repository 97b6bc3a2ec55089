"""A workspace to look at: somebody to sign in as, and an account of the local Instagram whose bot is at work."""

import json
import os
import secrets
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts import sign_in, tenancy
from accounts.models import Membership, User, Workspace
from adminpanel import members
from bots import connecting, health, lists, sessions, switch, tasking, tuning, welcomes
from bots.models import Bot, BotTask, DailyLimit, InstagramAccount, Kind, ListedPerson, Source
from content import demo as content_demo
from errors import codes
from errors.exceptions import BotException

EMAIL = "demo@instagrowth.example"
ZONE = "Europe/Berlin"
# Two of the people whom the sandbox shows on its front page. The first has no second factor: we connect it. The second
# is left for the newcomer, and says what its authenticator app would know.
OURS = {"username": "demo.ceramics", "password": "demo-password-1"}
YOURS = {
    "username": "demo.bakery",
    "password": "demo-password-2",
    "authenticator secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
}
PACE: dict[str, object] = {"cycle_delay": 8, "jitter": 20, "burst": 1, "timezone": ZONE, "holdout": 10}
GREETING = ("Thank you", "Hello {first_name}, thank you for following our small studio. What do you like to make?")
FRIENDS = ["mira.clay", "kiln.studio", "the.blue.glaze"]
PATIENCE = 10.0  # seconds for a sandbox that is just starting


def fill() -> dict[str, Any]:
    """Make what is missing, and keep how to sign in in DATA_DIR/demo.json, which only this user may read."""
    file = settings.DATA_DIR / "demo.json"
    user, password = _person(_kept(file))
    told: dict[str, Any] = {"login": user.email, "password": password}
    if settings.INSTAGRAM_PRIVATE_URL:  # never the real Instagram
        told["instagram"] = YOURS
    _keep(file, told)
    return told


def set_to_work() -> Bot | None:
    """Connect the demo's account at the sandbox, start its bot and give it a task; None if that was done before.

    Raises what the login met, such as NET_REFUSED.
    """
    user = User.objects.get(email=EMAIL)
    with tenancy.person(user):
        workspace = Workspace.objects.filter(memberships__user=user).earliest("created_at")
    with tenancy.scope(workspace):
        known = InstagramAccount.objects.filter(username=OURS["username"]).select_related("session").first()
        if known is not None and sessions.is_usable(known):
            return None
        bot = _connect(workspace, user)
        _age(bot.account)
        tuning.tune(bot, user, PACE)
        if not BotTask.objects.filter(bot=bot).exists():
            _ask(bot, user)
        switch.start(bot, user)
    return bot


def plan() -> None:
    """Connect the demo's account through Meta at the sandbox too, and plan posts; nothing where that was done before.

    Raises what the sandbox refuses.
    """
    user = User.objects.get(email=EMAIL)
    with tenancy.person(user):
        workspace = Workspace.objects.filter(memberships__user=user).earliest("created_at")
    with tenancy.scope(workspace):
        account = InstagramAccount.objects.filter(username=OURS["username"]).first()
    if account is not None:
        content_demo.fill(workspace, user, account)


def _ask(bot: Bot, user: User) -> None:
    """Give the bot something of each kind, and its owner's lists and text: what they bring, the bot must do itself."""
    keep, block = ListedPerson.List
    lists.add(bot.workspace, keep, FRIENDS, "Friends of the studio", user)
    lists.add(bot.workspace, block, [YOURS["username"]], "Our own other account", user)
    owner = Membership.objects.select_related("workspace", "user").get(workspace=bot.workspace, user=user)
    greeting = welcomes.write(owner, *GREETING)
    tasking.follow_hashtag(bot, "ceramics", 25, user=user)
    tasking.ask(bot, Kind.LIKE, 15, source=Source.HASHTAG, value="pottery", user=user)
    tasking.ask(bot, Kind.STORY_VIEW, 15, source=Source.HASHTAG, value="ceramics", user=user)
    tasking.ask(bot, Kind.WELCOME_DM, 5, options={"only_new": True}, template=greeting, user=user)
    tasking.ask(bot, Kind.UNFOLLOW, 10, options={"after_days": 14, "keep_mutual": True}, user=user)


def _person(kept: dict[str, Any]) -> tuple[User, str]:
    """Find the demo's member, or make one; the password is the one that was kept, as long as it is right."""
    user = User.objects.filter(email=EMAIL).first()
    password: str = kept.get("password", "")
    if user is None:
        password = password or secrets.token_urlsafe(12)
        admitted = members.admit(email=EMAIL, password=password, plan="growth")
        with tenancy.scope(admitted.workspace):
            Workspace.objects.filter(pk=admitted.workspace.pk).update(name="Demo studio", timezone=ZONE)
        User.objects.filter(pk=admitted.user.pk).update(name="Demo", timezone=ZONE)
        return admitted.user, password
    if not user.check_password(password):
        password = secrets.token_urlsafe(12)
        sign_in.change_password(user, password)
    return user, password


def _connect(workspace: Workspace, user: User) -> Bot:
    """Log in as soon as the sandbox answers."""
    until = time.monotonic() + PATIENCE
    while True:
        answer = connecting.connect(workspace, user, **OURS, accept_risk=True)
        if answer.bot is not None:
            return Bot.objects.select_related("account__session", "workspace").get(pk=answer.bot.pk)
        refused = answer.refused or BotException(codes.IG_CODE_REQUIRED)
        if refused.code is not codes.NET_REFUSED or time.monotonic() > until:
            raise refused
        time.sleep(0.5)


def _age(account: InstagramAccount) -> None:
    """Pretend that the account's warm-up is over and that staff raised its hourly limit: demo data, to see it work."""
    account.warmup_started_at = timezone.now() - timedelta(days=60)
    health.welcome(account, timezone.now())
    with tenancy.platform("limits of a workspace are set by staff"):
        DailyLimit.objects.get_or_create(
            workspace_id=account.workspace_id, kind=Kind.FOLLOW, defaults={"hourly": 40, "daily": 80, "weekly": 420}
        )


def _kept(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _keep(file: Path, told: dict[str, Any]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_suffix(".new")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as text:
        json.dump(told, text, indent=2)
    half.replace(file)
