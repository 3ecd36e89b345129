"""Verifies signatures of ECDSA on P-256 with SHA-256 (FIPS 186-5). Public keys alone: nothing here has to be kept secret."""

from __future__ import annotations

import hashlib
from typing import Optional, Tuple

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
#: The order of the group.
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
NUMBER_BYTES = 32
#: None is the point at infinity.
Point = Optional[Tuple[int, int]]


def is_on_curve(x: int, y: int) -> bool:
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x * x - 3 * x + B)) % P == 0


def is_signed(public: Tuple[int, int], signed: bytes, signature: bytes) -> bool:
    """`signature` is r and s in 32 bytes each, as a JWS has them (RFC 7518)."""
    if len(signature) != 2 * NUMBER_BYTES:
        return False
    r = int.from_bytes(signature[:NUMBER_BYTES], "big")
    s = int.from_bytes(signature[NUMBER_BYTES:], "big")
    if not (0 < r < N and 0 < s < N):
        return False
    digest = int.from_bytes(hashlib.sha256(signed).digest(), "big")
    inverse = pow(s, -1, N)
    point = _add(_times(digest * inverse % N, G), _times(r * inverse % N, public))
    return point is not None and point[0] % N == r


def _times(factor: int, point: Point) -> Point:
    product: Point = None
    while factor > 0:
        if factor & 1:
            product = _add(product, point)
        point = _add(point, point)
        factor >>= 1
    return product


def _add(one: Point, other: Point) -> Point:
    if one is None or other is None:
        return one or other
    (x1, y1), (x2, y2) = one, other
    if x1 == x2 and (y1 + y2) % P == 0:
        return None
    if one == other:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, P)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, P)
    x = (slope * slope - x1 - x2) % P
    return x, (slope * (x1 - x) - y1) % P
