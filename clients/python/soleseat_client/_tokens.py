"""Asks the program for tokens, and gives the broker new ones on the open connection."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any, Awaitable, Callable, Optional

from ._backoff import Backoff, full_jitter
from ._lease_clock import monotonic_ms
from ._options import GetToken

#: However short its tokens are, a client asks for no more of them than this.
PAUSE_MS = 5_000
#: A function that never returns costs a thread at each attempt. Above this no more are started.
MOST_HANGING = 16


class TokenUnavailable(Exception):
    """The token source failed, hung, or gave no token."""


class TokenSource:
    """Calls `get_token` with a time limit. What comes later is ignored."""

    def __init__(self, get_token: GetToken, timeout_ms: float) -> None:
        self._get_token = get_token
        self._timeout_ms = timeout_ms
        self._hanging = 0

    async def fetch(self, need: str) -> str:
        """Raises TokenUnavailable."""
        task = asyncio.ensure_future(self._ask(need))
        try:
            done, _ = await asyncio.wait({task}, timeout=self._timeout_ms / 1_000)  # [token-timeout]
        finally:
            # Not awaited: a token source may ignore that, and hang on.
            task.cancel()
        if not done:
            raise TokenUnavailable(f"get_token gave no token within {self._timeout_ms / 1_000:g} s")
        try:
            token = task.result()
        except TokenUnavailable:
            raise
        except (Exception, asyncio.CancelledError) as fault:
            raise TokenUnavailable(f"get_token raised {type(fault).__name__}: {fault}") from fault
        if not isinstance(token, str) or token == "":
            raise TokenUnavailable("get_token gave no token")
        return token

    async def _ask(self, need: str) -> Any:
        if inspect.iscoroutinefunction(self._get_token):
            return await self._get_token(need)
        result = await self._in_thread(need)
        return await result if inspect.isawaitable(result) else result

    async def _in_thread(self, need: str) -> Any:
        """A plain function may block. The threads of an executor would keep the process alive at its end."""
        if self._hanging >= MOST_HANGING:
            raise TokenUnavailable(f"{self._hanging} calls of get_token hang: give it a time limit of its own")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()

        def settle(result: Any, fault: Optional[Exception]) -> None:
            self._hanging -= 1
            if answer.done():
                if inspect.iscoroutine(result):
                    result.close()
            elif fault is None:
                answer.set_result(result)
            else:
                answer.set_exception(fault)

        def call() -> None:
            result: Any = None
            fault: Optional[Exception] = None
            try:
                result = self._get_token(need)
            except BaseException as raised:
                # As text: no future carries a StopIteration, and a SystemExit would end the loop.
                fault = TokenUnavailable(f"get_token raised {type(raised).__name__}: {raised}")
            try:
                loop.call_soon_threadsafe(settle, result, fault)
            except RuntimeError:
                pass  # the loop is closed: nobody waits for the token any more

        self._hanging += 1
        threading.Thread(target=call, name="soleseat-token", daemon=True).start()
        return await answer


class TokenRefresh:
    """Gives the broker a new token on the open connection, however often it takes to get one."""

    def __init__(
        self,
        fetch: Callable[[str], Awaitable[Optional[str]]],
        send: Callable[[str], None],
        backoff: Backoff,
        random: Callable[[], float],
    ) -> None:
        self._fetch = fetch
        self._send = send
        self._backoff = backoff
        self._random = random
        self._task: Optional[asyncio.Task[None]] = None
        self._not_before_ms = 0.0

    def begin(self) -> None:
        """The token ends soon. A refresh that waits or is under way serves later warnings too."""
        self._start("token_expiring", max(0.0, self._not_before_ms - monotonic_ms()))  # [refresh]

    def again(self, in_ms: float) -> None:
        """The token that was sent is not accepted yet. Many may have been told the same time, so it is added to."""
        # [refresh-not-yet]
        self._start("token_not_yet_accepted", in_ms + full_jitter(0, self._backoff, self._random))

    def stop(self) -> None:
        """The connection is over."""
        if self._task is not None:
            self._task.cancel()
        self._task = None

    def _start(self, need: str, in_ms: float) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(need, in_ms))

    async def _run(self, need: str, in_ms: float) -> None:
        tries = 0
        while True:
            await asyncio.sleep(in_ms / 1_000)
            token = await self._fetch(need)
            if token is not None:
                break
            in_ms = full_jitter(tries, self._backoff, self._random)
            tries += 1
        self._not_before_ms = monotonic_ms() + PAUSE_MS
        self._send(token)
