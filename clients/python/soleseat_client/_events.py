"""The events that arise in the client itself, and the listeners to all of them."""

from __future__ import annotations

import inspect
import logging
from dataclasses import dataclass
from typing import Any, Callable, ClassVar, Dict, Optional, Tuple, Type, TypeVar

from ._messages import Event

log = logging.getLogger("soleseat_client")
E_ = TypeVar("E_", bound=Event)
Listener = Callable[[E_], Any]


@dataclass(frozen=True)
class Cause:
    """Why an attempt failed or a connection was lost."""

    kind: str
    """`status` (an HTTP answer to the handshake), `tls`, `host_not_found`, `refused` (nobody listens there), `timeout`,
    `token` (the token source failed), `close` (a close frame), `silence` (nothing was heard), `network` (anything else)."""
    message: str
    """A sentence for people, with the next step where there is one."""
    status: Optional[int] = None
    """The HTTP status, for `status`."""
    retry_after_ms: Optional[float] = None
    """What `Retry-After` said, in milliseconds."""


@dataclass(frozen=True)
class StateChanged(Event):
    """The client's state is another one."""

    name: ClassVar[str] = "state"
    state: str
    previous: str


@dataclass(frozen=True)
class LeaseRenewed(Event):
    """A confirmed renewal."""

    name: ClassVar[str] = "lease"
    epoch: int
    """Show services the latest: it may grow while a session goes on."""
    ttl_ms: float
    """Time left, in milliseconds."""
    deadline_ms: float
    """When the lease ends, on the scale of `time.monotonic() * 1000`."""


@dataclass(frozen=True)
class LeaseExpired(Event):
    """The lease ended without a confirmed renewal: stop counting on the seat. Told once for each expiry."""

    name: ClassVar[str] = "lease_expired"
    epoch: int
    deadline_ms: float
    """When it ended, on the scale of `time.monotonic() * 1000`."""


@dataclass(frozen=True)
class TakeoverRequested(Event):
    """Another machine asks for the seat: `answer()` tells what the person wants. The seat stays here until `Evicted`."""

    name: ClassVar[str] = "takeover_requested"
    by: Optional[str]
    """The name of the machine that asks, where it has a name."""
    answer_within_ms: float
    """How long the broker waits. No answer in time means yes."""
    deadline_ms: float
    """When that is over, on the scale of `time.monotonic() * 1000`."""


@dataclass(frozen=True)
class LeaveEnded(Event):
    """The seat that this machine took along is here again: delete the record and the ticket."""

    name: ClassVar[str] = "leave_ended"


@dataclass(frozen=True)
class IdleWarning(Event):
    """Nobody was at work for long. Without `activity()` the session ends at the deadline."""

    name: ClassVar[str] = "idle_warning"
    in_ms: float
    deadline_ms: float
    """On the scale of `time.monotonic() * 1000`."""


@dataclass(frozen=True)
class Reconnecting(Event):
    """The connection is lost, or an attempt failed. The next one is made by itself."""

    name: ClassVar[str] = "reconnecting"
    in_ms: float
    """Until the next attempt, in milliseconds."""
    code: int
    """The close code; 1006 where there was no close frame."""
    cause: Cause


@dataclass(frozen=True)
class Denied(Event):
    """The broker refused for good. Only a person may try again."""

    name: ClassVar[str] = "denied"
    code: int
    """The close code; 1006 where the handshake was refused."""
    reason: str
    """The close reason, such as `quota_exhausted`; `handshake_refused` where the handshake was refused."""
    message: str
    """A sentence for people."""
    cause: Cause


@dataclass(frozen=True)
class Closed(Event):
    """The connection ended for good. The state says how: `closed`, `evicted` or `denied`."""

    name: ClassVar[str] = "closed"
    code: int
    reason: str


class Listeners:
    """Listeners by the class of their events, each called apart from the others: one that throws stops nothing."""

    def __init__(self) -> None:
        self._all: Dict[object, Tuple[Type[Event], Listener[Any]]] = {}

    def on(self, kind: Type[E_], listener: Listener[E_]) -> Callable[[], None]:
        if not (isinstance(kind, type) and issubclass(kind, Event)):
            raise TypeError("listen to a class of events, such as soleseat_client.Evicted")
        key = object()
        self._all[key] = (kind, listener)

        def stop() -> None:
            self._all.pop(key, None)

        return stop

    def tell(self, event: Event, start: Callable[[Any], None]) -> None:
        """`start` gets what an asynchronous listener is to be awaited for."""
        for kind, listener in list(self._all.values()):
            if not isinstance(event, kind):
                continue
            try:
                result = listener(event)
                if inspect.isawaitable(result):
                    start(guarded(result, event))
            except Exception:
                log.exception("a listener of %s raised", event.name)


async def guarded(result: Any, event: Event) -> None:
    """Awaits an asynchronous listener. An exception of the listener is logged."""
    try:
        await result
    except Exception:
        log.exception("a listener of %s raised", event.name)
