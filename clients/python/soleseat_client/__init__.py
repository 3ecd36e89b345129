"""The client of the Soleseat session broker: one user, one live session.

`SeatClient` is for asyncio, `BlockingSeatClient` for everything else.
"""

from ._backoff import Backoff
from ._client import SeatClient
from ._events import (
    Cause,
    Closed,
    Denied,
    IdleWarning,
    LeaseExpired,
    LeaseRenewed,
    LeaveEnded,
    Reconnecting,
    StateChanged,
    TakeoverRequested,
)
from ._lease_clock import Clock
from ._leave import LeaveLook, LeaveRecord, LeaveRefused, LeftSeat, look_at_leave
from ._messages import AskRefused, Conflict, Error, Event, Evicted, Jeopardy, Recovered, SeatFree
from ._messages import TakeoverWithdrawn, Welcome
from ._options import Machine, Program
from ._ticket import TicketKeys
from .blocking import BlockingSeatClient
from ._machine_id import MachineIdUnavailable, machine_id

__version__ = "0.1.0"
__all__ = [
    "AskRefused",
    "Backoff",
    "BlockingSeatClient",
    "Cause",
    "Clock",
    "Closed",
    "Conflict",
    "Denied",
    "Error",
    "Event",
    "Evicted",
    "IdleWarning",
    "Jeopardy",
    "LeaseExpired",
    "LeaseRenewed",
    "LeaveEnded",
    "LeaveLook",
    "LeaveRecord",
    "LeaveRefused",
    "LeftSeat",
    "Machine",
    "MachineIdUnavailable",
    "Program",
    "Reconnecting",
    "Recovered",
    "SeatClient",
    "SeatFree",
    "StateChanged",
    "TakeoverRequested",
    "TakeoverWithdrawn",
    "TicketKeys",
    "Welcome",
    "look_at_leave",
    "machine_id",
]
