"""The rules of a seat in which a program may take part: so far, idle limits."""

from __future__ import annotations

from typing import Any, Callable, Dict

from ._events import IdleWarning
from ._idle import IdleReport
from ._lease_clock import monotonic_ms
from ._messages import Event, IdleWarned, ServerMessage, Welcome
from ._options import Options


class SeatRules:
    def __init__(
        self, options: Options, send: Callable[[Dict[str, Any]], bool], tell: Callable[[Event], None]
    ) -> None:
        self._options = options
        self._tell = tell
        self.idle = IdleReport(send)

    def in_hello(self) -> Dict[str, Any]:
        """What the program adds to each `hello`."""
        idle_ms = self._options.idle_ms
        if idle_ms is None:
            return {}
        return {"idleMs": max(0, round(idle_ms()))}  # [idle-hello]

    def welcomed(self, message: Welcome) -> None:
        self.idle.begin(None if self._options.idle_ms is None else message.report_every_ms)

    def heard(self, message: ServerMessage, late_ms: float) -> None:
        """`late_ms`: how long the message was under way."""
        if isinstance(message, IdleWarned):
            self.idle.warned()
            in_ms = max(0.0, message.in_ms - late_ms)
            self._tell(IdleWarning(in_ms, monotonic_ms() + in_ms))

    def stop(self) -> None:
        """The connection is over, or the seat is gone."""
        self.idle.stop()
