"""Signed tickets: who holds which seat, checked without asking anybody."""

from __future__ import annotations

import base64
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Tuple, Union

from ._messages import Lease, Left, ServerMessage, Welcome
from ._p256 import is_on_curve, is_signed

TYPE = "soleseat-ticket+jwt"
NONCE_BYTES = 16
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


class BadTicket(Exception):
    """The ticket is not good; the text is a sentence that says why."""


class TicketKeys:
    """The public keys of the vendor's broker, built into the program."""

    def __init__(self, key_set: Union[str, Mapping[str, Any]]) -> None:
        """
        :param key_set: as `/v1/keys` of the broker shows it (RFC 7517): JSON, or what `json.loads` made of it. Other keys than
            those of P-256 are passed over.
        :raises ValueError: for what is no key set, or has no key of P-256.
        """
        value = json.loads(key_set) if isinstance(key_set, str) else key_set
        rows = value.get("keys") if isinstance(value, Mapping) else None
        self._by_name: Dict[str, Tuple[int, int]] = {}
        for row in rows if isinstance(rows, list) else []:
            if row.get("kty") == "EC" and row.get("crv") == "P-256" and isinstance(row.get("kid"), str):
                x, y = (int.from_bytes(_bytes_of(row[name]), "big") for name in ("x", "y"))
                if not is_on_curve(x, y):
                    raise ValueError(f"the key {row['kid']} is no point of P-256")
                self._by_name[row["kid"]] = (x, y)
        if not self._by_name:
            raise ValueError("the key set has no key of P-256 with a name (kid)")

    def named(self, kid: object) -> Optional[Tuple[int, int]]:
        return self._by_name.get(kid) if isinstance(kid, str) else None


@dataclass(frozen=True)
class Ticket:
    """What a ticket says."""

    user: str
    org: str
    machine: str
    session_id: str
    life_ms: int
    """From `iat` to `exp`."""
    nonce: Optional[str] = None


def verify(ticket: str, keys: TicketKeys) -> Ticket:
    """What the ticket says, where one of the keys signed it (RFC 7515, ES256). Looks at no clock. Raises BadTicket."""
    parts = ticket.split(".")
    if len(parts) != 3:
        raise BadTicket("The ticket has not three parts.")
    try:
        header, claims, signature = _fields_of(parts[0]), _fields_of(parts[1]), _bytes_of(parts[2])
    except (ValueError, RecursionError) as fault:
        raise BadTicket(f"The ticket cannot be read: {fault}") from fault
    if header.get("alg") != "ES256" or header.get("typ") != TYPE or "crit" in header:
        raise BadTicket("It is no ticket, or signed in another way than ES256.")
    key = keys.named(header.get("kid"))
    if key is None:
        raise BadTicket(f"No key of the program has the name {header.get('kid')}.")
    if not is_signed(key, f"{parts[0]}.{parts[1]}".encode(), signature):
        raise BadTicket("The signature of the ticket is not that of its key.")
    return _ticket_of(claims)


def _ticket_of(claims: Dict[str, Any]) -> Ticket:
    texts = [claims.get(name) for name in ("iss", "sub", "org", "machine", "sessionId")]
    numbers = [claims.get(name) for name in ("epoch", "iat", "exp")]
    if not all(isinstance(one, str) for one in texts) or not all(type(one) is int for one in numbers):
        raise BadTicket("The ticket does not say all that it should.")
    nonce = claims.get("nonce")
    life_ms = (claims["exp"] - claims["iat"]) * 1_000
    return Ticket(
        claims["sub"],
        claims["org"],
        claims["machine"],
        claims["sessionId"],
        life_ms,
        nonce if isinstance(nonce, str) else None,
    )


class BrokerProof:
    """Tells the vendor's broker from another one, on one connection: that one alone signs the nonce of this `hello`."""

    def __init__(self, keys: TicketKeys) -> None:
        self._keys = keys
        self._is_proven = False
        self.nonce = secrets.token_hex(NONCE_BYTES)  # [nonce-fresh]

    def allows(self, message: ServerMessage) -> bool:
        """Whether a message may be believed that gives a seat without a ticket of its own."""
        return self._is_proven or not isinstance(message, (Lease, Left))  # [ticket-first]

    def fault_of(self, message: Welcome) -> Optional[str]:
        """None where the ticket proves the broker, or a sentence on what is wrong. Looks at no clock."""
        # [ticket-no-clock]
        self._is_proven = False
        if message.ticket is None:
            return "The broker showed no ticket."
        try:
            ticket = verify(message.ticket, self._keys)
        except BadTicket as fault:
            return str(fault)
        # [ticket-proves]
        self._is_proven = ticket.nonce == self.nonce and ticket.session_id == message.session_id
        return None if self._is_proven else "The ticket of the broker is for another connection."


def _fields_of(part: str) -> Dict[str, Any]:
    value = json.loads(_bytes_of(part))
    if not isinstance(value, dict):
        raise ValueError("a part is no JSON object")
    return value


def _bytes_of(part: object) -> bytes:
    if not isinstance(part, str) or _BASE64URL.fullmatch(part) is None:
        raise ValueError("a part is not in base64url")
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
