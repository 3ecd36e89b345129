"""The waits between attempts. All times are in milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Optional

#: No wait is longer: 24.8 days, the longest timer of the library in TypeScript.
MAX_WAIT_MS = 2**31 - 1


@dataclass(frozen=True)
class Backoff:
    """How widely attempts are spread."""

    first_ms: float = 500
    """The widest first wait, in milliseconds."""
    max_ms: float = 30_000
    """The widest wait of all, in milliseconds."""

    def __post_init__(self) -> None:
        if not 0 < self.first_ms <= self.max_ms <= MAX_WAIT_MS:
            raise ValueError("a backoff needs 0 < first_ms <= max_ms")


def full_jitter(failures: int, backoff: Backoff, random: Callable[[], float]) -> float:
    """Spread over the whole window: clients that lost one node together do not come back together."""
    # Past 2**30 the window is at its widest anyway, and a float has an end.
    return random() * min(backoff.max_ms, backoff.first_ms * 2.0 ** min(failures, 30))  # [backoff-jitter]


@dataclass
class WaitHints:
    """What the closed connection said about the wait that follows."""

    drain_within_ms: Optional[float] = None
    retry_after_ms: Optional[float] = None


def wait_before_reconnect(
    failures: int, hints: WaitHints, backoff: Backoff, random: Callable[[], float]
) -> float:
    """How long to wait before the next attempt (PROTOCOL.md, "Reconnecting", rule 2)."""
    if hints.drain_within_ms is None:
        spread = full_jitter(failures, backoff, random)
    else:
        spread = random() * min(hints.drain_within_ms, backoff.max_ms)  # [drain-spread]
    # Added, not the larger one: clients that were told the same time must not return in step. [retry-after-ms]
    return min((hints.retry_after_ms or 0) + spread, MAX_WAIT_MS)
