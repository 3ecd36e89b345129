"""Reads the messages of the broker."""

from __future__ import annotations

import json
import math
from typing import Any, Callable, Dict, Optional

from ._messages import AskRefused, Conflict, Draining, Error, Evicted, IdleWarned, Jeopardy, Lease
from ._messages import Left, Recovered, SeatFree, ServerMessage, TakeoverAsked, TakeoverWithdrawn
from ._messages import TokenExpiring, Welcome

Fields = Dict[str, Any]


def read_message(data: object) -> Optional[ServerMessage]:
    """Reads one frame. None for what this version does not know or cannot use: that must not end a session."""
    if not isinstance(data, str):
        return None
    try:
        value = json.loads(data)
    # [ignore-unreadable]
    except (ValueError, RecursionError):  # an integer of thousands of digits is a ValueError too
        return None
    if not isinstance(value, dict):
        return None
    kind = value.get("type")
    read = _readers.get(kind) if isinstance(kind, str) else None  # [ignore-unknown]
    try:
        return None if read is None else read(value)
    except _Unreadable:
        return None


class _Unreadable(Exception):
    """A field that the client acts on is missing or of another kind."""


def _welcome(value: Fields) -> Welcome:
    displaced = value.get("displaced")
    license = value.get("license")
    idle = value.get("idle")
    return Welcome(
        elapsed_ms=_count_or_none(value, "elapsedMs"),
        session_id=_text(value, "sessionId"),
        epoch=_whole(value, "epoch"),
        resumed=value.get("resumed") is True,
        ttl_ms=_count(value, "ttlMs"),
        renew_every_ms=_count(value, "renewEveryMs"),
        license=license if isinstance(license, dict) else None,
        displaced=(_machine_name(displaced) or "") if isinstance(displaced, dict) else None,
        shared=value.get("shared") is True,
        ticket=_text_or_none(value, "ticket"),
        report_every_ms=_lenient(idle, "reportEveryMs") if isinstance(idle, dict) else None,
    )


def _lease(value: Fields) -> Lease:
    # One whose age is there and cannot be read gives nothing.
    return Lease(_count_or_none(value, "elapsedMs"), _whole(value, "epoch"), _count(value, "ttlMs"))


def _evicted(value: Fields) -> Evicted:
    epoch = _lenient(value, "epoch")
    return Evicted(
        reason=_text(value, "reason"),
        by=_machine_name(value.get("by")),
        at_ms=_lenient(value, "at"),
        epoch=None if epoch is None else int(epoch),
    )


def _conflict(value: Fields) -> Conflict:
    holder = value.get("holder")
    if not isinstance(holder, dict):
        raise _Unreadable
    return Conflict(
        _lenient(value, "elapsedMs"),
        _machine_name(holder),
        _lenient(holder, "since"),
        holder.get("sameMachine") is True,
        _lenient(holder, "onLeaveUntil"),
        value.get("asking") is True,
        _lenient(value, "waitMs"),
    )


def _error(value: Fields) -> Error:
    message = value.get("message")
    return Error(
        _lenient(value, "elapsedMs"),
        _text(value, "code"),
        message if isinstance(message, str) else "",
        _count_or_none(value, "retryAfterMs"),
    )


_readers: Dict[str, Callable[[Fields], ServerMessage]] = {
    "welcome": _welcome,
    "lease": _lease,
    "evicted": _evicted,
    "conflict": _conflict,
    "jeopardy": lambda value: Jeopardy(_lenient(value, "elapsedMs"), _count(value, "graceMs")),
    "recovered": lambda value: Recovered(_lenient(value, "elapsedMs")),
    "token_expiring": lambda value: TokenExpiring(_lenient(value, "elapsedMs")),
    "draining": lambda value: Draining(_lenient(value, "elapsedMs"), _count(value, "reconnectWithinMs")),
    "error": _error,
    "ask_refused": lambda value: AskRefused(),
    "takeover_withdrawn": lambda value: TakeoverWithdrawn(),
    "takeover_requested": lambda value: TakeoverAsked(
        _lenient(value, "elapsedMs"), _machine_name(value.get("by")), _count(value, "answerWithinMs")
    ),
    "left": lambda value: Left(
        _lenient(value, "elapsedMs"), _text(value, "ticket"), _count(value, "forMs")
    ),
    "seat_free": lambda value: SeatFree(),
    "idle_warning": lambda value: IdleWarned(_lenient(value, "elapsedMs"), _count(value, "inMs")),
}


def _text(value: Fields, name: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise _Unreadable
    return found


def _text_or_none(value: Fields, name: str) -> Optional[str]:
    found = value.get(name)
    return found if isinstance(found, str) else None


def _count(value: Fields, name: str) -> float:
    found = _lenient(value, name)
    if found is None:
        raise _Unreadable
    return found


def _whole(value: Fields, name: str) -> int:
    return int(_count(value, name))


def _count_or_none(value: Fields, name: str) -> Optional[float]:
    """Serialisers of some languages send null for what was never set."""
    return None if value.get(name) is None else _count(value, name)  # [null-left-out]


def _lenient(value: Fields, name: str) -> Optional[float]:
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    # Larger than any duration or epoch, and an int of that size is no float any more.
    if isinstance(found, int):
        return found if 0 <= found < 2**63 else None  # [epoch-digits]
    return found if math.isfinite(found) and 0 <= found < 2.0**63 else None


def _machine_name(value: object) -> Optional[str]:
    machine = value.get("machine") if isinstance(value, dict) else None
    name = machine.get("name") if isinstance(machine, dict) else None
    return name if isinstance(name, str) else None
