"""How people, posts, stories and messages look in Instagram's JSON."""

from typing import Any

from sandbox import people
from sandbox.instagram_routes import Call
from sandbox.people import Person
from sandbox.world import Message, Thread

Document = dict[str, Any]
HOUR = 3600


def short_user(call: Call, person: Person) -> Document:
    """The short form of lists and posts."""
    user: Document = {
        "pk": person.pk,
        "pk_id": str(person.pk),
        "id": str(person.pk),
        "username": person.username,
        "full_name": person.full_name,
        "is_private": person.private,
        "is_verified": person.verified,
        "has_anonymous_profile_picture": not person.picture,
        "profile_pic_url": picture_url(call, person),
        "latest_reel_media": story_time(call, person, person.stories - 1) if person.stories else 0,
        "account_badges": [],
    }
    if person.terse:
        del user["is_private"], user["full_name"]
    if not person.picture:
        del user["profile_pic_url"]
    return user


def full_user(call: Call, person: Person) -> Document:
    """The profile. Counts that are not known are null, or missing for people with an odd key."""
    user = short_user(call, person) | {
        "full_name": person.full_name,
        "is_private": person.private,
        "profile_pic_url": picture_url(call, person),
        "biography": person.biography,
        "external_url": person.external_url,
        "bio_links": [],
        "is_business": person.business,
        "account_type": 2 if person.business else 1,
        "category": person.category,
        "media_count": person.media,
        "follower_count": call.world.follower_count(person),
        "following_count": call.world.following_count(person),
        "hd_profile_pic_versions": [],
        "has_highlight_reels": False,
    }
    if person.followers is None and person.pk % 2:
        for name in ("media_count", "follower_count", "following_count"):
            del user[name]
    return user


def current_user(call: Call, person: Person) -> Document:
    """The account that is signed in."""
    return full_user(call, person) | {"email": f"{person.username}@sandbox.example", "phone_number": "", "gender": 3}


def picture_url(call: Call, person: Person) -> str:
    """A picture that this process serves itself."""
    return f"{call.request.own_url}/avatars/{person.pk}.svg"


def friendship(call: Call, person: Person) -> Document:
    """How the viewer and this person stand to each other, as friendships/show tells it."""
    viewer = call.viewer.pk
    mine, theirs = (call.world.relation(viewer, person.pk), call.world.relation(person.pk, viewer))
    return {
        "blocking": False,
        "followed_by": theirs == "following",
        "following": mine == "following",
        "incoming_request": theirs == "requested",
        "is_bestie": False,
        "is_blocking_reel": False,
        "is_feed_favorite": False,
        "is_muting_reel": False,
        "is_private": person.private,
        "is_restricted": False,
        "muting": False,
        "outgoing_request": mine == "requested",
    }


def post(call: Call, person: Person, number: int) -> Document:
    """Somebody's n-th post; the larger the number, the newer."""
    pk = people.media_pk(person.pk, number)
    roll = people.digest("post", pk)
    caption = f"{person.biography or 'Today'} #{number + 1}"
    return {
        "pk": pk,
        "id": f"{pk}_{person.pk}",
        "code": people.shortcode(pk),
        "taken_at": call.world.started - ((person.media or 12) - number) * HOUR * (2 + roll % 20),
        "media_type": 1,
        "product_type": "feed",
        "user": short_user(call, person),
        "caption": {"text": caption, "pk": pk + 1},
        "like_count": roll % 900 + (pk in call.world.liked[call.viewer.pk]),
        "comment_count": roll % 40,
        "has_liked": pk in call.world.liked[call.viewer.pk],
        "image_versions2": {
            "candidates": [{"width": 640, "height": 640, "url": f"{call.request.own_url}/pictures/{pk}.svg"}]
        },
    }


def story_time(call: Call, person: Person, number: int) -> int:
    """When a story was posted: always within the 24 hours before the stand-in started."""
    return call.world.started - HOUR * (1 + (person.stories - number) * 3)


def story(call: Call, person: Person, number: int) -> Document:
    """Somebody's n-th story."""
    pk = people.media_pk(person.pk, people.FIRST_STORY + number)
    return {
        "pk": pk,
        "id": f"{pk}_{person.pk}",
        "code": people.shortcode(pk),
        "taken_at": story_time(call, person, number),
        "expiring_at": story_time(call, person, number) + 24 * HOUR,
        "media_type": 1,
        "product_type": "story",
        "user": short_user(call, person),
        "has_liked": pk in call.world.liked[call.viewer.pk],
        "image_versions2": {
            "candidates": [{"width": 640, "height": 1136, "url": f"{call.request.own_url}/pictures/{pk}.svg"}]
        },
    }


def message(item: Message, viewer: int) -> Document:
    """One message as the viewer sees it."""
    document: Document = {
        "item_id": str(item.id),
        "user_id": item.sender,
        "timestamp": str(item.microseconds),
        "item_type": "link" if item.link else "text",
        "is_sent_by_viewer": item.sender == viewer,
    }
    if item.link:
        return document | {"link": {"text": item.text, "link_context": {"link_url": item.text}}}
    return document | {"text": item.text}


def thread(call: Call, talk: Thread, limit: int = 20) -> Document:
    """One conversation with its newest messages first."""
    viewer = call.viewer.pk
    others = [person for pk in talk.members if pk != viewer and (person := call.world.person(pk))]
    return {
        "thread_id": str(talk.id),
        "thread_v2_id": str(talk.id % 10**17),
        "users": [short_user(call, person) for person in others],
        "items": [message(item, viewer) for item in reversed(talk.messages[-limit:])],
        "left_users": [],
        "admin_user_ids": [],
        "inviter": None,
        "last_activity_at": talk.messages[-1].microseconds if talk.messages else call.world.started * 1_000_000,
        "last_seen_at": {},
        "muted": False,
        "named": False,
        "canonical": True,
        "pending": False,
        "archived": False,
        "thread_type": "private",
        "thread_title": ", ".join(person.username for person in others),
        "folder": 0,
        "vc_muted": False,
        "is_group": len(talk.members) > 2,
        "mentions_muted": False,
        "approval_required_for_new_members": False,
        "input_mode": 0,
        "read_state": 0,
        "oldest_cursor": None,
        "has_older": False,
        "viewer_id": viewer,
    }
