"""Likes, story views, welcomes and unfollows: each at most once, and looked up when there was no answer."""

import json
from datetime import timedelta

import pytest
from django.db.models import Max
from django.utils import timezone

from bots import lists, reconcile, sessions, tasking
from bots.actions import people, welcome_dm
from bots.models import Action, Bot, BotTask, Candidate, Kind, ListedPerson, MessageTemplate, Source, Usage
from bots.tests.engine import Engine
from errors import codes
from errors.exceptions import BotException


@pytest.fixture
def roomy(engine: Engine) -> Engine:
    """An engine with room for every kind, whose bot runs."""
    for kind in Kind:
        engine.limit(100, kind=kind)
    engine.start()
    return engine


def ask(engine: Engine, kind: str, amount: int, **more: object) -> BotTask:
    with engine.seen():
        return tasking.ask(engine.bot, kind, amount, user=engine.user, **more)


def template(engine: Engine, text: str = "Hello {username}!", *, approved: bool = True) -> MessageTemplate:
    with engine.seen():
        return MessageTemplate.objects.create(
            workspace=engine.workspace, name="spring", text=text, approved_at=timezone.now() if approved else None
        )


def follow_us(engine: Engine, count: int) -> list[dict]:
    """Let people of the crowd follow the account."""
    found = engine.sandbox.control.people("ceramics", 0, count)
    for person in found:
        engine.sandbox.control.relate(person["username"], engine.username, "following")
    return found


def sent(engine: Engine, kind: str) -> list[str]:
    return engine.sandbox.control.ledger(engine.username).targets(kind)


def look_up_later(engine: Engine) -> None:
    with engine.seen():
        Action.objects.filter(state="unknown").update(look_up_at=timezone.now() - timedelta(seconds=1))
        account = engine.account.pk
    reconcile.look_up(engine.workspace.pk, account)


def test_it_likes_the_posts_that_led_to_people(roomy: Engine) -> None:
    ask(roomy, Kind.LIKE, 3, value="ceramics")

    assert roomy.turn() == "done"

    posts = [action.campaign.partition("_")[0] for action in roomy.actions(kind=Kind.LIKE)]
    assert [post.partition("_")[0] for post in sent(roomy, "like")] == posts
    assert len(posts) == 3


def test_it_likes_no_post_twice(roomy: Engine) -> None:
    roomy.sandbox.control.hashtag("smalltown", count=2)
    ask(roomy, Kind.LIKE, 2, value="smalltown")
    roomy.turn()
    ask(roomy, Kind.LIKE, 2, value="smalltown")
    roomy.turn()

    assert len(sent(roomy, "like")) == 2


def test_it_sees_stories_of_an_accounts_followers_and_skips_who_has_none(roomy: Engine) -> None:
    control = roomy.sandbox.control
    control.account("muse", followers=6)
    ask(roomy, Kind.STORY_VIEW, 2, source=Source.FOLLOWERS, value="@muse")

    for _ in range(3):
        roomy.turn()

    viewed = {action.target_pk for action in roomy.actions(kind=Kind.STORY_VIEW, state="confirmed")}
    owners = {
        int(entry["detail"]["owner"])
        for entry in control.ledger(roomy.username).entries
        if entry["kind"] == "story_seen"
    }
    assert viewed == owners
    assert len(viewed) == roomy.task().confirmed >= 1


def test_it_follows_who_liked_a_post(roomy: Engine) -> None:
    author = roomy.sandbox.control.people("ceramics", 0, 1)[0]
    with roomy.seen(), sessions.borrow(roomy.account) as door:
        media = next(p.media_id for p in door.hashtag_people("ceramics")[0] if p.pk == str(author["pk"]))
    code = shortcode(int(media.partition("_")[0]))
    ask(roomy, Kind.FOLLOW, 2, source=Source.LIKERS, value=f"https://www.instagram.com/p/{code}/?img_index=1")

    roomy.turn()

    assert len(sent(roomy, "follow")) == 2


def shortcode(pk: int) -> str:
    letters = ""
    while pk:
        pk, rest = divmod(pk, 64)
        letters = people._ALPHABET[rest] + letters
    return letters


def test_it_welcomes_followers_once_a_campaign_in_the_approved_words(roomy: Engine) -> None:
    fans = follow_us(roomy, 2)
    words = template(roomy)
    for _ in range(2):
        ask(roomy, Kind.WELCOME_DM, 5, template=words)
        roomy.turn()
        roomy.turn()

    assert sorted(sent(roomy, "dm")) == sorted(str(fan["pk"]) for fan in fans)
    texts = {
        entry["detail"]["text"]
        for entry in roomy.sandbox.control.ledger(roomy.username).entries
        if entry["kind"] == "dm"
    }
    assert texts == {f"Hello @{fan['username']}!" for fan in fans}


