"""The client for programs with asyncio."""

from __future__ import annotations

from typing import Any, Callable, Optional, Type, TypeVar

from ._events import Listener, Listeners
from ._leave import LeftSeat
from ._messages import Event
from ._options import GetToken, Machine, Options
from ._session import Session

E_ = TypeVar("E_", bound=Event)


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
            use). A coroutine function, or a plain one: that runs in a thread of its own, and may block. An
            exception is told by an `Error` event, and the call is tried again.
        :param machine: this computer, such as `machine_id("drawing")`.
        :param on_conflict: what the first attempt does where somebody else has the seat: `takeover` (default, as a
            person started the program), `deny`, or `ask`: the holder is asked first. Every later attempt denies.
        :param client: a `Program(name, version)`, shown to the operator.
        :param idle_ms: gives how long nobody has been at work, in milliseconds; asked before every attempt. The idle limit
            of the org holds only for a program that gives this; it also calls `activity()`.
        :param asks: the program answers `TakeoverRequested` with `answer()`. Without it, a machine that asks for the seat
            gets it without a question.
        :param broker_keys: `TicketKeys`, built into the program: a broker that cannot prove by a signed ticket that it has one
            of them is refused (`Denied`, `untrusted_broker`).
        :param leave_ticket: gives the ticket of a seat that this machine took along, or None; asked before every attempt.
            `LeaveEnded` says when to delete it.
        :param token_timeout_ms: after this, `get_token` counts as failed (15 000).
        :param connect_timeout_ms: from dialling to the first answer (10 000).
        :param backoff: a `Backoff(first_ms=500, max_ms=30_000)`: how widely attempts are spread.
        :param ssl: an `ssl.SSLContext`, for a CA of your own.
        :param connect_kwargs: more arguments for `websockets.connect`, such as `proxy`, or a function that gives them
            for each attempt. A `proxy` needs websockets 15 or newer, which also takes that of the system by itself.
        :raises ValueError: for a `url` that can never be right (a fragment, a token in it), or another option that
            cannot be.
        """
        self._listeners = Listeners()
        self._session = Session(Options(url, get_token, machine, **more), self._listeners)

    # What a program asks

    @property
    def state(self) -> str:
        """`connecting`, `active`, `jeopardy`, `reconnecting`, `evicted`, `conflict`, `denied` or `closed`.

        The lease may still run in `reconnecting`, and may have ended in `jeopardy`: `holds_lease()` says so.
        """
        return self._session.state

    @property
    def session_id(self) -> Optional[str]:
        """The session, kept over a lost connection; None before the first welcome and after the end."""
        session = self._session.resumable
        return None if session is None else str(session["sessionId"])

    @property
    def epoch(self) -> Optional[int]:
        """The fencing token to show to other services: the higher epoch is the true owner."""
        session = self._session.resumable
        return None if session is None else int(session["epoch"])

    @property
    def lease_deadline_ms(self) -> Optional[float]:
        """When the lease ends, on the scale of `time.monotonic() * 1000`; None where there is none."""
        return self._session.watch.deadline_ms()

    def holds_lease(self) -> bool:
        """Whether the seat may be counted on right now, connected or not. Any thread may ask.

        It is worked out at the call: also a process that was stopped, or a computer that slept, gets the truth.
        """
        return self._session.watch.lease.holds()

    def on(self, kind: Type[E_], listener: Listener[E_]) -> Callable[[], None]:
        """Listens to a class of events, until the function that it returns is called. `Event` is all of them.

        A listener may be a coroutine function: it then runs as a task. What a listener raises is logged, to the logger
        `soleseat_client`, and stops nothing.
        """
        return self._listeners.on(kind, listener)

    # What a program does

    def start(self) -> None:
        """Begins to connect, on the running event loop. Raises RuntimeError without one, or where it was called before."""
        self._session.start()

    def take_over(self) -> None:
        """A person chose "use here". Beside the first attempt, the only thing that displaces a holder.

        A seat that seems to be here is claimed anew too: an eviction may be on its way. Nothing happens after `release()`
        and `disconnect()`, or while such an attempt is under way.
        """
        self._session.take_over()

    def ask(self) -> None:
        """A person chose "ask for it": the holder is asked, and may save and yield.

        `Conflict` with `asking` tells that it is; then `Welcome` or `AskRefused` what came of it. `take_over()` asks nobody.
        """
        self._session.ask()

    def answer(self, yields: bool, need_ms: Optional[float] = None) -> None:
        """What the person says to `TakeoverRequested`: to yield, perhaps after `need_ms` in which to save, or not."""
        self._session.answer(yields, need_ms)

    def take_if_free(self) -> None:
        """While a conflict waits: takes the seat if nobody has it, and never displaces a holder.

        For a program that acts without a click, as at `SeatFree`. Where somebody was faster, `Conflict` comes again.
        """
        self._session.take_if_free()

    def retry_now(self) -> None:
        """Makes an attempt at once, which displaces nobody: for a button "try again" in any state without the seat.

        Nothing happens after `release()` and `disconnect()`, while the seat is here, or while an attempt is under way.
        """
        self._session.retry_now()

    def activity(self, idle_ms: float = 0) -> None:
        """The person was at work, `idle_ms` milliseconds ago. For every key and click: the broker is told no more often
        than it wants to hear it. Nothing happens without the option `idle_ms` and where the session has no idle limit."""
        self._session.activity(idle_ms)

    async def leave(self, for_ms: float) -> LeftSeat:
        """Takes the seat along offline, for `for_ms` milliseconds at most.

        Returns when the broker has signed for it: then this client is closed, and the program goes by the ticket
        (`LeaveRecord.of(left)`, `look_at_leave`). Raises `LeaveRefused` where the seat may not be taken along, or where the
        connection is lost before: then the session goes on.
        """
        return await self._session.leave(for_ms)

    async def release(self) -> None:
        """Gives the seat back and ends. Returns when the broker has confirmed it, or after two seconds. Never raises."""
        await self._session.release()

    async def disconnect(self) -> None:
        """Ends without giving the seat back: it stays with this machine until its time to live is over (30 s)."""
        await self._session.disconnect()

    async def __aenter__(self) -> SeatClient:
        self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.release()
