"""The client for programs with asyncio."""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Callable, Dict, Optional, Set, Type, TypeVar

from ._connection import Seen
from ._dialler import Dialler, DiallerParts
from ._endings import LEFT, NO_CLOSE_FRAME, NORMAL, ending_of, ends_for_good, sentence_for
from ._events import (
    Cause,
    Closed,
    Denied,
    LeaseExpired,
    LeaseRenewed,
    Listener,
    Listeners,
    Reconnecting,
    StateChanged,
)
from ._lease_watch import LeaseWatch
from ._messages import (
    Conflict,
    Draining,
    Error,
    Event,
    Evicted,
    Jeopardy,
    Lease,
    Recovered,
    ServerMessage,
    TokenExpiring,
    Welcome,
)
from ._options import GetToken, Machine, Options

E_ = TypeVar("E_", bound=Event)
RELEASE_TIMEOUT_S = 2.0
#: For a close frame to go out, and be answered.
CLOSING_S = 0.5
#: An answer of this status to the handshake is final: the same request fares no better.
FINAL_STATUSES = frozenset((400, 403, 404, 405, 426, 431))
ENDINGS = frozenset(("closed", "evicted", "denied"))


class SeatClient:
    """One program's hold on its user's seat: connects, keeps it, reconnects, and tells what happens.

    ::

        client = SeatClient("wss://seats.example.com", get_token=fetch_token, machine=machine_id("drawing"))
        client.on(Evicted, lambda event: lock(event.by))
        async with client:      # starts; gives the seat back at the end
            ...
            if client.holds_lease(): ...

    All methods but `holds_lease()` are to be called on the event loop's thread. Listeners are called there, in order.
    """

    def __init__(self, url: str, get_token: GetToken, machine: Machine, **more: Any) -> None:
        """Makes a client. It does nothing before `start()`, or `async with`.

        :param url: the broker: `wss://seats.example.com`, or with a path where a proxy moves it. `http` and `https` are
            taken as `ws` and `wss`; `/v1/connect` is added where there is no path.
        :param get_token: called before every attempt and before a token ends, with what the token is for: `connect`,
            `token_expiring`, `token_expired` or `token_not_yet_accepted` (after the last two a cached token is of no
            use). A coroutine function, or a plain one: that runs in a thread of its own, and may block. What it raises
            is told by an `Error` event and tried again.
        :param machine: this computer, such as `machine_id("drawing")`.
        :param on_conflict: what the first attempt does where somebody else has the seat: `takeover` (default, as a
            person started the program) or `deny`. Every later attempt denies.
        :param client: a `Program(name, version)`, shown to the operator.
        :param token_timeout_ms: after this, `get_token` counts as failed (15 000).
        :param connect_timeout_ms: from dialling to the first answer (10 000).
        :param backoff: a `Backoff(first_ms=500, max_ms=30_000)`: how widely attempts are spread.
        :param ssl: an `ssl.SSLContext`, for a CA of your own.
        :param connect_kwargs: more arguments for `websockets.connect`, such as `proxy`, or a function that gives them
            for each attempt. A `proxy` needs websockets 15 or newer, which also takes that of the system by itself.
        :raises ValueError: for a `url` that can never be right (a fragment, a token in it), or another option that
            cannot be.
        """
        self._options = Options(url, get_token, machine, **more)
        self._listeners = Listeners()
        self._state = "connecting"
        self._session: Optional[Dict[str, Any]] = None
        self._releasing: Optional[asyncio.Future[None]] = None
        self._has_left = False
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._background: Set[asyncio.Task[None]] = set()
        self._watch = LeaseWatch(
            self._options.clock,
            self._lease_ran_out,
            lambda: self._dialler.give_up(Cause("silence", "What came was too old to count on.")),
            lambda: self._dialler.hurry(),
        )
        self._lease = self._watch.lease

    # What a program asks

    @property
    def state(self) -> str:
        """`connecting`, `active`, `jeopardy`, `reconnecting`, `evicted`, `conflict`, `denied` or `closed`.

        The lease may still run in `reconnecting`, and may have ended in `jeopardy`: `holds_lease()` says so.
        """
        return self._state

    @property
    def session_id(self) -> Optional[str]:
        """The session, kept over a lost connection; None before the first welcome and after the end."""
        session = self._session
        return None if session is None else str(session["sessionId"])

    @property
    def epoch(self) -> Optional[int]:
        """The fencing token to show to other services: the higher epoch is the true owner."""
        session = self._session
        return None if session is None else int(session["epoch"])

    @property
    def lease_deadline_ms(self) -> Optional[float]:
        """When the lease ends, on the scale of `time.monotonic() * 1000`; None where there is none."""
        return self._watch.deadline_ms()

    def holds_lease(self) -> bool:
        """Whether the seat may be counted on right now, connected or not. Any thread may ask.

        It is worked out at the call: also a process that was stopped, or a computer that slept, gets the truth.
        """
        return self._lease.holds()

    def on(self, kind: Type[E_], listener: Listener[E_]) -> Callable[[], None]:
        """Listens to a class of events, until the function that it returns is called. `Event` is all of them.

        A listener may be a coroutine function: it then runs as a task. What a listener raises is logged, to the logger
        `soleseat_client`, and stops nothing.
        """
        return self._listeners.on(kind, listener)

    # What a program does

    def start(self) -> None:
        """Begins to connect, on the running event loop. Raises RuntimeError without one, or where it was called before."""
        loop = asyncio.get_running_loop()
        if self._loop is not None:
            raise RuntimeError("this client was started before; make another one")
        self._loop = loop
        self._dialler = Dialler(
            DiallerParts(
                options=self._options,
                resume=lambda: self._session,
                on_hello=self._lease.connected,
                on_disconnected=self._disconnected,
                on_message=self._receive,
                on_lost=self._lost,
                on_fault=self._tell,
                on_unusable=self._unusable,
                in_background=self._in_background,
            )
        )
        self._dialler.dial(self._options.on_conflict)

    async def __aenter__(self) -> SeatClient:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.release()

    def take_over(self) -> None:
        """A person chose "use here". Beside the first attempt, the only thing that displaces a holder.

        A seat that seems to be here is claimed anew too: an eviction may be on its way. Nothing happens after `release()`
        and `disconnect()`, or while such an attempt is under way.
        """
        if self._has_left or self._loop is None or self._dialler.dialling == "takeover":
            return
        seen = self._dialler.seen
        if self._state == "conflict" and seen is not None:
            # Asked already, and not answered yet: a second click adds nothing.
            seen.takeover_sent = seen.takeover_sent or self._ask_for_seat()
            if seen.takeover_sent:
                return
        self._dialler.dial("takeover")
        self._become("connecting")

    def retry_now(self) -> None:
        """Makes an attempt at once, which displaces nobody: for a button "try again" in any state without the seat.

        Nothing happens after `release()` and `disconnect()`, while the seat is here, or while an attempt is under way.
        """
        if self._has_left or self._loop is None or self._has_seat():
            return
        if self._dialler.dialling is None:
            self._dialler.dial("deny")
            self._become("connecting")

    async def release(self) -> None:
        """Gives the seat back and ends. Returns when the broker has confirmed it, or after two seconds. Never raises."""
        if self._releasing is not None:
            await asyncio.shield(self._releasing)
            return
        if not self._leave():
            return
        self._clear_lease()
        holds_nothing = self._state in ("conflict", "evicted")
        if holds_nothing or not self._dialler.send({"type": "release"}):
            # Nothing to give back, or nobody to give it to: then the seat ends with its time to live.
            self._finish("closed", NORMAL, "released")
        else:
            loop = asyncio.get_running_loop()
            self._releasing = loop.create_future()
            overdue = loop.call_later(RELEASE_TIMEOUT_S, self._release_overdue)
            try:
                await asyncio.shield(self._releasing)
            finally:
                overdue.cancel()
        await self._closing()

    async def disconnect(self) -> None:
        """Ends without giving the seat back: it stays with this machine until its time to live is over (30 s)."""
        if self._leave():
            self._finish("closed", LEFT, "disconnected")
            await self._closing()

    # What happens

    def _leave(self) -> bool:
        """From now on nothing begins again. False where nothing is left to be ended."""
        if self._has_left:
            return False
        self._has_left = True
        if self._loop is None:
            self._state = "closed"
            return False
        return not (self._state in ENDINGS and self._dialler.seen is None)

    async def _closing(self) -> None:
        if self._background:
            await asyncio.wait(set(self._background), timeout=CLOSING_S)

    def _release_overdue(self) -> None:
        if self._releasing is not None and not self._releasing.done():
            self._finish("closed", NO_CLOSE_FRAME, "no answer to release")

    def _has_seat(self) -> bool:
        return self._state in ("active", "jeopardy")

    def _ask_for_seat(self) -> bool:
        self._lease.asked()
        return self._dialler.send({"type": "takeover"})

    def _disconnected(self) -> None:
        self._lease.disconnected()
        self._watch.look()

    def _receive(self, message: ServerMessage, seen: Seen) -> None:
        counts = self._releasing is None and not self._is_outdated(message)
        self._lease.heard(message, counts)
        if isinstance(message, Welcome):
            self._welcomed(message)
        elif isinstance(message, Lease):
            # An error that no close followed is over: a later loss has nothing to do with it.
            seen.error = seen.hints.retry_after_ms = None
            if counts:
                self._renewed(message.epoch)
        elif isinstance(message, Evicted):
            self._evicted(message, seen)
        elif isinstance(message, Conflict):
            self._refused_for(message, seen)
        elif isinstance(message, Error):
            self._refused(message, seen)
        elif isinstance(message, Jeopardy):
            self._in_jeopardy(message)
        elif isinstance(message, Recovered):
            if self._state == "jeopardy":
                self._become("active")
            self._tell(message)
        elif isinstance(message, TokenExpiring):
            self._dialler.refresh()
        elif isinstance(message, Draining):
            seen.hints.drain_within_ms = message.reconnect_within_ms
        self._watch.look()

    def _is_outdated(self, message: ServerMessage) -> bool:
        """A renewal of a grant before the latest one."""
        session = self._session
        return isinstance(message, Lease) and (session is None or message.epoch < session["epoch"])

    def _welcomed(self, message: Welcome) -> None:
        self._dialler.answered()
        self._session = {"sessionId": message.session_id, "epoch": message.epoch}
        # The release was sent behind the hello: the broker gives the seat back right after this grant.
        if self._releasing is not None:
            return
        self._watch.held()
        self._become("active")
        self._tell(message)

    def _renewed(self, epoch: int) -> None:
        session = self._session
        if session is None:
            return
        # A lease that was re-asserted after Redis lost data comes back with a higher epoch.
        self._session = {"sessionId": session["sessionId"], "epoch": epoch}
        # One that lay unread is no news of the seat, and no sign that the connection is well.
        left_ms, deadline_ms = self._lease.left_ms(), self._watch.deadline_ms()
        if left_ms is None or left_ms <= 0 or deadline_ms is None:
            return
        if not self._lease.must_resume():
            self._dialler.steady()
        self._watch.held()
        self._tell(LeaseRenewed(epoch, left_ms, deadline_ms))

    def _refused_for(self, message: Conflict, seen: Seen) -> None:
        """Somebody else has the seat. The connection stays open: a person may choose to take over."""
        self._dialler.answered()
        seen.takeover_sent = False
        self._session = None
        self._clear_lease()
        self._become("conflict")
        self._tell(message)

    def _evicted(self, message: Evicted, seen: Seen) -> None:
        """Told at once, and not only when the close has come."""
        seen.evicted = message
        if ends_for_good(message.reason):
            self._session = None
        self._clear_lease()
        self._become("evicted")
        self._tell(message)

    def _in_jeopardy(self, message: Jeopardy) -> None:
        if self._state == "active":
            self._become("jeopardy")
        self._tell(message)

    def _refused(self, message: Error, seen: Seen) -> None:
        seen.error = message
        # A takeover that was refused may be tried again.
        seen.takeover_sent = False
        if message.retry_after_ms is not None:
            # No close follows a refresh that came too early: the session goes on.
            if message.code == "token_not_yet_accepted" and self._has_seat():
                self._dialler.refresh_again(message.retry_after_ms)
            else:
                seen.hints.retry_after_ms = message.retry_after_ms
        self._tell(message)

    def _lost(self, code: int, reason: str, seen: Seen, cause: Cause) -> None:
        if self._releasing is not None:
            self._finish("closed", code, reason)
            return
        if cause.status in FINAL_STATUSES:
            self._finish("denied", code, "handshake_refused", cause)
            return
        ending = ending_of(code, reason, None if seen.evicted is None else seen.evicted.reason)
        if ending != "lost":
            message = sentence_for(code, reason) if seen.error is None else seen.error.message
            self._finish(ending, code, reason, Cause("close", message))
            return
        if cause.retry_after_ms is not None:
            seen.hints.retry_after_ms = cause.retry_after_ms
        in_ms = self._dialler.redial(code, seen, cause)
        self._become("reconnecting")
        self._tell(Reconnecting(in_ms, code, cause))

    def _unusable(self, message: str) -> None:
        self._tell(Error(code="socket_unavailable", message=message))
        self._finish("closed", NO_CLOSE_FRAME, "no socket")

    def _lease_ran_out(self, deadline_ms: float) -> None:
        if self._session is not None:
            self._tell(LeaseExpired(self._session["epoch"], deadline_ms))

    def _clear_lease(self) -> None:
        """The lease is gone, and what is told is something else than its end."""
        self._lease.clear()
        self._watch.look()

    def _finish(self, ending: str, code: int, reason: str, cause: Optional[Cause] = None) -> None:
        self._dialler.stop(NORMAL if code == NORMAL else LEFT, "client ended")
        self._session = None
        self._clear_lease()
        self._watch.stop()
        self._become(ending)
        if ending == "denied" and cause is not None:
            self._tell(Denied(code, reason, cause.message, cause))
        self._tell(Closed(code, reason))
        if self._releasing is not None and not self._releasing.done():
            self._releasing.set_result(None)

    def _become(self, state: str) -> None:
        previous = self._state
        if previous != state:
            self._state = state
            self._tell(StateChanged(state, previous))

    def _tell(self, event: Event) -> None:
        """Later, when what happens has happened: a listener may do anything to this client."""
        asyncio.get_running_loop().call_soon(self._listeners.tell, event, self._in_background)

    def _in_background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
