"""Group commit: what several threads of a process have to store at one moment goes into one statement and waits for the disk once.

Nobody waits for company: whoever finds nobody at work begins at once, and what comes meanwhile is the next group.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


def _closed() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class _Waiting(Generic[T]):
    item: T
    turn: threading.Lock = field(default_factory=_closed)  # opened once: when it was tried, or when it is to lead
    leads: bool = False
    is_stored: bool = False


class Grouped(Generic[T]):
    """``store(items)`` writes and commits a group, all or nothing, on the connection of the thread that leads it."""

    def __init__(self, store: Callable[[Sequence[T]], object]) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._waiting: list[_Waiting[T]] = []
        self._is_busy = False

    def add(self, item: T) -> None:
        """Returns once it is stored. Where its group could not be stored, each is tried alone: raises what its own try raises."""
        mine = _Waiting(item)
        with self._guard:
            self._waiting.append(mine)
            mine.leads, self._is_busy = not self._is_busy, True
        if not mine.leads:
            mine.turn.acquire()
        if mine.leads:
            self._lead()
        if not mine.is_stored:
            self._store([item])

    def _lead(self) -> None:
        with self._guard:
            group, self._waiting = self._waiting, []
        try:
            self._store([one.item for one in group])
            for one in group:
                one.is_stored = True
        except Exception:
            if len(group) == 1:
                raise
        finally:
            self._hand_on(group)

    def _hand_on(self, group: Sequence[_Waiting[T]]) -> None:
        """Whoever waits longest leads the next group."""
        with self._guard:
            heirs = self._waiting[:1]
            self._is_busy = bool(heirs)
        for one in heirs:
            one.leads = True
        for one in (*heirs, *group):
            one.turn.release()
