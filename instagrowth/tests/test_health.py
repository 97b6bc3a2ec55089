"""What machines ask about us."""

import pytest


def test_it_lives_without_the_database(client):
    # No `db` fixture: a query, or the opening of a transaction, would fail this test.
    assert client.get("/healthz").json() == {"ok": True}


@pytest.mark.django_db
def test_it_is_ready_when_database_and_valkey_answer(client):
    answer = client.get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"database": "ok", "redis": "ok"})
