"""Notices that the broker's beat stays away (PROTOCOL.md, "Liveness"). All times are in milliseconds."""

from __future__ import annotations

import asyncio
from typing import Callable, Optional

from ._backoff import MAX_WAIT_MS
from ._messages import Conflict, Evicted, Jeopardy, Lease, ServerMessage, Welcome

#: One beat may be lost and one late.
INTERVALS = 2.5
#: By then the node has waited for Redis in vain, and told so with `jeopardy`.
LEAST_MS = 5_000
#: The close follows an eviction at once, and the broker waits no longer than this for the answer.
CLOSE_MS = 2_000
#: Until a `welcome` has told the interval: longer than anybody would choose.
UNTOLD_INTERVAL_MS = 60_000
#: After a stall the timers are late and beats lie unread: time for the event loop to read them.
READ_MS = 250


class Heartbeat:
    """On a half-open connection nothing else shows: this end sends nothing, so TCP has nothing to miss.

    The beats are what comes with every renewal, and `jeopardy`, which says for how long none will. While a `conflict`
    waits there are only pings.
    """

    def __init__(self, on_silent: Callable[[], None]) -> None:
        self._on_silent = on_silent
        self._renew_every_ms: float = UNTOLD_INTERVAL_MS
        self._waits_in_conflict = False
        self._timer: Optional[asyncio.TimerHandle] = None

    def heard(self, message: ServerMessage) -> None:
        if isinstance(message, Welcome):
            self._renew_every_ms = message.renew_every_ms
            self.stop()
            self._expect(self._patience_ms())
        elif isinstance(message, Lease):
            self._expect(self._patience_ms())
        elif isinstance(message, Jeopardy):
            self._expect(message.grace_ms)  # [jeopardy-wait]
        elif isinstance(message, Evicted):
            self._expect(CLOSE_MS)
        elif isinstance(message, Conflict):
            self.stop()
            self._waits_in_conflict = True

    def pinged(self) -> None:
        if self._waits_in_conflict:  # [conflict-silence]
            self._expect(self._patience_ms())

    def stop(self) -> None:
        """The connection is over."""
        if self._timer is not None:
            self._timer.cancel()
        self._waits_in_conflict = False

    def _patience_ms(self) -> float:
        return max(LEAST_MS, INTERVALS * self._renew_every_ms)  # [silence]

    def _expect(self, within_ms: float) -> None:
        self._start(min(within_ms, MAX_WAIT_MS), lambda: self._start(READ_MS, self._on_silent))

    def _start(self, in_ms: float, then: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(in_ms / 1_000, then)
