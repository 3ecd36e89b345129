"""The life of a client: what it does at each message and loss."""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Dict, Optional, Set

from ._connection import Seen
from ._dialler import Dialler
from ._endings import LEFT, NO_CLOSE_FRAME, NORMAL, ending_of, ends_for_good, sentence_for
from ._events import Cause, Closed, Denied, LeaseExpired, LeaseRenewed, Listeners, Reconnecting, StateChanged
from ._lease_watch import LeaseWatch
from ._messages import AskRefused, Conflict, Draining, Error, Event, Evicted, Jeopardy, Lease, Left, Recovered
from ._messages import SeatFree
from ._messages import ServerMessage, TokenExpiring, Welcome
from ._options import Options
from ._rules import SeatRules

#: An answer of this status to the handshake is final: the same request fares no better.
FINAL_STATUSES = frozenset((400, 403, 404, 405, 426, 431))


class SessionCore:
    _dialler: Dialler

    def __init__(self, options: Options, listeners: Listeners) -> None:
        self.state = "connecting"
        self.resumable: Optional[Dict[str, Any]] = None
        """The session to ask for again: `sessionId` and `epoch`."""
        self._options = options
        self._listeners = listeners
        self._releasing: Optional[asyncio.Future[None]] = None
        self._has_left = False
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._closers: Set[asyncio.Task[None]] = set()
        self._listening: Set[asyncio.Task[None]] = set()
        self.watch = LeaseWatch(
            options.clock,
            self._lease_ran_out,
            lambda: self._dialler.give_up(Cause("silence", "What came was too old to count on.")),
            lambda: self._dialler.hurry(),
        )
        self._lease = self.watch.lease
        self._rules = SeatRules(
            options, lambda message: self._dialler.send(message), self._tell, self._has_seat
        )

    def _has_seat(self) -> bool:
        return self.state in ("active", "jeopardy")

    def _disconnected(self) -> None:
        self._rules.stop()
        self._lease.disconnected()
        self.watch.look()

    def _receive(self, message: ServerMessage, seen: Seen) -> None:
        counts = self._releasing is None and not self._is_outdated(message)
        late_ms = self._lease.heard(message, counts)
        if isinstance(message, Welcome):
            self._welcomed(message)
        elif isinstance(message, Lease):
            # An error that no close followed is over: a later loss has nothing to do with it. [error-without-close]
            seen.forget_error()
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
            if self.state == "jeopardy":
                self._become("active")
            self._tell(message)
        elif isinstance(message, TokenExpiring):
            self._dialler.refresh()
        elif isinstance(message, Draining):
            seen.hints.drain_within_ms = message.reconnect_within_ms
        elif isinstance(message, SeatFree):
            if self.state == "conflict":
                self._tell(message)
        elif isinstance(message, Left):
            self._left(message, late_ms)
        elif isinstance(message, AskRefused):
            seen.is_asking = False
            self._tell(message)  # [ask-refused]
        else:
            self._rules.heard(message, late_ms)
        self.watch.look()

    def _is_outdated(self, message: ServerMessage) -> bool:
        """A renewal of a grant before the latest one."""
        session = self.resumable
        return isinstance(message, Lease) and (session is None or message.epoch < session["epoch"])

    def _welcomed(self, message: Welcome) -> None:
        self._dialler.answered()
        self.resumable = {"sessionId": message.session_id, "epoch": message.epoch}  # [resumed-false]
        # The release was sent behind the hello: the broker gives the seat back right after this grant.
        if self._releasing is not None:
            return
        self._rules.welcomed(message)
        self.watch.held()
        self._become("active")
        self._tell(message)
        self._rules.end_leave()

    def _renewed(self, epoch: int) -> None:
        session = self.resumable
        if session is None:
            return
        # A lease that was re-asserted after Redis lost data comes back with a higher epoch.
        self.resumable = {"sessionId": session["sessionId"], "epoch": epoch}
        # One that lay unread is no news of the seat, and no sign that the connection is well.
        left_ms, deadline_ms = self._lease.left_ms(), self.watch.deadline_ms()
        if left_ms is None or left_ms <= 0 or deadline_ms is None:
            return
        if not self._lease.must_resume():  # [backoff-reset]
            self._dialler.steady()
        self.watch.held()
        self._tell(LeaseRenewed(epoch, left_ms, deadline_ms))

    def _refused_for(self, message: Conflict, seen: Seen) -> None:
        """Somebody else has the seat. The connection stays open: a person may choose to take over."""
        self._dialler.answered()
        self.resumable = None  # [conflict-lost] [conflict-wait]
        self._clear_lease()
        self._become("conflict")
        seen.forget_error()  # [error-without-close]
        seen.claiming = None
        seen.is_asking = message.asking
        if seen.wants_seat:
            self._claim("seat")
        self._tell(message)

    def _evicted(self, message: Evicted, seen: Seen) -> None:
        """Told at once, and not only when the close has come."""
        seen.evicted = message  # [evicted-at-once] [evicted-first]
        if ends_for_good(message.reason):
            self.resumable = None
        self._clear_lease()
        self._become("evicted")
        self._tell(message)

    def _in_jeopardy(self, message: Jeopardy) -> None:
        if self.state == "active":
            self._become("jeopardy")
        self._tell(message)

    def _refused(self, message: Error, seen: Seen) -> None:
        seen.error = message
        # A takeover that was refused may be tried again.
        seen.claiming = None
        seen.wants_seat = False
        if message.retry_after_ms is not None:
            # No close follows a refresh that came too early: the session goes on.
            if message.code == "token_not_yet_accepted" and self._has_seat():
                self._dialler.refresh_again(message.retry_after_ms)
            else:
                seen.hints.retry_after_ms = message.retry_after_ms
        self._rules.refused(message.code, message.message)
        self._tell(message)

    def _left(self, message: Left, late_ms: float) -> None:
        """The next `hello` of this machine would end the leave."""
        # [left-final]
        self._rules.left(message, late_ms)
        self._finish("closed", NORMAL, "left")
        self._has_left = True

    def _claim(self, what: str) -> bool:
        """Asks for the seat on the connection that waits with a conflict. False where there is none.

        One question at a time: the answer is dated from it. A click that comes meanwhile follows the answer.
        """
        seen = self._dialler.seen
        if self._releasing is not None or self.state != "conflict" or seen is None:
            return False
        if seen.claiming is not None:  # [one-takeover]
            seen.wants_seat = seen.wants_seat or (seen.claiming != what and what == "seat")
            return True
        # The grant after a yes may be under way already. [ask-undated]
        if not seen.is_asking:
            self._lease.asked()
        if_free = {"ifFree": True} if what == "free seat" else {}
        if not self._dialler.send({"type": "takeover", **if_free}):
            return False
        seen.claiming = what
        seen.wants_seat = False
        return True

    def _lost(self, code: int, reason: str, seen: Seen, cause: Cause) -> None:
        if self._releasing is not None:
            self._finish("closed", code, reason)
            return
        if cause.status in FINAL_STATUSES:  # [handshake-final] [handshake-others-retry]
            self._finish("denied", code, "handshake_refused", cause)
            return
        ending = ending_of(code, reason, None if seen.evicted is None else seen.evicted.reason)
        if ending != "lost":
            message = sentence_for(code, reason) if seen.error is None else seen.error.message
            self._finish(ending, code, reason, Cause("close", message))
            return
        if cause.retry_after_ms is not None:  # [handshake-retry-after]
            seen.hints.retry_after_ms = cause.retry_after_ms
        in_ms = self._dialler.redial(code, seen, cause)
        self._become("reconnecting")
        self._tell(Reconnecting(in_ms, code, cause))

    def _unusable(self, message: str) -> None:
        self._tell(Error(code="socket_unavailable", message=message))
        self._finish("closed", NO_CLOSE_FRAME, "no socket")

    def _untrusted(self, message: str) -> None:
        """A person may try again: perhaps the network was another one."""
        # [untrusted-final]
        code = "untrusted_broker"
        self._tell(Error(code=code, message=message))
        self._finish("denied" if self._releasing is None else "closed", LEFT, code, Cause("close", message))

    def _lease_ran_out(self, deadline_ms: float) -> None:
        if self.resumable is not None:
            self._tell(LeaseExpired(self.resumable["epoch"], deadline_ms))

    def _clear_lease(self) -> None:
        """The lease is gone, and what is told is something else than its end."""
        self._rules.stop()
        self._lease.clear()
        self.watch.look()

    def _finish(self, ending: str, code: int, reason: str, cause: Optional[Cause] = None) -> None:
        self._dialler.stop(NORMAL if code == NORMAL and reason != "left" else LEFT, "client ended")
        self.resumable = None
        self._clear_lease()
        self.watch.stop()
        self._become(ending)
        if ending == "denied" and cause is not None:
            self._tell(Denied(code, reason, cause.message, cause))
        self._tell(Closed(code, reason))
        if self._releasing is not None and not self._releasing.done():
            self._releasing.set_result(None)

    def _become(self, state: str) -> None:
        previous = self.state
        if previous != state:
            self.state = state
            self._tell(StateChanged(state, previous))

    def _tell(self, event: Event) -> None:
        """Later, when what happens has happened: a listener may do anything to this client."""
        asyncio.get_running_loop().call_soon(
            self._listeners.tell, event, lambda work: keep(self._listening, work)
        )


def keep(tasks: Set[asyncio.Task[None]], work: Awaitable[None]) -> None:
    """Runs what nobody waits for. The event loop alone would let it be collected as garbage."""
    task = asyncio.ensure_future(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
