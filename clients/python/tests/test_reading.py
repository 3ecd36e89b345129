"""Messages, addresses, waits and endings: what is read, and what comes of bad input."""

import json
import random
import unittest
from email.utils import format_datetime
from datetime import datetime, timedelta, timezone

from soleseat_client import Backoff, Machine
from soleseat_client._backoff import MAX_WAIT_MS, WaitHints, full_jitter, wait_before_reconnect
from soleseat_client._endings import ending_of, ends_for_good, sentence_for
from soleseat_client._messages import Conflict, Error, Evicted, Lease, Welcome
from soleseat_client._options import Options, complete_url
from soleseat_client._read_message import read_message
from soleseat_client._websocket import _retry_after_ms

WELCOME = {"type": "welcome", "sessionId": "s", "epoch": 7, "resumed": True, "ttlMs": 1, "renewEveryMs": 2, "license": None}


def read(**fields: object) -> object:
    return read_message(json.dumps(fields))


class Messages(unittest.TestCase):
    def test_are_read(self) -> None:
        message = read(**WELCOME, displaced={"machine": {"name": "laptop"}}, elapsedMs=0, news=[1])
        self.assertEqual(message, Welcome(0, "s", 7, True, 1, 2, None, "laptop"))
        self.assertEqual(read(type="lease", epoch=2**53 + 1, ttlMs=5), Lease(None, 2**53 + 1, 5))
        self.assertEqual(
            read(type="conflict", holder={"machine": {"name": "pc"}, "since": 9, "sameMachine": True}),
            Conflict(None, "pc", 9, True),
        )
        self.assertEqual(read(type="error", code="flapping", message="m"), Error(None, "flapping", "m", None))

    def test_take_null_for_left_out(self) -> None:
        self.assertEqual(read(type="lease", epoch=1, ttlMs=2, elapsedMs=None), Lease(None, 1, 2))
        self.assertEqual(
            read(type="evicted", reason="taken_over", by=None, at=None, epoch=None),
            Evicted(None, "taken_over", None, None, None),
        )
        self.assertEqual(read(type="conflict", holder={"machine": None}), Conflict())
        self.assertEqual(read(**{**WELCOME, "displaced": None}).displaced, None)
        self.assertEqual(read(**WELCOME, displaced={"machine": {}}).displaced, "")

    def test_of_which_nothing_can_be_used_are_ignored(self) -> None:
        bad = ["", "null", "1", "[]", '"x"', "{}", '{"type":7}', '{"type":["lease"]}', '{"type":"unheard_of"}']
        bad += ["{", "[" * 100_000, '{"type":"lease","epoch":1,"ttlMs":' + "9" * 5_000 + "}"]
        bad += ['{"type":"lease","epoch":%s,"ttlMs":1}' % x for x in ("true", "NaN", "-1", '"1"', "1e999", "null")]
        bad += ['{"type":"lease","epoch":1,"ttlMs":1,"elapsedMs":"0"}', '{"type":"conflict"}', '{"type":"jeopardy"}']
        bad += [json.dumps({**WELCOME, name: value}) for name, value in (("sessionId", 1), ("renewEveryMs", None))]
        bad += ['{"type":"error","code":"x","retryAfterMs":"soon"}', '{"type":"draining"}', '{"type":"evicted"}']
        for text in bad:
            self.assertIsNone(read_message(text), text[:60])
        self.assertIsNone(read_message(b'{"type":"recovered"}'))


class Addresses(unittest.TestCase):
    def test_are_completed(self) -> None:
        for given, wanted in (
            ("https://seats.example.com", "wss://seats.example.com/v1/connect"),
            ("http://127.0.0.1:8080/", "ws://127.0.0.1:8080/v1/connect"),
            ("WSS://[::1]:9/v1/connect?x=1", "wss://[::1]:9/v1/connect?x=1"),
            ("ws://a/seats", "ws://a/seats"),
            (" ws://a ", "ws://a/v1/connect"),
        ):
            self.assertEqual(complete_url(given), wanted)

    def test_that_can_never_be_right_are_refused(self) -> None:
        for text in ("", "seats.example.com", "ftp://a", "ws://", "ws://a#b", "ws://a/#", "ws://a:99999", "ws://a:x"):
            with self.assertRaises(ValueError, msg=text):
                complete_url(text)

    def test_with_a_token_are_refused_and_the_token_is_not_told(self) -> None:
        for query in ("token=abc", "access_token=abc", "x=eyJh.abc.abc", "Authorization=abc"):
            with self.assertRaises(ValueError) as caught:
                complete_url(f"wss://a?{query}")
            self.assertNotIn("abc", str(caught.exception))


