"""Who is worth contacting: what is not known is unknown, never zero."""

import pytest

from bots.instagram.private import Person
from bots.targeting import clean_filters, facts_of, judge, kept
from errors.exceptions import BotException

POTTER = Person(
    pk="1",
    username="potter",
    followers=500,
    following=250,
    private=False,
    verified=False,
    business=True,
    bio="Keramik aus Berlin. Handgemacht mit Liebe",
)


@pytest.mark.parametrize(
    ("filters", "keep", "reason"),
    [
        ({"min_followers": 100, "max_following": 300}, True, ""),
        ({"min_followers": 1000}, False, "followers 500, below 1,000"),
        ({"max_ratio": 1.5}, False, "ratio 2.0, above 1.5"),
        ({"min_ratio": 2}, True, ""),
        ({"business": False}, False, "is business"),
        ({"verified": True}, False, "is not verified"),
        ({"language": ["de", "en"]}, True, ""),
        ({"language": ["fr"]}, False, "writes de"),
        ({"bio_words": ["KERAMIK", "clay"]}, True, ""),
        ({"bio_words": ["clay"]}, False, "none of the words in the bio"),
        ({"bio_without": ["liebe"]}, False, "bio says liebe"),
        ({"bio_without": ["lie"]}, True, ""),
        ({"min_media_count": 1}, False, "unknown: media count"),
    ],
)
def test_a_person_is_weighed(filters: dict, keep: bool, reason: str) -> None:
    verdict = judge(facts_of(POTTER), clean_filters(filters))

    assert (verdict.keep, verdict.reason) == (keep, reason)


@pytest.mark.parametrize("name", ["min_followers", "max_followers", "private", "language", "bio_words", "max_ratio"])
def test_what_is_not_known_is_unknown(name: str) -> None:
    wanted = {"language": ["de"], "bio_words": ["clay"], "private": False}.get(name, 0)

    verdict = judge(facts_of(Person(pk="1", username="nobody")), {name: wanted})

    assert not verdict.keep
    assert verdict.unknown


def test_a_fact_that_speaks_against_decides_before_one_that_is_unknown() -> None:
    assert judge({"private": True}, {"min_followers": 5, "private": False}).reason == "is private"


@pytest.mark.parametrize("bio", ["potter", "Café & pottery", "", "🏺🏺🏺", "https://example.com/a/b/c"])
def test_a_bio_too_short_to_tell_has_no_language(bio: str) -> None:
    assert "language" not in facts_of(Person(pk="1", username="p", bio=bio))


def test_nobody_follows_nobody_by_zero() -> None:
    assert "ratio" not in facts_of(Person(pk="1", username="p", followers=10, following=0))


def test_strangers_own_words_are_not_kept() -> None:
    assert "bio" not in kept(facts_of(POTTER))


@pytest.mark.parametrize(
    "filters",
    [
        {"min_followers": -1},
        {"min_followers": True},
        {"min_followers": 1.5},
        {"max_ratio": float("nan")},
        {"private": "no"},
        {"language": "de"},
        {"language": []},
        {"bio_words": [1]},
        {"bio_words": ["x"] * 51},
        {"shoe_size": 44},
    ],
)
def test_a_filter_that_means_nothing_is_refused(filters: dict) -> None:
    with pytest.raises(BotException, match="not one we know"):
        clean_filters(filters)
