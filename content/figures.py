"""What we compute of an account's posts. No model touches these numbers; what is not known is None."""

from collections import defaultdict
from itertools import pairwise
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from content.reading import Post, Reading
from content.voices import measure

ENOUGH = 5  # posts of an hour block or a kind, before its median says anything
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BLOCK = 4  # hours


def engagement(post: Post, followers: int | None) -> float | None:
    """Likes and comments for each follower; None where Instagram hides one of them or nobody follows."""
    if post.likes is None or post.comments is None or not followers:
        return None
    return (post.likes + post.comments) / followers


def of(reading: Reading, timezone: str) -> dict[str, Any]:
    """All figures of a reading, for keeping: rhythm, engagement by kind, day and hours, the posts that did best."""
    posts, zone = reading.posts, ZoneInfo(timezone)
    rates = [(post, rate) for post in posts if (rate := engagement(post, reading.followers)) is not None]
    local = {post.id: post.posted_at.astimezone(zone) for post in posts}
    best = sorted(rates, key=lambda pair: pair[1], reverse=True)[:5]
    return {
        "username": reading.username,
        "full_name": reading.full_name,
        "bio": reading.bio,
        "followers": reading.followers,
        "following": reading.following,
        "posts_in_all": reading.posts_in_all,
        "posts_read": len(posts),
        "posts_a_week": rhythm(posts),
        "longest_gap_days": longest_gap(posts),
        "engagement": median(rate for _, rate in rates) if rates else None,
        "likes": _median([post.likes for post in posts]),
        "comments": _median([post.comments for post in posts]),
        "by_kind": _grouped(rates, lambda post: post.kind),
        "by_day": _grouped(rates, lambda post: DAYS[local[post.id].weekday()]),
        "by_hours": _grouped(rates, lambda post: _block(local[post.id].hour)),
        "captions": measure(posts),
        "top_posts": [
            {"caption": post.caption[:200], "kind": post.kind, "engagement": rate, "at": post.posted_at.isoformat()}
            for post, rate in best
        ],
    }


def rhythm(posts: list[Post]) -> float | None:
    """Posts a week between the oldest and the newest read; None for fewer than two."""
    if len(posts) < 2:
        return None
    days = (posts[0].posted_at - posts[-1].posted_at).total_seconds() / 86400
    return round((len(posts) - 1) / max(days / 7, 1 / 7), 2)


def longest_gap(posts: list[Post]) -> float | None:
    """Days between two neighbours that are furthest apart."""
    gaps = [(a.posted_at - b.posted_at).total_seconds() / 86400 for a, b in pairwise(posts)]
    return round(max(gaps), 1) if gaps else None


def scores(facts: dict[str, Any]) -> list[dict[str, Any]]:
    """Scores of 0 to 100 by fixed rules, each with its reason; an area without numbers has none."""
    bio, captions = facts["bio"], facts["captions"]
    rules = [
        ("bio", "Bio", _bio_score(bio), f"{len(bio)} of 150 letters used" if bio else "There is no bio."),
        ("rhythm", "Rhythm", _rhythm_score(facts), _said(facts["posts_a_week"], "{:.1f} posts a week; longest gap "
         f"{_plain(facts['longest_gap_days'])} days")),
        ("engagement", "Engagement", _engagement_score(facts), _said(facts["engagement"], "median {:.2%} of followers"
         " like or comment")),
        ("mix", "Mix", _mix_score(facts), f"{len(facts['by_kind'])} kinds of posts"),
        ("captions", "Captions", _caption_score(captions), _said(captions["median_words"], "{:.0f} words in the middle"
         f" caption; {captions['with_question']} of {captions['captions']} ask something")),
        ("hashtags", "Hashtags", _hashtag_score(captions), _said(captions["median_hashtags"], "{:.0f} hashtags in the"
         " middle caption")),
    ]  # fmt: skip
    return [{"area": area, "word": word, "score": score, "reason": reason} for area, word, score, reason in rules]


def whole(found: list[dict[str, Any]]) -> int | None:
    """The mean of the areas that have a score."""
    known = [each["score"] for each in found if each["score"] is not None]
    return round(sum(known) / len(known)) if known else None


def _bio_score(bio: str) -> int:
    return 0 if not bio else min(100, 40 + 60 * min(len(bio), 100) // 100)


def _rhythm_score(facts: dict[str, Any]) -> int | None:
    weekly, gap = facts["posts_a_week"], facts["longest_gap_days"]
    if weekly is None:
        return None
    return max(0, round(min(weekly, 4) / 4 * 100 - max(0, gap - 7) * 3))


def _engagement_score(facts: dict[str, Any]) -> int | None:
    rate = facts["engagement"]
    return None if rate is None else round(min(rate / 0.04, 1) * 100)  # 4 % and more is full


def _mix_score(facts: dict[str, Any]) -> int | None:
    return min(100, 40 * len(facts["by_kind"])) if facts["by_kind"] else None


def _caption_score(captions: dict[str, Any]) -> int | None:
    words = captions["median_words"]
    if words is None:
        return None
    asks = captions["with_question"] / captions["captions"]
    return round(min(words, 30) / 30 * 70 + min(asks, 0.3) / 0.3 * 30)


def _hashtag_score(captions: dict[str, Any]) -> int | None:
    count = captions["median_hashtags"]
    return None if count is None else round(100 - min(abs(count - 5), 10) * 8)  # three to eight do


def _grouped(rates: list[tuple[Post, float]], name: Any) -> list[dict[str, Any]]:
    groups: dict[str, list[float]] = defaultdict(list)
    for post, rate in rates:
        groups[name(post)].append(rate)
    found = [
        {"name": key, "posts": len(group), "engagement": median(group), "enough": len(group) >= ENOUGH}
        for key, group in groups.items()
    ]
    return sorted(found, key=lambda row: -row["engagement"])


def _block(hour: int) -> str:
    start = hour // BLOCK * BLOCK
    return f"{start:02}:00 to {start + BLOCK:02}:00"


def _median(values: list[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _said(value: float | None, words: str) -> str:
    return "unknown" if value is None else words.format(value)


def _plain(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"
