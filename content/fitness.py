"""Whether Instagram would take a post: everything that can be known before it is sent.

The figures are those of Meta's reference "IG User Media" (v25.0): pictures 4:5 to 1.91:1 and at least 320 pixels wide,
carousels of 2 to 10, reels of 3 s to 15 min, stories of up to 60 s, captions of 2,200 characters, 30 hashtags and
20 mentions.
"""

import re
from collections.abc import Callable

from content.models import Media, Post

LONGEST_CAPTION, LONGEST_COMMENT = 2200, 2200
MOST_TAGS, MOST_MENTIONS = 30, 20
CAROUSEL = (2, 10)
NARROWEST = 320  # pixels
FEED_RATIO = (0.8, 1.91)
REEL_SECONDS, STORY_SECONDS = (3, 15 * 60), (3, 60)
SLACK = 0.01  # of a ratio: 1080 × 1350 cut by a pixel is still 4:5
_TAG, _MENTION = re.compile(r"#\w+"), re.compile(r"(?<!\w)@[\w.]+")


def problems(post: Post, media: list[Media]) -> list[str]:
    """Sentences about what Instagram would refuse; none for a post that is fit."""
    return [*words(post), *_RULES[Post.Kind(post.kind)](media)]


def advice(post: Post, media: list[Media]) -> list[str]:
    """What Instagram takes, and people may regret."""
    said = [f"“{one.name}” has no alt text." for one in media if one.kind == Media.Kind.IMAGE and not one.alt_text]
    if post.kind in (Post.Kind.REEL, Post.Kind.STORY):
        said += [f"“{one.name}” is not 9:16: Instagram fills the rest." for one in media if not _near(one, 9 / 16)]
    return said


def words(post: Post) -> list[str]:
    """Sentences about what Instagram would refuse of the caption and the first comment."""
    said = []
    if len(post.caption) > LONGEST_CAPTION:
        said.append(f"The caption has {len(post.caption):,} characters; Instagram takes 2,200.")
    if (tags := len(_TAG.findall(post.caption))) > MOST_TAGS:
        said.append(f"The caption has {tags} hashtags; Instagram takes 30.")
    if (mentions := len(_MENTION.findall(post.caption))) > MOST_MENTIONS:
        said.append(f"The caption has {mentions} mentions; Instagram takes 20.")
    if len(post.first_comment) > LONGEST_COMMENT:
        said.append(f"The first comment has {len(post.first_comment):,} characters; Instagram takes 2,200.")
    if post.first_comment and post.kind == Post.Kind.STORY:
        said.append("A story has no comments: take the first comment away.")
    return said


def _single(media: list[Media]) -> list[str]:
    if len(media) != 1:
        return ["A single post has exactly one picture. For a video choose Reel, for several files Carousel."]
    if media[0].kind == Media.Kind.VIDEO:
        return ["Instagram shows a single video as a reel: choose Reel."]
    return _in_feed(media[0])


def _carousel(media: list[Media]) -> list[str]:
    least, most = CAROUSEL
    said = [] if least <= len(media) <= most else [f"A carousel has 2 to 10 files; this one has {len(media)}."]
    for one in media:
        said += _in_feed(one) if one.kind == Media.Kind.IMAGE else _lasts(one, STORY_SECONDS)
    return said


def _reel(media: list[Media]) -> list[str]:
    if len(media) != 1 or media[0].kind != Media.Kind.VIDEO:
        return ["A reel has exactly one video."]
    return _lasts(media[0], REEL_SECONDS)


def _story(media: list[Media]) -> list[str]:
    if len(media) != 1:
        return ["A story has exactly one picture or video."]
    return _wide(media[0]) if media[0].kind == Media.Kind.IMAGE else _lasts(media[0], STORY_SECONDS)


def _in_feed(picture: Media) -> list[str]:
    low, high = FEED_RATIO
    said = _wide(picture)
    if not low - SLACK <= picture.ratio <= high + SLACK:
        size = f"{picture.width} × {picture.height}"
        said.append(f"“{picture.name}” is {size}: Instagram takes 4:5 to 1.91:1. Cut it in the media library.")
    return said


def _wide(picture: Media) -> list[str]:
    if picture.width >= NARROWEST:
        return []
    return [f"“{picture.name}” is {picture.width} pixels wide; Instagram wants at least 320."]


def _lasts(video: Media, seconds: tuple[int, int]) -> list[str]:
    lasts = (video.milliseconds or 0) / 1000
    if seconds[0] <= lasts <= seconds[1]:
        return []
    most = f"{seconds[1]} s" if seconds[1] <= 60 else f"{seconds[1] // 60} min"
    return [f"“{video.name}” lasts {lasts:.1f} s; here Instagram takes {seconds[0]} s to {most}."]


def _near(media: Media, ratio: float) -> bool:
    return abs(media.ratio - ratio) <= 2 * SLACK


_RULES: dict[Post.Kind, Callable[[list[Media]], list[str]]] = {
    Post.Kind.IMAGE: _single,
    Post.Kind.CAROUSEL: _carousel,
    Post.Kind.REEL: _reel,
    Post.Kind.STORY: _story,
}
