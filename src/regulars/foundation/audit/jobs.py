"""The head of the audit chain is written down outside the database every few minutes."""

from datetime import datetime

import structlog

from regulars.foundation.audit.queries import write_anchor
from regulars.foundation.work.loops import LOOPS, Loop, Stop

logger = structlog.get_logger()


def anchor(stop: Stop, at: datetime) -> bool:
    """In the data folder, and in the log, which is usually shipped to another machine."""
    head = write_anchor(at)
    if head is not None:
        logger.info("audit head", sequence=head.sequence, mac=head.mac)
    return False


LOOPS.register(
    "audit.anchor",
    Loop(anchor, "Writes the head of the audit chain down outside the database", idle_seconds=300, is_exclusive=True),
)
