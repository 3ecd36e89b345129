"""Until when the seat may be counted on: PROTOCOL.md, "The age of a lease". All times are in milliseconds."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import dataclass
from typing import Callable, Optional

from ._messages import Conflict, Jeopardy, Lease, ServerMessage, Welcome

#: The wall clock of a computer that is awake goes no further ahead of its monotonic clock between two looks.
SLEPT_MS = 2_000
#: A node's clock may run slower than this one by a thousandth, which is many times what quartz does.
SLEW = 1 / 1_000
MOST_SLEW_MS = 100


@dataclass(frozen=True)
class Clock:
    """What the lease is measured by."""

    now: Callable[[], float]
    """Milliseconds from any beginning. It never goes back."""
    wall: Optional[Callable[[], float]] = None
    """The wall clock in milliseconds, for a `now` that stands still in sleep. It only shows that the computer slept."""


def platform_clock() -> Clock:
    """A clock that goes on in sleep where the platform has one; else the monotonic and the wall clock, compared."""
    boot_time: int = getattr(time, "CLOCK_BOOTTIME", -1)
    if boot_time != -1:
        try:
            time.clock_gettime(boot_time)
        except OSError:
            pass  # an old kernel or a sandbox: compare clocks instead
        else:
            return Clock(lambda: time.clock_gettime(boot_time) * 1_000)
    if sys.platform == "win32":
        return Clock(monotonic_ms)  # it goes on in sleep there
    return Clock(monotonic_ms, lambda: time.time() * 1_000)


def monotonic_ms() -> float:
    """`time.monotonic()` in milliseconds."""
    return time.monotonic() * 1_000


@dataclass
class _Link:
    """What is known of one connection, from its `hello` on."""

    asked_ms: Optional[float]
    """When the question was sent that is not answered yet: `hello` or `takeover`."""
    base_ms: float
    """The latest instant by which the node can have begun to count `elapsedMs`."""
    heard_ms: float
    """When the latest message came that told its age."""
    grace_until_ms: float
    ttl_ms: Optional[float] = None
    """The latest lease that this connection gave; None where it gave none, or where the lease is gone."""
    is_doubted: bool = False
    """Nothing that comes on this connection counts any more: it has to be replaced."""


class LeaseClock:
    """Works out until when the seat may be counted on. It has no timers: its owner asks. Any thread may ask.

    A message tells its age, so one that waited in a buffer gives nothing. The node cannot answer before it is asked,
    so its zero is dated from the question; every later message can only move that zero back.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()  # a signal handler may ask too, in the middle of another question
        self._end_ms: Optional[float] = None
        self._link: Optional[_Link] = None
        self._looked_ms = clock.now()
        self._looked_wall_ms = clock.wall() if clock.wall else None

    @property
    def is_connected(self) -> bool:
        return self._link is not None

    def connected(self) -> None:
        """`hello` goes out on a new connection. What the one before said of its node's zero is void."""
        with self._lock:
            now_ms = self._look()
            self._link = _Link(now_ms, now_ms, now_ms, now_ms)

    def asked(self) -> None:
        """`takeover` goes out: what is granted for it was granted after this."""
        with self._lock:
            now_ms = self._look()
            if self._link is not None:
                self._link.asked_ms = now_ms
                self._link.is_doubted = False

    def disconnected(self) -> None:
        """The connection is over. The lease outlives it."""
        with self._lock:
            self._look()  # [lease-outlives]
            self._link = None

    def heard(self, message: ServerMessage, counts: bool = True) -> float:
        """Takes in any message. `counts` is false for a grant or a renewal that is not of this session.

        Gives how long the message was under way, in milliseconds.
        """
        with self._lock:
            now_ms = self._look()
            link = self._link
            if link is None:
                return 0
            sent_ms = _dated(link, message, now_ms)
            if counts and isinstance(message, (Welcome, Lease)):
                link.ttl_ms = message.ttl_ms
                link.grace_until_ms = now_ms
                # The newest decides, also when it is less. [lease-newest]
                if not link.is_doubted:
                    self._end_ms = sent_ms + message.ttl_ms
            if isinstance(message, Jeopardy):
                link.grace_until_ms = sent_ms + message.grace_ms  # [jeopardy-until]
            if link.ttl_ms is not None and now_ms - sent_ms > link.ttl_ms / 3:  # [lease-behind]
                link.is_doubted = True
            return now_ms - sent_ms

    def clear(self) -> None:
        """The lease is gone, and that is known otherwise: nothing is kept, so nothing has to be resumed."""
        with self._lock:
            self._end_ms = None
            if self._link is not None:
                self._link.ttl_ms = None

    def holds(self) -> bool:
        """Whether the seat may be counted on at this moment."""
        left_ms = self.left_ms()
        return left_ms is not None and left_ms > 0  # [lease-until]

    def left_ms(self) -> Optional[float]:
        """Time left, zero or negative when it has passed; None where there is no lease."""
        with self._lock:
            now_ms = self._look()
            return None if self._end_ms is None else self._end_ms - now_ms

    def must_resume(self) -> bool:
        """Whether another connection has to replace this one: it is late, or its lease has passed.

        In jeopardy a lease passes without that. The node tries on for as long as it said, and no other node does
        better without Redis.
        """
        with self._lock:
            now_ms = self._look()
            link = self._link
            if link is None or link.ttl_ms is None:
                return False
            has_passed = self._end_ms is None or now_ms >= self._end_ms
            return link.is_doubted or (has_passed and now_ms >= link.grace_until_ms)  # [lease-passed]

    def _look(self) -> float:
        """Reads the clocks. Two are never added up: a jump of the wall clock only ends what was counted on."""
        now_ms = self._clock.now()  # [lease-no-wall]
        wall_ms = self._clock.wall() if self._clock.wall else None
        if wall_ms is not None and self._looked_wall_ms is not None:
            if wall_ms - self._looked_wall_ms - (now_ms - self._looked_ms) > SLEPT_MS:
                self._slept(now_ms)
        self._looked_ms = now_ms
        self._looked_wall_ms = wall_ms
        return now_ms

    def _slept(self, now_ms: float) -> None:
        if self._end_ms is not None:
            self._end_ms = min(self._end_ms, now_ms)  # [lease-clock]
        if self._link is not None:
            self._link.is_doubted = True


def _dated(link: _Link, message: ServerMessage, now_ms: float) -> float:
    """When the node wrote a message, at the latest, on this clock."""
    is_answer = isinstance(message, (Welcome, Conflict))
    asked_ms = link.asked_ms if is_answer else None
    if is_answer:
        link.asked_ms = None
    # A broker from before the age of leases: what it says counts from receipt.
    if message.elapsed_ms is None:  # [lease-legacy]
        return now_ms
    if asked_ms is None:
        slew_ms = min((now_ms - link.heard_ms) * SLEW, MOST_SLEW_MS)
        link.base_ms = min(link.base_ms + slew_ms, now_ms - message.elapsed_ms)
    else:
        link.base_ms = asked_ms - message.elapsed_ms  # [lease-base]
    link.heard_ms = now_ms
    return link.base_ms + message.elapsed_ms
