"""The stand-in for Stripe: what it keeps."""

from pathlib import Path

import pytest

from sandbox.stripe_world import Refusal, fresh


def test_what_was_made_there_outlives_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_STRIPE_FILE", str(tmp_path / "stripe.json"))
    stripe = fresh()
    plan = stripe.make("product", "prod", name="Growth")
    stripe.tell("product.created", plan)
    stripe.ahead = 86400.0
    stripe.keep()

    again = fresh()

    assert again.get("product", plan["id"]) == plan
    assert ([event["type"] for event in again.events], again.ahead) == (["product.created"], 86400.0)


def test_without_a_file_every_world_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANDBOX_STRIPE_FILE", raising=False)
    stripe = fresh()
    plan = stripe.make("product", "prod", name="Growth")
    stripe.keep()

    with pytest.raises(Refusal, match="No such product"):
        fresh().get("product", plan["id"])
