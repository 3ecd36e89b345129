"""Keeps at most one connection: fetches the token, dials, waits, dials again. It decides nothing."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Dict, Optional

from ._backoff import full_jitter, wait_before_reconnect
from ._connection import Connection, ConnectionParts, Seen
from ._endings import LEFT, NO_CLOSE_FRAME
from ._events import Cause
from ._heartbeat import Heartbeat
from ._messages import Error, ServerMessage, Welcome
from ._options import Options
from ._ticket import BrokerProof
from ._tokens import TokenRefresh, TokenSource, TokenUnavailable

#: Closes, and a status of the handshake, after which the same token would be refused again.
NEED_AFTER = {4001: "token_expired", 4002: "token_not_yet_accepted"}
UNAUTHORIZED = 401
INSTANCE_BYTES = 16


@dataclass(frozen=True)
class DiallerParts:
    options: Options
    resume: Callable[[], Optional[Dict[str, Any]]]
    """The session to ask for again, if there is one."""
    more_of_hello: Callable[[], Dict[str, Any]]
    """What else the program says in `hello`."""
    on_hello: Callable[[], None]
    on_disconnected: Callable[[], None]
    """There is no connection any more, for whatever reason."""
    on_message: Callable[[ServerMessage, Seen], None]
    on_lost: Callable[[int, str, Seen, Cause], None]
    """The connection ended, or an attempt came to nothing."""
    on_fault: Callable[[Error], None]
    on_untrusted: Callable[[str], None]
    """What answered is not the vendor's broker."""
    on_unusable: Callable[[str], None]
    """No later attempt would do better."""
    in_background: Callable[[Awaitable[None]], None]


