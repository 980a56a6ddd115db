"""Who reads what came in: modules above register a parser for each kind of source that they take things from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from regulars.foundation.registry import Registry


@dataclass(frozen=True)
class RawInput:
    """One body as it came, opened. ``key`` is its own 16 bytes: the same when it is read again."""

    id: int
    source: str
    kind: str
    store_id: int | None
    key: bytes
    received_at: datetime
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Outcome:
    """What became of one input: the profiles that it spoke of, or why it cannot be read (a sentence that repeats nothing of it)."""

    people: frozenset[int] = field(default_factory=frozenset)
    refused: str = ""
    is_forgotten: bool = False  # it names somebody who was erased since it came: its body goes


@dataclass(frozen=True)
class Parser:
    """``read(inputs, at)`` gives one outcome for each input, in their order; all are of one source, oldest first.

    It runs inside the transaction that marks them read, and writes to the database only. Reading the same input again must change
    nothing. What it raises puts the whole batch back; then each input is tried alone, and the one that fails goes to quarantine.
    """

    kind: str
    meaning: str
    read: Callable[[Sequence[RawInput], datetime], Sequence[Outcome]]
    most_inputs: int = 200  # in a batch
    most_bytes: int = 2_000_000


PARSERS: Registry[Parser] = Registry("parser")


def register(parser: Parser) -> Parser:
    """Called from a module's ``jobs.py``: only workers read."""
    return PARSERS.register(parser.kind, parser)
