"""Looks at the lease clock when the lease ends, and every second. All times are in milliseconds."""

from __future__ import annotations

import asyncio
from typing import Callable, Optional

from ._lease_clock import SLEPT_MS, Clock, LeaseClock, monotonic_ms

#: Timers stand still in sleep, and a wall clock may be set at any time.
LOOK_EVERY_MS = 1_000
#: After a stall what lies in the socket is read first: an eviction there says more than a conflict later.
READ_MS = 250


class LeaseWatch:
    def __init__(
        self,
        clock: Clock,
        on_expired: Callable[[float], None],
        on_behind: Callable[[], None],
        on_slept: Callable[[], None],
    ) -> None:
        """`on_expired` gets the deadline on the monotonic clock, once for each time that `held` was called."""
        self.lease = LeaseClock(clock)
        self._on_expired = on_expired
        self._on_behind = on_behind
        self._on_slept = on_slept
        #: Goes on in sleep, as far as the platform has such a clock; compared with timers, which stand still.
        self._sleepless = clock.wall or clock.now
        self._ahead_ms = self._sleepless() - monotonic_ms()
        self._is_held = False
        self._look_timer: Optional[asyncio.TimerHandle] = None
        self._read_timer: Optional[asyncio.TimerHandle] = None

    def deadline_ms(self) -> Optional[float]:
        """When the lease ends, on the scale of `time.monotonic() * 1000`; None where there is none."""
        left_ms = self.lease.left_ms()
        return None if left_ms is None else monotonic_ms() + left_ms

    def held(self) -> None:
        """Listeners are told that the seat is here. That it no longer is will be told too."""
        self._is_held = True

    def look(self) -> None:
        """Something has happened that changes what the clock says, or a second has passed."""
        left_ms = self.lease.left_ms()
        self._look_again(left_ms)
        if left_ms is None:
            self._is_held = False
        elif left_ms <= 0 and self._is_held:
            self._is_held = False
            self._on_expired(monotonic_ms() + left_ms)
        if self.lease.must_resume():
            self._replace_soon()
        # The deadline was judged first.
        ahead_ms = self._sleepless() - monotonic_ms()
        slept = ahead_ms - self._ahead_ms > SLEPT_MS
        self._ahead_ms = ahead_ms
        if slept:
            self._on_slept()

    def stop(self) -> None:
        """Nothing is left to be looked at."""
        for timer in (self._look_timer, self._read_timer):
            if timer is not None:
                timer.cancel()
        self._look_timer = self._read_timer = None

    def _look_again(self, left_ms: Optional[float]) -> None:
        if self._look_timer is not None:
            self._look_timer.cancel()
        in_ms = LOOK_EVERY_MS if left_ms is None or left_ms <= 0 else min(left_ms + 1, LOOK_EVERY_MS)
        self._look_timer = asyncio.get_running_loop().call_later(in_ms / 1_000, self.look)

    def _replace_soon(self) -> None:
        if self._read_timer is None:
            self._read_timer = asyncio.get_running_loop().call_later(READ_MS / 1_000, self._replace)

    def _replace(self) -> None:
        self._read_timer = None
        if self.lease.must_resume():
            self._on_behind()
