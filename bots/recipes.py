"""What a bot can be asked for, as its page offers it: a kind of action and where its people come from."""

from dataclasses import dataclass

from bots.models import Kind, Source


@dataclass(frozen=True)
class Recipe:
    """One thing to ask for. `name` stands in the page's address."""

    name: str
    kind: Kind
    source: Source
    title: str
    where: str  # in a word, beside its siblings of the same kind
    words: str

    @property
    def filtered(self) -> bool:
        """Whether people can be left out: those we followed are known already."""
        return self.source != Source.FOLLOWED


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("follow-hashtag", Kind.FOLLOW, Source.HASHTAG, "Follow people of a hashtag", "By hashtag",
               "People who posted under it lately."),
        Recipe("follow-followers", Kind.FOLLOW, Source.FOLLOWERS, "Follow the followers of an account", "By account",
               "An account of your niche, whose followers may care for yours."),
        Recipe("follow-likers", Kind.FOLLOW, Source.LIKERS, "Follow who liked a post", "By post",
               "People who liked one post, as far as Instagram shows them."),
        Recipe("like-hashtag", Kind.LIKE, Source.HASHTAG, "Like posts of a hashtag", "By hashtag",
               "The newest post of each person, one like a post."),
        Recipe("stories-hashtag", Kind.STORY_VIEW, Source.HASHTAG, "See stories of people of a hashtag", "By hashtag",
               "Whoever posted under it and has a story now."),
        Recipe("stories-followers", Kind.STORY_VIEW, Source.FOLLOWERS, "See stories of an account's followers",
               "By account", "Whoever follows the account and has a story now."),
        Recipe("welcome", Kind.WELCOME_DM, Source.OWN_FOLLOWERS, "Welcome followers by message", "Own followers",
               "Only people who follow the account or wrote to it first, once each, in approved words."),
        Recipe("unfollow", Kind.UNFOLLOW, Source.FOLLOWED, "Unfollow people the bot followed", "Followed by the bot",
               "The longest followed first; never anybody on your keep list."),
    )
}  # fmt: skip
FIRST = RECIPES["follow-hashtag"]
