"""What goes wrong between a shop and us, drawn from a seed or asked for by name."""

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import TypeVar

_Delivery = TypeVar("_Delivery")


class Fate(StrEnum):
    """What becomes of a request."""

    FINE = "fine"
    SLOW = "slow"  # answered after ``slow_seconds``
    THROTTLED = "throttled"  # 429 with Retry-After
    BROKEN = "broken"  # 5xx with a page of HTML, as a proxy answers
    DROPPED = "dropped"  # the connection is reset before a byte of the answer
    TRUNCATED = "truncated"  # half of the body, then a reset
    SHIFTED = "shifted"  # the fake changes something that moves its pages, then answers


@dataclass
class Disturbance:
    """Shares are of all requests or deliveries, 0 to 1. Equal seeds and equal calls end equally.

    ``path`` limits disturbed requests to addresses in which it stands.
    """

    seed: int = 0
    path: str = ""
    # requests
    slow: float = 0
    throttled: float = 0
    broken: float = 0
    dropped: float = 0
    truncated: float = 0
    shifted: float = 0
    slow_seconds: float = 0.2
    retry_after: int = 1
    broken_status: int = 503
    # webhook deliveries
    deliveries_dropped: float = 0
    deliveries_duplicated: float = 0
    deliveries_delayed: float = 0
    deliveries_reordered: float = 0
    _random: Random = field(init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _asked_for: deque[Fate] = field(default_factory=deque, init=False, repr=False)
    _held: list[object] = field(default_factory=list, init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)  # noqa: S311  dice that fall again

    def next(self, fate: Fate, times: int = 1) -> None:
        """The coming requests meet this fate, before anything is drawn."""
        with self._lock:
            self._asked_for.extend([fate] * times)

    def fate(self, path: str) -> Fate:
        if self.path not in path:
            return Fate.FINE
        with self._lock:
            if self._asked_for:
                return self._asked_for.popleft()
            return self._draw()

    def _draw(self) -> Fate:
        die = self._random.random()
        for fate in (Fate.SLOW, Fate.THROTTLED, Fate.BROKEN, Fate.DROPPED, Fate.TRUNCATED, Fate.SHIFTED):
            die -= float(getattr(self, fate.value))
            if die < 0:
                return fate
        return Fate.FINE

    def disturb(self, deliveries: Iterable[_Delivery]) -> list[_Delivery]:
        """What is really handed over now, in which order: some are lost, some come twice, some wait for the next call."""
        with self._lock:
            now: list[_Delivery] = [*self._held]  # type: ignore[list-item] # one fake, one kind
            self._held.clear()
            for delivery in deliveries:
                if self._random.random() < self.deliveries_dropped:
                    continue
                if self._random.random() < self.deliveries_delayed:
                    self._held.append(delivery)
                    continue
                now += [delivery] * (2 if self._random.random() < self.deliveries_duplicated else 1)
            return self._reordered(now)

    def _reordered(self, deliveries: Sequence[_Delivery]) -> list[_Delivery]:
        places = [
            place
            + (self._random.uniform(0, len(deliveries)) if self._random.random() < self.deliveries_reordered else 0)
            for place in range(len(deliveries))
        ]
        return [deliveries[place] for place in sorted(range(len(deliveries)), key=places.__getitem__)]

    @property
    def held(self) -> int:
        """Deliveries that wait for the next call."""
        return len(self._held)

    def calm(self) -> None:
        """From now on nothing goes wrong; what is held comes with the next deliveries."""
        with self._lock:
            self._asked_for.clear()
        for name in ("slow", "throttled", "broken", "dropped", "truncated", "shifted"):
            setattr(self, name, 0)
        for name in ("dropped", "duplicated", "delayed", "reordered"):
            setattr(self, f"deliveries_{name}", 0)
