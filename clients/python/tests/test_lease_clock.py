"""PROTOCOL.md, "The age of a lease". All times are in milliseconds."""

import signal
import threading
import unittest

from soleseat_client._lease_clock import Clock, LeaseClock, platform_clock
from soleseat_client._messages import Conflict, Jeopardy, Lease, Welcome


class Hands:
    """A clock that a test sets."""

    def __init__(self, now: float = 0, wall: float = 0) -> None:
        self.now, self.wall = now, wall

    def sleepless(self) -> Clock:
        return Clock(lambda: self.now)

    def with_wall(self) -> Clock:
        return Clock(lambda: self.now, lambda: self.wall)


def welcome(elapsed: object, ttl: float) -> Welcome:
    return Welcome(elapsed_ms=elapsed, session_id="s", epoch=1, ttl_ms=ttl, renew_every_ms=10_000)


def renewal(elapsed: object, ttl: float) -> Lease:
    return Lease(elapsed, 1, ttl)


class TheWorkedExample(unittest.TestCase):
    def test_gives_the_numbers_of_the_table(self) -> None:
        hands = Hands(1_000)
        lease = LeaseClock(hands.sleepless())
        lease.connected()
        hands.now = 1_400
        lease.heard(welcome(0, 26_998))
        self.assertEqual(lease.left_ms(), 27_998 - 1_400)
        hands.now = 11_250
        lease.heard(renewal(10_000, 26_999))
        # A base that rises by the slew stays below 1,000 + 0.1 s.
        self.assertAlmostEqual(lease.left_ms(), 37_999 - 11_250, delta=100)
        hands.now = 60_000
        self.assertFalse(lease.holds())
        hands.now = 60_001
        lease.heard(renewal(20_000, 26_999))
        self.assertFalse(lease.holds())
        self.assertTrue(lease.must_resume())


class TheAgeOfALease(unittest.TestCase):
    def setUp(self) -> None:
        self.hands = Hands(1_000)
        self.lease = LeaseClock(self.hands.sleepless())
        self.lease.connected()

    def hear(self, at: float, message: object) -> None:
        self.hands.now = at
        self.lease.heard(message)

    def test_holds_until_the_end_and_not_at_it(self) -> None:
        self.hear(1_000, welcome(0, 10_000))
        self.hands.now = 10_999
        self.assertTrue(self.lease.holds())
        self.hands.now = 11_000
        self.assertFalse(self.lease.holds())

    def test_counts_a_slow_answer_from_the_question(self) -> None:
        self.hear(9_000, welcome(0, 10_000))
        self.assertEqual(self.lease.left_ms(), 2_000)

    def test_lets_the_newest_decide_also_when_it_says_less(self) -> None:
        self.hear(1_000, welcome(0, 10_000))
        self.hear(2_000, renewal(1_000, 3_000))
        self.assertAlmostEqual(self.lease.left_ms(), 3_000, delta=1)

    def test_gives_nothing_for_a_message_that_is_a_third_late(self) -> None:
        self.hear(1_000, welcome(0, 9_000))
        self.hear(5_100, renewal(1_000, 9_000))
        self.assertTrue(self.lease.must_resume())
        self.hear(5_200, renewal(4_200, 9_000))
        self.assertTrue(self.lease.must_resume(), "a doubt stays with its connection")
        self.assertAlmostEqual(self.lease.left_ms(), 11_000 - 5_200, delta=10)

    def test_keeps_the_end_over_a_lost_connection_and_has_a_base_for_each(self) -> None:
        self.hear(1_000, welcome(0, 10_000))
        self.lease.disconnected()
        self.hands.now = 5_000
        self.assertEqual(self.lease.left_ms(), 6_000)
        self.lease.connected()
        self.hear(5_000, welcome(0, 10_000))
        self.assertEqual(self.lease.left_ms(), 10_000)

    def test_counts_a_message_of_an_older_broker_from_receipt(self) -> None:
        self.hear(4_000, welcome(None, 10_000))
        self.assertEqual(self.lease.left_ms(), 10_000)

    def test_dates_the_grant_after_a_conflict_from_the_takeover(self) -> None:
        self.hear(1_000, Conflict(0))
        self.hands.now = 61_000
        self.lease.asked()
        self.hear(63_000, welcome(61_000, 10_000))
        self.assertEqual(self.lease.left_ms(), 8_000)

    def test_waits_in_jeopardy_for_the_grace_and_dates_it(self) -> None:
        self.hear(1_000, welcome(0, 2_000))
        self.hear(2_000, Jeopardy(1_000, 5_000))
        self.hands.now = 6_900
        self.assertFalse(self.lease.holds())
        self.assertFalse(self.lease.must_resume())
        self.hands.now = 7_100
        self.assertTrue(self.lease.must_resume())

    def test_keeps_nothing_that_was_cleared(self) -> None:
        self.hear(1_000, welcome(0, 10_000))
        self.lease.clear()
        self.assertFalse(self.lease.holds())
        self.assertFalse(self.lease.must_resume())

    def test_forgives_a_node_whose_clock_is_a_little_slow(self) -> None:
        self.hear(1_000, welcome(0, 27_000))
        for beat in range(1, 5_000):
            # 200 ppm: after 5,000 beats the node is 10 s behind, more than a third of the lease.
            self.hear(1_000 + beat * 10_000, renewal(beat * 10_000 * (1 - 200e-6), 27_000))
        self.assertFalse(self.lease.must_resume())


class AClockThatStandsStillInSleep(unittest.TestCase):
    def setUp(self) -> None:
        self.hands = Hands(1_000, 1_000)
        self.lease = LeaseClock(self.hands.with_wall())
        self.lease.connected()
        self.lease.heard(welcome(0, 30_000))

    def test_ends_the_lease_when_the_wall_clock_went_further(self) -> None:
        self.hands.now, self.hands.wall = 2_000, 4_001
        self.assertFalse(self.lease.holds())
        self.assertTrue(self.lease.must_resume())

    def test_bears_with_small_steps_and_with_steps_back(self) -> None:
        for wall in (3_900, 900, 2_800):
            self.hands.now, self.hands.wall = self.hands.now + 1_000, wall
            self.assertTrue(self.lease.holds())

    def test_never_adds_up_small_differences(self) -> None:
        for _ in range(20):
            self.hands.now, self.hands.wall = self.hands.now + 1_000, self.hands.wall + 1_500
            self.assertTrue(self.lease.holds())


class TheClockOfThePlatform(unittest.TestCase):
    def test_goes_on(self) -> None:
        clock = platform_clock()
        first = clock.now()
        self.assertGreaterEqual(clock.now(), first)

    def test_may_be_asked_by_many_threads_and_by_a_signal_handler(self) -> None:
        lease = LeaseClock(platform_clock())
        lease.connected()
        lease.heard(welcome(0, 60_000))
        wrong = []

        def ask() -> None:
            wrong.extend(1 for _ in range(2_000) if not lease.holds())

        threads = [threading.Thread(target=ask) for _ in range(4)]
        before = signal.signal(signal.SIGALRM, lambda *_: wrong.extend([] if lease.holds() else [1]))
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        for thread in threads:
            thread.start()
        ask()
        for thread in threads:
            thread.join()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
