"""`make bench`: one JSON object a line with `figure`, `value` and a `goal` if there is one. `ARGS=engine` for some."""

import json
import sys
from collections.abc import Callable, Iterable

from bench import (
    activity,
    admin,
    ai,
    analytics,
    bulk,
    chaos,
    claims,
    dispatch,
    engine,
    limits,
    live,
    pages,
    payments,
    publish,
    sandbox,
    stack,
)
from bench.ground import Ground, ground

Figures = Iterable[dict[str, object]]
ALONE: dict[str, Callable[[], Figures]] = {"sandbox": sandbox.figures, "stack": stack.figures}
GROUNDED: dict[str, Callable[[Ground], Figures]] = {
    "engine": lambda here: engine.figures(here.sandbox),
    "pages": lambda _: pages.figures(),
    "analytics": lambda _: analytics.figures(),
    "dispatch": lambda _: dispatch.figures(),
    "claims": lambda _: claims.figures(),
    "activity": lambda _: activity.figures(),
    "admin": lambda _: admin.figures(),
    "bulk": lambda _: bulk.figures(),
    "payments": lambda here: payments.figures(here.sandbox),
    "live": lambda _: live.figures(),
    "limits": lambda _: limits.figures(),
    "chaos": chaos.figures,
    "publish": publish.figures,
    "ai": ai.figures,
}


def main(wanted: list[str]) -> None:
    """Measure what was asked for, or everything."""
    for name, figures in ALONE.items():
        if not wanted or name in wanted:
            show(figures())
    grounded = [figures for name, figures in GROUNDED.items() if not wanted or name in wanted]
    if grounded:
        with ground() as here:
            for measure in grounded:
                show(measure(here))


def show(figures: Figures) -> None:
    """Print each as soon as it is known."""
    for figure in figures:
        print(json.dumps(figure), flush=True)


if __name__ == "__main__":  # spawned processes import it again
    main(sys.argv[1:])
