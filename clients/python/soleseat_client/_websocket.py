"""The one place that knows the versions of `websockets`: 10.4 to 12 have one asyncio client, 13 and later another."""

from __future__ import annotations

import asyncio
import errno
import inspect
import logging
import re
import socket
import ssl as ssl_module
import time
from email.utils import parsedate_to_datetime
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, Type

from websockets import exceptions as ws_exceptions

from ._endings import NO_CLOSE_FRAME
from ._events import Cause

try:
    from websockets.asyncio.client import ClientConnection as _ConnectionClass
    from websockets.asyncio.client import connect as _ConnectClass

    IS_LEGACY = False
except ImportError:
    from websockets.legacy.client import Connect as _ConnectClass
    from websockets.legacy.client import WebSocketClientProtocol as _ConnectionClass

    IS_LEGACY = True

ConnectionClosed: Type[Any] = ws_exceptions.ConnectionClosed
SUBPROTOCOL = "soleseat.v1"
#: The broker's messages are far smaller.
MAX_MESSAGE_BYTES = 1 << 20
CLOSE_TIMEOUT_S = 1.0
PING_OPCODE = 9
OPEN_STATE = 1
#: At DEBUG, `websockets` logs each frame. The first one has the token.
frames_log = logging.getLogger("soleseat_client.websockets")
frames_log.setLevel(logging.INFO)


class Unusable(Exception):
    """What was asked for can never work here, so no later attempt would do better."""


class Redirected(Exception):
    """The address answered with a redirect. The token must not follow it to whoever is named there."""


class _Connect(_ConnectClass):  # type: ignore[misc]
    def process_redirect(self, exc: Exception) -> Exception:  # websockets 13 and later
        return exc

    def handle_redirect(self, uri: str) -> None:  # websockets 10 to 12
        raise Redirected


async def dial(
    url: str, ssl: Optional[ssl_module.SSLContext], given: Mapping[str, Any], on_ping: Callable[[], None]
) -> Any:
    """Opens a WebSocket. Raises Unusable, or what `cause_of` reads. The caller limits the time."""

    class WithPings(_ConnectionClass):  # type: ignore[misc]
        def process_event(self, event: Any) -> None:  # websockets 13 and later
            super().process_event(event)
            if getattr(event, "opcode", None) == PING_OPCODE:
                on_ping()

        async def pong(self, data: Any = b"") -> None:  # 10 to 12 answer each ping by this
            if IS_LEGACY:
                on_ping()
            await super().pong(data)

    ours: Dict[str, Any] = {
        "create_protocol" if IS_LEGACY else "create_connection": WithPings,
        "compression": None,
        "open_timeout": None,
        "ping_interval": None,
        "close_timeout": CLOSE_TIMEOUT_S,
        "max_size": MAX_MESSAGE_BYTES,
        "logger": frames_log,
    }
    if ssl is not None:
        ours["ssl"] = ssl
    try:
        # [offer-subprotocol] [fragments] [pong]
        return await _Connect(url, **{**ours, **_translated(given), "subprotocols": [SUBPROTOCOL]})
    except (TypeError, ValueError, ImportError, ws_exceptions.InvalidURI) as fault:
        if isinstance(fault, OSError):  # a certificate that is not accepted is a ValueError too
            raise
        raise Unusable(str(fault)) from fault


def _translated(given: Mapping[str, Any]) -> Dict[str, Any]:
    """One spelling for all versions: that of the newest."""
    kwargs = dict(given)
    if IS_LEGACY and "additional_headers" in kwargs:
        kwargs["extra_headers"] = kwargs.pop("additional_headers")
    if "proxy" in kwargs and "proxy" not in inspect.signature(_ConnectClass.__init__).parameters:
        if kwargs.pop("proxy") not in (None, True):
            raise Unusable("connect_kwargs['proxy'] needs websockets 15 or newer")
    return kwargs


