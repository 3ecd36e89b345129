"""What a program and its person may ask of a client. `SeatClient` is its face."""

from __future__ import annotations

import asyncio
from typing import Optional

from ._dialler import Dialler, DiallerParts
from ._endings import LEFT, NO_CLOSE_FRAME, NORMAL
from ._leave import LeftSeat
from ._session_core import SessionCore, keep

RELEASE_TIMEOUT_S = 2.0
#: For a close frame to go out, and be answered.
CLOSING_S = 0.5
ENDINGS = frozenset(("closed", "evicted", "denied"))


class Session(SessionCore):
    def start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not None or self._has_left:
            raise RuntimeError("this client was started before; make another one")
        self._loop = loop
        self._dialler = Dialler(
            DiallerParts(
                options=self._options,
                resume=lambda: self.resumable,
                more_of_hello=self._rules.in_hello,
                on_hello=self._lease.connected,
                on_disconnected=self._disconnected,
                on_message=self._receive,
                on_lost=self._lost,
                on_fault=self._tell,
                on_untrusted=self._untrusted,
                on_unusable=self._unusable,
                in_background=lambda work: keep(self._closers, work),
            )
        )
        self._dialler.dial(self._options.on_conflict)

    def take_over(self) -> None:
        if self._has_left or self._loop is None or self._dialler.dialling == "takeover":
            return
        if self._claim("seat"):
            return
        self._dialler.dial("takeover")  # [takeover-by-person]
        self._become("connecting")

    def ask(self) -> None:
        if self._has_left or self._loop is None or self._has_seat():
            return
        seen, dialling = self._dialler.seen, self._dialler.dialling
        is_asking = self.state == "conflict" and seen is not None and seen.is_asking
        if dialling in ("takeover", "ask") or is_asking:
            return
        self._dialler.dial("ask")  # [ask-by-person] [ask-waits]
        self._become("connecting")

    def answer(self, yields: bool, need_ms: Optional[float]) -> None:
        if self._loop is not None:
            self._rules.answer(yields, need_ms)

    async def leave(self, for_ms: float) -> LeftSeat:
        return await self._rules.leave(for_ms)

    def take_if_free(self) -> None:
        if self._has_left or self._loop is None:
            return
        self._claim("free seat")  # [take-if-free]

    def retry_now(self) -> None:
        if self._has_left or self._loop is None or self._has_seat():
            return
        if self._dialler.dialling is None:  # [person-may-retry]
            self._dialler.dial("deny")
            self._become("connecting")

    def activity(self, idle_ms: float) -> None:
        self._rules.idle.activity(idle_ms)

    async def release(self) -> None:
        if self._releasing is not None:
            await asyncio.shield(self._releasing)
            return
        if not self._leave():
            return
        self._clear_lease()
        holds_nothing = self.state in ("conflict", "evicted")  # [release]
        if holds_nothing or not self._dialler.send({"type": "release"}):
            # Nothing to give back, or nobody to give it to: then the seat ends with its time to live.
            self._finish("closed", NORMAL, "released")
        else:
            loop = asyncio.get_running_loop()
            self._releasing = loop.create_future()
            overdue = loop.call_later(RELEASE_TIMEOUT_S, self._release_overdue)  # [release-timeout]
            try:
                await asyncio.shield(self._releasing)
            finally:
                overdue.cancel()
        await self._closing()

    async def disconnect(self) -> None:
        if self._leave():
            self._finish("closed", LEFT, "disconnected")  # [leave-not-1000]
            await self._closing()

    def _leave(self) -> bool:
        """From now on nothing begins again. False where nothing is left to be ended."""
        if self._has_left:
            return False
        self._has_left = True
        if self._loop is None:
            self.state = "closed"
            return False
        return not (self.state in ENDINGS and self._dialler.seen is None)

    async def _closing(self) -> None:
        if self._closers:
            await asyncio.wait(set(self._closers), timeout=CLOSING_S)

    def _release_overdue(self) -> None:
        if self._releasing is not None and not self._releasing.done():
            self._finish("closed", NO_CLOSE_FRAME, "no answer to release")
