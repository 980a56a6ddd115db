"""What happens to connections."""

from datetime import datetime

from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

MADE = register("connection.made", "A shop was connected", "connection", platform="which kind of shop")
ENDED = register("connection.ended", "A connection to a shop ended", "connection", platform="which kind of shop")


def made(connection_id: int, platform: str, occurred_at: datetime) -> Entry:
    return Entry(MADE, occurred_at, subject_id=connection_id, data={"platform": platform})


def ended(connection_id: int, platform: str, occurred_at: datetime) -> Entry:
    return Entry(ENDED, occurred_at, subject_id=connection_id, data={"platform": platform})
