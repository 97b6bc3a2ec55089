"""What the stand-in was asked to do: every write it received, in order, and how many requests came from whom."""

import time
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field

# Kinds that nobody does twice to the same target on purpose; signing in twice is no mistake.
ONCE = frozenset({"follow", "unfollow", "like", "unlike", "story_seen", "story_like", "dm", "comment", "publish"})


@dataclass(slots=True)
class Entry:
    """One write. `applied` is false when a fault refused it; `duplicate` when the same was applied before."""

    seq: int
    time: float
    account: str
    kind: str
    target: str
    applied: bool
    duplicate: bool
    detail: dict[str, str] = field(default_factory=dict)


class Ledger:
    """Writes and request counts since the start or the last reset."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.requests: dict[str, Counter[str]] = defaultdict(Counter)
        self._seen: dict[tuple[str, str, str], int] = {}

    def write(self, account: str, kind: str, target: str, *, applied: bool, **detail: str) -> Entry:
        """Record a write that was received; `target` is a key of a person, a post or a story."""
        key = (account, kind, target)
        duplicate = applied and kind in ONCE and key in self._seen
        entry = Entry(len(self.entries) + 1, time.time(), account, kind, target, applied, duplicate, detail)
        self.entries.append(entry)
        if applied:
            self._seen.setdefault(key, entry.seq)
        return entry

    def count(self, account: str, route: str) -> None:
        """Count one request; nobody in particular is `""`."""
        self.requests[account][route] += 1

    def report(self, account: str | None = None, kind: str | None = None, since: int = 0) -> dict[str, object]:
        """The writes after `since` (a seq), what was done more than once, and the request counts."""
        chosen = [
            entry
            for entry in self.entries[since:]
            if (account is None or entry.account == account) and (kind is None or entry.kind == kind)
        ]
        return {
            "entries": [asdict(entry) for entry in chosen],
            "duplicates": self.duplicates(chosen),
            "requests": {
                name: {"total": counts.total(), "routes": dict(counts)}
                for name, counts in self.requests.items()
                if account is None or name == account
            },
            "last": len(self.entries),
        }

    def duplicates(self, entries: list[Entry]) -> list[dict[str, object]]:
        """What was applied more than once among these writes or before them."""
        found: dict[tuple[str, str, str], list[int]] = {}
        for entry in entries:
            if entry.duplicate:
                key = (entry.account, entry.kind, entry.target)
                found.setdefault(key, [self._seen[key]]).append(entry.seq)
        return [
            {"account": account, "kind": kind, "target": target, "times": len(seqs), "seqs": seqs}
            for (account, kind, target), seqs in found.items()
        ]
