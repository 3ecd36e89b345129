"""What a client is made with."""

from __future__ import annotations

import random
import re
import ssl as ssl_module
from dataclasses import dataclass, field
from typing import Any, Awaitable, Callable, Dict, Mapping, Optional, Union
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from ._backoff import Backoff
from ._lease_clock import Clock, platform_clock
from ._ticket import TicketKeys

CONNECT_PATH = "/v1/connect"
#: What the broker takes for a token in the URL.
_TOKEN_NAME = re.compile("token|jwt|auth", re.IGNORECASE)
_TOKEN_VALUE = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*")

GetToken = Callable[[str], Union[str, Awaitable[str]]]
ConnectKwargs = Union[Mapping[str, Any], Callable[[], Mapping[str, Any]]]


def _nothing_more() -> Dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Machine:
    """This computer. `machine_id()` finds it out."""

    id: str
    """Stable and opaque, at most 128 bytes."""
    name: Optional[str] = None
    """Shown to the user where somebody else has the seat."""
    os: Optional[str] = None
    kind: Optional[str] = None
    """`physical`, `virtual` or `container`."""

    def as_message(self) -> Dict[str, str]:
        fields = {"id": self.id, "name": self.name, "os": self.os, "kind": self.kind}
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True)
class Program:
    """Names the program to the broker."""

    name: str
    version: str


@dataclass(frozen=True)
class Options:
    """See `SeatClient`, which says what each is."""

    url: str
    get_token: GetToken
    machine: Machine
    on_conflict: str = "takeover"
    client: Optional[Program] = None
    idle_ms: Optional[Callable[[], float]] = None
    asks: bool = False
    broker_keys: Optional[TicketKeys] = None
    leave_ticket: Optional[Callable[[], Optional[str]]] = None
    token_timeout_ms: float = 15_000
    connect_timeout_ms: float = 10_000
    backoff: Backoff = Backoff()
    ssl: Optional[ssl_module.SSLContext] = None
    connect_kwargs: ConnectKwargs = field(default_factory=_nothing_more)
    clock: Clock = field(default_factory=platform_clock)
    random: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", complete_url(self.url))
        if self.on_conflict not in ("takeover", "deny", "ask"):
            raise ValueError("on_conflict is 'takeover', 'deny' or 'ask'")
        if not callable(self.get_token):
            raise TypeError("get_token is a function that gives a token")
        if not isinstance(self.machine, Machine):
            raise TypeError("machine is a Machine: machine_id('…') gives that of this computer")
        if self.token_timeout_ms <= 0 or self.connect_timeout_ms <= 0:
            raise ValueError("token_timeout_ms and connect_timeout_ms are above 0")
        if self.ssl is not None and self.url.startswith("ws:"):
            raise ValueError("ssl belongs to a wss:// or https:// url")

    def kwargs_for_attempt(self) -> Dict[str, Any]:
        given = self.connect_kwargs
        return dict(given() if callable(given) else given)


def complete_url(text: str) -> str:
    """The broker's WebSocket address. Raises ValueError for what can never be one."""
    if not isinstance(text, str):
        raise TypeError("url is a text such as wss://seats.example.com")
    url = urlsplit(text.strip())
    scheme = {"http": "ws", "https": "wss"}.get(url.scheme, url.scheme)
    if scheme not in ("ws", "wss") or not url.hostname:
        raise ValueError("url is a ws://, wss://, http:// or https:// address, such as wss://seats.example.com")
    url.port  # raises ValueError where it is no port
    if url.fragment or text.rstrip().endswith("#"):
        raise ValueError("url has no fragment (the part from # on)")
    for name, value in parse_qsl(url.query, keep_blank_values=True):
        if _TOKEN_NAME.search(name) or _TOKEN_VALUE.fullmatch(value):  # [token-not-in-url]
            raise ValueError("a token is never in the url: URLs end in logs. get_token gives it")
    path = CONNECT_PATH if url.path in ("", "/") else url.path
    return urlunsplit((scheme, url.netloc, path, url.query, ""))
