"""The rules of a seat in which a program may take part: idle limits, and who is asked."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

from ._events import IdleWarning, TakeoverRequested
from ._idle import IdleReport
from ._lease_clock import monotonic_ms
from ._messages import Event, IdleWarned, ServerMessage, TakeoverAsked, TakeoverWithdrawn, Welcome
from ._options import Options


class SeatRules:
    def __init__(
        self,
        options: Options,
        send: Callable[[Dict[str, Any]], bool],
        tell: Callable[[Event], None],
        has_seat: Callable[[], bool],
    ) -> None:
        self._options = options
        self._send = send
        self._tell = tell
        self._has_seat = has_seat
        self.idle = IdleReport(send)

    def in_hello(self) -> Dict[str, Any]:
        """What the program adds to each `hello`."""
        options, fields = self._options, {}  # type: Options, Dict[str, Any]
        if options.idle_ms is not None:
            fields["idleMs"] = max(0, round(options.idle_ms()))  # [idle-hello]
        if options.asks:
            fields["asks"] = True  # [asks-told]
        return fields

    def welcomed(self, message: Welcome) -> None:
        self.idle.begin(None if self._options.idle_ms is None else message.report_every_ms)

    def heard(self, message: ServerMessage, late_ms: float) -> None:
        """`late_ms`: how long the message was under way."""
        if isinstance(message, IdleWarned):
            self.idle.warned()
            in_ms = max(0.0, message.in_ms - late_ms)
            self._tell(IdleWarning(in_ms, monotonic_ms() + in_ms))
        elif isinstance(message, TakeoverAsked):
            # The seat stays here until `evicted`, whatever is answered. [ask-keeps-seat]
            within_ms = max(0.0, message.answer_within_ms - late_ms)
            if self._has_seat():
                self._tell(TakeoverRequested(message.by, within_ms, monotonic_ms() + within_ms))
        elif isinstance(message, TakeoverWithdrawn):
            self._tell(message)

    def answer(self, yields: bool, need_ms: Optional[float]) -> None:
        needs = {} if need_ms is None else {"needMs": max(0, round(need_ms))}
        self._send({"type": "answer", "yield": yields, **needs})

    def stop(self) -> None:
        """The connection is over, or the seat is gone."""
        self.idle.stop()
