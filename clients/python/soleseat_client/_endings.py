"""What the end of a connection means: the broker's close codes, and how a client reads them."""

from __future__ import annotations

from typing import Dict, Optional, Tuple

NORMAL = 1000
#: The code of a close that no close frame announced (RFC 6455, section 7.1.5).
NO_CLOSE_FRAME = 1006
#: This end leaves without a release. To the broker it is a lost connection: the seat stays for its time to live.
LEFT = 4000
#: The reasons with which 1000 is the broker's answer to a release. Some libraries report a broken connection as 1000 too.
GIVEN_BACK = ("released", "left")

#: The broker's table: the code and a sentence for people, by the reason. test/clients/python.test.ts compares the two.
CLOSE_CODES: Dict[str, Tuple[int, str]] = {
    "released": (1000, "The program released the seat."),
    "left": (1000, "The program took the seat along, to use it offline."),
    "protocol_error": (1002, "The peer broke the WebSocket protocol."),
    "binary_not_supported": (1003, "Only text frames are understood."),
    "draining": (1012, "The node is going away; reconnect, the session resumes elsewhere."),
    "overloaded": (1013, "The node failed at this; reconnect later."),
    "store_unavailable": (1013, "Redis is out of reach, so no seat can be granted at present."),
    "token_expired": (4001, "The token ended; fetch a new one, then reconnect."),
    "token_not_yet_accepted": (4002, "The key of the token is not known yet, or the token begins later; fetch another one."),
    "slow_consumer": (4008, "The client does not read what it is sent."),
    "lease_lost": (4010, "The node could not confirm the lease in time."),
    "no_pong": (4014, "The client did not answer a ping."),
    "hello_timeout": (4408, "No complete hello came in time."),
    "stale_attempt": (4409, "An older hello of this process came after a newer one; it changed nothing."),
    "rate_limited": (4429, "Too many messages, pings or attempts; wait before reconnecting."),
    "bad_request": (4500, "Three bad messages on one connection, or a hello that can never be right."),
    "unauthorized": (4501, "The token is missing or not accepted."),
    "forbidden": (4503, "The token gives no right to this."),
    "machine_not_allowed": (4505, "The org does not allow this machine."),
    "unsupported_protocol": (4506, "The client offered no subprotocol that the node speaks."),
    "client_too_old": (4507, "The org asks for a newer version of the program."),
    "taken_over": (4509, "Another machine of the same user took the seat."),
    "superseded": (4509, "A newer connection of the same machine took the seat."),
    "evicted_by_admin": (4510, "An administrator ended the session."),
    "signed_out": (4510, "The user signed this machine out."),
    "user_renamed": (4510, "The user has another name now: sign in again."),
    "license_suspended": (4511, "The license is suspended."),
    "license_revoked": (4511, "The license was revoked."),
    "org_suspended": (4511, "The org is suspended."),
    "license_expired": (4512, "The license has expired."),
    "license_required": (4513, "The user has no license in this org."),
    "license_not_started": (4513, "The license begins later."),
    "quota_exhausted": (4514, "The org has issued all the licenses that it bought."),
    "seats_exhausted": (4515, "As many users as the org may have at once have a seat."),
    "token_revoked": (4516, "The token was revoked."),
    "idle_timeout": (4517, "The session was idle for longer than the org allows."),
    "flapping": (4529, "Two machines are fighting over the seat; a person must act."),
}


def is_final(code: int) -> bool:
    """Whether a client must not reconnect by itself after this close code."""
    return 4500 <= code < 5000  # [final-codes]


def ends_for_good(reason: str) -> bool:
    """Whether an eviction is final by its reason, also where the close frame got lost behind the message.

    A reason that this version does not know counts as final: that takes the seat from nobody.
    """
    known = CLOSE_CODES.get(reason)  # [evicted-without-close]
    return known is None or is_final(known[0])


def ending_of(code: int, reason: str, evicted_for: Optional[str]) -> str:
    """What the end of a connection means for the session: `evicted`, `denied`, `closed` or `lost`."""
    if evicted_for is not None and (is_final(code) or ends_for_good(evicted_for)):
        return "evicted"
    if is_final(code):
        return "denied"
    return "closed" if code == NORMAL and reason in GIVEN_BACK else "lost"  # [close-1000] [other-codes-retry]


def sentence_for(code: int, reason: str) -> str:
    """A sentence for people about a close: that of its reason, or else of its code."""
    if reason in CLOSE_CODES:
        return CLOSE_CODES[reason][1]
    for known, sentence in CLOSE_CODES.values():
        if known == code:
            return sentence
    return f"The broker closed the connection with code {code}."
