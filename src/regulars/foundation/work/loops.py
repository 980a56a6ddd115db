"""Long-lived loops that take rows in batches: the registry that modules fill from their ``jobs.py``, and the running of one.

A loop of which one may run in the whole installation is exclusive: its worker holds a lease, others wait for it to end or expire.
Other loops run in every worker at once and share their rows by ``FOR UPDATE SKIP LOCKED``.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import close_old_connections, connection

from regulars.foundation.clock import now
from regulars.foundation.learning import learn
from regulars.foundation.registry import Registry
from regulars.foundation.work.leases import Held, LeaseLost, check_lease, extend_lease, release_lease, take_lease

LEASE_SECONDS = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0  # seconds after a failure, doubled each time

log = structlog.get_logger(__name__)


@dataclass
class Stop:
    """What a batch is told: whether to end soon, and under which lease it works (None for loops that share)."""

    stopping: threading.Event = field(default_factory=threading.Event)
    lost: threading.Event = field(default_factory=threading.Event)
    held: Held | None = None

    def is_set(self) -> bool:
        """True when the worker is to end or its lease is gone: finish the row at hand and return."""
        return self.stopping.is_set() or self.lost.is_set()

    def wait(self, seconds: float) -> bool:
        return self.stopping.wait(seconds)

    def check_fence(self) -> None:
        """To be called inside the transaction that writes; does nothing for a loop that shares. Raises LeaseLost."""
        if self.held is not None:
            check_lease(self.held)


@dataclass(frozen=True)
class Loop:
    """``batch(stop, at)`` does one batch in transactions of its own and says whether there was work; then it is called again at once."""

    batch: Callable[[Stop, datetime], bool]
    meaning: str
    idle_seconds: float = 1.0
    is_exclusive: bool = False


LOOPS: Registry[Loop] = Registry("loop")


def run_once(loop: Loop, stop: Stop | None = None, at: datetime | None = None) -> bool:
    """One batch in this thread, without a lease: for tests, commands and the demo's clock."""
    learn()
    return loop.batch(stop or Stop(), at or now())


def drive(name: str, loop: Loop, owner: str, stopping: threading.Event) -> None:
    """Runs a loop until ``stopping``; a failing batch is logged and tried again after a growing pause. Returns when it has ended."""
    pause = _FIRST_PAUSE
    while not stopping.is_set():
        try:
            _drive_while_held(name, loop, owner, stopping)
            pause = _FIRST_PAUSE
        except LeaseLost:
            log.warning("lease lost", loop=name, owner=owner)
        except Exception:
            log.exception("loop failed", loop=name, owner=owner, pause_seconds=pause)
            stopping.wait(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
        finally:
            _drop_connection()


def _drive_while_held(name: str, loop: Loop, owner: str, stopping: threading.Event) -> None:
    stop = Stop(stopping)
    if not loop.is_exclusive:
        _repeat(loop, stop)
        return
    stop.held = take_lease(f"loop:{name}", owner, LEASE_SECONDS)
    if stop.held is None:
        stopping.wait(max(loop.idle_seconds, 1.0))
        return
    ended = threading.Event()
    heart = threading.Thread(target=_beat, args=(stop, ended), name=f"{name}-heartbeat", daemon=True)
    heart.start()
    try:
        _repeat(loop, stop)
    finally:
        ended.set()
        heart.join()
        release_lease(stop.held)


def _repeat(loop: Loop, stop: Stop) -> None:
    while not stop.is_set():
        close_old_connections()
        learn()
        if not loop.batch(stop, now()):
            stop.wait(loop.idle_seconds)


def _beat(stop: Stop, ended: threading.Event) -> None:
    """Extends the lease three times per its length; whatever hinders it counts as lost once the lease would have expired."""
    missed = 0
    while stop.held is not None and not ended.wait(LEASE_SECONDS / 3):
        try:
            if not extend_lease(stop.held, LEASE_SECONDS):
                break
            missed = 0
        except Exception:  # noqa: BLE001  the database is away: the loop's own statements say so too
            missed += 1
            _drop_connection()
            if missed >= 2:
                break
    if not ended.is_set():
        stop.lost.set()
    _drop_connection()


def _drop_connection() -> None:
    try:
        connection.close()
    except Exception:  # noqa: BLE001  a connection that cannot even be closed is gone
        log.warning("connection lost")
