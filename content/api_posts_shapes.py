"""What programs send to the calendar's doors and get back."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api import Done
from accounts.api_contract import PageQuery
from content import analytics, library
from content.models import Media, Post, PostInsight

LONGEST = 731  # days


class PostQuery(PageQuery):
    """Which posts."""

    account = serializers.CharField(max_length=64, required=False)
    state = serializers.ChoiceField(choices=Post.State.choices, required=False)


class PostChange(serializers.Serializer):
    """What a post is to be; what is left out stays."""

    account = serializers.CharField(max_length=64, required=False, allow_null=True, help_text="Username or id.")
    kind = serializers.ChoiceField(choices=Post.Kind.choices, required=False)
    caption = serializers.CharField(max_length=2200, required=False, allow_blank=True)
    first_comment = serializers.CharField(max_length=2200, required=False, allow_blank=True)
    planned_for = serializers.DateTimeField(required=False, allow_null=True, help_text="With its offset from UTC.")
    media = serializers.ListField(
        child=serializers.UUIDField(), max_length=10, required=False, help_text="Ids of the library, in their order."
    )


class PostForm(PostChange):
    """A new post."""

    caption = serializers.CharField(max_length=2200, allow_blank=True)


class ScheduleForm(serializers.Serializer):
    """When: at the post's own hour if nothing is given."""

    at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    slot = serializers.BooleanField(required=False, default=False, help_text="The next free slot of its account.")


class MediaShape(serializers.ModelSerializer):
    """A file of the library."""

    url = serializers.SerializerMethodField(help_text="A signed address, good for 26 hours.")

    class Meta:
        model = Media
        fields = ["id", "kind", "name", "alt_text", "width", "height", "milliseconds", "size", "url", "created_at"]

    def get_url(self, media: Media) -> str:
        """Give its address."""
        return library.address_of(media)


class PostShape(serializers.ModelSerializer):
    """A post, and how far it has come."""

    account = serializers.SerializerMethodField(help_text="An Instagram username, or null.")
    media = serializers.SerializerMethodField(help_text="Ids of the library, in their order.")

    class Meta:
        model = Post
        fields = [
            *("id", "account", "kind", "state", "caption", "first_comment", "planned_for", "media", "origin"),
            *("instagram_id", "permalink", "published_at", "error_code", "created_at", "updated_at"),
        ]

    def get_account(self, post: Post) -> str | None:
        """Give the username."""
        return post.account.username if post.account else None

    @extend_schema_field(serializers.ListField(child=serializers.UUIDField()))
    def get_media(self, post: Post) -> list[str]:
        """Give the files' ids."""
        return [str(place.media_id) for place in post.places.all()]


class PostDone(Done):
    """The post as it is now."""

    post = PostShape()


class MediaQuery(PageQuery):
    """Which files."""

    kind = serializers.ChoiceField(choices=Media.Kind.choices, required=False)


class MediaForm(serializers.Serializer):
    """A picture of at most 16 MB, or an MP4 or MOV of at most 100 MB."""

    file = serializers.FileField()
    alt_text = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class MediaDone(Done):
    """The file as it is kept."""

    media = MediaShape()


class NumbersQuery(serializers.Serializer):
    """Whose numbers, and of which days."""

    account = serializers.CharField(max_length=64, required=False, help_text="Without it, all accounts together.")
    since = serializers.DateField()
    until = serializers.DateField(help_text="The last day that counts; at most 731 days in all.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A span begins before it ends, and is not endless."""
        if not timedelta(0) <= attrs["until"] - attrs["since"] < timedelta(days=LONGEST):
            raise serializers.ValidationError({"until": f"Ask for 1 to {LONGEST} days."})
        return attrs


class FigureShape(serializers.Serializer):
    """One number of the span."""

    key = serializers.CharField()
    name = serializers.CharField()
    value = serializers.IntegerField(allow_null=True, help_text="The sum of the known days; null where none is known.")
    before = serializers.IntegerField(
        allow_null=True, help_text="Of as many days before; null where not of as many accounts."
    )
    days = serializers.IntegerField(help_text="On how many days it is known.")


class DayShape(serializers.Serializer):
    """One day of the accounts' own zones."""

    day = serializers.DateField()
    followers = serializers.IntegerField(allow_null=True)

    def get_fields(self) -> dict[str, serializers.Field]:
        """Each daily number may be unknown."""
        return super().get_fields() | {name: serializers.IntegerField(allow_null=True) for name in analytics.DAILY}


class GroupShape(serializers.Serializer):
    """Posts that have something in common, with their averages."""

    name = serializers.CharField()
    posts = serializers.IntegerField()
    reach = serializers.FloatField(allow_null=True)
    interactions = serializers.FloatField(allow_null=True)
    rate = serializers.FloatField(allow_null=True, help_text="Interactions for each account reached.")


class MeasuredPost(serializers.ModelSerializer):
    """A post with its numbers as last measured."""

    account = serializers.CharField(source="account.username")
    kind = serializers.SerializerMethodField()

    class Meta:
        model = PostInsight
        fields = [
            *("media_id", "account", "kind", "caption", "permalink", "posted_at", "reach", "views", "interactions"),
            *("likes", "comments", "shares", "saves", "replies", "measured_at"),
        ]

    def get_kind(self, post: PostInsight) -> str:
        """Say what it is called."""
        return analytics.kind_of(post)


class Numbers(serializers.Serializer):
    """A span in numbers. Source: Meta's Graph API."""

    since = serializers.DateField()
    until = serializers.DateField()
    measured_at = serializers.DateTimeField(allow_null=True, help_text="When Meta was last asked.")
    figures = FigureShape(many=True)
    days = DayShape(many=True)
    kinds = GroupShape(many=True)
    hours = GroupShape(many=True)
    tags = GroupShape(many=True)
    best = MeasuredPost(many=True)
    stories = MeasuredPost(many=True)
