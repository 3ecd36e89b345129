"""A program with listeners of all kinds, for test/clients/python-library.test.ts: asyncio, blocking or window."""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
import time
from typing import Any, Callable

from soleseat_client import BlockingSeatClient, Event, LeaseRenewed, Machine, SeatClient, Welcome
from soleseat_client._session import CLOSING_S

#: Longer than the lease of the test's broker.
LONG_S = 4.0
options: Any = {
    "url": os.environ["SEAT_URL"],
    "get_token": lambda need: os.environ["SEAT_TOKEN"],
    "machine": Machine("workstation"),
}


def say(*words: object) -> None:
    print(*words, flush=True)


def bad(event: Event) -> None:
    raise RuntimeError(f"a listener of {event.name} is bad")


async def bad_later(event: Event) -> None:
    await asyncio.sleep(0)
    raise RuntimeError(f"a listener of {event.name} is bad later")


async def with_asyncio() -> None:
    client = SeatClient(**options)
    renewed = asyncio.Event()
    client.on(Event, bad)
    client.on(Welcome, bad_later)
    once = client.on(Welcome, lambda event: (once(), client.take_over()))  # acts in the midst of what is told
    stop = client.on(Event, lambda event: say("told", event.name))
    client.on(LeaseRenewed, lambda event: renewed.set())
    async with client:
        await renewed.wait()
        say("holds", client.holds_lease(), client.session_id is not None, client.lease_deadline_ms is not None)
        stop()
        stop()
    say("state", client.state, client.holds_lease())
    await released_by_a_listener()


async def released_by_a_listener() -> None:
    client, done = SeatClient(**options), asyncio.Event()

    async def release(event: Event) -> None:
        since = time.monotonic()
        await client.release()  # which does not wait for the listener that waits for it
        say("released by a listener", client.state, time.monotonic() - since < CLOSING_S)
        done.set()

    client.on(Welcome, release)
    client.start()
    await done.wait()


def with_threads() -> None:
    client = BlockingSeatClient(**options)
    slow_is_done = threading.Event()

    def slow(event: Event) -> None:
        say("told", event.name, threading.current_thread() is threading.main_thread())
        end = time.monotonic() + LONG_S
        while time.monotonic() < end:
            time.sleep(0.05)
            if not client.holds_lease():
                say("lost the lease in a slow listener")
        client.release()  # a listener may do that
        say("released", client.state)
        slow_is_done.set()

    client.on(Event, bad)
    client.on(Welcome, bad_later)
    client.on(Welcome, slow)
    client.start()
    slow_is_done.wait()
    client.release()
    client.disconnect()
    client.take_over()
    client.retry_now()
    say("state", client.state, client.holds_lease())


def with_window() -> None:
    """The main thread runs what it is handed, as the loop of a window does, and releases while nobody runs it."""
    work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    welcomed = []

    def call_soon(function: Callable[[], None]) -> None:
        done = threading.Event()
        work.put(lambda: (function(), done.set())[0])
        done.wait()  # as tkinter does: it returns when the window's thread has run it

    client = BlockingSeatClient(call_soon=call_soon, **options)
    client.on(Welcome, lambda event: welcomed.append(threading.current_thread() is threading.main_thread()))
    with client:
        while not welcomed:
            work.get()()
        while client.lease_deadline_ms is None:
            pass
        since = time.monotonic()
    say("welcomed", welcomed, "released within 2 s", time.monotonic() - since < 2.0)
    say("state", client.state, client.holds_lease())


def abandoned() -> None:
    """Ends without a word while the client is at work."""
    client = BlockingSeatClient(**options)
    welcomed = threading.Event()
    client.on(Welcome, lambda event: welcomed.set())
    client.start()
    welcomed.wait()
    say("ending")


face = sys.argv[1]
if face == "asyncio":
    asyncio.run(with_asyncio())
else:
    {"blocking": with_threads, "window": with_window, "abandoned": abandoned}[face]()
