"""The one table of a session's moves, in the code and in the database."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import pytest
from django.db import IntegrityError, connection, transaction

from bots import session_moves, session_pool, sessions
from bots.models import InstagramAccount, Session
from bots.session_moves import MOVES
from errors import codes
from errors.exceptions import BotException
from instagrowth.testing import everywhere, warm_account

Status = Session.Status
PAIRS = list(itertools.permutations(Status.values, 2))


def put(session, status):
    """Bring a session into a state as the product would, step by step."""
    mine = Session.objects.filter(pk=session.pk)
    if status == Status.UNUSED:
        session_moves.move(mine, status, account=None, workspace=None)
    elif status != Status.ASSIGNED:
        session_moves.move(mine, status, valid=False)


def fields(session, status):
    """What goes with a state, so that nothing but the move itself can be wrong."""
    home = {"account": session.account_id, "workspace": session.workspace_id}
    return {"status": status, "valid": True} | (dict.fromkeys(home) if status == Status.UNUSED else home)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_the_database_allows_what_the_table_has_and_nothing_else(alices_account, before, after):
    session = alices_account.session
    with everywhere():
        put(session, before)
        allowed = after in MOVES[before]
        with nullcontext() if allowed else pytest.raises(IntegrityError, match="cannot"), transaction.atomic():
            Session.objects.filter(pk=session.pk).update(**fields(session, after))
        assert Session.objects.get().status == (after if allowed else before)


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_the_code_moves_what_the_table_has_and_nothing_else(alices_account, before, after):
    session = alices_account.session
    with everywhere():
        put(session, before)
        moved = session_moves.move(Session.objects.filter(pk=session.pk), after, **_rest(session, after))

    assert moved == (after in MOVES[before])


def _rest(session, status):
    return {name: value for name, value in fields(session, status).items() if name != "status"}


def refused(session, **changes):
    with everywhere(), pytest.raises(IntegrityError, match=r"session"), transaction.atomic():
        Session.objects.filter(pk=session.pk).update(**changes)


def test_a_frozen_session_goes_on_only_after_a_probe(alices_account):
    with everywhere():
        put(alices_account.session, Status.FROZEN)

    refused(alices_account.session, status="assigned")


def test_an_account_keeps_its_session_until_it_is_released(alices_account, alices_workspace):
    other = InstagramAccount(workspace=alices_workspace, username="alice.other")
    with everywhere():
        other.save()

    refused(alices_account.session, account=other)


def test_what_is_in_the_pool_belongs_to_nobody(alices_account):
    refused(alices_account.session, status="unused", account=None)
    refused(alices_account.session, status="unused", workspace=None)


def test_a_new_login_may_come_in_place_of_a_banned_session(alices_account):
    with everywhere():
        put(alices_account.session, Status.BANNED)
        login = {"ds_user_id": "7", "sessionid": "7%3Aanother%3A1"}
        kept = sessions.keep(alices_account, {"authorization_data": login})

    assert (kept.status, kept.version) == ("assigned", 2)


def test_of_a_hundred_that_want_one_session_one_gets_it(committed, alices_workspace):
    with everywhere():
        giver = warm_account(alices_workspace, "giver")
        session = giver.session
        put(session, Status.UNUSED)
        accounts = [InstagramAccount(workspace=alices_workspace, username=f"taker.{number}") for number in range(100)]
        InstagramAccount.objects.bulk_create(accounts)

    def take(account):
        try:
            session_pool.assign(Session(pk=session.pk), account)
        except BotException as late:
            return late.code
        finally:
            connection.close()
        return account.pk

    with ThreadPoolExecutor(16) as takers:
        outcomes = list(takers.map(take, accounts))

    owners = [outcome for outcome in outcomes if outcome is not codes.SESSION_IN_USE]
    with everywhere():
        assert owners == [Session.objects.get(pk=session.pk).account_id]
