"""One WebSocket, from dialling to its end."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Awaitable, Callable, Dict, Optional

from ._backoff import WaitHints
from ._endings import LEFT, NO_CLOSE_FRAME, sentence_for
from ._events import Cause, log
from ._messages import Conflict, Error, Evicted, ServerMessage, Welcome
from ._options import Options
from ._read_message import read_message
from ._websocket import ConnectionClosed, Unusable, cause_of, close, close_of, dial, is_open


@dataclass
class Seen:
    """What was said on a connection that matters once it is closed."""

    evicted: Optional[Evicted] = None
    error: Optional[Error] = None
    claiming: Optional[str] = None
    """What was asked for with `takeover` and is not answered yet: `seat` or `free seat`."""
    is_asking: bool = False
    """The holder is being asked."""
    wants_seat: bool = False
    """A person clicked meanwhile."""
    hints: WaitHints = field(default_factory=WaitHints)

    def forget_error(self) -> None:
        """The session goes on: an error that came before says nothing of a close that comes later."""
        self.error = self.hints.retry_after_ms = None


@dataclass(frozen=True)
class ConnectionParts:
    options: Options
    hello: Dict[str, Any]
    on_hello: Callable[[], None]
    """The time of `hello` is taken here: everything that answers it came later."""
    on_message: Callable[[ServerMessage], None]
    on_ping: Callable[[], None]
    on_close: Callable[[int, str, Cause], None]
    on_unusable: Callable[[str], None]
    in_background: Callable[[Awaitable[None]], None]
    """Runs what nobody waits for."""


class Connection:
    """Sends `hello` as soon as the WebSocket opens, and hands on what comes.

    The token travels in `hello` and not in the handshake: only a close code tells "fetch a new token" from "try later"
    on every platform.
    """

    def __init__(self, parts: ConnectionParts) -> None:
        self.seen = Seen()
        self._parts = parts
        self._ended = False
        self._ws: Any = None
        loop = asyncio.get_running_loop()
        self._outbox: asyncio.Queue[str] = asyncio.Queue()
        # [answer-timeout]
        self._timer = loop.call_later(parts.options.connect_timeout_ms / 1_000, self._time_out)
        self._task = loop.create_task(self._run())

    def send(self, message: Dict[str, Any]) -> bool:
        """False where the WebSocket is not open: the message is then lost."""
        if self._ended or self._ws is None or not is_open(self._ws):
            return False
        self._outbox.put_nowait(json.dumps(message))
        return True

    def drop(self, code: int, reason: str) -> None:
        """Closes, and from now on ignores all that still comes."""
        if self._ended:
            return
        self._ended = True
        self._timer.cancel()
        self._task.cancel()
        if self._ws is not None:
            self._parts.in_background(self._close(code, reason))

    def give_up(self, cause: Cause) -> None:
        """Lost, for all that this end can see. With a silent peer the WebSocket would take long to agree."""
        if self._ended:
            return
        self.drop(LEFT, "no answer")  # [no-wait-for-close]
        self._parts.on_close(NO_CLOSE_FRAME, "", cause)

    def _time_out(self) -> None:
        self.give_up(Cause("timeout", "The broker did not answer in time."))

    async def _run(self) -> None:
        parts = self._parts
        given: Dict[str, Any] = {}
        try:
            given = parts.options.kwargs_for_attempt()
            self._ws = await dial(parts.options.url, parts.options.ssl, given, self._pinged)
        except Unusable as fault:
            self._fail(fault)
        except Exception as fault:
            self._end(NO_CLOSE_FRAME, "", cause_of(fault, _origin_in(given)))
        else:
            await self._converse()

    async def _converse(self) -> None:
        self._parts.on_hello()
        writer = asyncio.get_running_loop().create_task(self._write())
        try:
            while True:
                self._receive(await self._ws.recv())
        except ConnectionClosed as closed:
            code, reason = close_of(closed)
            self._end(code, reason, _cause_of_close(code, reason))
        except Exception as fault:
            self._end(NO_CLOSE_FRAME, "", cause_of(fault))
        finally:
            writer.cancel()

    async def _write(self) -> None:
        try:
            await self._ws.send(json.dumps(self._parts.hello))  # [hello-first]
            while True:
                await self._ws.send(await self._outbox.get())
        except (ConnectionClosed, OSError):
            pass  # the reader is told the same, and knows the close code

    def _receive(self, data: object) -> None:
        message = None if self._ended else read_message(data)
        if message is None:
            return
        if isinstance(message, (Welcome, Conflict)):
            self._timer.cancel()
        try:
            self._parts.on_message(message)
        except Exception:
            log.exception("a message of type %s was not handled", type(message).__name__)

    def _pinged(self) -> None:
        if not self._ended:
            self._parts.on_ping()

    def _end(self, code: int, reason: str, cause: Cause) -> None:
        if self._ended:
            return
        self._ended = True
        self._timer.cancel()
        self._parts.on_close(code, reason, cause)

    def _fail(self, fault: Exception) -> None:
        if self._ended:
            return
        self._ended = True
        self._timer.cancel()
        self._parts.on_unusable(str(fault))

    async def _close(self, code: int, reason: str) -> None:
        try:
            await close(self._ws, code, reason)
        except (ConnectionClosed, OSError, asyncio.CancelledError):
            pass  # it is over either way


def _cause_of_close(code: int, reason: str) -> Cause:
    if code == NO_CLOSE_FRAME:
        return Cause("network", "The connection broke.")
    return Cause("close", sentence_for(code, reason))


def _origin_in(given: Dict[str, Any]) -> Optional[str]:
    headers = given.get("additional_headers") or given.get("extra_headers") or {}
    named = {str(name).lower(): value for name, value in dict(headers).items()}
    origin = given.get("origin") or named.get("origin")
    return None if origin is None else str(origin)