class TheOptions(unittest.TestCase):
    def test_that_cannot_be_are_refused(self) -> None:
        good = {"url": "ws://a", "get_token": lambda need: "t", "machine": Machine("m")}
        Options(**good)
        for name, value, fault in (
            ("on_conflict", "steal", ValueError),
            ("get_token", "a token", TypeError),
            ("machine", "m", TypeError),
            ("token_timeout_ms", 0, ValueError),
        ):
            with self.assertRaises(fault, msg=name):
                Options(**{**good, name: value})
        with self.assertRaises(ValueError):
            Backoff(first_ms=0)

    def test_send_nothing_that_was_left_out(self) -> None:
        self.assertEqual(Machine("m", kind="virtual").as_message(), {"id": "m", "kind": "virtual"})


class Waits(unittest.TestCase):
    def test_have_full_jitter(self) -> None:
        backoff = Backoff()
        widest = [full_jitter(failures, backoff, lambda: 1.0) for failures in (0, 1, 2, 5, 6, 5_000)]
        self.assertEqual(widest, [500, 1_000, 2_000, 16_000, 30_000, 30_000])
        self.assertEqual(full_jitter(3, backoff, lambda: 0.0), 0)
        waits = [full_jitter(6, backoff, random.random) for _ in range(1_000)]
        self.assertLess(min(waits), 3_000)
        self.assertGreater(max(waits), 27_000)

    def test_follow_what_the_broker_said(self) -> None:
        def wait(hints: WaitHints) -> float:
            return wait_before_reconnect(10, hints, Backoff(), lambda: 0.5)

        self.assertEqual(wait(WaitHints()), 15_000)
        self.assertEqual(wait(WaitHints(drain_within_ms=1_000)), 500)
        self.assertEqual(wait(WaitHints(retry_after_ms=60_000)), 75_000)
        self.assertEqual(wait(WaitHints(retry_after_ms=1e15)), MAX_WAIT_MS)

    def test_read_retry_after_in_seconds_and_as_a_date(self) -> None:
        later = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=90), usegmt=True)
        self.assertEqual(_retry_after_ms({"retry-after": "7"}), 7_000)
        self.assertAlmostEqual(_retry_after_ms({"Retry-After": later}), 90_000, delta=10_000)
        self.assertEqual(_retry_after_ms({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), 0)
        for text in ("", "soon", "-1", "1.5", "9" * 40):
            self.assertIsNone(_retry_after_ms({"Retry-After": text}), text)
        self.assertIsNone(_retry_after_ms({}))


class Endings(unittest.TestCase):
    def test_are_final_by_arithmetic(self) -> None:
        for code, reason, evicted_for, ending in (
            (4509, "taken_over", "taken_over", "evicted"),
            (1006, "", "taken_over", "evicted"),
            (1006, "", "unheard_of", "evicted"),
            (4010, "lease_lost", "lease_lost", "lost"),
            (4513, "license_required", None, "denied"),
            (4999, "unheard_of", None, "denied"),
            (5000, "", None, "lost"),
            (1000, "released", None, "closed"),
            (1000, "left", None, "closed"),
            (1000, "", None, "lost"),
            (1012, "draining", None, "lost"),
            (4409, "stale_attempt", None, "lost"),
        ):
            self.assertEqual(ending_of(code, reason, evicted_for), ending, (code, reason))

    def test_have_sentences(self) -> None:
        self.assertIn("license", sentence_for(4513, "license_required"))
        self.assertEqual(sentence_for(4513, "unheard_of"), sentence_for(4513, "license_required"))
        self.assertIn("4777", sentence_for(4777, ""))
        self.assertTrue(ends_for_good("unheard_of"))


if __name__ == "__main__":
    unittest.main()
