"""Why an attempt failed, in words, and the token source."""

import asyncio
import socket
import ssl
import threading
import time
import unittest
from typing import Any

from soleseat_client import _websocket
from soleseat_client._tokens import MOST_HANGING, TokenSource, TokenUnavailable
from soleseat_client._websocket import Unusable, cause_of, dial


class Causes(unittest.TestCase):
    def test_are_told_apart(self) -> None:
        certificate = ssl.SSLCertVerificationError("no")
        certificate.verify_message = "self-signed certificate"
        both = "Multiple exceptions: [Errno 111] Connect call failed ('::1', 9), [Errno {}] Connect call failed"
        for fault, kind in (
            (certificate, "tls"),
            (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "tls"),
            (socket.gaierror(-2, "Name or service not known"), "host_not_found"),
            (ConnectionRefusedError(111, "Connect call failed"), "refused"),
            (OSError(both.format(111)), "refused"),
            (OSError(both.format(101)), "network"),
            (asyncio.TimeoutError(), "timeout"),
            (TimeoutError(110, "ETIMEDOUT"), "timeout"),
            (ConnectionResetError(104, "reset"), "network"),
            (EOFError(), "network"),
        ):
            self.assertEqual(cause_of(fault).kind, kind, repr(fault))
        self.assertIn("self-signed certificate", cause_of(certificate).message)

    def test_name_the_origin_and_the_setting(self) -> None:
        refused = type("InvalidStatusCode", (Exception,), {"status_code": 403, "headers": {}})()
        message = cause_of(refused, "https://app.example.com").message
        self.assertIn("https://app.example.com", message)
        self.assertIn("SOLESEAT_ORIGINS", message)

    def test_that_can_never_be_mended_are_known(self) -> None:
        async def with_what_nobody_knows() -> None:
            await dial("ws://127.0.0.1:9/v1/connect", None, {"unheard_of": 1}, lambda: None)

        with self.assertRaises(Unusable):
            asyncio.run(with_what_nobody_knows())

    def test_frames_are_not_logged(self) -> None:
        # The first one has the token.
        self.assertFalse(_websocket.frames_log.isEnabledFor(10))


class TheTokenSource(unittest.TestCase):
    def fetch(self, get_token: Any, timeout_ms: float = 5_000) -> str:
        return asyncio.run(TokenSource(get_token, timeout_ms).fetch("connect"))

    def test_may_be_a_function_a_coroutine_function_or_both(self) -> None:
        async def later(need: str) -> str:
            await asyncio.sleep(0)
            return need

        self.assertEqual(self.fetch(lambda need: need), "connect")
        self.assertEqual(self.fetch(later), "connect")
        self.assertEqual(self.fetch(lambda need: later(need)), "connect")

    def test_may_block_without_blocking_the_loop(self) -> None:
        free = threading.Event()

        async def both() -> str:
            asyncio.get_running_loop().call_soon(free.set)
            return await TokenSource(lambda need: "t" if free.wait(10) else "", 20_000).fetch("connect")

        self.assertEqual(asyncio.run(both()), "t")

    def test_fails_when_it_gives_no_token(self) -> None:
        def leave(need: str) -> str:
            raise SystemExit(3)

        for get_token in (lambda need: "", lambda need: None, lambda need: 1 / 0, leave, lambda need: next(iter(()))):
            with self.assertRaises(TokenUnavailable):
                self.fetch(get_token)

    def test_that_hangs_counts_as_failed_and_takes_no_threads_without_end(self) -> None:
        free = threading.Event()
        started = []

        def hang(need: str) -> str:
            started.append(need)
            free.wait(60)
            return "late"

        async def many() -> TokenSource:
            source = TokenSource(hang, 10)
            for _ in range(MOST_HANGING + 5):
                with self.assertRaises(TokenUnavailable):
                    await source.fetch("connect")
            self.assertEqual(len(started), MOST_HANGING)
            free.set()
            while source._hanging > 0:
                await asyncio.sleep(0.01)
            return source

        asyncio.run(many())

    def test_that_hangs_as_a_coroutine_is_cancelled(self) -> None:
        async def hang(need: str) -> str:
            await asyncio.sleep(3_600)
            return "late"

        since = time.monotonic()
        with self.assertRaises(TokenUnavailable):
            self.fetch(hang, 20)
        self.assertLess(time.monotonic() - since, 1_800)


if __name__ == "__main__":
    unittest.main()
