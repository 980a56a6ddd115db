"""What the chain covers, and how it is checked."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol


@dataclass(frozen=True)
class Link:
    """What one entry says."""

    sequence: int
    at: datetime
    action: str
    actor: str
    subject: str
    details: dict[str, Any]


@dataclass(frozen=True)
class Anchor:
    """The head of the chain as it was once written down outside the database."""

    sequence: int
    mac: str


@dataclass(frozen=True)
class Verdict:
    """``bad_sequence`` is the first entry that is not as it was written, 0 for a whole chain; ``count`` those that
    hold.
    """

    count: int
    bad_sequence: int = 0
    reason: str = ""


class Mac(Protocol):
    """Computes an entry's code from the one before it."""

    def __call__(self, previous: bytes, link: Link) -> bytes: ...


def canonical(link: Link) -> str:
    """The one text of an entry: sorted keys, UTC with microseconds."""
    at = link.at.astimezone(UTC).isoformat(timespec="microseconds")
    parts = [link.sequence, at, link.action, link.actor, link.subject, link.details]
    return json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def verify(entries: Iterable[tuple[Link, bytes]], mac: Mac, anchors: dict[int, str] | None = None) -> Verdict:
    """Walks the chain from its first entry. ``anchors`` (sequence to hex code) also catch a cut tail and a chain
    rebuilt as a whole.
    """
    left = dict(anchors or {})
    previous, count = b"", 0
    for link, stored in entries:
        if link.sequence != count + 1:
            return Verdict(count, count + 1, "is missing")
        if mac(previous, link) != stored:
            return Verdict(count, link.sequence, "was changed")
        if left.pop(link.sequence, stored.hex()) != stored.hex():
            return Verdict(count, link.sequence, "differs from the head that was written down outside the database")
        previous, count = stored, link.sequence
    if left:
        return Verdict(count, count + 1, "is missing: a later head was written down outside the database")
    return Verdict(count)
