"""A fake that runs until it is stopped, and what to tell whoever tries it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Served:
    notice: str
    stop: Callable[[], None]