def test_two_texts_that_are_compared_are_given_out_by_lot_and_never_both(roomy: Engine) -> None:
    fans = follow_us(roomy, 6)
    task = ask(roomy, Kind.WELCOME_DM, 6, template=template(roomy))
    with roomy.seen():
        task.options["split"] = {"experiment": "x", "seed": "seven", "text": "Hei, {username}."}
        task.save(update_fields=["options"])
    for _ in range(3):
        roomy.turn()

    told = [entry for entry in roomy.sandbox.control.ledger(roomy.username).entries if entry["kind"] == "dm"]
    words = {"A": "Hello @{}!", "B": "Hei, @{}."}
    drawn = {str(fan["pk"]): words[welcome_dm.arm("seven", str(fan["pk"]))].format(fan["username"]) for fan in fans}
    assert {entry["target"]: entry["detail"]["text"] for entry in told} == drawn
    assert len(told) == 6


def test_a_welcome_waits_for_new_followers(roomy: Engine) -> None:
    follow_us(roomy, 1)
    ask(roomy, Kind.WELCOME_DM, 5, template=template(roomy), options={"only_new": True})
    roomy.turn()

    assert sent(roomy, "dm") == []
    assert roomy.task().status == "waiting"

    newest = roomy.sandbox.control.people("ceramics", 5, 6)[0]
    roomy.sandbox.control.relate(newest["username"], roomy.username, "following")
    with roomy.seen():
        BotTask.objects.update(waits_until=timezone.now())
    roomy.turn()

    assert sent(roomy, "dm") == [str(newest["pk"])]


def test_old_followers_are_never_new_whoever_leaves(roomy: Engine) -> None:
    """The newest of the first look may unfollow, or all of the page: nobody else becomes new by that."""
    fans = follow_us(roomy, 6)
    newcomer = roomy.sandbox.control.people("ceramics", 8, 9)[0]
    ask(roomy, Kind.WELCOME_DM, 5, template=template(roomy), options={"only_new": True})

    def welcomed_after(relation: str, *changed: dict) -> list[str]:
        for person in changed:
            roomy.sandbox.control.relate(person["username"], roomy.username, relation)
        with roomy.seen():
            BotTask.objects.update(waits_until=timezone.now())
        roomy.turn()
        return sent(roomy, "dm")

    assert welcomed_after("following") == []
    assert welcomed_after("none", fans[-1]) == []
    assert welcomed_after("following", newcomer) == [str(newcomer["pk"])]

    with roomy.seen():
        BotTask.objects.update(cursor=json.dumps([[str(fans[-1]["pk"])], ""]))  # as if all of that page had left
    assert welcomed_after("following") == [str(newcomer["pk"])]


def test_it_never_writes_to_a_stranger(roomy: Engine) -> None:
    """Somebody who followed when they were found, and does no more when it is their turn."""
    fan = follow_us(roomy, 1)[0]
    task = ask(roomy, Kind.WELCOME_DM, 1, template=template(roomy))
    with roomy.seen():
        Candidate.objects.create(
            workspace=roomy.workspace, task=task, target_pk=fan["pk"], username=fan["username"], place=1
        )
    roomy.sandbox.control.relate(fan["username"], roomy.username, "none")

    roomy.turn()

    assert sent(roomy, "dm") == []
    assert [action.error_code for action in roomy.actions()] == [codes.DM_COLD.id]


def test_only_approved_words_are_taken(roomy: Engine) -> None:
    with pytest.raises(BotException) as refused:
        ask(roomy, Kind.WELCOME_DM, 1, template=template(roomy, approved=False))

    assert refused.value.code is codes.DM_NOT_APPROVED


def test_it_unfollows_only_whom_it_followed_long_enough_ago(roomy: Engine) -> None:
    roomy.ask(3)
    roomy.turn()
    old, young, kept = roomy.actions()
    with roomy.seen():
        Action.objects.exclude(pk=young.pk).update(ended_at=timezone.now() - timedelta(days=8))
        ListedPerson.objects.create(workspace=roomy.workspace, list="keep", username=kept.target_username)
    ask(roomy, Kind.UNFOLLOW, 5, options={"after_days": 7})
    roomy.turn()

    assert sent(roomy, "unfollow") == [str(old.target_pk)]


def test_who_is_kept_stays_kept_under_a_new_name(roomy: Engine) -> None:
    """Names change, numbers do not: the list has the new name, our journal the former one."""
    roomy.ask(2)
    roomy.turn()
    renamed, other = roomy.actions()
    with roomy.seen():
        Action.objects.update(ended_at=timezone.now() - timedelta(days=8))
        Action.objects.filter(pk=renamed.pk).update(target_username="a.former.name")
        lists.add(roomy.workspace, "keep", [renamed.target_username])
    ask(roomy, Kind.UNFOLLOW, 5, options={"after_days": 7})
    roomy.turn()

    assert sent(roomy, "unfollow") == [str(other.target_pk)]
    with roomy.seen():
        assert ListedPerson.objects.get().target_pk == renamed.target_pk  # learned, for the next time


