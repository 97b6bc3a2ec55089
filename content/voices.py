"""The voice of an account: counted in its own captions by us, put into words by the model, changed by people."""

import re
from collections import Counter
from statistics import median
from typing import Any

from django.utils import timezone

from bots.models import InstagramAccount
from content import reading
from content.models import Run, Voice
from content.reading import Post
from errors import codes
from errors.exceptions import BotException

LEARNS_FROM = 30  # captions
TAG = re.compile(r"#(\w+)")
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
WORD = re.compile(r"\w+")


def gather(run: Run) -> dict[str, Any]:
    """Read the newest captions. Raises AI_NOTHING_TO_READ where there is none."""
    assert run.account is not None
    found = reading.read(run.account)
    captions = [post.caption for post in found.posts if post.caption][:LEARNS_FROM]
    if not captions:
        raise BotException(codes.AI_NOTHING_TO_READ)
    return {"captions": captions, "measured": measure(found.posts), "bio": found.bio, "door": found.door}


def measure(posts: list[Post]) -> dict[str, Any]:
    """What we count in captions: words, emoji, questions, and the tags used most."""
    captions = [post.caption for post in posts if post.caption][:LEARNS_FROM]
    tags = Counter(tag.lower() for caption in captions for tag in TAG.findall(caption))
    return {
        "captions": len(captions),
        "median_words": median(len(WORD.findall(TAG.sub("", caption))) for caption in captions) if captions else None,
        "with_emoji": sum(bool(EMOJI.search(caption)) for caption in captions),
        "with_question": sum("?" in caption for caption in captions),
        "median_hashtags": median(len(TAG.findall(caption)) for caption in captions) if captions else None,
        "hashtags": [tag for tag, _ in tags.most_common(15)],
    }


def keep(run: Run, answer: Any, facts: dict[str, Any]) -> None:
    """Keep what was learnt, in place of what was known before."""
    measured = facts["measured"] | {"examples": facts["captions"][:5], "bio": facts["bio"], "door": facts["door"]}
    Voice.objects.update_or_create(
        workspace_id=run.workspace_id,
        account_id=run.account_id,
        defaults={
            "run": run,
            "measured": measured,
            "described": answer.model_dump(),
            "captions": facts["measured"]["captions"],
            "learnt_at": timezone.now(),
        },
    )


def of(account: InstagramAccount | None) -> Voice | None:
    """The voice of an account, if it was learnt."""
    return Voice.objects.filter(account=account).first() if account else None
