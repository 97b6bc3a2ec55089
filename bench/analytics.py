"""How fast `/analytics/` is with 100 accounts and two years of days and posts, all of it asked for."""

import random
import secrets
import time
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any

ACCOUNTS, DAYS, POSTS_EACH, LOOKS = 100, 730, 300, 60
TAGS = ("clay", "glaze", "kiln", "studio", "handmade", "stoneware", "blue", "bowls")


def figures() -> list[dict[str, object]]:
    """Milliseconds of the page over two years and over four weeks, of all accounts and of one, and its queries."""
    from django.test import Client

    client, user = Client(SERVER_NAME="localhost"), _furnish()
    client.force_login(user)
    client.get("/analytics/")
    told = []
    for words, query in (
        ("all accounts, 2 years", {"days": "730"}),
        ("all accounts, 28 days", {"days": "28"}),
        ("one account, 2 years", {"days": "730", "account": "number7"}),
    ):
        p95, queries = _look(client, query)
        about = f"{ACCOUNTS} accounts with {DAYS} days and {ACCOUNTS * POSTS_EACH} posts: {words}"
        told.append({"figure": f"analytics page, p95 in ms, {about}", "value": round(p95, 1), "goal": 200})
        told.append({"figure": f"analytics page, queries, {words}", "value": queries})
    return told


def _look(client: Any, query: dict[str, str]) -> tuple[float, int]:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        if client.get("/analytics/", query).status_code != 200:
            raise RuntimeError("The page did not answer.")
    queries = len(asked)
    times = []
    for _ in range(LOOKS):
        begun = time.perf_counter()
        client.get("/analytics/", query)
        times.append(1000 * (time.perf_counter() - begun))
    return quantiles(times, n=20)[18], queries


def _furnish() -> Any:
    """A member of a workspace with so many accounts, each with its days and posts."""
    from django.db import connection

    from accounts import teams, tenancy
    from accounts.models import User
    from billing import entitlements
    from bots.models import InstagramAccount, OfficialAccess
    from content.models import AccountInsight, Measuring, PostInsight

    user = User.objects.make(email=f"{secrets.token_hex(4)}@example.com", password=secrets.token_urlsafe())
    workspace, dice = teams.open_workspace(user), random.Random(5)
    at = datetime.now(UTC)
    with tenancy.platform("the figures need a plan"):
        entitlements.subscribe(workspace, "enterprise")
    with tenancy.scope(workspace):
        accounts = InstagramAccount.objects.bulk_create(
            InstagramAccount(workspace=workspace, username=f"number{n}", health="active") for n in range(ACCOUNTS)
        )
        Measuring.objects.bulk_create(
            Measuring(workspace=workspace, account=account, due_at=at, measured_at=at) for account in accounts
        )
        OfficialAccess.objects.bulk_create(
            OfficialAccess(
                workspace=workspace, account=account, login="instagram", ig_id=account.username, sealed_token=b"-"
            )
            for account in accounts
        )
        for account in accounts:
            own = {"workspace": workspace, "account": account, "measured_at": at}
            AccountInsight.objects.bulk_create(
                AccountInsight(**own, day=(at - timedelta(days=n)).date(), followers=9000 - n, **_numbers(dice))
                for n in range(DAYS)
            )
            PostInsight.objects.bulk_create(
                PostInsight(
                    **own,
                    media_id=f"{account.username}-{n}",
                    kind=dice.choice(("IMAGE", "CAROUSEL_ALBUM")),
                    product="FEED",
                    caption="A bowl of the week",
                    tags=dice.sample(TAGS, 3),
                    posted_at=(when := at - timedelta(days=DAYS * n / POSTS_EACH, minutes=dice.randrange(1400))),
                    local_at=when,
                    **_numbers(dice),
                )
                for n in range(POSTS_EACH)
            )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return user


def _numbers(dice: random.Random) -> dict[str, int]:
    reach = dice.randrange(100, 5000)
    return {"reach": reach, "views": 2 * reach, "interactions": reach // 12, "likes": reach // 15, "comments": 3}
