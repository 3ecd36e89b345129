"""After a sleep of the computer: the deadline is judged first, then an attempt is made at once."""

import asyncio
import time
import unittest
from typing import Any, List

from soleseat_client import Backoff, Clock, Machine, Reconnecting, SeatClient
from soleseat_client._lease_clock import monotonic_ms
from soleseat_client._lease_watch import LeaseWatch
from soleseat_client._messages import Welcome

HOUR_MS = 3_600_000


class Sleeper:
    """A clock that stands still in sleep beside a wall clock that goes on. The computer sleeps when the test says so."""

    def __init__(self) -> None:
        self.slept_ms = 0
        self.clock = Clock(monotonic_ms, lambda: time.time() * 1_000 + self.slept_ms)

    def sleep_an_hour(self) -> None:
        self.slept_ms += HOUR_MS


async def until(condition: Any) -> None:
    while not condition():
        await asyncio.sleep(0.01)


class AfterASleep(unittest.TestCase):
    def test_the_deadline_is_judged_before_the_connection_is_replaced(self) -> None:
        async def story() -> List[str]:
            sleeper, told = Sleeper(), []
            watch = LeaseWatch(
                sleeper.clock,
                lambda deadline_ms: told.append("expired"),
                lambda: told.append("behind"),
                lambda: told.append("slept"),
            )
            watch.lease.connected()
            watch.lease.heard(Welcome(0, "s", 1, False, HOUR_MS, 1_000))
            watch.held()
            watch.look()
            sleeper.sleep_an_hour()
            await until(lambda: "behind" in told)
            watch.stop()
            return told

        self.assertEqual(asyncio.run(story()), ["expired", "slept", "behind"])

    def test_a_wait_that_was_under_way_is_over(self) -> None:
        async def story() -> None:
            sleeper, asked, waits = Sleeper(), [], []
            widest = iter((1.0, 0.0, 1.0))

            async def no_token(need: str) -> str:
                asked.append(need)
                raise OSError("no sign-in")

            backoff = Backoff(first_ms=HOUR_MS, max_ms=HOUR_MS)
            options: Any = {"clock": sleeper.clock, "random": lambda: next(widest), "backoff": backoff}
            client = SeatClient("ws://127.0.0.1:9", no_token, Machine("m"), **options)
            client.on(Reconnecting, lambda event: waits.append(event.in_ms))
            client.start()
            await until(lambda: waits)
            self.assertEqual(waits, [HOUR_MS])
            sleeper.sleep_an_hour()
            await until(lambda: len(asked) == 2)
            await client.disconnect()

        asyncio.run(story())


if __name__ == "__main__":
    unittest.main()
