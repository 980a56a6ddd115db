"""What happens to consent, as events. Addresses stay out of them: the ledger has their blind index."""

from datetime import datetime

from regulars.record.events.kinds import register
from regulars.record.events.log import Entry

CHANGED = register(
    "consent.changed",
    "Somebody said yes or no to a topic",
    channel="channel",
    topic="topic",
    state="granted, denied or unknown",
    method="how it was said",
    source="the connection that said it, so that it is not told there; '' for our own pages, staff and files",
    brand_id="the brand that it was said to",
)
SUPPRESSED = register(
    "consent.suppressed", "Nothing may be sent to an address any more", channel="channel", reason="why"
)
UNSUPPRESSED = register("consent.unsuppressed", "An address may be written to again", channel="channel", reason="why")
LEFT_ALONE = register("consent.do_not_contact", "Staff decided to leave this person alone")
NOT_LEFT_ALONE = register("consent.may_contact", "Staff decided that this person may be written to again")


def changed(
    profile_id: int | None, customer_id: int | None, occurred_at: datetime, said: dict[str, str | int], is_history: bool
) -> Entry:
    """``said`` holds channel, topic, state, method, source and brand_id. The address is the profile's, by the channel."""
    return Entry(CHANGED, occurred_at, profile_id, customer_id, data=dict(said), is_history=is_history)


def suppressed(
    profile_id: int | None,
    customer_id: int | None,
    occurred_at: datetime,
    channel: str,
    reason: str,
    is_on: bool,
    is_history: bool,
) -> Entry:
    kind = SUPPRESSED if is_on else UNSUPPRESSED
    return Entry(
        kind, occurred_at, profile_id, customer_id, data={"channel": channel, "reason": reason}, is_history=is_history
    )


def left_alone(profile_id: int, customer_id: int, occurred_at: datetime, is_on: bool) -> Entry:
    return Entry(LEFT_ALONE if is_on else NOT_LEFT_ALONE, occurred_at, profile_id, customer_id)
