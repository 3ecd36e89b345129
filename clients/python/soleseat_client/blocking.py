"""The client for programs without asyncio: tkinter, Qt, wxPython, scripts."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from typing import Any, Callable, Coroutine, Optional, Type, TypeVar

from ._client import SeatClient
from ._events import Listener, Listeners, log
from ._leave import LeaveRefused, LeftSeat
from ._messages import Event
from ._options import GetToken, Machine
from ._resolver import resolve_in_daemon_thread
from ._session import CLOSING_S, RELEASE_TIMEOUT_S

E_ = TypeVar("E_", bound=Event)
#: Beyond the two seconds of a release: for a busy computer.
PATIENCE_S = 1.0


class BlockingSeatClient:
    """`SeatClient` for any thread.

    ::

        seat = BlockingSeatClient("wss://seats.example.com", get_token=fetch_token, machine=machine_id("drawing"))
        seat.on(Evicted, lambda event: print("the seat is at", event.by))
        with seat:              # starts; gives the seat back at the end
            ...

    It has two daemon threads of its own, which never keep a process alive: one speaks with the broker, the other one
    calls the listeners, in order. So a listener may take its time, and may call anything here, `release()` too.
    """

    def __init__(
        self,
        url: str,
        get_token: GetToken,
        machine: Machine,
        call_soon: Optional[Callable[[Callable[[], None]], Any]] = None,
        **more: Any,
    ) -> None:
        """Makes a client. It does nothing before `start()`, or `with`.

        :param call_soon: where listeners have to run in a thread of their own, such as that of a window: gets a function
            without arguments, from another thread, and has it called there soon. Without it, they run in the client's
            own thread.

        The other parameters are those of `SeatClient`.

        :raises ValueError: as `SeatClient` does.
        """
        self._client = SeatClient(url, get_token, machine, **more)
        self._listeners = Listeners()
        self._call_soon = call_soon
        self._events: queue.SimpleQueue[Optional[Event]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._speaker: Optional[threading.Thread] = None
        self._is_over = False
        self._client.on(Event, self._events.put)

    @property
    def state(self) -> str:
        """As `SeatClient.state`."""
        return self._client.state

    @property
    def session_id(self) -> Optional[str]:
        """As `SeatClient.session_id`."""
        return self._client.session_id

    @property
    def epoch(self) -> Optional[int]:
        """The fencing token, as `SeatClient.epoch`."""
        return self._client.epoch

    @property
    def lease_deadline_ms(self) -> Optional[float]:
        """When the lease ends, on the scale of `time.monotonic() * 1000`; None where there is none."""
        return self._client.lease_deadline_ms

    def holds_lease(self) -> bool:
        """Whether the seat may be counted on right now, connected or not. It is worked out at the call."""
        return self._client.holds_lease()

    def on(self, kind: Type[E_], listener: Listener[E_]) -> Callable[[], None]:
        """Listens to a class of events, until the function that it returns is called. `Event` is all of them.

        What a listener raises is logged, to the logger `soleseat_client`, and stops nothing.
        """
        return self._listeners.on(kind, listener)

    def start(self) -> None:
        """Begins to connect. Raises RuntimeError where it was called before."""
        with self._lock:
            if self._speaker is not None or self._is_over:
                raise RuntimeError("this client was started before; make another one")
            self._loop = asyncio.new_event_loop()
            resolve_in_daemon_thread(self._loop)
            self._speaker = threading.Thread(target=self._speak, name="soleseat", daemon=True)
            teller = threading.Thread(target=self._tell, name="soleseat-listeners", daemon=True)
        self._speaker.start()
        teller.start()

    def __enter__(self) -> BlockingSeatClient:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def take_over(self) -> None:
        """A person chose "use here", as `SeatClient.take_over`. Returns at once; events tell what came of it."""
        self._soon(self._client.take_over)

    def ask(self) -> None:
        """A person chose "ask for it", as `SeatClient.ask`. Returns at once; events tell what came of it."""
        self._soon(self._client.ask)

    def answer(self, yields: bool, need_ms: Optional[float] = None) -> None:
        """What the person says to `TakeoverRequested`, as `SeatClient.answer`."""
        self._soon(lambda: self._client.answer(yields, need_ms))

    def take_if_free(self) -> None:
        """Takes a seat that nobody has, as `SeatClient.take_if_free`. Returns at once; events tell what came of it."""
        self._soon(self._client.take_if_free)

    def retry_now(self) -> None:
        """Makes an attempt at once, as `SeatClient.retry_now`. Returns at once; events tell what came of it."""
        self._soon(self._client.retry_now)

    def activity(self, idle_ms: float = 0) -> None:
        """The person was at work, as `SeatClient.activity`."""
        self._soon(lambda: self._client.activity(idle_ms))

    def leave(self, for_ms: float) -> LeftSeat:
        """Takes the seat along offline, as `SeatClient.leave`. Waits for the broker's answer; not for a listener to call."""
        with self._lock:
            loop = None if self._is_over else self._loop
        if loop is None or threading.current_thread() is self._speaker:
            raise LeaveRefused("connection_lost", "There is no connection with a seat to take along.")
        return asyncio.run_coroutine_threadsafe(self._client.leave(for_ms), loop).result()

    def release(self) -> None:
        """Gives the seat back and ends. Returns when the broker has confirmed it, or after two seconds. Never raises."""
        self._end(self._client.release)

    def disconnect(self) -> None:
        """Ends without giving the seat back: it stays with this machine until its time to live is over (30 s)."""
        self._end(self._client.disconnect)

    def _speak(self) -> None:
        loop = self._loop
        assert loop is not None
        asyncio.set_event_loop(loop)
        loop.call_soon(self._client.start)
        try:
            loop.run_forever()
        finally:
            _cancel_all(loop)
            loop.close()
            self._events.put(None)

    def _tell(self) -> None:
        while True:
            event = self._events.get()
            if event is None:
                return
            try:
                if self._call_soon is None:
                    self._deliver(event)
                else:
                    self._call_soon(lambda event=event: self._deliver(event))  # type: ignore[misc]
            except Exception:
                log.exception("call_soon raised; %s is not told", event.name)

    def _deliver(self, event: Event) -> None:
        self._listeners.tell(event, _refuse)

    def _soon(self, action: Callable[[], None]) -> None:
        with self._lock:
            if self._loop is not None and not self._is_over:
                with contextlib.suppress(RuntimeError):  # the loop has ended otherwise
                    self._loop.call_soon_threadsafe(action)

    def _end(self, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        with self._lock:
            is_first = not self._is_over
            self._is_over = True
            loop, speaker = self._loop, self._speaker
        if loop is None or speaker is None:
            return
        if is_first:
            with contextlib.suppress(RuntimeError):  # the loop has ended otherwise
                asyncio.run_coroutine_threadsafe(self._last(action), loop)
        if threading.current_thread() is not speaker:
            speaker.join(RELEASE_TIMEOUT_S + CLOSING_S + PATIENCE_S)

    async def _last(self, action: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await action()
            await asyncio.sleep(0)  # what was told last is handed on
        finally:
            asyncio.get_running_loop().stop()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=PATIENCE_S))


def _refuse(work: Any) -> None:
    work.close()
    raise TypeError("a listener of a BlockingSeatClient is no coroutine function")