async def close(ws: Any, code: int, reason: str) -> None:
    """Closes, and cuts off a peer that does not answer. `websockets` alone would try for several times its limit."""
    closing = asyncio.ensure_future(ws.close(code, reason))
    try:
        await asyncio.wait({closing}, timeout=CLOSE_TIMEOUT_S)
    finally:
        if not closing.done():
            ws.transport.abort()
    await closing


def is_open(ws: Any) -> bool:
    return int(ws.state) == OPEN_STATE


def close_of(closed: Any) -> Tuple[int, str]:
    """The code and reason of the peer's close frame; 1006 where there was none."""
    return (NO_CLOSE_FRAME, "") if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)


def cause_of(fault: BaseException, origin: Optional[str] = None) -> Cause:
    """Why a WebSocket did not open, in words. `origin` is the Origin that was sent."""
    response = getattr(fault, "response", None)
    if type(fault).__name__ == "InvalidProxyStatus":
        return Cause("network", f"The proxy answered with status {getattr(response, 'status_code', '?')}.")
    status = getattr(response, "status_code", None) or getattr(fault, "status_code", None)
    if isinstance(status, int):
        headers = getattr(fault if response is None else response, "headers", {})
        return Cause("status", _sentence_for_status(status, origin), status, _retry_after_ms(headers))
    if isinstance(fault, Redirected):
        return Cause("network", "The address answers with a redirect: give the address that it leads to.")
    if isinstance(fault, ssl_module.SSLCertVerificationError):
        why = fault.verify_message or str(fault)
        return Cause("tls", f"The broker's certificate is not accepted: {why}. Give an ssl context that trusts its CA.")
    if isinstance(fault, ssl_module.SSLError):
        return Cause("tls", f"No TLS connection could be made: {fault}")
    if isinstance(fault, socket.gaierror):
        return Cause("host_not_found", f"The broker's host name is not found: {fault.strerror or fault}")
    if _is_refused(fault):
        return Cause("refused", "Nobody listens at the broker's address.")
    if isinstance(fault, (asyncio.TimeoutError, TimeoutError)) or getattr(fault, "errno", None) == errno.ETIMEDOUT:
        return Cause("timeout", "The broker did not answer in time.")
    return Cause("network", f"No connection: {str(fault) or type(fault).__name__}")


def _is_refused(fault: BaseException) -> bool:
    if isinstance(fault, ConnectionRefusedError):
        return True
    # Of several addresses of one host, asyncio tells all errors in one text.
    numbers = re.findall(r"\[(?:Errno|WinError) (\d+)\]", str(fault)) if isinstance(fault, OSError) else []
    refusals = {errno.ECONNREFUSED, 1225, 10061}
    return bool(numbers) and all(int(number) in refusals for number in numbers)


_sentences = {
    400: "The broker takes the handshake for a wrong one: look for a token in the URL, and for what stands between.",
    401: "The token of the handshake is not accepted: fetch another one.",
    404: "There is no broker at this path: it is /v1/connect, unless a proxy moves it.",
    405: "Something on the way changes the request's method.",
    426: "Something on the way removes the WebSocket handshake: let the proxy forward Upgrade.",
    429: "Too many connections or attempts from this address.",
    431: "The handshake has too many or too long headers.",
    503: "The broker takes nobody in at present.",
}


def _sentence_for_status(status: int, origin: Optional[str]) -> str:
    if status == 403:
        sent = f"the Origin {origin!r}" if origin else "the handshake, which has no Origin"
        return f"The broker, or a proxy before it, does not allow {sent}: list it in SOLESEAT_ORIGINS."
    return _sentences.get(status, f"The handshake was answered with status {status}.")


def _retry_after_ms(headers: Any) -> Optional[float]:
    """`Retry-After` is in seconds, or a date."""
    named = {name.lower(): value for name, value in getattr(headers, "raw_items", headers.items)()}
    text = str(named.get("retry-after", "")).strip()
    if re.fullmatch(r"[0-9]{1,10}", text):
        return int(text) * 1_000.0
    try:
        return max(0.0, (parsedate_to_datetime(text).timestamp() - time.time()) * 1_000)
    except (TypeError, ValueError, OverflowError):
        return None