def test_who_is_listed_after_we_met_them_is_known_by_number(roomy: Engine) -> None:
    roomy.ask(1)
    roomy.turn()
    (met,) = roomy.actions()
    with roomy.seen():
        lists.add(roomy.workspace, "block", [met.target_username, "nobody.we.met"])
        assert dict(ListedPerson.objects.values_list("username", "target_pk")) == {
            met.target_username: met.target_pk,
            "nobody.we.met": None,
        }


def test_it_spares_who_follows_back(roomy: Engine) -> None:
    roomy.ask(2)
    roomy.turn()
    mutual, other = roomy.actions()
    roomy.sandbox.control.relate(mutual.target_username, roomy.username, "following")
    with roomy.seen():
        Action.objects.update(ended_at=timezone.now() - timedelta(days=8))
    ask(roomy, Kind.UNFOLLOW, 5, options={"keep_mutual": True})
    roomy.turn()

    assert sent(roomy, "unfollow") == [str(other.target_pk)]


def test_who_is_blocked_is_never_contacted_again_even_when_already_found(roomy: Engine) -> None:
    roomy.sandbox.control.hashtag("smalltown", count=2)
    first, second = roomy.sandbox.control.people("smalltown", 0, 2)
    roomy.ask(2, "smalltown")
    with roomy.seen():
        Bot.objects.update(burst=1)
    roomy.turn()
    with roomy.seen():
        ListedPerson.objects.create(workspace=roomy.workspace, list="block", username=second["username"])
    roomy.turn()

    assert sent(roomy, "follow") == [str(first["pk"])]


def test_some_who_are_worth_it_are_left_alone_to_compare_with(roomy: Engine) -> None:
    with roomy.seen():
        Bot.objects.update(holdout=20, burst=10)
    roomy.ask(40)
    for _ in range(4):
        roomy.turn()

    with roomy.seen():
        held = Candidate.objects.filter(state=Candidate.State.HELD).count()
    assert 2 <= held <= 25
    assert len(sent(roomy, "follow")) == 40


FAULTS = {  # an action whose answer is lost after it was applied, and where it is sent
    Kind.LIKE: r"media/.*/like/",
    Kind.STORY_VIEW: r".*media/seen",
    Kind.WELCOME_DM: r".*broadcast",
}


@pytest.mark.parametrize("kind", FAULTS)
def test_what_got_no_answer_is_looked_up_and_never_sent_again(roomy: Engine, kind: str) -> None:
    control = roomy.sandbox.control
    follow_us(roomy, 1)
    more: dict = {"template": template(roomy)} if kind == Kind.WELCOME_DM else {"value": "ceramics"}
    ask(roomy, kind, 1, **more)
    control.fault("reset_after_apply", account=roomy.username, path=FAULTS[kind], method="POST")

    for _ in range(3):
        roomy.turn()
    unknown = roomy.actions(state="unknown")
    look_up_later(roomy)

    assert len(unknown) == 1
    assert roomy.actions(pk=unknown[0].pk)[0].state == "confirmed"
    assert not control.ledger(roomy.username).duplicates


@pytest.mark.parametrize(("fault", "ends"), [("not_found", "done"), ("429", "cooling"), ("reset", "active")])
@pytest.mark.parametrize(("kind", "path"), [(Kind.STORY_VIEW, "feed/user/.*/story/"), (Kind.WELCOME_DM, ".*/show/")])
def test_what_a_read_before_the_write_meets_leaves_no_intent_and_no_unit(
    roomy: Engine, kind: str, path: str, fault: str, ends: str
) -> None:
    follow_us(roomy, 3)
    source = {"template": template(roomy)} if kind == Kind.WELCOME_DM else {"value": "ceramics"}
    ask(roomy, kind, 1, **source)
    roomy.sandbox.control.fault(fault, account=roomy.username, path=path, times=1 if fault == "not_found" else None)

    roomy.turn()

    gone = [action.error_code for action in roomy.actions(state="refused")]
    with roomy.seen():
        taken = Usage.objects.filter(kind=kind).aggregate(most=Max("used"))["most"]
    assert roomy.actions(state="intent") == []
    if ends == "done":  # the next one was taken
        assert (gone[0], roomy.task().confirmed, taken) == (codes.IG_TARGET_GONE.id, 1, 1)
    else:
        assert (roomy.actions(), roomy.account.health, taken) == ([], ends, 0)