class Dialler:
    def __init__(self, parts: DiallerParts) -> None:
        options = parts.options
        self._parts = parts
        self._connection: Optional[Connection] = None
        # One name a client, not one a process: two clients of a process would take each other for an older connection.
        self._instance = secrets.token_hex(INSTANCE_BYTES)  # [instance-new] [instance-same]
        self._hellos = 0
        self._failures = 0
        self._policy: Optional[str] = None
        self._need = "connect"
        self._opening: Optional[asyncio.Task[None]] = None
        self._retry: Optional[asyncio.TimerHandle] = None
        self._tokens = TokenSource(options.get_token, options.token_timeout_ms)
        self._refresh = TokenRefresh(
            self._token_or_none, self._send_refresh, options.backoff, options.random
        )
        self._heartbeat = Heartbeat(
            lambda: self.give_up(Cause("silence", "Nothing was heard of the broker for too long."))
        )

    @property
    def seen(self) -> Optional[Seen]:
        """What was said on the connection, None where there is none."""
        return None if self._connection is None else self._connection.seen

    @property
    def dialling(self) -> Optional[str]:
        """The policy of the attempt under way; None once it is answered."""
        return self._policy

    def dial(self, on_conflict: str) -> None:
        """Dials at once, in place of whatever was under way."""
        self.stop(LEFT, "superseded here")
        self._policy = on_conflict
        self._opening = asyncio.get_running_loop().create_task(self._open(on_conflict))

    def give_up(self, cause: Cause) -> None:
        """The open connection counts as lost."""
        if self._connection is not None:
            self._connection.give_up(cause)

    def redial(self, code: int, seen: Seen, cause: Cause) -> float:
        """Dials by itself after a wait, and gives that wait in milliseconds. It never displaces a holder."""
        options = self._parts.options
        in_ms = wait_before_reconnect(self._failures, seen.hints, options.backoff, options.random)
        self._failures += 1
        if cause.status == UNAUTHORIZED:  # [handshake-401]
            self._need = "token_expired"
        self._need = NEED_AFTER.get(code, self._need)  # [new-token]
        self._retry_in(in_ms)
        return in_ms

    def hurry(self) -> None:
        """The computer slept: a wait that was under way is over."""
        if self._retry is not None:
            options = self._parts.options
            self._retry_in(full_jitter(0, options.backoff, options.random))

    def answered(self) -> None:
        """The broker answered the attempt."""
        self._policy = None
        self._need = "connect"

    def steady(self) -> None:
        """A renewal came. Only now is the next loss a first one: a welcome alone may be one of a crash loop."""
        self._failures = 0

    def send(self, message: Dict[str, Any]) -> bool:
        """False where no connection is open."""
        return self._connection is not None and self._connection.send(message)

    def refresh(self) -> None:
        """The broker said that its token ends soon."""
        self._refresh.begin()

    def refresh_again(self, in_ms: float) -> None:
        """The broker does not accept the new token yet: another one may do, after this time."""
        self._refresh.again(in_ms)

    def stop(self, code: int, reason: str) -> None:
        """Ends the connection, the attempt and the waits, and ignores what still comes of them."""
        self._policy = None
        if self._opening is not None:
            self._opening.cancel()
        if self._retry is not None:
            self._retry.cancel()
        self._opening = self._retry = None
        self._refresh.stop()
        self._heartbeat.stop()
        if self._connection is not None:
            self._connection.drop(code, reason)
        self._connection = None
        self._parts.on_disconnected()

    def _retry_in(self, in_ms: float) -> None:
        if self._retry is not None:
            self._retry.cancel()
        # [reconnect-deny]
        self._retry = asyncio.get_running_loop().call_later(in_ms / 1_000, lambda: self.dial("deny"))

    async def _open(self, on_conflict: str) -> None:
        try:
            token = await self._tokens.fetch(self._need)
        except TokenUnavailable as fault:  # [token-failure]
            self._parts.on_fault(Error(code="token_unavailable", message=str(fault)))
            self._opening = None
            self._lost(NO_CLOSE_FRAME, "", Seen(), Cause("token", str(fault)))
        else:
            self._opening = None
            self._connect(on_conflict, token)

    def _connect(self, on_conflict: str, token: str) -> None:
        parts = self._parts
        keys = parts.options.broker_keys
        proof = None if keys is None else BrokerProof(keys)

        def heard(message: ServerMessage) -> None:
            if proof is not None and not proof.allows(message):
                return
            fault = proof.fault_of(message) if proof is not None and isinstance(message, Welcome) else None
            if fault is not None:
                parts.on_untrusted(fault)
                return
            self._heartbeat.heard(message)
            parts.on_message(message, connection.seen)

        connection = Connection(
            ConnectionParts(
                options=parts.options,
                hello=self._hello(on_conflict, token, None if proof is None else proof.nonce),
                on_hello=parts.on_hello,
                on_message=heard,
                on_ping=self._heartbeat.pinged,
                on_close=lambda code, reason, cause: self._lost(code, reason, connection.seen, cause),
                on_unusable=parts.on_unusable,
                in_background=parts.in_background,
            )
        )
        self._connection = connection

    def _hello(self, on_conflict: str, token: str, nonce: Optional[str]) -> Dict[str, Any]:
        options = self._parts.options
        self._hellos += 1  # [attempt-grows]
        hello: Dict[str, Any] = {
            "type": "hello",
            "machine": options.machine.as_message(),
            "instance": self._instance,  # [hello-instance]
            "attempt": self._hellos,
            "onConflict": on_conflict,
            "token": token,
            **self._parts.more_of_hello(),
        }
        if nonce is not None:  # [nonce-fresh]
            hello["nonce"] = nonce
        session = self._parts.resume()
        if session is not None:  # [resume-latest]
            hello["resume"] = session
        if options.client is not None:
            hello["client"] = {"name": options.client.name, "version": options.client.version}
        return hello

    def _lost(self, code: int, reason: str, seen: Seen, cause: Cause) -> None:
        self._connection = None
        self._policy = None
        self._refresh.stop()
        self._heartbeat.stop()
        self._parts.on_disconnected()
        self._parts.on_lost(code, reason, seen, cause)

    async def _token_or_none(self, need: str) -> Optional[str]:
        try:
            return await self._tokens.fetch(need)
        except TokenUnavailable as fault:
            self._parts.on_fault(Error(code="token_unavailable", message=str(fault)))
            return None

    def _send_refresh(self, token: str) -> None:
        self.send({"type": "refresh", "token": token})
