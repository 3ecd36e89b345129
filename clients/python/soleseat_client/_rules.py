"""The rules of a seat in which a program may take part: idle limits, who is asked, and leaves."""

from __future__ import annotations

import asyncio
import math
from typing import Any, Callable, Dict, Optional, TypeVar

from ._events import IdleWarning, LeaveEnded, TakeoverRequested, log
from ._idle import IdleReport
from ._lease_clock import monotonic_ms
from ._leave import LeaveRefused, LeftSeat
from ._messages import Event, IdleWarned, Left, ServerMessage, TakeoverAsked, TakeoverWithdrawn, Welcome
from ._options import Options

LOST = "connection_lost"
T_ = TypeVar("T_")


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
        self._leaving: Optional[asyncio.Future[LeftSeat]] = None
        self._shown_ticket: Optional[str] = None
        """Of a leave: the latest `hello` showed it."""
        self._spent_ticket: Optional[str] = None

    def in_hello(self) -> Dict[str, Any]:
        """What the program adds to each `hello`."""
        options = self._options
        fields: Dict[str, Any] = {}
        idle = options.idle_ms
        idle_ms = _safely(None if idle is None else _whole(idle))
        if idle_ms is not None:
            fields["idleMs"] = idle_ms  # [idle-hello]
        if options.asks:
            fields["asks"] = True  # [asks-told]
        kept = _safely(options.leave_ticket)
        self._shown_ticket = None if kept == self._spent_ticket else kept  # [ticket-shown] [ticket-once]
        if self._shown_ticket is not None:
            fields["ticket"] = self._shown_ticket
        return fields

    def end_leave(self) -> None:
        """After the grant was told."""
        if self._shown_ticket is not None:
            self._spent_ticket, self._shown_ticket = self._shown_ticket, None
            self._tell(LeaveEnded())

    async def leave(self, for_ms: float) -> LeftSeat:
        """Asks to take the seat along. Raises LeaveRefused."""
        if self._leaving is None:
            if not self._has_seat() or not self._send({"type": "leave", "forMs": max(0, round(for_ms))}):
                raise LeaveRefused(LOST, "There is no connection with a seat to take along.")
            self._leaving = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._leaving)

    def left(self, message: Left, late_ms: float) -> None:
        """The seat is taken along."""
        leaving, self._leaving = self._leaving, None
        if leaving is not None:  # [leave-left]
            leaving.set_result(LeftSeat(message.ticket, math.floor(max(0.0, message.for_ms - late_ms))))

    def refused(self, code: str, message: str) -> None:
        """An error came. The session goes on."""
        # These two are about something else.
        if code not in ("token_not_yet_accepted", "flapping"):
            self._refuse_leave(code, message)

    def _refuse_leave(self, code: str, message: str) -> None:
        leaving, self._leaving = self._leaving, None
        if leaving is not None:
            leaving.set_exception(LeaveRefused(code, message))
            leaving.exception()  # nobody may be waiting any more

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
        self._refuse_leave(LOST, "The connection ended before the seat was taken along.")


def _whole(idle: Callable[[], float]) -> Callable[[], int]:
    return lambda: max(0, round(idle()))


def _safely(option: Optional[Callable[[], Optional[T_]]]) -> Optional[T_]:
    """What the program says. A fault of its own must not keep it from its seat."""
    try:
        return None if option is None else option()
    except Exception:
        log.exception("an option raised")
        return None
