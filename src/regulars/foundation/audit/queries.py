"""What can be asked of the audit chain."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings

from regulars.foundation.audit.models import AuditEntry
from regulars.foundation.audit.operations import chain_mac
from regulars.foundation.audit.rules import Anchor, Link, Verdict, verify


def verify_chain() -> Verdict:
    """Checks every entry, and the heads that were written down in the data folder."""
    return verify(_links(), chain_mac, {anchor.sequence: anchor.mac for anchor in list_anchors()})


def _links() -> Iterator[tuple[Link, bytes]]:
    for entry in AuditEntry.objects.order_by("sequence").iterator(chunk_size=5000):
        yield Link(entry.sequence, entry.at, entry.action, entry.actor, entry.subject, entry.details), bytes(entry.mac)


def anchor_path() -> Path:
    return Path(settings.HOME) / "audit" / "heads.jsonl"


def list_anchors() -> list[Anchor]:
    """Heads in the order in which they were written down."""
    path = anchor_path()
    lines = path.read_text().splitlines() if path.exists() else []
    return [Anchor(known["sequence"], known["mac"]) for known in map(json.loads, lines)]


def write_anchor(at: datetime) -> Anchor | None:
    """Writes the head down outside the database; None where nothing is new. Ship the file elsewhere to catch who can
    change both.
    """
    head = AuditEntry.objects.order_by("-sequence").first()
    known = list_anchors()
    if head is None or (known and known[-1].sequence == head.sequence):
        return None
    anchor = Anchor(head.sequence, bytes(head.mac).hex())
    path = anchor_path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps({"sequence": anchor.sequence, "mac": anchor.mac, "at": at.isoformat()}) + "\n")
    return anchor
