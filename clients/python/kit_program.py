#!/usr/bin/env python3
"""The program by which `soleseat client-test` judges this library.

    soleseat client-test -- python3 clients/python/kit_program.py

With the argument `blocking` it is that of the blocking client.
Environment: SEAT_URL, SEAT_TOKEN_URL, SEAT_MACHINE_ID, SEAT_MACHINE_NAME; the
tests of this library give more options as JSON in SEAT_OPTIONS, and the file of a CA in SEAT_CA. With SEAT_LOOKS each
question whether it holds the seat is printed, with its time by the monotonic clock.
Lines on stdin: those that docs/client-kit.md names. Prints `holds true` or `holds false` at each change, and each event.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import queue
import ssl
import sys
import threading
import time
import urllib.request
from typing import Any, Dict, List, Optional

from soleseat_client import BlockingSeatClient, Event, LeaveEnded, LeaveRefused, Machine, Program
from soleseat_client import SeatClient, SeatFree, TicketKeys

LOOK_EVERY_S = 0.02
output = threading.Lock()
kept: Dict[str, Optional[str]] = {"ticket": os.environ.get("SEAT_TICKET")}
"""The ticket of a leave."""
tasks: List[Any] = []
worked = {"at": time.monotonic() - float(os.environ.get("SEAT_IDLE", 0)) / 1_000}
"""When the person was at work last, in seconds."""


def say(line: str) -> None:
    with output:
        print(line, flush=True)


def tell(event: Event) -> None:
    fields = dataclasses.asdict(event)
    say("event " + json.dumps({"event": event.name, **fields}))


def fetch_token(need: str) -> str:
    say("need " + need)
    with urllib.request.urlopen(os.environ["SEAT_TOKEN_URL"], timeout=60) as response:
        return str(response.read().decode().strip())


def idle_ms() -> float:
    return (time.monotonic() - worked["at"]) * 1_000


def obey(client: Any, commands: queue.SimpleQueue[str], command: str) -> None:
    """Both clients have the same methods."""
    word, _, ms = command.partition(" ")
    if word == "takeover":
        client.take_over()
    elif word == "retry":
        client.retry_now()
    elif word == "leave":
        leave(client, commands, float(ms))
    elif word == "ask":
        client.ask()
    elif word == "yield":
        client.answer(True, float(ms))
    elif word == "refuse":
        client.answer(False)
    elif word == "idle":
        worked["at"] = time.monotonic() - float(ms) / 1_000
    elif word == "active":
        worked["at"] = time.monotonic()
        client.activity()


def options() -> Dict[str, Any]:
    keys = os.environ.get("SEAT_NONCE_KEYS")
    machine_id, authority = os.environ["SEAT_MACHINE_ID"], os.environ.get("SEAT_CA")
    return {
        "url": os.environ["SEAT_URL"],
        "get_token": fetch_token,
        "machine": Machine(machine_id, os.environ.get("SEAT_MACHINE_NAME")),
        "client": Program("kit", "1"),
        **({"broker_keys": TicketKeys(keys)} if keys else {}),
        "leave_ticket": lambda: kept["ticket"],
        **({"asks": True} if "SEAT_ASKS" in os.environ else {}),
        **({"idle_ms": idle_ms} if "SEAT_IDLE" in os.environ else {}),
        **json.loads(os.environ.get("SEAT_OPTIONS", "{}")),
        **({"ssl": ssl.create_default_context(cafile=authority)} if authority else {}),
    }


class HoldsPrinter:
    def __init__(self, client: Any) -> None:
        self._client = client
        self._last = None

    def look(self) -> None:
        before_ns = time.monotonic_ns()
        now = self._client.holds_lease()
        if "SEAT_LOOKS" in os.environ:
            say(f"look {before_ns} {time.monotonic_ns()} {str(now).lower()}")
        if now != self._last:
            self._last = now
            say(f"holds {str(now).lower()}")


def leave(client: Any, commands: queue.SimpleQueue[str], for_ms: float) -> None:
    """The program ends once it has left."""

    def left(fault: Optional[BaseException]) -> None:
        say("left" if fault is None else f"not left: {fault}")
        if fault is None:
            commands.put("quit")

    async def soon() -> None:
        try:
            await client.leave(for_ms)
        except LeaveRefused as fault:
            left(fault)
        else:
            left(None)

    def blocking() -> None:
        try:
            client.leave(for_ms)
        except LeaveRefused as fault:
            left(fault)
        else:
            left(None)

    if isinstance(client, SeatClient):
        tasks.append(asyncio.ensure_future(soon()))
    else:
        threading.Thread(target=blocking, daemon=True).start()


def prepare(client: Any) -> None:
    client.on(LeaveEnded, lambda event: kept.update(ticket=None))
    if "SEAT_TAKES_FREE" in os.environ:
        client.on(SeatFree, lambda event: client.take_if_free())


def run_blocking(commands: queue.SimpleQueue[str]) -> None:
    client = BlockingSeatClient(**options())
    holds = HoldsPrinter(client)
    client.on(Event, tell)
    prepare(client)
    holds.look()
    client.start()
    while True:
        holds.look()
        try:
            command = commands.get(timeout=LOOK_EVERY_S)
        except queue.Empty:
            continue
        if command in ("release", "quit"):
            break
        obey(client, commands, command)
    (client.release if command == "release" else client.disconnect)()
    holds.look()
    say(f"state {client.state}")


async def run_async(commands: queue.SimpleQueue[str]) -> None:
    client = SeatClient(**options())
    holds = HoldsPrinter(client)
    client.on(Event, tell)
    prepare(client)
    holds.look()
    client.start()
    command = ""
    while command not in ("release", "quit"):
        holds.look()
        await asyncio.sleep(LOOK_EVERY_S)
        command = "" if commands.empty() else commands.get()
        obey(client, commands, command)
    await (client.release() if command == "release" else client.disconnect())
    holds.look()
    say(f"state {client.state}")


def read_commands(commands: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        commands.put(line.strip())
    commands.put("quit")


def main() -> None:
    commands: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=read_commands, args=(commands,), daemon=True).start()
    if "blocking" in sys.argv[1:]:
        run_blocking(commands)
    else:
        asyncio.run(run_async(commands))
    time.sleep(LOOK_EVERY_S)  # the last events are printed in another thread


if __name__ == "__main__":
    main()
