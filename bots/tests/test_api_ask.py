"""Asking bots for every kind of action through the API."""

import pytest
from django.utils import timezone

from accounts.models import Membership
from bots.models import BotTask, MessageTemplate
from instagrowth.testing import everywhere

ACTIONS = "/api/bot/actions/"
ASKS = {
    "follow-followers": ({"username": "@Muse"}, ("follow", "followers", "muse")),
    "follow-likers": ({"post": "https://www.instagram.com/p/CxAmple12/"}, ("follow", "likers", "CxAmple12")),
    "like-hashtag": ({"hashtag": "#Ceramics"}, ("like", "hashtag", "ceramics")),
    "view-stories": ({"username": "muse"}, ("story_view", "followers", "muse")),
    "welcome-dm": ({"template": "Spring", "text": "Hi {username}"}, ("welcome_dm", "own_followers", "")),
    "unfollow": ({"after_days": 14, "keep_mutual": True}, ("unfollow", "followed", "")),
}


@pytest.mark.parametrize("action", ASKS)
def test_a_task_is_accepted(api, alice, alices_bot, action):
    asked, told = ASKS[action]

    answer = api(alice).post(f"{ACTIONS}{action}", {"account": "alice.clay", "amount": 5, **asked})

    task = answer.json()["task"]
    assert (answer.status_code, (task["kind"], task["source"], task["value"])) == (202, told)


@pytest.mark.parametrize("action", ASKS)
def test_a_viewer_may_not_ask_and_a_stranger_finds_no_account(api, alice, bob, charlie, alices_bot, action):
    with everywhere():
        Membership.objects.filter(user=bob).update(role="viewer")
    asked = {"account": "alice.clay", "amount": 5, **ASKS[action][0]}

    assert api(bob).post(f"{ACTIONS}{action}", asked).status_code == 403
    assert api(charlie).post(f"{ACTIONS}{action}", asked).status_code == 409
    with everywhere():
        assert not BotTask.objects.exists()


@pytest.mark.parametrize(
    ("action", "asked", "error"),
    [
        ("follow-followers", {"username": "not a name"}, "SOURCE_INVALID"),
        ("follow-likers", {"post": "https://example.com/p/CxAmple12/"}, "SOURCE_INVALID"),
        ("view-stories", {}, "SOURCE_INVALID"),
        ("view-stories", {"hashtag": "clay", "username": "muse"}, "SOURCE_INVALID"),
        ("welcome-dm", {"template": "nobody's"}, "DM_TEXT_INVALID"),
        ("welcome-dm", {"template": "Spring", "text": "Hi {name}"}, "DM_TEXT_INVALID"),
        ("unfollow", {"after_days": 0}, "VALIDATION_FAILED"),
        ("like-hashtag", {"hashtag": "123"}, "HASHTAG_INVALID"),
    ],
)
def test_what_makes_no_sense_is_refused(api, alice, alices_bot, action, asked, error):
    answer = api(alice).post(f"{ACTIONS}{action}", {"amount": 5, **asked})

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_managers_words_wait_for_an_owner_where_the_workspace_wants_it(api, alice, bob, alices_bot, alices_workspace):
    asked = {"amount": 5, "template": "Spring", "text": "Hi {username}"}
    with everywhere():
        type(alices_workspace).objects.update(wants_approval=True)

    refused = api(bob).post(f"{ACTIONS}welcome-dm", asked)
    with everywhere():
        MessageTemplate.objects.update(approved_at=timezone.now())
    taken = api(bob).post(f"{ACTIONS}welcome-dm", asked)
    changed = api(bob).post(f"{ACTIONS}welcome-dm", {**asked, "text": "Buy now"})

    assert (refused.status_code, refused.json()["error"]) == (409, "DM_NOT_APPROVED")
    assert taken.status_code == 202
    assert changed.status_code == 409
