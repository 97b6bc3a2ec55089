"""`make bench`: one JSON object a line with `figure`, `value` and a `goal` if there is one. `ARGS=engine` for some."""

import json
import sys
from collections.abc import Iterable

from bench import chaos, claims, dispatch, engine, limits, pages, sandbox, stack
from bench.ground import ground


def main(wanted: list[str]) -> None:
    """Measure what was asked for, or everything."""

    def asked(name: str) -> bool:
        return not wanted or name in wanted

    if asked("sandbox"):
        show(sandbox.figures())
    if asked("stack"):
        show(stack.figures())
    if {"engine", "pages", "dispatch", "claims", "limits", "chaos"} & set(wanted) or not wanted:
        with ground() as here:
            if asked("claims"):
                show(claims.figures())
            if asked("limits"):
                show(limits.figures())
            if asked("engine"):
                show(engine.figures(here.sandbox))
            if asked("pages"):
                show(pages.figures())
            if asked("dispatch"):
                show(dispatch.figures())
            if asked("chaos"):
                show(chaos.figures(here))


def show(figures: Iterable[dict[str, object]]) -> None:
    """Print each as soon as it is known."""
    for figure in figures:
        print(json.dumps(figure), flush=True)


main(sys.argv[1:])
