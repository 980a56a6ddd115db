"""What this machine does, beside what it could do at most: ``python -m bench`` (``make bench``).

A bench module is a file of this folder with ``run(scale: Scale) -> list[Figure]``, named in :data:`MODULES`. It runs
in a process of its own, in an empty migrated database of its own on an embedded server with fsync on; Django is set up,
``REGULARS_HOME`` is a folder that is thrown away afterwards. It measures its limit in the same run: the same rows,
columns, constraints and durability.
"""

from dataclasses import dataclass

MODULES: tuple[str, ...] = (
    "log",
    "ingest",
    "webhooks",
    "identity",
    "imports",
    "history",
    "rfm",
    "segments",
    "membership",
    "workflows",
    "pages",
)


@dataclass(frozen=True)
class Scale:
    """How much to do: ``factor`` 1 is the size in the architecture's table; ``seed`` makes the same volume again."""

    factor: float = 1.0
    seed: int = 20111209

    def of(self, size: int, least: int = 1) -> int:
        """``size`` at this scale, but not fewer than ``least``."""
        return max(round(size * self.factor), least)


@dataclass(frozen=True)
class Figure:
    """One measured number. ``ratio`` is value over limit, both in ``unit``; ``goal`` is a sentence."""

    name: str
    value: float
    unit: str
    limit_value: float | None = None
    ratio: float | None = None
    goal: str = ""
    note: str = ""


def against(name: str, value: float, unit: str, limit_value: float, *, goal: str = "", note: str = "") -> Figure:
    """A figure beside its limit, with the ratio of the two."""
    return Figure(name, value, unit, limit_value, value / limit_value if limit_value else None, goal, note)
