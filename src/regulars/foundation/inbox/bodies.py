"""Bodies that do not come. Who sends half of one, or a byte a minute, holds a thread of the web server, whose read cannot be broken off: a
few dozen such senders would stop the shop. So a watch closes connections that bring next to nothing while somebody waits for a body: the
read then ends with what came, as where the sender hangs up.

A request does not say by which connection it came. But one from the same address that brought next to nothing for so long, and was sent
nothing either, is such a sender's or idle; and who is idle may be closed at any time (RFC 9112, 9.3), and connects anew.
"""

import os
import socket
import stat
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import structlog

SLOW = 2.0  # seconds after which a read is looked at
PATIENCE, HASTE = 30.0, 3.0  # seconds for each LEAST bytes; once MANY are slow
LEAST, MANY = 1 << 16, 4
EVERY = 1.0  # seconds
_OPEN = Path("/proc/self/fd")
_COUNTS = struct.Struct("=QQ")  # bytes_acked and bytes_received in Linux' tcp_info
_COUNTS_AT = 120

log = structlog.get_logger(__name__)


class Body:
    """``wsgi.input`` of a request, which is seen while it waits. ``address`` is the sender's, ``port`` the web server's."""

    __slots__ = ("_input", "address", "port", "since")

    def __init__(self, environ: dict[str, Any]) -> None:
        self._input = environ["wsgi.input"]
        self.address, self.port = environ.get("REMOTE_ADDR", ""), environ.get("SERVER_PORT", "")
        self.since = 0.0

    def read(self, *size: int) -> bytes:
        self.since = time.monotonic()
        _waiting.add(self)
        try:
            return bytes(self._input.read(*size))
        finally:
            _waiting.discard(self)

    def readline(self, *size: int) -> bytes:
        return bytes(self._input.readline(*size))


_waiting: set[Body] = set()


@dataclass(frozen=True)
class _Mark:
    """What had gone over a connection when it was last seen to do enough."""

    at: float
    sent: int
    received: int


class Watch:
    """Looks, again and again, at the connections of this process by which slow bodies may come."""

    def __init__(self) -> None:
        self._marks: dict[object, _Mark] = {}

    def look(self, now: float) -> int:
        """Closes those that did too little for too long; how many."""
        slow = [body for body in list(_waiting) if now - body.since > SLOW]
        patience = HASTE if len(slow) >= MANY else PATIENCE
        senders = {(ip_address(body.address), int(body.port)) for body in slow}
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


def watch_bodies() -> None:
    """From now on, as long as this process lives. Only Linux says of a connection what went over it: elsewhere nothing is closed."""
    if hasattr(socket, "TCP_INFO") and _OPEN.is_dir():
        threading.Thread(target=_watch, name="watch over bodies", daemon=True).start()


def _watch() -> None:
    watch = Watch()
    while True:
        time.sleep(EVERY)
        if closed := watch.look(time.monotonic()):
            log.warning("closed connections that brought nothing", connections=closed)
