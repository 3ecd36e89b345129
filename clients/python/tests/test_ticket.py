"""Tickets are judged in the same way by every client library: clients/ticket-vectors.json."""

import json
import unittest
from pathlib import Path

from soleseat_client import LeaveRecord, LeftSeat, TicketKeys, look_at_leave
from soleseat_client._messages import Lease, Left, Welcome
from soleseat_client._p256 import G, N, is_on_curve, is_signed
from soleseat_client._ticket import BrokerProof

VECTORS = json.loads((Path(__file__).parents[2] / "ticket-vectors.json").read_text("utf-8"))
KEYS = TicketKeys(VECTORS["keys"])


class Leaves(unittest.TestCase):
    def test_are_judged_as_the_vectors_say(self) -> None:
        for vector in VECTORS["looks"]:
            with self.subTest(vector["name"]):
                record = LeaveRecord.from_json(json.dumps(vector["record"]))
                look = look_at_leave(
                    record, KEYS, vector["machine"], vector.get("user"), vector.get("org"), vector["nowMs"]
                )
                self.assertEqual(look.holds, vector["holds"])
                self.assertEqual(look.until_ms, vector.get("untilMs"))
                self.assertEqual(look.reason, vector.get("reason"))
                self.assertEqual(look.message == "", vector["holds"])
                self.assertEqual(json.loads(look.record.to_json()), {**vector["record"], "seenMs": vector["seenMs"]})

    def test_begin_when_the_ticket_came(self) -> None:
        ticket = VECTORS["looks"][0]["record"]["ticket"]
        record = LeaveRecord.of(LeftSeat(ticket, 5_000), now_ms=1_000_000)
        self.assertEqual((record.received_ms, record.seen_ms), (1_000_000, 1_000_000))
        far = look_at_leave(record, KEYS, "m-1", now_ms=9_000_000)
        self.assertEqual(far.reason, "over")
        # And to set it back afterwards does not help.
        self.assertEqual(look_at_leave(far.record, KEYS, "m-1", now_ms=1_001_000).reason, "clock_set_back")

    def test_are_read_from_a_file_or_refused(self) -> None:
        for text in ("", "[]", "{}", '{"ticket":"t","forMs":1,"receivedMs":1}', '{"ticket":"t","forMs":null}'):
            with self.subTest(text), self.assertRaises(ValueError):
                LeaveRecord.from_json(text)


class Proofs(unittest.TestCase):
    def test_are_judged_as_the_vectors_say(self) -> None:
        for vector in VECTORS["proofs"]:
            with self.subTest(vector["name"]):
                proof = BrokerProof(KEYS)
                proof.nonce = vector["nonce"]
                welcome = Welcome(session_id=vector["sessionId"], ticket=vector["ticket"])
                self.assertEqual(proof.fault_of(welcome) is None, vector["isGood"])
                self.assertEqual(proof.allows(Lease()), vector["isGood"])
                self.assertEqual(proof.allows(Left()), vector["isGood"])

    def test_have_a_nonce_each(self) -> None:
        nonces = {BrokerProof(KEYS).nonce for _ in range(50)}
        self.assertEqual(len(nonces), 50)
        self.assertTrue(all(16 <= len(nonce) <= 64 for nonce in nonces))


class Keys(unittest.TestCase):
    def test_are_a_key_set_with_a_key_of_p256(self) -> None:
        for bad in ("{}", '{"keys":[]}', '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"AA"}]}', "nonsense"):
            with self.subTest(bad), self.assertRaises(ValueError):
                TicketKeys(bad)

    def test_are_points_of_the_curve(self) -> None:
        with self.assertRaises(ValueError):
            TicketKeys({"keys": [{"kty": "EC", "crv": "P-256", "kid": "a", "x": "AQ", "y": "AQ"}]})
        self.assertTrue(is_on_curve(*G))

    def test_sign_nothing_by_numbers_out_of_range(self) -> None:
        for r, s in ((0, 1), (1, 0), (N, 1), (1, N)):
            self.assertFalse(is_signed(G, b"", r.to_bytes(32, "big") + s.to_bytes(32, "big")))


if __name__ == "__main__":
    unittest.main()
