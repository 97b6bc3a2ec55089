"""How soon `make run` is ready, and how much memory it takes when nothing happens."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

from bench.ground import ROOT, open_folder
from instagrowth.embedded.valkey import free_port

IDLE = 20  # seconds after READY, so that start-up is over


def figures() -> list[dict[str, object]]:
    """First start from an empty checkout, second start on the same data, and the idle memory of that."""
    with open_folder() as folder:
        checkout = Path(folder) / "checkout"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True)
        first, _ = _start(checkout)
        second, memory = _start(checkout, idle=IDLE)
    return [
        {"figure": "make run to READY, first start, packages cached, s", "value": round(first, 1), "goal": 60},
        {"figure": "make run to READY, second start, s", "value": round(second, 1), "goal": 8},
        {"figure": "idle memory of the whole stack, MB (PSS)", "value": round(memory), "goal": 600},
    ]


def _start(checkout: Path, idle: float = 0) -> tuple[float, float]:
    """Seconds to READY, and the megabytes of all its processes after `idle` seconds; then stops it."""
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL", "DATA_DIR")}
    started = time.monotonic()
    running = subprocess.Popen(
        ["make", "run"], cwd=checkout, env=env | {"PORT": str(free_port())}, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert running.stdout is not None
        for line in running.stdout:
            if re.match("READY http", line):
                break
        seconds = time.monotonic() - started
        time.sleep(idle)
        return seconds, _memory(running.pid) if idle else 0.0
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        running.wait(60)


def _memory(root: int) -> float:
    """Proportional memory of a process and all that descends from it, in megabytes."""
    import psutil

    family = psutil.Process(root)
    return sum(process.memory_full_info().pss for process in [family, *family.children(recursive=True)]) / 2**20
