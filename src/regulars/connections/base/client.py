"""Calling shops: one client and one policy of trying again for every platform.

What passes by itself (no connection, 408, 425, 429, 5xx) is tried again with growing, random waits, and as the shop asks where it says
how long; what does not is given back to the platform to judge. A shop that fails too often is left alone for a while.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

from regulars.foundation.errors import RegularsError
from regulars.foundation.outbound import Limits, Outbound, OutboundError, Reply

PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 530})
MOST_BYTES = 30_000_000  # of one answer: a page of a hundred orders of a large shop
MOST_TRIES = 5
MOST_ASKED = 86_400.0  # seconds
MOST_WAIT = 20.0  # seconds within one call; who is asked to wait longer comes back later


class Unreachable(RegularsError):
    """The shop does not answer, or answers with errors of its own; it is tried again later."""

    code = "shop-unreachable"
    status = 502


class TryLater(RegularsError):
    """The shop asked us to wait."""

    code = "shop-busy"
    status = 503

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The shop asks us to wait {seconds:.0f} seconds.")
        self.seconds = seconds


@dataclass
class Pace:
    """At most ``a_second`` calls to one shop from this process, after a burst of ``burst``."""

    a_second: float = 5
    burst: int = 10
    _left: float = field(default=0, init=False)
    _seen: float | None = field(default=None, init=False)

    def next_in(self, now: float) -> float:
        """Takes one turn; the seconds until it comes."""
        self._left = (
            self.burst if self._seen is None else min(self.burst, self._left + (now - self._seen) * self.a_second)
        )
        self._seen = now
        self._left -= 1
        return max(0.0, -self._left / self.a_second)


@dataclass
class Client:
    """Sends to one shop. ``sleep`` and ``clock`` are given by tests."""

    outbound: Outbound
    pace: Pace = field(default_factory=Pace)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    chance: random.Random = field(default_factory=random.Random)
    tries: int = MOST_TRIES
    # By ``clock``: until then the shop asked to be left alone.
    _free_at: float = field(default=float("-inf"), init=False)

    def send(
        self, method: str, url: str | Callable[[], str], headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Reply:
        """The shop's answer, which may be a refusal (4xx). Raises Unreachable, TryLater, and Forbidden for an address that may not
        be called. A call that is not repeatable must carry a key of its own that the shop honours. ``url`` may be made anew for each
        try, where it is signed for one use."""
        if (left := self._free_at - self.clock()) > 0:
            raise TryLater(left)
        for attempt in range(1, self.tries + 1):
            self.sleep(self.pace.next_in(self.clock()))
            reply, problem = self._try(method, url if isinstance(url, str) else url(), headers, body)
            if reply is not None and reply.status not in PASSING:
                return reply
            wait = asked_wait(reply) if reply else 0.0
            if wait > MOST_WAIT:
                raise self._later(wait)
            if attempt < self.tries:
                self.sleep(max(wait, self.chance.uniform(0, min(MOST_WAIT, 0.5 * 2**attempt))))
        if reply is not None and reply.status == 429:
            raise self._later(max(asked_wait(reply), 60))
        raise Unreachable(problem)

    def _later(self, seconds: float) -> TryLater:
        """Nothing else of this process calls the shop meanwhile."""
        self._free_at = self.clock() + seconds
        return TryLater(seconds)

    def _try(self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes) -> tuple[Reply | None, str]:
        try:
            reply = self.outbound.send(method, url, headers, body)
        except OutboundError as error:
            if error.status == 400:  # an address that may never be called: no use to try again
                raise
            return None, error.sentence
        return reply, f"The shop answers with the error {reply.status}."


def asked_wait(reply: Reply) -> float:
    """Seconds that the shop asks us to wait, at most a day: it names them, or a moment by its own clock. 0 where it does not say."""
    text = reply.headers.get("retry-after", "")
    if text.isascii() and text.replace(".", "", 1).isdecimal():
        return min(float(text), MOST_ASKED)
    until, now = _moment(text), _moment(reply.headers.get("date", ""))
    return min(max((until - now).total_seconds(), 0.0), MOST_ASKED) if until and now else 0.0


def _moment(text: str) -> datetime | None:
    """A date of HTTP; None for anything else, and for one without a zone."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else None


def limits() -> Limits:
    """Of one call to a shop."""
    return Limits(connect=5, read=30, total=60, size=MOST_BYTES)
