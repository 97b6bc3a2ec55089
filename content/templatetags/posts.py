"""Posts and media as template tags."""

from django import template
from django.utils.safestring import SafeString

from content import library
from content.analytics import kind_of
from content.models import Media, Post, PostInsight
from errors import codes
from instagrowth.templatetags.look import POST, state

register = template.Library()


@register.simple_tag
def post_state(post: Post) -> SafeString:
    """Show where a post stands: `{% post_state post %}`; one that may be out is not called unpublished."""
    look = POST[Post.State.UNKNOWN if post.error_code == codes.PUB_UNCLEAR.id else post.state]
    return state(look.word, look.tone, look.icon)


@register.simple_tag
def src(media: Media, size: str = "") -> str:
    """Give a signed path of a file: `{% src media "small" %}` for a picture of at most 480 pixels."""
    return library.path_of(media, small=size == "small")


@register.filter
def seconds(milliseconds: int | None) -> str:
    """Say how long a video is."""
    whole = round((milliseconds or 0) / 1000)
    return f"{whole // 60}:{whole % 60:02d}"


@register.simple_tag
def post_kind(post: PostInsight) -> str:
    """What a measured post is called: Photo, Carousel, Reel, Story."""
    return kind_of(post)
