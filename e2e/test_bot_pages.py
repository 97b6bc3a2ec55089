"""Every page of a bot, on a desk and on a phone, dark and light, empty and crowded: nothing grave, nothing sideways."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, expect

from accounts.models import User, Workspace
from bots import recipes
from bots.models import AccountDay, Action, Bot, BotTask, FollowBack, Kind, ListedPerson, MessageTemplate
from e2e.conftest import Stack
from e2e.visitor import DESK, Visitor, visit
from errors import codes
from instagrowth.testing import everywhere, warm_account

pytestmark = pytest.mark.browser
PHONE = (360, 780)  # the narrowest that counts
HOME = "/automation/alice.clay/"
OF_THE_BOT = (HOME, f"{HOME}ledger/", f"{HOME}growth/", f"{HOME}settings/")
OF_THE_WORKSPACE = ("/people/", "/people/?list=block", "/texts/")
NEW = tuple(f"{HOME}new/{name}/" for name in recipes.RECIPES)


def crowd(bot: Bot, user: User) -> None:
    """Rows of every kind in every state, with names as long as names get."""
    mine = {"workspace_id": bot.workspace_id}
    now, account = timezone.now(), bot.account
    with everywhere():
        for n, status in enumerate(BotTask.Status):
            for kind in Kind:
                BotTask.objects.create(
                    **mine, bot=bot, kind=kind, value="pots" * 25, amount=1000, confirmed=n, skipped=n, status=status,
                    last_code=codes.FOLLOW_LIMIT_REACHED.id,
                )  # fmt: skip
        Action.objects.bulk_create(
            Action(
                **mine, account=account, kind=kind, state=state, target_pk=n, target_username="a" * 30, fence=1,
                error_code="" if state == "confirmed" else codes.FOLLOW_BLOCKED.id, correlation_id="c-0123456789ab",
            )
            for n, (kind, state) in enumerate((kind, state) for kind in Kind for state in Action.State)
        )  # fmt: skip
        days = [now.date() - timedelta(days=n) for n in range(80) if n % 9]
        AccountDay.objects.bulk_create(
            AccountDay(**mine, account=account, day=day, followers=100_000 - n) for n, day in enumerate(days)
        )
        FollowBack.objects.bulk_create(
            FollowBack(**mine, account=account, target_pk=n, group=group, follows=n % 9 == 0, asked_at=now)
            for group in FollowBack.Group
            for n in range(group == "held", 80, 2)
        )
        ListedPerson.objects.bulk_create(
            ListedPerson(**mine, list=which, username=f"{'b' * 26}.{n}", note="c" * 120)
            for which in ListedPerson.List
            for n in range(60)
        )
        for n, text in enumerate(("Hello {first_name}.", "d" * 1000)):
            MessageTemplate.objects.create(
                **mine, name=f"{n}" * 40, text=text, written_by=user, approved_at=now if n else None
            )


def looks_at(visitor: Visitor, paths: tuple[str, ...]) -> None:
    """Open each page and read it with axe, dark and light."""
    for path in paths:
        visitor.goes_to(path)
        expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
        visitor.examines()


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_every_page_reads_well(browser: Browser, stack: Stack, alice: User, alices_bot: Bot, size) -> None:
    with visit(browser, stack.site, size) as visitor:
        visitor.sign_in(alice)
        looks_at(visitor, (*OF_THE_BOT, *OF_THE_WORKSPACE, f"{HOME}new/welcome/"))
        crowd(alices_bot, alice)
        looks_at(visitor, (*OF_THE_BOT, *OF_THE_WORKSPACE, *NEW))


@pytest.mark.parametrize("size", [DESK, PHONE])
def test_the_desk_says_what_each_account_needs(
    browser: Browser, stack: Stack, alice: User, alices_workspace: Workspace, size
) -> None:
    needs = {
        "needs_login": codes.SESSION_INVALID,
        "needs_you": codes.CHALLENGE_REQUIRED,
        "frozen": codes.FOLLOW_BLOCKED,
        "banned": codes.ACCOUNT_SUSPENDED,
    }
    with everywhere():
        for health, code in needs.items():
            warm_account(alices_workspace, f"{health}.{'e' * 16}", health=health, health_code=code.id)

    with visit(browser, stack.site, size) as visitor:
        visitor.sign_in(alice)
        looks_at(visitor, ("/instagram/",))
        expect(visitor.page.locator("#needs-you h2")).to_have_count(2)


def test_follows_are_chosen_and_undone_with_the_keyboard(
    browser: Browser, stack: Stack, alice: User, alices_bot: Bot
) -> None:
    crowd(alices_bot, alice)

    with visit(browser, stack.site, PHONE) as visitor:
        visitor.sign_in(alice)
        visitor.goes_to(f"{HOME}ledger/")
        target = visitor.page.locator("label:has([name=action])")
        box = target.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
        target.locator("input").focus()
        visitor.page.keyboard.press("Space")
        button = visitor.page.get_by_role("button", name="Unfollow the chosen")
        expect(button).to_be_in_viewport()
        button.press("Enter")
        visitor.sees("The bot unfollows them, within its limits.")
