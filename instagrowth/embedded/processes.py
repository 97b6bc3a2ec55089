"""Child processes that do not outlive us, and what to do about those that did."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int, signum: signal.Signals) -> None:
    """Ask the kernel to send us `signum` when our parent dies (Linux; elsewhere the next start cleans up).

    Call it in the child, after any change of user: changing user clears the wish.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signum.value, 0, 0, 0)
        if os.getppid() != parent:  # it died before we could ask
            os.kill(os.getpid(), signum)


def dying_with_us(signum: signal.Signals) -> Callable[[], None]:
    """Make the `preexec_fn` of a child that gets `signum` when the calling process dies."""
    parent = os.getpid()
    return lambda: die_with_parent(parent, signum)


def identity(pid: int) -> str | None:
    """Tell a process from a later one with the same number: its number and when it started, or None if it is gone."""
    if sys.platform == "linux":
        try:
            # The name in brackets may hold spaces and brackets; what follows the last one is regular (proc(5), stat).
            fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return None if fields[0] == "Z" else f"{pid} {fields[19]} {boot}"
    started = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return f"{pid} {started.strip()}" if started.strip() else None


def remember(folder: Path, name: str, pid: int) -> None:
    """Note a child, so that the next start can end it should it outlive us."""
    (folder / f"{name}.pid").write_text(identity(pid) or "")


def forget(folder: Path, name: str) -> None:
    """Strike a child that has ended off the list."""
    (folder / f"{name}.pid").unlink(missing_ok=True)


def end_leftovers(folder: Path, patience: float = 15.0) -> None:
    """End the children of an earlier run that nobody stopped (kill -9 where the kernel does not tell the children).

    They are already on their way out on Linux, so we first give them `patience` seconds to end by themselves there.
    """
    for note in sorted(folder.glob("*.pid")):
        who = note.read_text()
        pid = int(who.split()[0]) if who else 0
        polite = signal.SIGINT if note.stem == "postgres" else signal.SIGTERM
        waits: list[tuple[signal.Signals | None, float]] = [(polite, patience), (signal.SIGKILL, 5.0)]
        if sys.platform == "linux":
            waits.insert(0, (None, 3.0))
        for signum, seconds in waits:
            if not pid or identity(pid) != who:
                break
            if signum:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signum)
            wait_until(lambda pid=pid, who=who: identity(pid) != who, seconds)  # type: ignore[misc]  # bound at once
        note.unlink()


def stop(process: subprocess.Popen[bytes], *signals: signal.Signals, patience: float) -> None:
    """Send one signal after the other, `patience` seconds apart, until the process has ended; then SIGKILL."""
    for signum in signals:
        if process.poll() is None:
            process.send_signal(signum)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
    if process.poll() is None:
        process.kill()
        process.wait()


def wait_until(true: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Look every `pause` seconds, for at most `seconds`; tell whether it came true."""
    end = time.monotonic() + seconds
    while not (done := true()) and time.monotonic() < end:
        time.sleep(pause)
    return done
