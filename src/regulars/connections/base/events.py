"""What happens to connections."""

from datetime import datetime

from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

MADE = register("connection.made", "A shop was connected", "connection", platform="which kind of shop")
ENDED = register("connection.ended", "A connection to a shop ended", "connection", platform="which kind of shop")


CUSTOMER_GONE = register(
    "connection.customer_gone",
    "A shop deleted its account of somebody; what they did stays",
    platform="which kind of shop",
)


def customer_gone(
    profile_id: int, customer_id: int | None, platform: str, occurred_at: datetime, is_history: bool
) -> Entry:
    return Entry(
        CUSTOMER_GONE, occurred_at, profile_id, customer_id, data={"platform": platform}, is_history=is_history
    )


def made(connection_id: int, platform: str, occurred_at: datetime) -> Entry:
    return Entry(MADE, occurred_at, subject_id=connection_id, data={"platform": platform})


def ended(connection_id: int, platform: str, occurred_at: datetime) -> Entry:
    return Entry(ENDED, occurred_at, subject_id=connection_id, data={"platform": platform})
