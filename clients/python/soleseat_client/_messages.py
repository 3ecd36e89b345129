"""The messages of the broker (PROTOCOL.md, "Messages from the server"). Most of them are events of the client too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Mapping, Optional, Union


class Event:
    """What a client tells its listeners. `client.on(Event, …)` hears them all."""

    name: ClassVar[str] = "event"
    """The event's name in every client library."""


@dataclass(frozen=True)
class Timed:
    """A message that tells when the node wrote it."""

    elapsed_ms: Optional[float] = field(default=None, repr=False)
    """Milliseconds since the node's first answer on this connection; None from an older broker."""


@dataclass(frozen=True)
class Welcome(Timed, Event):
    """The seat is here."""

    name: ClassVar[str] = "welcome"
    session_id: str = ""
    epoch: int = 0
    """The fencing token: of two sessions of a user, the one with the higher epoch is the true owner."""
    resumed: bool = False
    """The session of before goes on."""
    ttl_ms: float = 0
    """Time left on the lease when the node wrote the message, in milliseconds."""
    renew_every_ms: float = 0
    """How often the node renews the lease, in milliseconds."""
    license: Optional[Mapping[str, Any]] = None
    """`id`, and where it ends `expiresAt` in Unix milliseconds; None where no license is needed."""
    displaced: Optional[str] = None
    """The name of the machine that this grant took the seat from; "" where it has none, None where it took it from none."""
    shared: bool = False
    """Other processes of this machine hold the session too."""
    ticket: Optional[str] = field(default=None, repr=False)
    """By this the broker proved who it is, where `broker_keys` was given."""
    report_every_ms: Optional[float] = field(default=None, repr=False)
    """How often the broker wants to hear of activity; None where the session has no idle limit."""


@dataclass(frozen=True)
class Lease(Timed):
    """A confirmed renewal, as the broker tells it."""

    epoch: int = 0
    ttl_ms: float = 0


@dataclass(frozen=True)
class Evicted(Timed, Event):
    """The session was ended from outside. No attempt is made until a person acts, unless the reason is not final."""

    name: ClassVar[str] = "evicted"
    reason: str = ""
    """Such as `taken_over`, `superseded`, `evicted_by_admin` or `license_revoked`."""
    by: Optional[str] = None
    """The name of the machine that has the seat now, where one took it and has a name."""
    at_ms: Optional[float] = None
    """When it happened, in Unix milliseconds by the broker's clock: to show, never to measure with."""
    epoch: Optional[int] = None
    """The epoch that ended the session."""


@dataclass(frozen=True)
class Conflict(Timed, Event):
    """Somebody else has the seat. The connection waits for `take_over()`."""

    name: ClassVar[str] = "conflict"
    holder: Optional[str] = None
    """The name of the machine that has the seat, where it has a name."""
    since_ms: Optional[float] = None
    """Since when, in Unix milliseconds by the broker's clock: to show, never to measure with."""
    same_machine: bool = False
    """Another program on this very machine has it."""
    on_leave_until_ms: Optional[float] = None
    """Until when the holder took the seat along offline, in Unix milliseconds, where it did: then it cannot be taken."""
    asking: bool = False
    """The holder is being asked."""
    wait_ms: Optional[float] = None
    """How long the holder has to answer, in milliseconds."""


@dataclass(frozen=True)
class AskRefused(Timed, Event):
    """The holder was asked for the seat, and said no. The connection waits on."""

    name: ClassVar[str] = "ask_refused"


@dataclass(frozen=True)
class TakeoverWithdrawn(Timed, Event):
    """Nobody asks for the seat any more."""

    name: ClassVar[str] = "takeover_withdrawn"


@dataclass(frozen=True)
class TakeoverAsked(Timed):
    """Another machine asks for the seat, as the broker tells it."""

    by: Optional[str] = None
    answer_within_ms: float = 0


@dataclass(frozen=True)
class Left(Timed):
    """The seat is taken along."""

    ticket: str = ""
    for_ms: float = 0


@dataclass(frozen=True)
class SeatFree(Timed, Event):
    """While a conflict waits: the holder has left. Others may be told the same; `take_if_free()` displaces nobody."""

    name: ClassVar[str] = "seat_free"


@dataclass(frozen=True)
class Jeopardy(Timed, Event):
    """The node cannot confirm the lease at present."""

    name: ClassVar[str] = "jeopardy"
    grace_ms: float = 0
    """For how long the node keeps the session all the same, in milliseconds."""


@dataclass(frozen=True)
class Recovered(Timed, Event):
    """The lease is confirmed again."""

    name: ClassVar[str] = "recovered"


@dataclass(frozen=True)
class Error(Timed, Event):
    """Something was refused, or did not work; the client goes on as its state says."""

    name: ClassVar[str] = "error"
    code: str = ""
    """A code of the broker, such as `rate_limited`, or `token_unavailable`: `get_token` gave no token."""
    message: str = ""
    retry_after_ms: Optional[float] = None
    """Milliseconds to wait, where the broker named a time. The client waits by itself."""


@dataclass(frozen=True)
class IdleWarned(Timed):
    """Nobody was at work for long."""

    in_ms: float = 0


@dataclass(frozen=True)
class TokenExpiring(Timed):
    """The token ends soon."""


@dataclass(frozen=True)
class Draining(Timed):
    """The node goes away; the close follows."""

    reconnect_within_ms: float = 0


ServerMessage = Union[
    Welcome,
    Lease,
    Evicted,
    Conflict,
    SeatFree,
    Left,
    AskRefused,
    TakeoverAsked,
    TakeoverWithdrawn,
    Jeopardy,
    Recovered,
    Error,
    TokenExpiring,
    Draining,
    IdleWarned,
]
