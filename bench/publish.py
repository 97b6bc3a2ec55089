"""1,000 posts due at once, 1 % of the answers lost, ten workers killed: what stands twice, and what is lost."""

import io
import os
import random
import secrets
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from typing import Any

from bench.ground import ROOT, Ground
from sandbox.testing import Control

POSTS, KILLS, WORKERS, GIVE_UP = 1000, 10, 2, 900
APP = {"META_APP_ID": "sandbox-meta-app", "META_APP_SECRET": "sandbox-meta-secret"}


def figures(here: Ground) -> list[dict[str, object]]:
    """Publish everything, and count what the sandbox shows."""
    from django.conf import settings

    os.environ |= APP | {"INSTAGRAM_GRAPH_URL": here.sandbox.url}
    settings.META_APP_ID, settings.META_APP_SECRET = APP.values()
    settings.INSTAGRAM_GRAPH_URL = here.sandbox.url
    meta = here.sandbox.control
    account = _furnish(meta)
    meta.graph("settings", limit=POSTS * 2, fetches=False)
    for lost in range(POSTS // 100):  # every hundredth answer: half arrived, half did not
        fault = "reset_after_apply" if lost % 2 else "reset"
        meta.fault(fault, path=".*media_publish", apply=fault != "reset", times=1, after=50 + 100 * lost)
    begun, killed = time.monotonic(), _publish(POSTS)
    seconds = time.monotonic() - begun
    shown = Counter(_captions(account))
    return [
        {"figure": f"{POSTS} posts, {POSTS // 100} lost answers: workers killed", "value": killed, "goal": KILLS},
        {"figure": "posts that stand twice", "value": sum(count - 1 for count in shown.values()), "goal": 0},
        {"figure": "posts that are lost", "value": POSTS - len(shown), "goal": 0},
        {
            "figure": "posts that we call published and are not, or the other way round",
            "value": _wrong(shown),
            "goal": 0,
        },
        {"figure": "posts published a second, two workers", "value": round(POSTS / seconds, 1)},
    ]


def _publish(left: int) -> int:
    """Let workers work and kill some; clocks run faster, so that nobody waits for the next look."""
    dice, killed, begun = random.Random(11), 0, time.monotonic()
    workers = [_start() for _ in range(WORKERS)]
    try:
        while left and time.monotonic() - begun < GIVE_UP:
            if killed < KILLS and left < POSTS - (killed + 1) * POSTS // (KILLS + 2):
                dead = workers.pop(dice.randrange(len(workers)))
                dead.send_signal(signal.SIGKILL)
                dead.wait()
                killed += 1
                workers.append(_start())
            left = _hurry(bury=killed >= KILLS)
            time.sleep(0.2)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    return killed


def _hurry(*, bury: bool) -> int:
    """Let what waits be due and the dead's leases be over; how many posts are not published yet."""
    from django.db.models import Q
    from django.utils.timezone import now

    from accounts import tenancy
    from content import publishing
    from content.models import Post

    with tenancy.platform("a figure lets clocks run"):
        Post.objects.filter(due_at__gt=now(), state__in=("publishing", "unknown")).update(due_at=now())
        left = Post.objects.filter(~Q(state="published")).count()
        if bury and left < WORKERS * 10:
            Post.objects.filter(lease_until__isnull=False).update(lease_until=now())
    publishing.sweep()
    return left


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "content.tests.publishing_worker"]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _furnish(meta: Control) -> Any:
    """An account with an official door, and its due posts."""
    from django.utils.timezone import now

    from accounts import teams, tenancy
    from accounts.models import User
    from billing import entitlements
    from bots import official
    from bots.models import InstagramAccount, OfficialAccess
    from content import library
    from content.models import Post, PostMedia

    user = User.objects.make(email=f"{secrets.token_hex(4)}@example.com", password=secrets.token_urlsafe())
    workspace = teams.open_workspace(user)
    meta.account("figure.posts", business=True, followers=900, media=0)
    given = meta.graph("token", username="figure.posts")
    with tenancy.platform("the figures need a plan"):
        entitlements.subscribe(workspace, "enterprise")
    with tenancy.scope(workspace):
        account = InstagramAccount.objects.create(workspace=workspace, username="figure.posts", health="active")
        access = OfficialAccess(workspace=workspace, account=account, login="instagram", ig_id=given["ig_id"])
        access.app_id, access.expires_at = APP["META_APP_ID"], now() + timedelta(days=60)
        official.seal_token(access, given["token"])
        access.save(force_insert=True)
        file = library.add(workspace, user, _picture())
        common = {"workspace": workspace, "account": account, "state": "scheduled"}
        posts = Post.objects.bulk_create(
            Post(**common, caption=f"Post {n}", planned_for=now(), due_at=now()) for n in range(POSTS)
        )
        PostMedia.objects.bulk_create(PostMedia(workspace=workspace, post=post, media=file) for post in posts)
    return account


def _picture() -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (1080, 1080), (60, 140, 150)).save(file, "JPEG")
    return SimpleUploadedFile("bowl.jpg", file.getvalue(), "image/jpeg")


def _captions(account: Any) -> list[str]:
    """The captions of all that the sandbox shows of an account that had nothing before."""
    from accounts import tenancy
    from bots.official import official_door

    with tenancy.scope(account.workspace_id):
        door = official_door(account)
    posts, after = door.media(limit=100)
    while after:
        more, after = door.media(after, limit=100)
        posts += more
    return [post["caption"] for post in posts]


def _wrong(shown: Counter[str]) -> int:
    from accounts import tenancy
    from content.models import Post

    with tenancy.platform("a figure counts"):
        ours = set(Post.objects.filter(state="published").values_list("caption", flat=True))
    return len(ours ^ set(shown))
