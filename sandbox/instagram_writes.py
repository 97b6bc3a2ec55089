"""What an account can do to others: follow, like, watch, write. Every one of these is in the ledger."""

from sandbox.faults import failure
from sandbox.instagram_reads import NO_MEDIA, find_media, key_list
from sandbox.instagram_routes import Call, Routes
from sandbox.instagram_shapes import friendship, message, story_time
from sandbox.people import FIRST_STORY
from sandbox.wire import Answer, BadRequest, answer_json

routes = Routes()
OK = answer_json({"status": "ok"})
Targets = list[tuple[str, dict[str, str]]]


@routes("POST", r"friendships/create/(\d+)", kind="follow")
def follow(call: Call) -> Answer:
    """A private person gets a request; asking twice changes nothing and is a duplicate in the ledger."""
    person = call.person()
    if person is None or person.pk == call.viewer.pk:
        return failure("invalid_target")
    if call.world.relation(call.viewer.pk, person.pk) == "none":
        call.world.relate(call.viewer.pk, person.pk, "requested" if person.private else "following")
    return answer_json({"friendship_status": friendship(call, person), "previous_following": False, "status": "ok"})


@routes("POST", r"friendships/destroy/(\d+)", kind="unfollow")
def unfollow(call: Call) -> Answer:
    """Stop following, or take a request back."""
    person = call.person()
    if person is None or person.pk == call.viewer.pk:
        return failure("invalid_target")
    call.world.relate(call.viewer.pk, person.pk, "none")
    return answer_json({"friendship_status": friendship(call, person), "status": "ok"})


def media_target(call: Call) -> Targets:
    """A post is known by the first half of `pk_owner`."""
    pk, _, owner = call.words[0].partition("_")
    return [(pk, {"owner": owner} if owner else {})]


def _like(call: Call, *, liked: bool) -> Answer:
    if find_media(call, call.words[0]) is None:
        return answer_json(NO_MEDIA, 400)
    pk = int(call.words[0].partition("_")[0])
    own = call.world.liked[call.viewer.pk]
    if liked:
        own.add(pk)
    else:
        own.discard(pk)
    return OK


@routes("POST", r"media/(\d+(?:_\d+)?)/like", kind="like", targets=media_target)
def like(call: Call) -> Answer:
    """Like a post."""
    return _like(call, liked=True)


@routes("POST", r"media/(\d+(?:_\d+)?)/unlike", kind="unlike", targets=media_target)
def unlike(call: Call) -> Answer:
    """Take a like back."""
    return _like(call, liked=False)


@routes("POST", r"media/(\d+(?:_\d+)?)/comment", kind="comment", targets=media_target)
def comment(call: Call) -> Answer:
    """Comment on a post."""
    found = find_media(call, call.words[0])
    text = str(call.form.get("comment_text", "")).strip()
    if found is None or not text:
        return answer_json(NO_MEDIA, 400)
    user = {"pk": call.viewer.pk, "username": call.viewer.username, "full_name": call.viewer.full_name}
    document = {
        "pk": len(call.world.ledger.entries) + 18_000_000_000_000_000,
        "text": text,
        "user": user,
        "created_at_utc": call.world.started,
        "content_type": "comment",
        "status": "Active",
        "has_liked_comment": False,
        "comment_like_count": 0,
    }
    return answer_json({"comment": document, "status": "ok"})


# Stories


def seen_targets(call: Call) -> Targets:
    """One request tells of several stories: `{"pk_owner_owner": ["begin_end"]}`."""
    reels = call.form.get("reels")
    if not isinstance(reels, dict):
        raise BadRequest("reels must say which stories were seen.")
    return [(pk, {"owner": rest.partition("_")[0]}) for pk, _, rest in (key.partition("_") for key in reels)]


@routes("POST", "media/seen", kind="story_seen", targets=seen_targets)
def story_seen(call: Call) -> Answer:
    """Mark stories as seen."""
    for pk, _ in seen_targets(call):
        found = find_media(call, pk)
        if found is None or found[1] < FIRST_STORY:
            return answer_json(NO_MEDIA, 400)
        taken = story_time(call, found[0], found[1] - FIRST_STORY)
        seen = call.world.seen[call.viewer.pk]
        seen[found[0].pk] = max(taken, seen.get(found[0].pk, 0))
    return OK


def story_target(call: Call) -> Targets:
    """Name the story that a form is about."""
    pk, _, owner = str(call.form.get("media_id", "")).partition("_")
    return [(pk, {"owner": owner})]


@routes("POST", "story_interactions/send_story_like", kind="story_like", targets=story_target)
def story_like(call: Call) -> Answer:
    """Like a story."""
    pk = story_target(call)[0][0]
    if find_media(call, pk) is None:
        return answer_json(NO_MEDIA, 400)
    call.world.liked[call.viewer.pk].add(int(pk))
    return OK


# Messages


def recipients(call: Call) -> list[int]:
    """Whom a message is for: named people, or everybody else in the named conversations."""
    if "recipient_users" in call.form:
        return key_list(call.form["recipient_users"])
    own = call.world.threads_of[call.claimed_pk]
    talks = [own.get(key) for key in key_list(call.form.get("thread_ids", "[]"))]
    return [pk for talk in talks if talk for pk in talk.members if pk != call.claimed_pk]


def message_targets(call: Call) -> Targets:
    """Each recipient of a message is a target of its own."""
    text = str(call.form.get("text") or call.form.get("link_text") or "")
    return [(str(pk), {"text": text}) for pk in recipients(call)]


@routes("POST", "direct_v2/threads/broadcast/(text|link)", kind="dm", targets=message_targets)
def broadcast(call: Call) -> Answer:
    """Send a message."""
    to = recipients(call)
    people_to = [call.world.person(pk) for pk in to]
    link = call.words[0] == "link"
    text = str(call.form.get("link_text" if link else "text") or "")
    if not text.strip():
        raise BadRequest("A message needs a text.")
    if not to or None in people_to:
        return answer_json({"message": "Thread does not exist", "status": "fail"}, 404)
    if not all(person and person.accepts_messages for person in people_to):
        return failure("dm_refused")
    talk = call.world.thread_between((call.viewer.pk, *to))
    item = call.world.say(talk, call.viewer.pk, text, link=link)
    payload = message(item, call.viewer.pk) | {
        "thread_id": str(talk.id),
        "client_context": str(call.form.get("client_context", "")),
    }
    return answer_json({"action": "item_ack", "status_code": "200", "payload": payload, "status": "ok"})


@routes("POST", r"direct_v2/threads/(\d+)/items/(\d+)/seen")
def message_seen(call: Call) -> Answer:
    """Mark a message as seen."""
    return OK
