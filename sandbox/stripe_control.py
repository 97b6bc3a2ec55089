"""What only a stand-in can do at Stripe: put the clock forward, change a card, say where webhooks go.

`GET /_control/stripe` shows clock, endpoint, and the objects with the events, each signed body as it would be posted.
`POST /_control/stripe` takes any of these fields:

| field | meaning |
|---|---|
| `advance` | seconds by which the clock is put forward; periods, trials and retries fall due in their order |
| `customer`, `card` | the card that a customer pays with from now on, by its number |
| `endpoint`, `secret` | where webhooks go, and the secret that signs them; an empty endpoint sends none |
| `forget` | the id of an object that Stripe has no more: a price deleted at the dashboard |
"""

import json
from collections.abc import Callable
from typing import Any

from sandbox import stripe_hooks
from sandbox.wire import BadRequest, Request
from sandbox.world import World

FIELDS = {"advance", "customer", "card", "endpoint", "secret", "forget"}


def look(world: World, _: Request) -> object:
    """Show what is there."""
    stripe = world.stripe
    return {"now": stripe.now(), "endpoint": stripe.endpoint, "things": stripe.things, "events": stripe.events}


def arrange(world: World, request: Request) -> object:
    """Change what the fields say."""
    stripe = world.stripe
    try:
        fields: dict[str, Any] = json.loads(request.body or b"{}")
    except ValueError as error:
        raise BadRequest(f"The body is not JSON: {error}.") from error
    if unknown := sorted(set(fields) - FIELDS):
        raise BadRequest(f"Unknown field {unknown[0]}; known are {', '.join(sorted(FIELDS))}.")
    for name in {"customer", "forget"} & set(fields):
        if fields[name] not in stripe.things:
            raise BadRequest(f"There is no {fields[name]}.")
    stripe.endpoint = str(fields.get("endpoint", stripe.endpoint))
    stripe.secret = str(fields.get("secret", stripe.secret))
    if "card" in fields:
        stripe.things[fields["customer"]]["_card"] = str(fields["card"])
    if "forget" in fields:
        del stripe.things[fields["forget"]]
    if "advance" in fields:
        if not isinstance(fields["advance"], int) or not 0 <= fields["advance"] <= 5 * 366 * 86400:
            raise BadRequest("advance must be a number of seconds, at most five years.")
        stripe.advance(fields["advance"])
    stripe.keep()
    stripe_hooks.send_out(world)
    return {"now": stripe.now()}


HANDLERS: dict[tuple[str, str], Callable[[World, Request], object]] = {
    ("GET", "stripe"): look,
    ("POST", "stripe"): arrange,
}
