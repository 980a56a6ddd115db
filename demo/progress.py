"""What the terminal says while the demo is made: one line a step, with count, speed and the time it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_EVERY_SECONDS = 0.5
_WIDTH = 78


def say(text: str, end: str = "\n") -> None:
    """Prints at once."""
    sys.stdout.write(text + end)
    sys.stdout.flush()


class Line:
    """A step's line: rewritten in place in a terminal, and printed once at its end elsewhere."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.note = ""
        self._began = time.monotonic()
        self._shown = 0.0

    def show(self, done: int, total: int | None = None, unit: str = "rows") -> None:
        """So much is done; shown twice a second at most."""
        at = time.monotonic()
        if at - self._shown < _EVERY_SECONDS or not sys.stdout.isatty():
            return
        self._shown = at
        speed = done / max(at - self._began, 0.001)
        of = f" of {total:,}" if total else ""
        text = f"  {self.title} … {done:,}{of} {unit}, {speed:,.0f} a second"
        say("\r" + text[:_WIDTH].ljust(_WIDTH), end="")

    def end(self) -> None:
        """The step is done; what it came to stands behind it."""
        seconds = time.monotonic() - self._began
        start = "\r" if sys.stdout.isatty() else ""
        note = f": {self.note}" if self.note else ""
        say(f"{start}  {self.title}{note} ({seconds:.1f} s)".ljust(_WIDTH))


@contextmanager
def step(title: str) -> Iterator[Line]:
    """One long step; an error leaves its line unended, so that it is seen where it stopped."""
    line = Line(title)
    if sys.stdout.isatty():
        say(f"  {title} …", end="")
    yield line
    line.end()
