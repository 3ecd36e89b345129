"""Tells the broker that the person was at work, where the session has an idle limit. All times are in milliseconds."""

from __future__ import annotations

import asyncio
from typing import Any, Callable, Dict, Optional

from ._backoff import MAX_WAIT_MS
from ._lease_clock import monotonic_ms


class IdleReport:
    def __init__(self, send: Callable[[Dict[str, Any]], bool]) -> None:
        self._send = send
        self._every_ms: Optional[float] = None
        """None: this session has no limit, so nothing is told."""
        self._sent_ms = -float("inf")
        self._active_ms = -float("inf")
        self._is_warned = False
        self._timer: Optional[asyncio.TimerHandle] = None

    def begin(self, every_ms: Optional[float]) -> None:
        """A `welcome` came, with the interval of its session."""
        self.stop()
        self._every_ms = every_ms  # [idle-untold]

    def warned(self) -> None:
        """The broker is about to end the session: the next report does not wait."""
        self._is_warned = True
        if self._timer is not None:
            self._report()

    def activity(self, idle_ms: float) -> None:
        if self._every_ms is None:
            return
        now_ms = monotonic_ms()
        self._active_ms = max(self._active_ms, now_ms - idle_ms)
        wait_ms = 0 if self._is_warned else self._sent_ms + self._every_ms - now_ms  # [idle-warning]
        if wait_ms <= 0:
            self._report()
        elif self._timer is None:  # [activity-spacing]
            wait_s = min(wait_ms, MAX_WAIT_MS) / 1_000
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._report)

    def stop(self) -> None:
        """The connection is over, or the seat is gone. The next `hello` tells how things stand."""
        self._every_ms = None
        self._is_warned = False
        self._cancel()

    def _report(self) -> None:
        self._cancel()
        self._is_warned = False
        self._sent_ms = monotonic_ms()
        # [activity-latest]
        self._send({"type": "activity", "idleMs": max(0, round(self._sent_ms - self._active_ms))})

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
