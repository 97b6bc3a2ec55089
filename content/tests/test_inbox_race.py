"""Many at once: one webhook is one row, and one answer is sent once."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connection

from accounts import tenancy
from accounts.models import User
from bots import webhooks
from bots.models import InstagramAccount, MetaEvent
from bots.official import official_door
from content import inbox, replies
from content.models import Talk, TalkLine
from instagrowth.testing import everywhere
from sandbox.testing import Control

AT_ONCE = 8


@pytest.mark.usefixtures("committed")
def test_the_same_webhook_and_the_same_answer_in_many_hands_are_one(
    alices_official: InstagramAccount, alice: User, meta: Control
) -> None:
    workspace = alices_official.workspace_id
    meta.account("fan.of.clay", followers=3)
    with everywhere():
        official_door(alices_official).subscribe()
    (told,) = meta.graph("messages", username="alice.clay", by="fan.of.clay", text="Hello")["sent"]

    def take(_: int) -> int:
        try:
            new = webhooks.take(told["body"].encode(), told["signature"])
            inbox.work(workspace, alices_official.pk)
            return new
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as many:
        list(many.map(take, range(AT_ONCE)))
    with everywhere():
        assert (MetaEvent.objects.count(), TalkLine.objects.count()) == (1, 1)
        talk = Talk.objects.select_related("account").get()
    with tenancy.scope(workspace):
        line = replies.say(talk, "Hello you", user=alice)

    def send(_: int) -> None:
        try:
            replies.send(workspace, line.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as many:
        list(many.map(send, range(AT_ONCE)))
    assert [entry["kind"] for entry in meta.ledger("alice.clay").entries] == ["subscribe", "graph_message"]

    # The negative control: the database itself refuses a second row of the same.
    with everywhere():
        event = MetaEvent.objects.get()
    with pytest.raises(IntegrityError, match="meta_event_once"), everywhere():
        MetaEvent.objects.create(workspace_id=workspace, account=alices_official, digest=event.digest)
