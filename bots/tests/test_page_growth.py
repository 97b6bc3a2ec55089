"""The page that says what the work brought."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.models import User
from bots.models import AccountDay, Bot, FollowBack
from instagrowth.testing import everywhere

PAGE = "/automation/alice.clay/growth/"


def ask(bot: Bot, group: str, follow: int, asked: int) -> None:
    with everywhere():
        start = FollowBack.objects.count()
        FollowBack.objects.bulk_create(
            FollowBack(
                workspace_id=bot.workspace_id,
                account=bot.account,
                target_pk=start + n,
                group=group,
                follows=n < follow,
                asked_at=timezone.now(),
            )
            for n in range(asked)
        )


def test_without_a_comparison_it_teaches_how(client: Client, alice: User, alices_bot: Bot) -> None:
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "Leave 10 % alone" in page
    assert "Not enough days yet" in page


def test_too_few_are_said_to_be_too_few(client: Client, alice: User, alices_bot: Bot) -> None:
    ask(alices_bot, "contacted", 5, 20)
    ask(alices_bot, "held", 0, 5)
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "Not enough data yet" in page
    assert "Said when each group has 30 people." in page


def test_a_difference_that_is_no_luck_is_told(client: Client, alice: User, alices_bot: Bot) -> None:
    ask(alices_bot, "contacted", 60, 300)
    ask(alices_bot, "held", 2, 100)
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert "Measurable" in page
    assert "60 of 300" in page
    assert "18\N{NO-BREAK SPACE}%" in page


def test_one_that_could_be_luck_is_called_so(client: Client, alice: User, alices_bot: Bot) -> None:
    ask(alices_bot, "contacted", 12, 100)
    ask(alices_bot, "held", 8, 80)
    client.force_login(alice)

    assert "Could be luck" in client.get(PAGE).content.decode()


def test_followers_are_drawn_with_their_gaps(client: Client, alice: User, alices_bot: Bot) -> None:
    today = timezone.now().date()
    with everywhere():
        for ago, followers in ((9, 900), (8, 910), (3, 950), (1, 940)):
            AccountDay.objects.create(
                workspace_id=alices_bot.workspace_id,
                account=alices_bot.account,
                day=today - timedelta(days=ago),
                followers=followers,
            )
    client.force_login(alice)

    page = client.get(PAGE).content.decode()

    assert page.count('class="s1"') == 3
    assert "lowest 900, highest 950" in page


def test_a_stranger_finds_nothing(client: Client, charlie: User, alices_bot: Bot) -> None:
    client.force_login(charlie)

    assert client.get(PAGE).status_code == 404
