"""Bodies that do not come, and answers that are not taken. Who sends half a body, or reads nothing of a long answer, holds a thread of the
web server, whose read and write cannot be broken off: a few dozen such would stop the shop. So a watch closes connections over which next
to nothing goes while somebody is waited for: it is then as where the other side hangs up.

A request does not say by which connection it came. But one from the same address that brought next to nothing for so long, and took
nothing either, is such a one or idle; and who is idle may be closed at any time (RFC 9112, 9.3), and connects anew.
"""

import os
import socket
import stat
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import structlog
from django.http import HttpResponseBase

SLOW = 2.0  # seconds after which who is waited for is looked at
PATIENCE, HASTE = 30.0, 3.0  # seconds for each LEAST bytes; once MANY are slow
LEAST, MANY = 1 << 16, 4
EVERY = 1.0  # seconds
_OPEN = Path("/proc/self/fd")
_COUNTS = struct.Struct("=QQ")  # bytes_acked and bytes_received in Linux' tcp_info
_COUNTS_AT = 120

log = structlog.get_logger(__name__)


class _Waiting:
    """For whom a thread waits: ``address`` is theirs, ``port`` the web server's."""

    __slots__ = ("address", "port", "since")

    def __init__(self, environ: dict[str, Any]) -> None:
        self.address, self.port = environ.get("REMOTE_ADDR", ""), environ.get("SERVER_PORT", "")
        self.since = 0.0

    def begin(self) -> None:
        self.since = time.monotonic()
        _waiting.add(self)

    def end(self) -> None:
        _waiting.discard(self)


class Body(_Waiting):
    """``wsgi.input`` of a request, which is seen while it is waited for."""

    __slots__ = ("_input",)

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        self._input = environ["wsgi.input"]

    def read(self, *size: int) -> bytes:
        self.begin()
        try:
            return bytes(self._input.read(*size))
        finally:
            self.end()

    def readline(self, *size: int) -> bytes:
        return bytes(self._input.readline(*size))


class Pieces(_Waiting):
    """An answer that is sent piece by piece, which is seen while the server waits to hand on the last one."""

    __slots__ = ("_answer", "_pieces")

    def __init__(self, answer: Iterable[bytes], environ: dict[str, Any]) -> None:
        super().__init__(environ)
        self._answer, self._pieces = answer, iter(answer)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        self.end()
        piece = next(self._pieces)
        self.begin()
        return piece

    def close(self) -> None:
        self.end()
        if isinstance(self._answer, HttpResponseBase):
            self._answer.close()


_waiting: set[_Waiting] = set()


@dataclass(frozen=True)
class _Mark:
    """What had gone over a connection when it was last seen to do enough."""

    at: float
    sent: int
    received: int


class Watch:
    """Looks, again and again, at the connections of this process that those who are waited for may have."""

    def __init__(self) -> None:
        self._marks: dict[object, _Mark] = {}

    def look(self, now: float) -> int:
        """Closes those that did too little for too long; how many."""
        slow = [one for one in list(_waiting) if now - one.since > SLOW]
        patience = HASTE if len(slow) >= MANY else PATIENCE
        senders = {(ip_address(one.address), int(one.port)) for one in slow}
        marks, closed = {}, 0
        for connection in _connections() if senders else ():
            with closing(connection), suppress(OSError):  # closed meanwhile
                peer = connection.getpeername()
                if (ip_address(peer[0].partition("%")[0]), connection.getsockname()[1]) in senders:
                    mark = marks[peer] = self._marked(peer, _Mark(now, *_counts(connection)))
                    if now - mark.at > patience:
                        connection.shutdown(socket.SHUT_RDWR)
                        closed += 1
        self._marks = marks
        return closed

    def _marked(self, peer: object, seen: _Mark) -> _Mark:
        before = self._marks.get(peer, seen)
        return before if seen.sent == before.sent and 0 < seen.received < before.received + LEAST else seen


def _connections() -> Iterator[socket.socket]:
    """Duplicates of all TCP connections of this process: what is closed meanwhile is not another one under the same number."""
    for number in [int(one.name) for one in _OPEN.iterdir()]:
        with suppress(OSError):
            copy = os.dup(number)
            found = socket.socket(fileno=copy) if stat.S_ISSOCK(os.fstat(copy).st_mode) else None
            if found is None:
                os.close(copy)
            elif found.family in {socket.AF_INET, socket.AF_INET6}:
                yield found
            else:
                found.close()


def _counts(connection: socket.socket) -> tuple[int, int]:
    """Bytes that were sent and reached the other side, and bytes that came."""
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _COUNTS_AT + _COUNTS.size)
    sent, received = _COUNTS.unpack_from(info, _COUNTS_AT)
    return sent, received


def watch_connections() -> None:
    """From now on, as long as this process lives. Only Linux says of a connection what went over it: elsewhere nothing is closed."""
    if hasattr(socket, "TCP_INFO") and _OPEN.is_dir():
        threading.Thread(target=_watch, name="watch over connections", daemon=True).start()


def _watch() -> None:
    watch = Watch()
    while True:
        time.sleep(EVERY)
        if closed := watch.look(time.monotonic()):
            log.warning("closed connections over which nothing went", connections=closed)
