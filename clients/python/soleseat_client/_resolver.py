"""Host names, looked up without keeping a process alive at its end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import Any


def resolve_in_daemon_thread(loop: asyncio.AbstractEventLoop) -> None:
    """The threads in which asyncio looks up host names are waited for when the interpreter ends.

    A name server that does not answer would hold up the end of the program for half a minute.
    """

    async def getaddrinfo(host: Any, port: Any, **more: Any) -> Any:
        answer: asyncio.Future[Any] = loop.create_future()

        def settle(result: Any, fault: Any) -> None:
            if answer.done():
                return
            if fault is None:
                answer.set_result(result)
            else:
                answer.set_exception(fault)

        def look_up() -> None:
            result, fault = None, None
            try:
                result = socket.getaddrinfo(host, port, **more)
            except Exception as raised:
                fault = raised
            try:
                loop.call_soon_threadsafe(settle, result, fault)
            except RuntimeError:
                pass  # the loop is closed: nobody waits any more

        threading.Thread(target=look_up, name="soleseat-resolver", daemon=True).start()
        return await answer

    with contextlib.suppress(AttributeError):  # uvloop lets nobody replace it, and has threads of its own
        setattr(loop, "getaddrinfo", getaddrinfo)
