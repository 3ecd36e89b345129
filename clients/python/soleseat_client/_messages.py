"""The messages of the broker (PROTOCOL.md, "Messages from the server"). Most of them are events of the client too."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, Callable, ClassVar, Dict, Mapping, Optional, Union


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
Fields = Dict[str, Any]


def read_message(data: object) -> Optional[ServerMessage]:
    """Reads one frame. None for what this version does not know or cannot use: that must not end a session."""
    if not isinstance(data, str):
        return None
    try:
        value = json.loads(data)
    # [ignore-unreadable]
    except (ValueError, RecursionError):  # an integer of thousands of digits is a ValueError too
        return None
    if not isinstance(value, dict):
        return None
    kind = value.get("type")
    read = _readers.get(kind) if isinstance(kind, str) else None  # [ignore-unknown]
    try:
        return None if read is None else read(value)
    except _Unreadable:
        return None


class _Unreadable(Exception):
    """A field that the client acts on is missing or of another kind."""


def _welcome(value: Fields) -> Welcome:
    displaced = value.get("displaced")
    license = value.get("license")
    idle = value.get("idle")
    return Welcome(
        elapsed_ms=_count_or_none(value, "elapsedMs"),
        session_id=_text(value, "sessionId"),
        epoch=_whole(value, "epoch"),
        resumed=value.get("resumed") is True,
        ttl_ms=_count(value, "ttlMs"),
        renew_every_ms=_count(value, "renewEveryMs"),
        license=license if isinstance(license, dict) else None,
        displaced=(_machine_name(displaced) or "") if isinstance(displaced, dict) else None,
        report_every_ms=_lenient(idle, "reportEveryMs") if isinstance(idle, dict) else None,
    )


def _lease(value: Fields) -> Lease:
    # One whose age is there and cannot be read gives nothing.
    return Lease(_count_or_none(value, "elapsedMs"), _whole(value, "epoch"), _count(value, "ttlMs"))


def _evicted(value: Fields) -> Evicted:
    epoch = _lenient(value, "epoch")
    return Evicted(
        reason=_text(value, "reason"),
        by=_machine_name(value.get("by")),
        at_ms=_lenient(value, "at"),
        epoch=None if epoch is None else int(epoch),
    )


def _conflict(value: Fields) -> Conflict:
    holder = value.get("holder")
    if not isinstance(holder, dict):
        raise _Unreadable
    return Conflict(
        _lenient(value, "elapsedMs"),
        _machine_name(holder),
        _lenient(holder, "since"),
        holder.get("sameMachine") is True,
        _lenient(holder, "onLeaveUntil"),
        value.get("asking") is True,
        _lenient(value, "waitMs"),
    )


def _error(value: Fields) -> Error:
    message = value.get("message")
    return Error(
        _lenient(value, "elapsedMs"),
        _text(value, "code"),
        message if isinstance(message, str) else "",
        _count_or_none(value, "retryAfterMs"),
    )


_readers: Dict[str, Callable[[Fields], ServerMessage]] = {
    "welcome": _welcome,
    "lease": _lease,
    "evicted": _evicted,
    "conflict": _conflict,
    "jeopardy": lambda value: Jeopardy(_lenient(value, "elapsedMs"), _count(value, "graceMs")),
    "recovered": lambda value: Recovered(_lenient(value, "elapsedMs")),
    "token_expiring": lambda value: TokenExpiring(_lenient(value, "elapsedMs")),
    "draining": lambda value: Draining(_lenient(value, "elapsedMs"), _count(value, "reconnectWithinMs")),
    "error": _error,
    "ask_refused": lambda value: AskRefused(),
    "takeover_withdrawn": lambda value: TakeoverWithdrawn(),
    "takeover_requested": lambda value: TakeoverAsked(
        _lenient(value, "elapsedMs"), _machine_name(value.get("by")), _count(value, "answerWithinMs")
    ),
    "seat_free": lambda value: SeatFree(),
    "idle_warning": lambda value: IdleWarned(_lenient(value, "elapsedMs"), _count(value, "inMs")),
}


def _text(value: Fields, name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise _Unreadable
    return found


def _count(value: Fields, name: str) -> float:
    found = _lenient(value, name)
    if found is None:
        raise _Unreadable
    return found


def _whole(value: Fields, name: str) -> int:
    return int(_count(value, name))


def _count_or_none(value: Fields, name: str) -> Optional[float]:
    """Serialisers of some languages send null for what was never set."""
    return None if value.get(name) is None else _count(value, name)  # [null-left-out]


def _lenient(value: Fields, name: str) -> Optional[float]:
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    # Larger than any duration or epoch, and an int of that size is no float any more.
    if isinstance(found, int):
        return found if 0 <= found < 2**63 else None  # [epoch-digits]
    return found if math.isfinite(found) and 0 <= found < 2.0**63 else None


def _machine_name(value: object) -> Optional[str]:
    machine = value.get("machine") if isinstance(value, dict) else None
    name = machine.get("name") if isinstance(machine, dict) else None
    return name if isinstance(name, str) else None
