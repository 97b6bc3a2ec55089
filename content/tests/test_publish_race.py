"""Workers that are killed at any moment, and several at once: no post twice, none lost."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from django.utils.timezone import now

from accounts import tenancy
from accounts.models import User
from bots.models import InstagramAccount
from content import publishing
from content.models import Post
from content.tests.making import captions, kept, scheduled
from instagrowth.testing import META_APP, everywhere
from instagrowth.testing_processes import servers_of_the_tests
from sandbox.testing import Control

ROOT = Path(__file__).resolve().parents[2]


def start(meta: Control) -> subprocess.Popen[bytes]:
    environment = os.environ | servers_of_the_tests()
    environment |= {
        "INSTAGRAM_GRAPH_URL": meta.url,
        "META_APP_ID": META_APP["id"],
        "META_APP_SECRET": META_APP["secret"],
    }
    command = [sys.executable, "-m", "content.tests.publishing_worker"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def hurry() -> None:
    """Let clocks run: what waits is due, and the leases of the dead are over."""
    with everywhere():
        Post.objects.filter(due_at__gt=now(), state__in=("publishing", "unknown")).update(due_at=now())


def bury() -> None:
    """Take back what the dead had, at once; who lives and had it is now somebody who comes too late."""
    with everywhere():
        Post.objects.filter(lease_until__isnull=False).update(lease_until=now())
    publishing.sweep()


@pytest.mark.usefixtures("committed")
def test_killed_workers_and_lost_answers_publish_each_post_once(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    meta.graph("settings", limit=1000)
    media = [kept(alices_official, alice)]
    posts = [scheduled(alices_official, alice, media, caption=f"Post {n}") for n in range(40)]
    meta.fault("reset_after_apply", path=".*media_publish", apply=True, times=3, after=5)
    meta.fault("reset", path=".*media_publish", times=2, after=12)
    dice, kills = random.Random(7), 0
    workers = [start(meta) for _ in range(2)]
    try:
        for look in range(800):
            with everywhere():
                left = Post.objects.exclude(state="published").count()
            if not left:
                break
            if kills < 3 and left < 36 - 8 * kills:
                dead = workers.pop(dice.randrange(len(workers)))
                dead.send_signal(signal.SIGKILL)
                dead.wait()
                kills += 1
                workers.append(start(meta))
            if kills == 3 and left <= 12 and look % 25 == 0:  # between, the living come to an end of something
                bury()
            hurry()
            time.sleep(0.1)  # between two looks; nothing depends on how long
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()

    assert kills == 3
    counted = Counter(captions(alices_official))
    assert counted == Counter({f"Post {n}": 1 for n in range(40)})
    with tenancy.scope(alices_official.workspace_id):
        assert set(Post.objects.values_list("state", flat=True)) == {"published"}
        assert Post.objects.filter(pk__in=[post.pk for post in posts]).values("instagram_id").distinct().count() == 40
