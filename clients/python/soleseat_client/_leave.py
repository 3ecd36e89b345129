"""A seat that was taken along: whether it may be used offline at this moment."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, replace
from typing import Any, Dict, Optional

from ._ticket import BadTicket, TicketKeys, verify


class LeaveRefused(Exception):
    """Why a seat was not taken along. The session goes on."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        """The broker's code, such as `leave_not_allowed`; `connection_lost` where none came."""


@dataclass(frozen=True)
class LeftSeat:
    """What `leave()` gives: the seat is taken along."""

    ticket: str
    for_ms: float
    """How long the seat was granted for, from when the ticket came, in milliseconds."""


@dataclass(frozen=True)
class LeaveRecord:
    """What a program keeps of a seat that it took along. Write it to a file of its own after each look."""

    ticket: str
    for_ms: float
    received_ms: float
    """When the ticket came, in Unix milliseconds by the machine's clock."""
    seen_ms: float
    """The latest time that the machine's clock has shown."""

    @staticmethod
    def of(left: LeftSeat, now_ms: Optional[float] = None) -> LeaveRecord:
        """The record of a seat that was taken along right now."""
        now_ms = wall_ms() if now_ms is None else now_ms
        return LeaveRecord(left.ticket, left.for_ms, now_ms, now_ms)

    def to_json(self) -> str:
        """The record for a file, the same in all libraries."""
        times = {"forMs": self.for_ms, "receivedMs": self.received_ms, "seenMs": self.seen_ms}
        return json.dumps({"ticket": self.ticket, **{name: round(ms) for name, ms in times.items()}})

    @staticmethod
    def from_json(text: str) -> LeaveRecord:
        """Reads what `to_json()` wrote. Raises ValueError for what is no record."""
        value: Dict[str, Any] = json.loads(text)
        try:
            times = [float(value[name]) for name in ("forMs", "receivedMs", "seenMs")]
            ticket = str(value["ticket"])
        except (KeyError, TypeError, OverflowError) as fault:
            raise ValueError("this is no record of a leave") from fault
        if not all(math.isfinite(ms) for ms in times):
            raise ValueError("a time in this record of a leave is no number")
        return LeaveRecord(ticket, *times)


@dataclass(frozen=True)
class LeaveLook:
    holds: bool
    """Whether the seat may be used."""
    record: LeaveRecord
    """What to keep from now on."""
    until_ms: Optional[float] = None
    """Until when it may be used, in Unix milliseconds by the machine's clock."""
    reason: Optional[str] = None
    """`bad_ticket`, `other_machine`, `other_user`, `other_org`, `clock_set_back` or `over`, where it may not."""
    message: str = ""
    """A sentence for people about that."""


def look_at_leave(
    record: LeaveRecord,
    keys: TicketKeys,
    machine: str,
    user: Optional[str] = None,
    org: Optional[str] = None,
    now_ms: Optional[float] = None,
) -> LeaveLook:
    """Whether the seat may be used offline at this moment. Keep the `record` that comes back.

    It holds while the machine's clock lies between the latest time that it has shown and the end of the leave: so to set the
    clock back gains nothing. `machine` is the id of this machine.
    """
    now_ms = wall_ms() if now_ms is None else now_ms
    seen = replace(record, seen_ms=max(record.seen_ms, now_ms))

    def no(reason: str, message: str) -> LeaveLook:
        return LeaveLook(False, seen, reason=reason, message=message)

    try:
        ticket = verify(record.ticket, keys)
    except BadTicket as fault:
        return no("bad_ticket", str(fault))
    if ticket.nonce is not None:
        return no("bad_ticket", "The ticket is that of a connection.")
    if ticket.machine != machine:
        return no("other_machine", "The seat was taken along on another machine.")
    if user is not None and ticket.user != user:
        return no("other_user", "Another user took the seat along.")
    if org is not None and ticket.org != org:
        return no("other_org", "The seat is that of another org.")
    # Not before the ticket came, either: a record may have been written by hand.
    if now_ms < record.seen_ms or now_ms < record.received_ms:
        return no("clock_set_back", "The clock of this computer was set back.")
    # Durations travel, and the ticket bounds what the record says.
    until_ms = record.received_ms + min(record.for_ms, ticket.life_ms)
    if now_ms >= until_ms:
        return no("over", "The time for which the seat was taken along is over.")
    return LeaveLook(True, seen, until_ms=until_ms)


def wall_ms() -> float:
    return time.time() * 1_000
